"""What the listener answers by itself, or has the session answer in another shape: statements around the statements.

Every SHOW that MySQL tools send has the columns that MySQL gives it. Facts of the session are read here; tables and
databases are asked of the session, which knows who may see them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.dialects.names import like
from fairlead.engine.api import Column
from fairlead.errors import NotSupported
from fairlead.server.mysql import asking, schema
from fairlead.server.mysql.asking import Cursor
from fairlead.server.mysql.variables import VERSION, Value, Variables, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fairlead.context import Dialect
    from fairlead.server.mysql.lexing import Token
    from fairlead.session_types import Notice

Row = tuple[str | None, ...]
_TEXT_OID, _BIGINT_OID = 25, 20
_WARNING: Final = 1105
# Dialects whose own SHOW TABLES, SHOW DATABASES and DESCRIBE are MySQL's.
_MYSQL_SHAPED: Final = frozenset({"native", "singlestore"})


@dataclass(frozen=True, slots=True)
class Table:
    """A result that is ready."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Set:
    """Variables to be set: each with its value, None for NULL."""

    values: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Kill:
    """KILL."""

    number: int
    connection: bool


@dataclass(frozen=True, slots=True)
class Begin:
    """START TRANSACTION: what is open is committed first."""


@dataclass(frozen=True, slots=True)
class End:
    """COMMIT or ROLLBACK."""

    commit: bool


@dataclass(frozen=True, slots=True)
class Instead:
    """A statement for the session in the place of this one.

    Args:
        text: of the statement.
        columns: of the answer, where the session's rows are to be taken apart.
        pick: makes a row of the answer from one of the session's; None leaves it out.
    """

    text: str
    columns: tuple[Column, ...] = ()
    pick: Callable[[dict[str, str | None]], Row | None] | None = field(default=None)


Answer = Table | Set | Kill | Begin | End | Instead


@dataclass(slots=True)
class Facts:
    """What the listener knows of a session.

    Args:
        user: who is logged in.
        address: of the client.
        number: of the connection.
        database: gives the current one.
        processes: gives the rows of SHOW PROCESSLIST.
        variables: of the session.
        warnings: of the last statement.
    """

    user: str
    address: str
    number: int
    database: Callable[[], str]
    processes: Callable[[], list[Row]]
    variables: Variables = field(default_factory=Variables)
    warnings: list[Notice] = field(default_factory=list)

    def value(self, token: Token) -> Value:
        """Return what a variable, or a function of the session, gives.

        Raises:
            MysqlError: there is no such variable.
        """
        if token.kind == "variable":
            own = {"warning_count": len(self.warnings), "error_count": 0, "pseudo_thread_id": self.number}
            return own[token.value] if token.value in own else self.variables.get(token.value)
        match token.value:
            case "DATABASE" | "SCHEMA":
                return self.database()
            case "VERSION":
                return VERSION
            case "CONNECTION_ID":
                return self.number
            case "LAST_INSERT_ID":
                return 0
        return f"{self.user}@{self.address}"

    def literal(self, token: Token) -> str:
        """Return the same as a literal of SQL."""
        value = self.value(token)
        if value is None:
            return "NULL"
        return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def answer(text: str, tokens: Sequence[Token], facts: Facts, dialect: Dialect) -> Answer | None:
    """Return what is to be done for a statement that is not for the session as it is; None for all others.

    Args:
        text: the client's whole text.
        tokens: of the statement.
        facts: of the session.
        dialect: of the session.

    Raises:
        FairleadError: it cannot be done.
    """
    cursor = Cursor(text, tokens)
    verb = tokens[0].value if tokens[0].kind == "word" else ""
    match verb:
        case "SELECT":
            return _facts(cursor, facts)
        case "SET":
            cursor.accept("SET")
            return _set(cursor, facts)
        case "SHOW":
            cursor.accept("SHOW")
            return _show(cursor, facts, dialect)
        case "DESCRIBE" | "DESC" | "EXPLAIN" if dialect in _MYSQL_SHAPED:
            return _describe(cursor)
        case "KILL":
            cursor.accept("KILL")
            return _kill(cursor)
    return _transaction(cursor)


