"""The protocol of one connection, without I/O: bytes in, events out, and methods that give the bytes to send.

Rule 1: the client speaks only in the states of ``RECEIVES``, and only the messages listed there for the state. Anything
else is a violation: it is raised, the client is told, and the connection ends.

Rule 2: the server moves the state only by the methods of :class:`Connection` that are listed in ``ANSWERS``. A method
that does not fit the state is a bug of the caller and raises ``AssertionError``.

Theory of operation. The server greets, then a conversation alternates: while it is the client's turn,
:meth:`Connection.next_event` gives its next message, or None when more bytes are needed. Every packet has a number. The
login is one exchange, numbered through; then each command begins again at 0 and its answer goes on at 1, modulo 256.
:meth:`Connection.packet` numbers what the server sends; rows come from a worker with numbers that fit, because it was
told ``number``, and :meth:`Connection.passed` counts them. A payload of 16 MiB and more goes in several packets.

Unlike in PostgreSQL's protocol, a client begins TLS right behind its SSLRequest, without waiting for an answer. What
follows must never be taken for packets: the wire reads nothing behind an SSLRequest before TLS does, and bytes that are
there all the same are refused. No credential is asked for before TLS.
"""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING, Final

from fairlead.errors import ProtocolViolation
from fairlead.server.mysql import decoding
from fairlead.server.mysql import messages as m
from fairlead.server.mysql.answers import Answers
from fairlead.server.mysql.protocol import HEADER_BYTES, MAX_PAYLOAD, OFFERED, Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fairlead.errors import FairleadError

FIRST_PACKET: Final = HEADER_BYTES + 32  # bytes of SSLRequest, and of no other first packet
LONGEST_PAYLOAD: Final = 64 * 1024 * 1024
_LONGEST_LOGIN: Final = 80_000  # the attributes of a connection may have 64 KiB


class State(enum.Enum):
    """Where a conversation stands."""

    # the client's turn
    GREETED = enum.auto()
    SECURED = enum.auto()
    SWITCHING = enum.auto()
    ASKED = enum.auto()
    IDLE = enum.auto()
    # the server's turn
    OPENED = enum.auto()
    SECURING = enum.auto()
    IDENTIFIED = enum.auto()
    PROVING = enum.auto()
    COMMAND = enum.auto()
    CLOSED = enum.auto()


_COMMANDS: Final = (m.InitDb, m.Query, m.Ping, m.Statistics, m.ProcessInfo, m.ProcessKill, m.ResetConnection)
_COMMANDS_2: Final = (m.SetOption, m.Prepare, m.Execute, m.ResetStatement, m.Refused)
_UNANSWERED: Final = (m.LongData, m.CloseStatement)

RECEIVES: Final[Mapping[State, Mapping[type, State]]] = {
    State.GREETED: {m.SslRequest: State.SECURING, m.HandshakeResponse: State.IDENTIFIED},
    State.SECURED: {m.HandshakeResponse: State.IDENTIFIED},
    State.SWITCHING: {m.AuthData: State.IDENTIFIED},
    State.ASKED: {m.AuthData: State.PROVING},
    State.IDLE: {
        **dict.fromkeys((*_COMMANDS, *_COMMANDS_2), State.COMMAND),
        **dict.fromkeys(_UNANSWERED, State.IDLE),
        m.Quit: State.CLOSED,
    },
}

ANSWERS: Final[Mapping[str, Mapping[State, State]]] = {
    "greet": {State.OPENED: State.GREETED},
    "tls_started": {State.SECURING: State.SECURED},
    "switch": {State.IDENTIFIED: State.SWITCHING},
    "ask_password": {State.IDENTIFIED: State.ASKED},
    "proved": {State.IDENTIFIED: State.PROVING},
    "ready": {State.PROVING: State.IDLE, State.COMMAND: State.IDLE},
}


