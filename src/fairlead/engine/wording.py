"""The engine's own words about tables, in the words of the house: what is not offered, and what to write instead."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Worded(NamedTuple):
    """A message as the client gets it, with a hint where there is something to do."""

    message: str
    hint: str | None


_CONSTRAINTS: Final = "NOT NULL and DEFAULT are offered; MERGE INTO keeps a key unique"
_ONE_PART: Final = "a view's rows cannot be changed, nor those of a table of which only a part may be read"

# (what the engine says, what is said instead, hint); a message may take groups of the pattern.
_WORDS: Final = tuple(
    (re.compile(pattern), message, hint)
    for pattern, message, hint in (
        (
            r"\A(?:PRIMARY KEY/UNIQUE constraints are|Adding indexes or constraints is) not supported in DuckLake",
            "PRIMARY KEY and UNIQUE are not offered: tables have no indexes",
            _CONSTRAINTS,
        ),
        (r"\ACHECK constraints are not supported in DuckLake", "CHECK constraints are not offered", _CONSTRAINTS),
        (r"\AFailed to create foreign key", "FOREIGN KEY constraints are not offered", _CONSTRAINTS),
        (r"\AConstraint not implemented!", "this constraint of a column is not offered", _CONSTRAINTS),
        (
            r"\ADuckLake does not support generated columns",
            "generated columns are not offered",
            "a view can compute the column",
        ),
        (
            r"\AFailed to convert DuckDB type to DuckLake - unsupported type ([\s\S]*)",
            r"columns of tables cannot have the type \1",
            "use VARCHAR, and cast it in queries",
        ),
        (
            r"\AThere are no UNIQUE/PRIMARY KEY constraints|\AThe specified columns as conflict target are not",
            "ON CONFLICT and INSERT OR REPLACE need a key, and tables have none",
            "MERGE INTO t USING ... ON t.id = ... WHEN MATCHED THEN UPDATE ... WHEN NOT MATCHED THEN INSERT ...",
        ),
        (
            r"\ARETURNING clause not yet supported for .*DuckLake table",
            "RETURNING is not offered here",
            "an INSERT outside of a transaction block can have it",
        ),
        (
            r"\AMERGE INTO with DuckLake only supports a single UPDATE/DELETE action",
            "a MERGE can have one UPDATE or DELETE action",
            "run two MERGE statements between BEGIN and COMMIT",
        ),
        (
            r"\ASET DEFAULT is not yet supported for updates",
            "SET column = DEFAULT is not offered in UPDATE",
            "write the value out",
        ),
        (
            r"\APARTITIONED BY is not supported for tables in a ducklake catalog",
            "PARTITIONED BY is not offered in CREATE TABLE",
            "ALTER TABLE t SET PARTITIONED BY (...) sets it",
        ),
        (
            r"\AAttempting to write to database \"[^\"]*\" in a transaction that has already modified",
            "one transaction can change the tables of one database only",
            "COMMIT first",
        ),
        (r"\ACan only drop one object at a time", "a DROP names one object", "write one DROP for each"),
        (
            r"\AOnly one ALTER command per statement is supported",
            "an ALTER TABLE makes one change",
            "write one for each, between BEGIN and COMMIT if they belong together",
        ),
        (
            r"\AAdding columns with constraints not yet supported",
            "ADD COLUMN takes no constraint",
            "add the column with a DEFAULT first, then ALTER TABLE t ALTER COLUMN c SET NOT NULL",
        ),
        (
            r"\ACannot SET NOT NULL on table (\S+) - no column stats",
            r"SET NOT NULL cannot be checked: nothing is known of the column's values in table \1",
            "CREATE OR REPLACE TABLE with the column NOT NULL, and INSERT the rows again",
        ),
        (
            r"\AT_AlterObjectSchemaStmt",
            "SET SCHEMA is not offered",
            "CREATE TABLE s.t AS SELECT * FROM t, then DROP TABLE t",
        ),
        (r"\ANo support for that ALTER TABLE option yet!", "this form of ALTER TABLE is not offered", None),
        (
            r"\AColumnDef type not handled yet",
            "LIKE is not offered in CREATE TABLE",
            "CREATE TABLE t AS SELECT * FROM u LIMIT 0",
        ),
        (r"\ASELECT INTO not supported!", "SELECT ... INTO table is not offered", "CREATE TABLE t AS SELECT ..."),
        (
            r"\ASELECT locking clause is not supported!",
            "FOR UPDATE and FOR SHARE are not offered: nothing is locked",
            "COMMIT is refused (40001) where somebody else has changed the same table",
        ),
        (r"\ACan only update base table", "UPDATE cannot be used here", _ONE_PART),
        (r"\ACan only delete from base table", "DELETE cannot be used here", _ONE_PART),
        (r"\A(\S+) is not an table", r'"\1" is not a table', _ONE_PART),
        (
            r"\AExisting object (\S+) is of type (\w+), trying to drop type \w+",
            r'"\1" is a \2',
            "DROP TABLE drops tables, DROP VIEW drops views",
        ),
        (
            r"\ACannot rename table (?:.*) to (.*), since .* already exists\.\Z",
            r'relation "\1" already exists',
            None,
        ),
        (r"\AColumn with name (.*) already exists!\Z", r'column "\1" already exists', None),
        (r"\ASchema with name (\".*\") already exists!\Z", r"schema \1 already exists", None),
        (
            r"\AFailed to (?:rename|alter) column - column (.*) does not exist\Z",
            r'column "\1" does not exist',
            None,
        ),
        (r"\AReferenced update column (\S+) not found in table!", r'column "\1" does not exist', None),
        (
            r"\ASchema \"([^\"]*)\" not found in DuckLakeCatalog",
            r'schema "\1" does not exist',
            "SHOW SCHEMAS lists those that you may see",
        ),
        (
            r"\ACatalog type does not support time travel",
            "AT cannot be used here: this is not a table of which you may read everything",
            "AT is for tables with SELECT on all of them, not for views and parts",
        ),
        (r"\A(No snapshot found at [\s\S]*)", r"\1", "SHOW SNAPSHOTS lists the versions that can be read"),
        (
            r"\A(Type with name (?:small|big)?serial does not exist!)[\s\S]*",
            "SERIAL is not offered: there are no sequences",
            "use BIGINT, and give the value; or UUID DEFAULT uuid()",
        ),
        (r"\AType with name jsonb does not exist![\s\S]*", "JSONB is not offered", "use JSON"),
        (r"\AType with name money does not exist![\s\S]*", "MONEY is not offered", "use DECIMAL(18, 2)"),
    )
)
# Names of the engine's own that nobody asked for.
_OWN: Final = re.compile(
    r"\n*Did you mean \"(?:pg_|duckdb_|ducklake_|information_schema\.|memory\.|fairlead_|sqlite_)[^\"]*\"\??"
)
_NO_RELATION: Final = re.compile(r"\A(?:Table|View) with name [\s\S]* does not exist")


def worded(message: str) -> Worded:
    """Return a message of the engine as it is told to a client."""
    for pattern, said, hint in _WORDS:
        found = pattern.match(message)
        if found is not None:
            return Worded(found.expand(said), hint)
    told = _OWN.sub("", message)
    return Worded(told, "SHOW TABLES lists those that you may see" if _NO_RELATION.match(told) else None)
