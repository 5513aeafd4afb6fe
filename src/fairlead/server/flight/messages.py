"""The messages of Flight SQL that a client may send, and the few that it is answered with.

A command travels in the descriptor of a call, an action in its body, both wrapped in ``google.protobuf.Any``, which
names the type. Session options and cancelling are Flight's own messages and come bare. What is not known is refused.
Source: arrow.apache.org, "Arrow Flight SQL"; ``FlightSql.proto`` and ``Flight.proto`` of Apache Arrow.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.errors import NotSupported, ProtocolViolation
from fairlead.server.flight import protobuf

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.server.flight.protobuf import Fields

_PREFIX: Final = "type.googleapis.com/arrow.flight.protocol.sql."
_TYPE_URL, _TYPE_VALUE = 1, 2

Option = str | bool | int | float | list[str] | None


@dataclass(frozen=True, slots=True)
class Query:
    """CommandStatementQuery and CommandStatementUpdate: run a text; ``transaction`` is empty outside of one."""

    text: str
    transaction: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """CommandPreparedStatementQuery and -Update: run, or bind, a prepared statement."""

    handle: bytes


@dataclass(frozen=True, slots=True)
class Ingest:
    """CommandStatementIngest: load the rows of the stream into a table.

    Args:
        if_missing: 1 = create the table, 2 = fail.
        if_exists: 1 = fail, 2 = append, 3 = replace it.
        table: its name.
        schema: None = the current one.
        catalog: None = the current database.
        temporary: whether the table ends with the session.
        transaction: empty outside of one.
        options: that no part of the protocol names.
    """

    if_missing: int
    if_exists: int
    table: str
    schema: str | None
    catalog: str | None
    temporary: bool
    transaction: bytes
    options: int


@dataclass(frozen=True, slots=True)
class GetSqlInfo:
    """Facts about the server; none named means all."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GetCatalogs:
    """The databases."""


@dataclass(frozen=True, slots=True)
class GetSchemas:
    """Schemas, by database and pattern."""

    catalog: str | None
    schema_pattern: str | None


@dataclass(frozen=True, slots=True)
class GetTables:
    """Tables and views, by database, patterns and kind."""

    catalog: str | None
    schema_pattern: str | None
    table_pattern: str | None
    kinds: tuple[str, ...]
    with_columns: bool


@dataclass(frozen=True, slots=True)
class GetTableTypes:
    """The kinds of relations there are."""


@dataclass(frozen=True, slots=True)
class GetTypeInfo:
    """The types of columns; None means all."""

    number: int | None


@dataclass(frozen=True, slots=True)
class GetPrimaryKeys:
    """The primary key of a table: there are none."""


@dataclass(frozen=True, slots=True)
class GetForeignKeys:
    """Foreign keys, in each of three directions: there are none."""


Metadata = (
    GetSqlInfo | GetCatalogs | GetSchemas | GetTables | GetTableTypes | GetTypeInfo | GetPrimaryKeys | GetForeignKeys
)


@dataclass(frozen=True, slots=True)
class Update:
    """CommandStatementUpdate: run a text for its effect."""

    text: str
    transaction: bytes


@dataclass(frozen=True, slots=True)
class PreparedUpdate:
    """CommandPreparedStatementUpdate: run a prepared statement for its effect, once for each row of parameters."""

    handle: bytes


@dataclass(frozen=True, slots=True)
class StatementTicket:
    """TicketStatementQuery: fetch the rows of a statement."""

    handle: bytes


Command = Query | Update | Prepared | PreparedUpdate | Ingest | StatementTicket | Metadata


@dataclass(frozen=True, slots=True)
class Prepare:
    """Action CreatePreparedStatement."""

    text: str
    transaction: bytes


@dataclass(frozen=True, slots=True)
class ClosePrepared:
    """Action ClosePreparedStatement."""

    handle: bytes


@dataclass(frozen=True, slots=True)
class Begin:
    """Action BeginTransaction."""


@dataclass(frozen=True, slots=True)
class End:
    """Action EndTransaction: ``action`` is 1 for COMMIT, 2 for ROLLBACK."""

    transaction: bytes
    action: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Actions CancelQuery and CancelFlightInfo: end the statement of these tickets."""

    tickets: tuple[bytes, ...]
    wrapped: bool


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Action SetSessionOptions."""

    options: dict[str, Option]