class Connection:
    """The state of one conversation.

    Args:
        scrub: takes secrets out of a text that is to be sent.
    """

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self.state = State.OPENED
        self.secure = False
        self.capabilities: Capability = OFFERED
        self.answers = Answers(scrub)
        self.number = 0  # of the next packet, whoever sends it
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._size = 0

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
        return len(self._buffer) + self._size

    def next_event(self) -> m.Event | None:
        """Return the client's next message, None when bytes are missing or it is the server's turn.

        Raises:
            FairleadError: the client broke the protocol; tell it with :meth:`fatal` and close.
        """
        if self.state not in RECEIVES:
            return None
        payload = self._payload()
        if payload is None:
            return None
        match self.state:
            case State.IDLE:
                return self._command(payload)
            case State.SWITCHING | State.ASKED:
                self._follow(m.AuthData)
                return m.AuthData(payload)
        event = decoding.decode_first(payload, secure=self.secure)
        if isinstance(event, m.SslRequest) and self._buffer:
            raise self._early()
        self.capabilities = event.capabilities
        self._follow(type(event))
        return event

    def _command(self, payload: bytes) -> m.Event:
        event = decoding.decode_command(payload)
        kind = decoding.kind_of(payload) if isinstance(event, m.Refused) else type(event)
        self._follow(kind)
        return event

    def _payload(self) -> bytes | None:
        """Take a payload off the buffer when all packets of it are there."""
        limit = LONGEST_PAYLOAD if self.state is State.IDLE else _LONGEST_LOGIN
        while len(self._buffer) >= HEADER_BYTES:
            (header,) = struct.unpack_from("<I", self._buffer)
            size, number = header & MAX_PAYLOAD, header >> 24
            if self.state is State.IDLE and not self._parts:
                self.number = 0
            if number != self.number:
                raise ProtocolViolation(f"packets out of order: number {number} where {self.number} is due")
            if self._size + size > limit:
                raise ProtocolViolation(f"a message of more than {limit} bytes is not allowed here")
            if len(self._buffer) < HEADER_BYTES + size:
                return None
            self._parts.append(bytes(memoryview(self._buffer)[HEADER_BYTES : HEADER_BYTES + size]))
            del self._buffer[: HEADER_BYTES + size]
            self._size += size
            self.number = (self.number + 1) % 256
            if size < MAX_PAYLOAD:
                payload = b"".join(self._parts)
                self._parts, self._size = [], 0
                return payload
        return None

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

    def greet(self, version: str, number: int, scramble: bytes) -> bytes:
        """Speak first."""
        self._move("greet")
        return self.packet(self.answers.greeting(version, number, scramble))

    def tls_started(self) -> None:
        """Note that the handshake is done."""
        self._move("tls_started")
        self.secure = True

    def switch(self, scramble: bytes) -> bytes:
        """Ask for a login by another plug-in."""
        self._move("switch")
        return self.packet(self.answers.switch(scramble))

    def ask_password(self) -> bytes:
        """Ask for the password itself."""
        assert self.secure, "a password in clear"
        self._move("ask_password")
        return self.packet(self.answers.ask_password())

    def proved(self) -> None:
        """Note that the client has already sent what there is to check."""
        assert self.secure, "a password in clear"
        self._move("proved")

    def ready(self, payload: bytes) -> bytes:
        """End an answer; it is the client's turn."""
        last = self.packet(payload)
        self._move("ready")
        return last

    def packet(self, payload: bytes) -> bytes:
        """Return a payload as the next packet, or packets, of an answer."""
        packets = []
        for at in range(0, len(payload) + 1, MAX_PAYLOAD):
            part = payload[at : at + MAX_PAYLOAD]
            packets += [struct.pack("<I", len(part) | self.number << 24), part]
            self.number = (self.number + 1) % 256
        return b"".join(packets)

    def passed(self, packets: int) -> None:
        """Count packets that were sent as they came from a worker."""
        self.number = (self.number + packets) % 256

    def fatal(self, error: FairleadError) -> bytes:
        """Report an error that ends the connection; one that answers no command has the number 0."""
        if self.state is State.IDLE and not self._parts:
            self.number = 0
        self.state = State.CLOSED
        return self.packet(self.answers.error(error))

    def has(self, capability: Capability) -> bool:
        """Tell whether the client can do something."""
        return bool(self.capabilities & capability)

    def _move(self, answer: str) -> None:
        state = ANSWERS[answer].get(self.state)
        assert state is not None, f"{answer} does not fit {self.state}"
        self.state = state
