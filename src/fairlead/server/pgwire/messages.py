"""What a client can say: one class for each message. What it carries may be secret, so ``repr`` shows none of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fairlead.errors import FairleadError


@dataclass(frozen=True, slots=True)
class SslRequest:
    """The client asks for TLS."""


@dataclass(frozen=True, slots=True)
class GssEncRequest:
    """The client asks for GSSAPI encryption."""


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """The client asks, on a connection of its own, to end what another connection runs."""

    process_id: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Startup:
    """The client says who it is.

    Args:
        minor: minor version of protocol 3 that the client would like.
        parameters: as sent, without protocol options.
        protocol_options: names that begin with ``_pq_.``; none is known here.
    """

    minor: int
    parameters: dict[str, str]
    protocol_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SaslInitial:
    """The client has chosen a mechanism."""

    mechanism: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SaslResponse:
    """The client answers the challenge."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Query:
    """Run a script."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parse:
    """Prepare a statement; a type of 0 is left to the server."""

    name: str
    text: str = field(repr=False)
    type_oids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bind:
    """Give a prepared statement its parameters: pairs of value and whether it is in binary format.

    ``results`` are the formats of its result's columns: 0 = text, 1 = binary; one is for all columns, none is text.
    """

    portal: str
    statement: str
    values: tuple[tuple[bytes | None, bool], ...] = field(repr=False)
    results: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Describe:
    """Say what a statement (S) or a portal (P) takes and gives."""

    kind: Literal["S", "P"]
    name: str


@dataclass(frozen=True, slots=True)
class Execute:
    """Run a portal; 0 means all rows."""

    portal: str
    max_rows: int


@dataclass(frozen=True, slots=True)
class Close:
    """Forget a statement (S) or a portal (P)."""

    kind: Literal["S", "P"]
    name: str


@dataclass(frozen=True, slots=True)
class Flush:
    """Send what is ready."""


@dataclass(frozen=True, slots=True)
class Sync:
    """The batch ends here."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """The client says goodbye."""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """Call a function by its number; no client of today does."""


@dataclass(frozen=True, slots=True)
class CopyData:
    """Bytes of a COPY, cut anywhere."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CopyDone:
    """These were all."""


@dataclass(frozen=True, slots=True)
class CopyFail:
    """The client gives the COPY up."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that could not be read; the client is told and the conversation goes on."""

    error: FairleadError


Message = (
    SslRequest | GssEncRequest | CancelRequest | Startup | SaslInitial | SaslResponse | Query | Parse | Bind | Describe
    | Execute | Close | Flush | Sync | Terminate | FunctionCall | CopyData | CopyDone
    | CopyFail
)  # fmt: skip