@dataclass(frozen=True, slots=True)
class GetOptions:
    """Action GetSessionOptions."""


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Action CloseSession."""


ActionRequest = Prepare | ClosePrepared | Begin | End | Cancel | SetOptions | GetOptions | CloseSession

_COMMANDS: Final[dict[str, Callable[[Fields], Command]]] = {
    "CommandStatementQuery": lambda f: Query(f.text(1), f.octets(2)),
    "CommandStatementUpdate": lambda f: Update(f.text(1), f.octets(2)),
    "CommandPreparedStatementQuery": lambda f: Prepared(f.octets(1)),
    "CommandPreparedStatementUpdate": lambda f: PreparedUpdate(f.octets(1)),
    "CommandStatementIngest": lambda f: _ingest(f),  # noqa: PLW0108  # it stands below
    "TicketStatementQuery": lambda f: StatementTicket(f.octets(1)),
    "CommandGetSqlInfo": lambda f: GetSqlInfo(tuple(f.integers(1))),
    "CommandGetCatalogs": lambda _: GetCatalogs(),
    "CommandGetDbSchemas": lambda f: GetSchemas(f.optional_text(1), f.optional_text(2)),
    "CommandGetTables": lambda f: GetTables(
        f.optional_text(1), f.optional_text(2), f.optional_text(3), tuple(f.texts(4)), f.boolean(5)
    ),
    "CommandGetTableTypes": lambda _: GetTableTypes(),
    "CommandGetXdbcTypeInfo": lambda f: GetTypeInfo(f.integer(1) if f.has(1) else None),
    "CommandGetPrimaryKeys": lambda _: GetPrimaryKeys(),
    "CommandGetExportedKeys": lambda _: GetForeignKeys(),
    "CommandGetImportedKeys": lambda _: GetForeignKeys(),
    "CommandGetCrossReference": lambda _: GetForeignKeys(),
}
# Name of the action, type of its body ("" = bare), reader.
_ACTIONS: Final[dict[str, tuple[str, Callable[[Fields], ActionRequest]]]] = {
    "CreatePreparedStatement": (
        "ActionCreatePreparedStatementRequest",
        lambda f: Prepare(f.text(1), f.octets(2)),
    ),
    "ClosePreparedStatement": ("ActionClosePreparedStatementRequest", lambda f: ClosePrepared(f.octets(1))),
    "BeginTransaction": ("ActionBeginTransactionRequest", lambda _: Begin()),
    "EndTransaction": ("ActionEndTransactionRequest", lambda f: End(f.octets(1), f.integer(2))),
    "CancelQuery": ("ActionCancelQueryRequest", lambda f: Cancel(_tickets(protobuf.read(f.octets(1))), wrapped=True)),
    "CancelFlightInfo": ("", lambda f: Cancel(_tickets(protobuf.read(f.octets(1))), wrapped=False)),
    "SetSessionOptions": ("", lambda f: SetOptions(_options(f))),
    "GetSessionOptions": ("", lambda _: GetOptions()),
    "CloseSession": ("", lambda _: CloseSession()),
}
ACTIONS: Final = {
    "CreatePreparedStatement": "Prepare a statement.",
    "ClosePreparedStatement": "Forget a prepared statement.",
    "BeginTransaction": "Begin a transaction.",
    "EndTransaction": "Commit or roll back a transaction.",
    "CancelQuery": "End a running statement (deprecated: CancelFlightInfo).",
    "CancelFlightInfo": "End a running statement.",
    "SetSessionOptions": "Set catalog, schema or a setting of the session.",
    "GetSessionOptions": "Return catalog, schema and settings of the session.",
    "CloseSession": "End the session.",
}


def command(data: bytes) -> Command:
    """Read the command of a descriptor, or a ticket.

    Raises:
        ProtocolViolation: it is none of Flight SQL's.
        NotSupported: it is one that is not offered.
    """
    name, fields = _unwrapped(data)
    reader = _COMMANDS.get(name)
    if reader is None:
        raise NotSupported(f"{name[:60]} is not offered over Flight SQL")
    return reader(fields)


def action(name: str, body: bytes) -> ActionRequest:
    """Read an action.

    Raises:
        ProtocolViolation: its body is none of Flight SQL's.
        NotSupported: it is one that is not offered.
    """
    if name not in _ACTIONS:
        raise NotSupported(f"the action {name[:60]} is not offered over Flight SQL")
    expected, reader = _ACTIONS[name]
    if not expected:
        return reader(protobuf.read(body))
    found, fields = _unwrapped(body)
    if found != expected:
        raise ProtocolViolation(f"the action {name} has a body of another type")
    return reader(fields)


def wrap(name: str, body: bytes) -> bytes:
    """Return a message of Flight SQL in ``google.protobuf.Any``."""
    return protobuf.octets(_TYPE_URL, _PREFIX + name) + protobuf.octets(_TYPE_VALUE, body)


def ticket(handle: bytes) -> bytes:
    """Return the ticket of a statement."""
    return wrap("TicketStatementQuery", protobuf.octets(1, handle))


def update_result(count: int) -> bytes:
    """Return DoPutUpdateResult: the number of rows that were changed, -1 = unknown."""
    return protobuf.integer(1, count)


def bound(handle: bytes) -> bytes:
    """Return DoPutPreparedStatementResult."""
    return protobuf.octets(1, handle)


def prepared(handle: bytes, columns: bytes, parameters: bytes) -> bytes:
    """Return ActionCreatePreparedStatementResult: both schemas as IPC messages, empty where there is none."""
    body = protobuf.octets(1, handle) + protobuf.octets(2, columns) + protobuf.octets(3, parameters)
    return wrap("ActionCreatePreparedStatementResult", body)


def begun(transaction: bytes) -> bytes:
    """Return ActionBeginTransactionResult."""
    return wrap("ActionBeginTransactionResult", protobuf.octets(1, transaction))


def cancelled(request: Cancel) -> bytes:
    """Return ActionCancelQueryResult or CancelFlightInfoResult: CANCELLED."""
    body = protobuf.integer(1, 1)
    return wrap("ActionCancelQueryResult", body) if request.wrapped else body


def closed() -> bytes:
    """Return CloseSessionResult: CLOSED."""
    return protobuf.integer(1, 1)


def options_set(errors: dict[str, int]) -> bytes:
    """Return SetSessionOptionsResult; errors are 1 = no such name, 2 = a value that it cannot have, 3 = another one."""
    entries = (protobuf.octets(1, name) + protobuf.octets(2, protobuf.integer(1, e)) for name, e in errors.items())
    return b"".join(protobuf.octets(1, entry) for entry in entries)


def options(values: dict[str, str]) -> bytes:
    """Return GetSessionOptionsResult; every value is a string."""
    entries = (protobuf.octets(1, name) + protobuf.octets(2, protobuf.octets(1, text)) for name, text in values.items())
    return b"".join(protobuf.octets(1, entry) for entry in entries)


def _unwrapped(data: bytes) -> tuple[str, Fields]:
    outer = protobuf.read(data)
    url = outer.text(_TYPE_URL)
    if not url.startswith(_PREFIX):
        raise ProtocolViolation("this is not a message of Flight SQL", hint="use a client that speaks Flight SQL")
    return url.removeprefix(_PREFIX), protobuf.read(outer.octets(_TYPE_VALUE))


def _ingest(fields: Fields) -> Ingest:
    definition = protobuf.read(fields.octets(1))
    return Ingest(
        if_missing=definition.integer(1),
        if_exists=definition.integer(2),
        table=fields.text(2),
        schema=fields.optional_text(3),
        catalog=fields.optional_text(4),
        temporary=fields.boolean(5),
        transaction=fields.octets(6),
        options=len(fields.messages(1000)),
    )


def _tickets(info: Fields) -> tuple[bytes, ...]:
    """Return the tickets of a FlightInfo."""
    return tuple(protobuf.read(endpoint.octets(1)).octets(1) for endpoint in info.messages(3))


def _options(fields: Fields) -> dict[str, Option]:
    return {entry.text(1): _option(protobuf.read(entry.octets(2))) for entry in fields.messages(1)}


def _option(value: Fields) -> Option:
    if value.has(1):
        return value.text(1)
    if value.has(2):
        return value.boolean(2)
    if value.has(3):
        return int(struct.unpack("<q", struct.pack("<Q", value.fixed64(3)))[0])
    if value.has(4):
        return float(struct.unpack("<d", struct.pack("<Q", value.fixed64(4)))[0])
    if value.has(5):
        return protobuf.read(value.octets(5)).texts(1)
    return None
