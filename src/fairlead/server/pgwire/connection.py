"""The protocol of one connection, without I/O: bytes in, events out, and methods that give the bytes to send.

Rule 1: the client speaks only in the states of ``RECEIVES``, and only the messages listed there for the state. Anything
else is a violation: it is raised, the client is told, and the connection ends.

Rule 2: the server moves the state only by the methods of :class:`Connection` that are listed in ``ANSWERS``. A method
that does not fit the state is a bug of the caller and raises ``AssertionError``.

Theory of operation. A conversation alternates. While it is the client's turn, :meth:`Connection.next_event` gives its
next message, or None when more bytes are needed. A message that needs an answer makes it the server's turn: the state
is then not in ``RECEIVES``, ``next_event`` gives None whatever has arrived, and early messages (pipelining) wait in the
buffer until the answer was given. So the caller needs no queue, and no message can overtake another.

A message of the extended protocol leaves the state at ``BATCH``: the client keeps its turn, because it may send a whole
batch before it reads. When one of them fails, :meth:`Connection.failed` moves to ``SKIPPING``, where everything up to
Sync is dropped unread, as the protocol demands.

COPY FROM STDIN gives the client its turn in the middle of an answer: :meth:`Connection.copy_in` moves to a state in
which it sends data until it says that these were all. Sync and Flush mean nothing there; any other message ends the
COPY with an error, and the answer goes on from where it was.

Bytes that arrive in clear behind a request for encryption could come from somebody in between, and would later be taken
for the client's own words (CVE-2021-23214). They are refused.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.errors import FairleadError, ProtocolViolation
from fairlead.server.pgwire import decoding
from fairlead.server.pgwire import messages as m
from fairlead.server.pgwire.answers import AUTHENTICATION_OK, Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fairlead.server.pgwire.backend import TransactionStatus

NEWEST_MINOR: Final = 2
_VERSION_3: Final = 3 << 16


class State(enum.Enum):
    """Where a conversation stands."""

    # the client's turn
    OPENED = enum.auto()
    GSS_REFUSED = enum.auto()
    SECURED = enum.auto()
    SASL_OFFERED = enum.auto()
    CHALLENGED = enum.auto()
    IDLE = enum.auto()
    BATCH = enum.auto()
    SKIPPING = enum.auto()
    COPYING_IN_SIMPLE = enum.auto()
    COPYING_IN_BATCH = enum.auto()
    # the server's turn
    SECURING = enum.auto()
    GREETED = enum.auto()
    CHALLENGING = enum.auto()
    PROVING = enum.auto()
    OPENING = enum.auto()
    SIMPLE = enum.auto()
    SYNCING = enum.auto()
    CLOSED = enum.auto()


_HELLO: Final = {m.CancelRequest: State.CLOSED, m.Startup: State.GREETED}
_COMMANDS: Final = {
    m.Query: State.SIMPLE,
    m.FunctionCall: State.SIMPLE,
    m.Parse: State.BATCH,
    m.Bind: State.BATCH,
    m.Describe: State.BATCH,
    m.Execute: State.BATCH,
    m.Close: State.BATCH,
    m.Flush: State.BATCH,
    m.Sync: State.SYNCING,
    m.Terminate: State.CLOSED,
}

_COPY: Final = (m.CopyData, m.CopyDone, m.CopyFail)
_IGNORED_IN_COPY: Final = (m.Sync, m.Flush)


def _copying(here: State, after: State) -> dict[type, State]:
    """Return what a client may send while it copies: data, and messages of all kinds, which end the COPY."""
    stays = dict.fromkeys((m.CopyData, *_IGNORED_IN_COPY), here)
    return {**dict.fromkeys((*_COMMANDS, *_COPY), after), **stays, m.Terminate: State.CLOSED}


RECEIVES: Final[Mapping[State, Mapping[type, State]]] = {
    State.OPENED: {m.SslRequest: State.SECURING, m.GssEncRequest: State.GSS_REFUSED, **_HELLO},
    State.GSS_REFUSED: {m.SslRequest: State.SECURING, **_HELLO},
    State.SECURED: _HELLO,
    State.SASL_OFFERED: {m.SaslInitial: State.CHALLENGING},
    State.CHALLENGED: {m.SaslResponse: State.PROVING},
    State.IDLE: {**_COMMANDS, **dict.fromkeys(_COPY, State.IDLE)},
    State.BATCH: {**_COMMANDS, **dict.fromkeys(_COPY, State.BATCH)},
    State.COPYING_IN_SIMPLE: _copying(State.COPYING_IN_SIMPLE, State.SIMPLE),
    State.COPYING_IN_BATCH: _copying(State.COPYING_IN_BATCH, State.BATCH),
    State.SKIPPING: {
        **dict.fromkeys([*_COMMANDS, *_COPY], State.SKIPPING),
        m.Sync: State.SYNCING,
        m.Terminate: State.CLOSED,
    },
}

ANSWERS: Final[Mapping[str, Mapping[State, State]]] = {
    "tls_started": {State.SECURING: State.SECURED},
    "offer_sasl": {State.GREETED: State.SASL_OFFERED},
    "challenge": {State.CHALLENGING: State.CHALLENGED},
    "authenticated": {State.PROVING: State.OPENING},
    "ready": dict.fromkeys((State.OPENING, State.SIMPLE, State.SYNCING), State.IDLE),
    "copy_in": {State.SIMPLE: State.COPYING_IN_SIMPLE, State.BATCH: State.COPYING_IN_BATCH},
    "failed": {
        State.BATCH: State.SKIPPING,
        State.SIMPLE: State.SIMPLE,
        State.SYNCING: State.SYNCING,
        State.COPYING_IN_SIMPLE: State.SIMPLE,
        State.COPYING_IN_BATCH: State.SKIPPING,
    },
}

_FIRST_PACKET: Final = frozenset({State.OPENED, State.GSS_REFUSED, State.SECURED})
_COPYING_IN: Final = frozenset({State.COPYING_IN_SIMPLE, State.COPYING_IN_BATCH})
_COPY_DATA_TAG: Final = ord("d")
_LOGIN: Final = {State.SASL_OFFERED: m.SaslInitial, State.CHALLENGED: m.SaslResponse}
_PASSWORD_TAG: Final = ord("p")
_TAG_AND_LENGTH: Final = 5

Event = m.Message | m.Refused
_DROPPED: Final = object()


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of messages, in bytes, before and after the login."""

    login: int = 10_000
    message: int = 64 * 1024 * 1024


