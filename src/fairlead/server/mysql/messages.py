"""What a client can send, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.errors import FairleadError
    from fairlead.server.mysql.protocol import Capability


@dataclass(frozen=True, slots=True)
class SslRequest:
    """The client wants TLS; its handshake follows at once."""

    capabilities: Capability


@dataclass(frozen=True, slots=True)
class HandshakeResponse:
    """Who the client is, and what it can do."""

    capabilities: Capability
    user: str
    database: str | None
    plugin: str
    attributes: Mapping[str, str]
    response: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthData:
    """An answer within the login."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Quit:
    """COM_QUIT."""


@dataclass(frozen=True, slots=True)
class InitDb:
    """COM_INIT_DB."""

    database: str


@dataclass(frozen=True, slots=True)
class Query:
    """COM_QUERY; bytes that are not UTF-8 are surrogates in the text."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ping:
    """COM_PING."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """COM_STATISTICS."""


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """COM_PROCESS_INFO."""


@dataclass(frozen=True, slots=True)
class ProcessKill:
    """COM_PROCESS_KILL."""

    number: int


@dataclass(frozen=True, slots=True)
class ResetConnection:
    """COM_RESET_CONNECTION."""


@dataclass(frozen=True, slots=True)
class SetOption:
    """COM_SET_OPTION: whether a text may hold several statements."""

    multi_statements: bool


@dataclass(frozen=True, slots=True)
class Prepare:
    """COM_STMT_PREPARE."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Execute:
    """COM_STMT_EXECUTE; ``values`` cannot be read without the statement's number of parameters."""

    statement: int
    cursor: int
    values: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LongData:
    """COM_STMT_SEND_LONG_DATA: a piece of a parameter; not answered."""

    statement: int
    parameter: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CloseStatement:
    """COM_STMT_CLOSE; not answered."""

    statement: int


@dataclass(frozen=True, slots=True)
class ResetStatement:
    """COM_STMT_RESET."""

    statement: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that is malformed or not offered; the conversation goes on."""

    error: FairleadError


Command = (
    Quit
    | InitDb
    | Query
    | Ping
    | Statistics
    | ProcessInfo
    | ProcessKill
    | ResetConnection
    | SetOption
    | Prepare
    | Execute
    | LongData
    | CloseStatement
    | ResetStatement
    | Refused
)
Event = SslRequest | HandshakeResponse | AuthData | Command