def _facts(cursor: Cursor, facts: Facts) -> Answer | None:
    items = asking.facts(cursor)
    if items is None:
        return None
    columns, row = [], []
    for item in items:
        if item.token.kind in ("string", "number"):
            value: Value = item.token.value
        else:
            value = facts.value(item.token)
        number = isinstance(value, int) or item.token.kind == "number"
        columns.append(Column(item.label, _BIGINT_OID if number and not _has_point(value) else _TEXT_OID, -1))
        row.append(None if value is None else str(int(value)) if isinstance(value, bool) else str(value))
    return Table(tuple(columns), [tuple(row)])


def _has_point(value: Value) -> bool:
    return isinstance(value, str) and not value.isdigit()


# --- SET -------------------------------------------------------------------------------------------------------------


def _set(cursor: Cursor, facts: Facts) -> Answer | None:
    if cursor.accept("NAMES"):
        return _names(cursor)
    if cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET"):
        charset = cursor.name()
        cursor.end()
        return Set((("character_set_client", charset), ("character_set_results", charset)))
    mark = cursor.at
    scope = cursor.accept_one("SESSION", "LOCAL", "GLOBAL")
    if cursor.accept("TRANSACTION"):
        return _set_transaction(cursor, scope)
    cursor.at = mark
    found = asking.assignments(cursor)
    if not all(one.system or Variables.known(one.name) for one in found):
        if len(found) > 1:
            raise NotSupported("set the gateway's own settings one by one")
        return None  # a setting of the gateway
    if not all(one.session for one in found):
        raise NotSupported("variables cannot be set for all sessions", hint="SET SESSION sets one for yours")
    return Set(tuple((one.name, _value(one.value, facts)) for one in found))


def _names(cursor: Cursor) -> Set:
    charset = cursor.name()
    values = [(f"character_set_{what}", charset) for what in ("client", "connection", "results")]
    if cursor.accept("COLLATE"):
        values.append(("collation_connection", cursor.name()))
    cursor.end()
    return Set(tuple(values))


def _set_transaction(cursor: Cursor, scope: str) -> Set:
    if scope == "GLOBAL":
        raise NotSupported("variables cannot be set for all sessions", hint="SET SESSION sets one for yours")
    values: list[tuple[str, str | None]] = []
    while cursor.token is not None:
        if cursor.accept("ISOLATION", "LEVEL"):
            level = cursor.accept_one("REPEATABLE", "SERIALIZABLE") or cursor.name().upper()
            rest = cursor.accept_one("READ", "COMMITTED", "UNCOMMITTED")
            values.append(("transaction_isolation", "-".join(filter(None, (level, rest)))))
        elif cursor.accept("READ", "WRITE"):
            values.append(("transaction_read_only", "0"))
        elif cursor.accept("READ", "ONLY"):
            values.append(("transaction_read_only", "1"))
        elif not cursor.op(","):
            raise cursor.unexpected("ISOLATION LEVEL or READ")
    return Set(tuple(values))


def _value(tokens: Sequence[Token], facts: Facts) -> str | None:
    """Return the value of an assignment: a literal, a word, a variable, or CONCAT of such."""
    first = tokens[0]
    if first.kind == "word" and first.value == "CONCAT" and len(tokens) > 2 and tokens[1].is_op("("):  # noqa: PLR2004
        inner = [token for token in tokens[2:-1] if not token.is_op(",")]
        return "".join(_value((token,), facts) or "" for token in inner)
    if len(tokens) == 2 and first.is_op("-") and tokens[1].kind == "number":  # noqa: PLR2004  # the sign and a number
        return f"-{tokens[1].value}"
    if len(tokens) != 1 or first.kind in ("op", "param", "stage", "bytes"):
        raise NotSupported("only literals and variables can be assigned")
    if first.kind == "variable":
        value = facts.value(first)
        return None if value is None else str(int(value)) if isinstance(value, bool) else str(value)
    if first.kind == "word" and first.value == "NULL":
        return None
    return first.text if first.kind == "word" else first.value