class Connection:
    """The state of one conversation.

    Args:
        scrub: takes secrets out of a text that is to be sent.
        limits: sizes that a client may send.
    """

    def __init__(self, scrub: Callable[[str], str], limits: Limits | None = None) -> None:
        self.state = State.OPENED
        self.secure = False
        self.answers = Answers(scrub)
        self._limits = limits or Limits()
        self._buffer = bytearray()

    # --- the client's side -----------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Take bytes from the client.

        Raises:
            ProtocolViolation: they came in clear while TLS is being started.
        """
        if self.state is State.SECURING and data:
            raise self._early()
        self._buffer += data

    @property
    def buffered(self) -> int:
        """Number of bytes that wait for their turn."""
        return len(self._buffer)

    def next_event(self) -> Event | None:
        """Return the client's next message, None when bytes are missing or it is the server's turn.

        Raises:
            FairleadError: the client broke the protocol; tell it with :meth:`fatal` and close.
        """
        while self.state in RECEIVES:
            if self.state in _COPYING_IN and (data := self._copied()):
                return m.CopyData(data)
            event = self._first_packet() if self.state in _FIRST_PACKET else self._message()
            if event is not _DROPPED:
                return event  # type: ignore[return-value]  # not the mark of a dropped one
        return None

    def _first_packet(self) -> Event | None:
        frame = self._frame(0, self._limits.login)
        if frame is None:
            return None
        event = decoding.decode_first(frame)
        if isinstance(event, m.SslRequest | m.GssEncRequest) and self._buffer:
            raise self._early()
        self._follow(type(event))
        return event

    def _message(self) -> Event | object | None:
        """Return the next message, or the mark of one that is dropped."""
        kind = self._kind()
        if kind is None:
            return None
        logging_in = self.state in _LOGIN
        frame = self._frame(1, self._limits.login if logging_in else self._limits.message)
        if frame is None:
            return None
        before = self.state
        self._follow(kind)
        if before in _COPYING_IN and kind not in (*_COPY, m.Terminate):
            return self._amid_copy(kind)
        if self.state is State.SKIPPING or (kind in _COPY and before not in _COPYING_IN):
            return _DROPPED
        try:
            return decoding.decode(kind, frame)
        except FairleadError as error:
            if logging_in:
                raise
            return m.Refused(error)

    def _amid_copy(self, kind: type) -> Event | object:
        if kind in _IGNORED_IN_COPY:
            return _DROPPED
        return m.Refused(ProtocolViolation(f"unexpected message of type {kind.__name__} during COPY from stdin"))

    def _copied(self) -> bytes:
        """Take the data of all whole CopyData messages that stand first in the buffer: clients send one for a line."""
        buffer, at, pieces = self._buffer, 0, list[bytes]()
        while len(buffer) - at >= _TAG_AND_LENGTH and buffer[at] == _COPY_DATA_TAG:
            size: int = struct.unpack_from("!I", buffer, at + 1)[0]
            end = at + 1 + size
            if not 4 <= size <= self._limits.message or end > len(buffer):  # noqa: PLR2004  # the length field itself
                break
            pieces.append(bytes(buffer[at + _TAG_AND_LENGTH : end]))
            at = end
        del buffer[:at]
        return b"".join(pieces)

    def _kind(self) -> type | None:
        if not self._buffer:
            return None
        tag = self._buffer[0]
        kind = _LOGIN.get(self.state) if tag == _PASSWORD_TAG else decoding.KINDS.get(tag)
        if kind is None or kind not in RECEIVES[self.state]:
            raise ProtocolViolation(f"a message of type {tag} does not belong here")
        return kind

    def _frame(self, tag_size: int, limit: int) -> bytes | None:
        """Take one message off the buffer when all of it is there; the length counts itself, not the tag."""
        head = tag_size + 4
        if len(self._buffer) < head:
            return None
        size: int = struct.unpack_from("!I", self._buffer, tag_size)[0]
        if not 4 <= size <= limit:  # noqa: PLR2004  # the length field itself
            raise ProtocolViolation(f"a message of {size} bytes is not allowed here; the limit is {limit}")
        end = tag_size + size
        if len(self._buffer) < end:
            return None
        frame = bytes(memoryview(self._buffer)[head:end])
        del self._buffer[:end]
        return frame

    def _follow(self, kind: type) -> None:
        state = RECEIVES[self.state].get(kind)
        if state is None:
            raise ProtocolViolation(f"{kind.__name__} does not belong here")
        self.state = state

    def _early(self) -> ProtocolViolation:
        return ProtocolViolation(
            "received unencrypted data after a request for encryption",
            detail="Either the client is faulty, or somebody between client and server tries to add to its messages.",
        )

    # --- the server's side -----------------------------------------------------------------------------------------

    def accept_tls(self) -> bytes:
        """Answer SSLRequest; the TLS handshake follows."""
        assert self.state is State.SECURING
        return b"S"

    def tls_started(self) -> None:
        """Note that the handshake is done."""
        self._move("tls_started")
        self.secure = True

    def refuse_gss(self) -> bytes:
        """Answer GSSENCRequest."""
        return b"N"

    def offer_sasl(self, startup: m.Startup, mechanisms: Sequence[str]) -> bytes:
        """Answer the startup packet: settle the protocol version, ask for a proof."""
        self._move("offer_sasl")
        negotiation = b""
        if startup.minor > NEWEST_MINOR or startup.protocol_options:
            minor = min(startup.minor, NEWEST_MINOR)
            negotiation = self.answers.negotiate_version(_VERSION_3 | minor, startup.protocol_options)
        return negotiation + self.answers.sasl(mechanisms)

    def challenge(self, data: bytes) -> bytes:
        """Answer the client's first SASL message."""
        self._move("challenge")
        return self.answers.sasl_continue(data)

    def authenticated(self, data: bytes) -> bytes:
        """Accept the client's proof and give the server's own."""
        self._move("authenticated")
        return self.answers.sasl_final(data) + AUTHENTICATION_OK

    def ready(self, status: TransactionStatus) -> bytes:
        """End an answer; it is the client's turn."""
        self._move("ready")
        return self.answers.ready(status)

    def copy_in(self, columns: int, *, binary: bool = False) -> bytes:
        """Ask for the client's data, in the middle of an answer."""
        self._move("copy_in")
        return self.answers.copy_in(columns, binary=binary)

    def failed(self, error: FairleadError) -> bytes:
        """Report an error; within a batch, the rest of it is skipped."""
        self._move("failed")
        return self.answers.error(error)

    def fatal(self, error: FairleadError) -> bytes:
        """Report an error that ends the connection."""
        self.state = State.CLOSED
        return self.answers.error(error, "FATAL")

    def _move(self, answer: str) -> None:
        state = ANSWERS[answer].get(self.state)
        assert state is not None, f"{answer} does not fit {self.state}"
        self.state = state
