"""What a statement says, as frozen dataclasses: the contract between the parser and the rooms above.

Nothing here knows what an option means. Every literal that stands in an option position is held as ``Sensitive``,
because the parser cannot know which options are secret; the connector's declaration decides later.
``span`` is the half-open range of characters in the script; it takes no part in equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fairlead.sensitive import Sensitive

Spelling = Literal["materialize", "singlestore", "databend", "clickzetta"]
Noun = Literal["CONNECTION", "LINK"]


@dataclass(frozen=True, slots=True)
class Name:
    """An object name of one to three parts, as typed, quotes removed."""

    parts: tuple[str, ...]

    @property
    def last(self) -> str:
        """The object's own name."""
        return self.parts[-1]

    def __str__(self) -> str:
        return ".".join(self.parts)


# --- values of options ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """A literal. ``kind`` says how it was written: ``word`` is a bare word, ``json`` a nested JSON value as text."""

    value: Sensitive
    kind: Literal["string", "number", "boolean", "word", "json", "null"] = "string"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """``SECRET name`` (or ``{"secret": "name"}`` in JSON): the value of a named secret, read at use."""

    name: Name


@dataclass(frozen=True, slots=True)
class Concat:
    """``'text' || SECRET s || ...``."""

    parts: tuple[Text | SecretRef, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """``('a', 'b')`` or ``['a', 'b']``."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """``MAP['k' => 'v']`` or ``('k' = 'v')``."""

    items: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """The keyword ``STORED``: keep the secret that is stored."""


@dataclass(frozen=True, slots=True)
class NameRef:
    """The name of another object: ``AWS CONNECTION = db.schema.c``, ``STORAGE_CONNECTION = c``."""

    name: Name


Value = Text | SecretRef | Concat | ListOf | MapOf | Stored | NameRef


@dataclass(frozen=True, slots=True)
class Option:
    """One option as typed: ``name`` in upper case with single blanks (Materialize, ClickZetta, Databend) or the exact
    JSON key (SingleStore). ``clause`` is CREDENTIALS, CONFIG or PROPERTIES where the option stood in one.
    ``value`` is None for an option without a value. ``position`` is the 0-based offset of the name in the script.
    """

    name: str
    value: Value | None
    clause: str | None = None
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Base of all statements."""

    span: tuple[int, int] = field(default=(0, 0), compare=False)


# --- secrets -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretValue:
    """The expression after AS, already evaluated where it is constant: a literal, ``decode('..', 'base64' | 'hex' |
    'escape')``, ``'..'::bytea``, ``||``, ``convert_to('..', 'utf8')``.
    """

    value: Sensitive


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSecret(Statement):
    """``CREATE [OR REPLACE] SECRET [IF NOT EXISTS] name AS expr [COMMENT 'x']``."""

    name: Name
    value: SecretValue
    if_not_exists: bool = False
    or_replace: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterSecret(Statement):
    """``ALTER SECRET [IF EXISTS] name (AS expr | RENAME TO n | OWNER TO r)``: exactly one is given."""

    name: Name
    if_exists: bool = False
    value: SecretValue | None = None
    rename_to: str | None = None
    owner_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropObjects(Statement):
    """``DROP kind [IF EXISTS] name [, ...] [CASCADE | RESTRICT]``."""

    kind: Literal["secret", "connection", "stage"]
    names: tuple[Name, ...]
    if_exists: bool = False
    cascade: bool = False
    noun: Noun = "CONNECTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowObjects(Statement):
    """``SHOW SECRETS | CONNECTIONS | STAGES | LINKS [ON|IN|FROM scope] [LIKE 'p']``.

    ``scope`` is a schema (Materialize) or a database (LINKS). ``category`` is STORAGE, API or CATALOG.
    """

    kind: Literal["secret", "connection", "stage"]
    noun: Noun = "CONNECTION"
    scope: str | None = None
    like: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeObject(Statement):
    """``DESC | DESCRIBE CONNECTION | LINK | STAGE [EXTENDED] name``."""

    kind: Literal["connection", "stage"]
    name: Name
    noun: Noun = "CONNECTION"
    extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCreate(Statement):
    """``SHOW [REDACTED] CREATE CONNECTION | LINK | STAGE name``."""

    kind: Literal["connection", "stage"]
    name: Name
    noun: Noun = "CONNECTION"
    redacted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDependents(Statement):
    """``SHOW DEPENDENTS OF SECRET | CONNECTION | LINK name``."""

    kind: Literal["secret", "connection"]
    name: Name
    noun: Noun = "CONNECTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateConnection(Statement):
    """``VALIDATE CONNECTION | LINK name``."""

    name: Name
    noun: Noun = "CONNECTION"


# --- connections -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateConnection(Statement):
    """CREATE CONNECTION or CREATE LINK in one of the four spellings.

    Args:
        spelling: whose spelling it is.
        type_word: the type as typed, upper case, single blanks (``AWS``, ``S3``, ``CONFLUENT SCHEMA REGISTRY``).
        category: STORAGE, API or CATALOG (ClickZetta), where written.
        credentials_stored: ``CREDENTIALS STORED`` was written.
        clauses: which of CREDENTIALS, CONFIG, PROPERTIES were written, for the rule "absent means empty".
        config_text: the text of CONFIG as first typed (SingleStore shows it so).
        validate: WITH (VALIDATE = ...), None where absent.
        comment: COMMENT, COMMENTS or DESCRIPTION.
    """

    name: Name
    spelling: Spelling
    type_word: str
    options: tuple[Option, ...] = ()
    or_replace: bool = False
    if_not_exists: bool = False
    category: str | None = None
    credentials_stored: bool = False
    clauses: tuple[str, ...] = ()
    config_text: str | None = field(default=None, repr=False)
    validate: bool | None = None
    comment: str | None = None
    noun: Noun = "CONNECTION"


@dataclass(frozen=True, slots=True)
class SetOptions:
    """``SET (OPT = v)``, ``SET PARAM = v ...``, ``SET CONFIG ::k = v``, ``SET (REGION = 'x', ...)``."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ReplaceClause:
    """``SET CONFIG 'json'`` or ``SET CREDENTIALS 'json'``: the whole clause is given anew."""

    clause: str
    options: tuple[Option, ...]
    text: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UnsetOptions:
    """``DROP (OPT)``, ``RESET (OPT)``, ``UNSET PARAM, ...``."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RenameTo:
    """``RENAME TO name``."""

    name: str


@dataclass(frozen=True, slots=True)
class OwnerTo:
    """``OWNER TO role``."""

    role: str


@dataclass(frozen=True, slots=True)
class SetComment:
    """``SET COMMENT 'x'``, ``SET DESCRIPTION 'x'``."""

    text: str


@dataclass(frozen=True, slots=True)
class SetEnabled:
    """``ENABLE`` or ``DISABLE``."""

    enabled: bool


AlterAction = SetOptions | ReplaceClause | UnsetOptions | RenameTo | OwnerTo | SetComment | SetEnabled


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterConnection(Statement):
    """``ALTER CONNECTION | LINK``. ``spelling`` is None where the text fits the connection's own spelling."""

    name: Name
    actions: tuple[AlterAction, ...]
    if_exists: bool = False
    validate: bool | None = None
    noun: Noun = "CONNECTION"


# --- stages --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStage(Statement):
    """``CREATE [OR REPLACE] STAGE [IF NOT EXISTS] name [URL =] 'uri' CONNECTION = (...) FILE_FORMAT = (...) COMMENT = ''``.

    ``connection`` is the value of CONNECTION_NAME, parsed as a name. ``inline`` holds any other key of the clause.
    """

    name: Name
    url: str | None = None
    connection: Name | None = None
    inline: tuple[Option, ...] = ()
    file_format: tuple[Option, ...] = ()
    comment: str | None = None
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterStage(Statement):
    """``ALTER STAGE [IF EXISTS] name SET { [URL =] 'uri' [CONNECTION = (...)] | FILE_FORMAT = (...) | COMMENT = '' } ...``."""

    name: Name
    url: str | None = None
    connection: Name | None = None
    inline: tuple[Option, ...] = ()
    file_format: tuple[Option, ...] | None = None
    comment: str | None = None
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStage(Statement):
    """``LIST @stage/path [PATTERN = 'regex']``."""

    stage: Name
    path: str
    pattern: str | None = None


# --- people and rights -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRole(Statement):
    """``CREATE USER | ROLE [IF NOT EXISTS] name [WITH] [PASSWORD 'x' | IDENTIFIED BY 'x'] [SUPERUSER | NOSUPERUSER]``.

    A user may log in; a role may not.
    """

    name: str
    login: bool
    password: Sensitive | None = None
    superuser: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterRole(Statement):
    """``ALTER USER | ROLE name [WITH] [PASSWORD 'x'] [SUPERUSER | NOSUPERUSER] [RENAME TO n]``."""

    name: str
    login: bool
    password: Sensitive | None = None
    superuser: bool | None = None
    rename_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRole(Statement):
    """``DROP USER | ROLE [IF EXISTS] name [, ...]``."""

    names: tuple[str, ...]
    login: bool
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class GrantTarget:
    """What the rights are on.

    ``kind``: ``system`` (``SYSTEM``, ``*.*``), ``database`` (``DATABASE d``, ``WORKSPACE d``, ``d.*``), ``schema``,
    ``connection``, ``secret``, ``stage``. ``names`` is empty for ``system``. ``all_in`` is True for ``ALL CONNECTIONS [IN ...]``.
    """

    kind: Literal["system", "database", "schema", "connection", "secret", "stage"]
    names: tuple[Name, ...] = ()
    all_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Statement):
    """``GRANT privilege [, ...] ON target TO grantee [, ...] [WITH GRANT OPTION]``.

    ``privileges`` are upper case with single blanks, exactly as typed (``SHOW LINK``, ``ACCESS CONNECTION``, ``USAGE``,
    ``ALL PRIVILEGES``). ``grantees`` are user or role names.
    """

    privileges: tuple[str, ...]
    target: GrantTarget
    grantees: tuple[str, ...]
    grant_option: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke(Statement):
    """``REVOKE [GRANT OPTION FOR] privilege [, ...] ON target FROM grantee [, ...]``."""

    privileges: tuple[str, ...]
    target: GrantTarget
    grantees: tuple[str, ...]
    grant_option_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole(Statement):
    """``GRANT role [, ...] TO grantee [, ...]``; also ``GRANT ROLE r TO USER u``."""

    roles: tuple[str, ...]
    grantees: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRole(Statement):
    """``REVOKE role [, ...] FROM grantee [, ...]``."""

    roles: tuple[str, ...]
    grantees: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowGrants(Statement):
    """``SHOW GRANTS [FOR | TO [USER | ROLE] name] [ON kind name]``; neither means the caller's own."""

    grantee: str | None = None
    on: GrantTarget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRoles(Statement):
    """``SHOW USERS`` or ``SHOW ROLES``."""

    login: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowLedger(Statement):
    """``SHOW LEDGER [LIMIT n]``: the newest rows of the audit ledger."""

    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyLedger(Statement):
    """``VERIFY LEDGER``: walk the chain and say whether it holds."""