# --- SHOW and DESCRIBE -----------------------------------------------------------------------------------------------


def _show(cursor: Cursor, facts: Facts, dialect: Dialect) -> Answer | None:  # noqa: PLR0911  # a table
    mark = cursor.at
    scope = cursor.accept_one("SESSION", "LOCAL", "GLOBAL")
    if cursor.accept("VARIABLES"):
        return _variables(cursor, facts)
    if cursor.accept("STATUS"):
        return _listed(cursor, ("Variable_name", "Value"), [("Ssl_version", "TLS"), ("Threads_connected", "1")])
    if scope:
        cursor.at = mark
        return None
    if cursor.accept("WARNINGS") or cursor.accept("ERRORS"):
        rows: list[Row] = [
            ("Note" if one.severity == "NOTICE" else "Warning", str(_WARNING), one.message) for one in facts.warnings
        ]
        return Table(_texts("Level", "Code", "Message"), rows)
    full = cursor.accept("FULL")
    if cursor.accept("PROCESSLIST"):
        return Table(_texts("Id", "User", "Host", "db", "Command", "Time", "State", "Info"), facts.processes())
    if dialect in _MYSQL_SHAPED:
        return _show_objects(cursor, facts, full=full) or _show_constants(cursor)
    return None


def _show_objects(cursor: Cursor, facts: Facts, *, full: bool) -> Answer | None:  # noqa: PLR0911  # a table
    if cursor.accept_one("DATABASES", "SCHEMAS"):
        wanted = asking.pattern(cursor)
        cursor.end()
        columns = _texts("Database" if wanted.like is None else f"Database ({wanted.like})")
        return Instead("SHOW DATABASES", columns, lambda row: (row["name"],) if _wanted(wanted, row["name"]) else None)
    if cursor.accept("TABLES"):
        database = cursor.name() if cursor.accept_one("FROM", "IN") else facts.database()
        wanted = asking.pattern(cursor)
        cursor.end()
        return _tables(database, wanted, full=full)
    if cursor.accept_one("COLUMNS", "FIELDS"):
        return Instead(schema.columns(*_table(cursor), pattern=asking.pattern(cursor), full=full))
    if cursor.accept_one("INDEX", "INDEXES", "KEYS"):
        name, database = _table(cursor)
        asking.pattern(cursor)
        return Instead(schema.indexes(name, database))
    if cursor.accept("CREATE", "TABLE"):
        cursor.at -= 1
        return Instead(schema.create_table(*_table(cursor, cursor.accept("TABLE"))))
    if cursor.accept("TABLE", "STATUS"):
        database = cursor.name() if cursor.accept_one("FROM", "IN") else facts.database()
        wanted = asking.pattern(cursor)
        return Instead(
            _show_tables(database),
            _texts(*schema.STATUS_COLUMNS),
            lambda row: schema.status(row) if _wanted(wanted, row["name"]) else None,
        )
    return None


def _tables(database: str, wanted: asking.Pattern, *, full: bool) -> Instead:
    label = f"Tables_in_{database}" + ("" if wanted.like is None else f" ({wanted.like})")

    def pick(row: dict[str, str | None]) -> Row | None:
        if not _wanted(wanted, row["name"]):
            return None
        kind = "VIEW" if row["kind"] == "view" else "BASE TABLE"
        return (row["name"], kind) if full else (row["name"],)

    return Instead(_show_tables(database), _texts(label, "Table_type") if full else _texts(label), pick)


def _show_tables(database: str) -> str:
    return f"SHOW TABLES IN DATABASE {schema.identifier(database)}"


def _show_constants(cursor: Cursor) -> Answer | None:
    if cursor.accept("ENGINES") or cursor.accept("STORAGE", "ENGINES"):
        engines = [("DuckLake", "DEFAULT", "Tables in Parquet files", "YES", "NO", "NO")]
        return _listed(cursor, ("Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"), engines)
    if cursor.accept("COLLATION"):
        collations = [("utf8mb4_general_ci", "utf8mb4", "45", "Yes", "Yes", "1")]
        return _listed(cursor, ("Collation", "Charset", "Id", "Default", "Compiled", "Sortlen"), collations)
    if cursor.accept("CHARSET") or cursor.accept("CHARACTER", "SET"):
        charsets = [("utf8mb4", "UTF-8 Unicode", "utf8mb4_general_ci", "4")]
        return _listed(cursor, ("Charset", "Description", "Default collation", "Maxlen"), charsets)
    if cursor.accept("PLUGINS"):
        return _listed(cursor, ("Name", "Status", "Type", "Library", "License"), [])
    if cursor.accept_one("TRIGGERS", "EVENTS") or cursor.accept_one("PROCEDURE", "FUNCTION"):
        return Table(_texts("Name"), [])
    return None


def _variables(cursor: Cursor, facts: Facts) -> Table:
    rows: list[Row] = [(name, shown(value)) for name, value in facts.variables.all()]
    return _listed(cursor, ("Variable_name", "Value"), rows)


def _listed(cursor: Cursor, columns: Sequence[str], rows: Sequence[Row]) -> Table:
    wanted = asking.pattern(cursor)
    cursor.end()
    return Table(_texts(*columns), [row for row in rows if _wanted(wanted, row[0])])


def _describe(cursor: Cursor) -> Answer | None:
    """Read DESCRIBE table [column]; statements behind EXPLAIN, and the gateway's objects, are for the session."""
    cursor.at = 1
    rest = cursor.tokens[1:]
    objects = {"CONNECTION", "LINK", "STAGE", "SECRET"}
    statement = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "FROM", "ANALYZE", "VALUES", "TABLE", "MERGE", "COPY"}
    simple = all(token.kind in ("word", "quoted") or token.is_op(".") for token in rest)
    if not rest or not simple or rest[0].value in statement or (len(rest) > 1 and rest[0].value in objects):
        return None
    name, database = _table(cursor, introduced=True)
    column = asking.Pattern(like=cursor.name()) if cursor.token is not None else asking.Pattern()
    cursor.end()
    return Instead(schema.columns(name, database, pattern=column, full=False))


def _table(cursor: Cursor, introduced: bool = False) -> tuple[str, str | None]:  # internal
    """Read [FROM | IN] [database.]table [FROM | IN database]."""
    if not introduced and not cursor.accept_one("FROM", "IN"):
        raise cursor.unexpected("FROM")
    name, database = cursor.name(), None
    if cursor.op("."):
        name, database = cursor.name(), name
    if cursor.accept_one("FROM", "IN"):
        database = cursor.name()
    return name, database


def _wanted(pattern: asking.Pattern, name: str | None) -> bool:
    if name is None or (pattern.names is not None and name.lower() not in pattern.names):
        return False
    return like(name, pattern.like)


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, _TEXT_OID, -1) for name in names)


# --- sessions and transactions ---------------------------------------------------------------------------------------


def _kill(cursor: Cursor) -> Kill:
    what = cursor.accept_one("QUERY", "CONNECTION")
    token = cursor.kind("number")
    if token is None or not token.value.isdigit():
        raise cursor.unexpected("the id of a session")
    cursor.end()
    return Kill(int(token.value), what != "QUERY")


def _transaction(cursor: Cursor) -> Answer | None:
    if cursor.accept("START", "TRANSACTION"):
        while cursor.token is not None:
            if cursor.accept("READ", "ONLY"):
                raise NotSupported("transactions that only read are not offered")
            known = cursor.accept("WITH", "CONSISTENT", "SNAPSHOT") or cursor.accept("READ", "WRITE")
            if not (known or cursor.op(",")):
                raise cursor.unexpected("the end of the statement")
        return Begin()
    if cursor.accept("BEGIN"):
        cursor.accept("WORK")
        cursor.end()
        return Begin()
    commit = cursor.accept("COMMIT")
    if not commit and not cursor.accept("ROLLBACK"):
        return None
    cursor.accept("WORK")
    cursor.accept("AND", "NO", "CHAIN")
    cursor.accept("NO", "RELEASE")
    if cursor.token is not None:
        raise NotSupported("savepoints, chains and releases of transactions are not offered")
    return End(commit)