# --- databases, settings, transactions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDatabase(Statement):
    """``CREATE DATABASE [IF NOT EXISTS] name``."""

    name: str
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDatabase(Statement):
    """``DROP DATABASE [IF EXISTS] name``: refused while it holds anything."""

    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDatabases(Statement):
    """``SHOW DATABASES``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Statement):
    """``USE [DATABASE | WORKSPACE] name``."""

    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVariable(Statement):
    """``SET [SESSION | LOCAL | GLOBAL] name (= | TO) value``; value None means DEFAULT."""

    name: str
    value: str | None
    scope: Literal["session", "local", "global"] = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetVariable(Statement):
    """``RESET name`` or ``RESET ALL`` (name None), ``UNSET name``."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowVariable(Statement):
    """``SHOW name`` or ``SHOW ALL`` (name None)."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction(Statement):
    """BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT."""

    action: Literal["begin", "commit", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard(Statement):
    """``DISCARD ALL | TEMP | PLANS | SEQUENCES``, ``DEALLOCATE name | ALL``.

    ``what`` is ``statement:<name>`` for the second and ``statements`` for ``DEALLOCATE ALL``.
    """

    what: str


# --- everything else ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StageOption:
    """One ``KEY => value`` of a stage reference; a FILES list is a tuple, CONNECTION a tuple of options."""

    key: str
    value: str | tuple[str, ...] | tuple[Option, ...] | bool


@dataclass(frozen=True, slots=True)
class LocationRef:
    """A place in the data statement that names our objects: ``@stage/path`` (bare or in quotes) or a URL literal.

    ``span`` covers everything that the planner replaces, options in parentheses included. ``role`` says where it
    stands: read as a table (``from``), written by COPY (``to``), an argument of a function that reads files
    (``argument``), or any other text that happens to be a URL (``literal``, never a stage).
    """

    span: tuple[int, int]
    stage: Name | None
    path: str
    url: str | None
    role: Literal["from", "to", "argument", "literal"]
    options: tuple[StageOption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStatement(Statement):
    """A statement for the engine, passed on verbatim but for the spans of ``locations``.

    Args:
        text: the statement without the closing semicolon.
        verb: its first keyword in upper case (``SELECT``, ``WITH``, ``COPY``, ``EXPLAIN`` ...).
        locations: what the planner resolves; spans are relative to ``text``.
        identifiers: every identifier in it, decoded and case-folded, for the denial list.
        calls: those of them that stand before an opening parenthesis.
        parameters: highest ``$n``.
    """

    text: str = field(repr=False)
    verb: str
    locations: tuple[LocationRef, ...] = ()
    identifiers: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    parameters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Statement):
    """Nothing but blanks and comments."""
