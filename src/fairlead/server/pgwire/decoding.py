"""From the bytes of one message to its value.

A message with a sound frame and a bad body raises a :class:`FairleadError`, and nothing else is ever raised. The
formats are those of the PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, Literal

from fairlead.errors import InvalidEncoding, LoginRefused, NotSupported, ProtocolViolation
from fairlead.server.pgwire.messages import (
    Bind,
    CancelRequest,
    Close,
    CopyData,
    CopyDone,
    CopyFail,
    Describe,
    Execute,
    Flush,
    FunctionCall,
    GssEncRequest,
    Message,
    Parse,
    Query,
    SaslInitial,
    SaslResponse,
    SslRequest,
    Startup,
    Sync,
    Terminate,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_CANCEL_SECRET_LIMIT: Final = 256
_TEXT, _BINARY = 0, 1


class _Body:
    """Reads the fields of one message in turn."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if count < 0 or end > len(self._data):
            raise ProtocolViolation("a message ends in the middle of a field")
        start, self._at = self._at, end
        return self._data[start:end]

    def number(self, form: Literal["!h", "!i", "!I", "!H"]) -> int:
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def string(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise ProtocolViolation("a text in a message has no end")
        text = self.take(end - self._at)
        self._at += 1
        return _decode_text(text)

    def rest(self) -> bytes:
        return self.take(len(self._data) - self._at)

    def end(self) -> None:
        if self._at != len(self._data):
            raise ProtocolViolation("a message is longer than its fields")


def _decode_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        found = data[error.start : error.start + 1].hex()
        raise InvalidEncoding(
            f"invalid byte sequence for encoding UTF8: 0x{found}",
            hint="texts must be UTF-8; set client_encoding to UTF8",
        ) from None


def decode_first(data: bytes) -> Message:
    """Decode the first packet of a connection, which has no type byte.

    Args:
        data: the packet without its length.

    Raises:
        NotSupported: another version of the protocol.
        ProtocolViolation, InvalidEncoding, LoginRefused: it cannot be understood.
    """
    body = _Body(data)
    version = body.number("!I")
    major, minor = version >> 16, version & 0xFFFF
    match major, minor:
        case (1234, 5678):
            process_id, secret = body.number("!i"), body.rest()
            if not 0 < len(secret) <= _CANCEL_SECRET_LIMIT:
                raise ProtocolViolation("the key of a cancel request has a wrong length")
            return CancelRequest(process_id, secret)
        case (1234, 5679):
            body.end()
            return SslRequest()
        case (1234, 5680):
            body.end()
            return GssEncRequest()
        case (3, _):
            return _startup(minor, body)
    raise NotSupported(f"unsupported frontend protocol {major}.{minor}: the server supports 3.0 to 3.2")


def _startup(minor: int, body: _Body) -> Startup:
    parameters: dict[str, str] = {}
    while name := body.string():
        parameters[name] = body.string()
    body.end()
    if not parameters.get("user"):
        raise LoginRefused("no user name in the startup packet")
    options = tuple(name for name in parameters if name.startswith("_pq_."))
    for name in options:
        del parameters[name]
    return Startup(minor, parameters, options)


def _sasl_initial(body: _Body) -> SaslInitial:
    mechanism = body.string()
    size = body.number("!i")
    message = SaslInitial(mechanism, body.take(size) if size >= 0 else b"")
    body.end()
    return message


def _query(body: _Body) -> Query:
    message = Query(body.string())
    body.end()
    return message


def _parse(body: _Body) -> Parse:
    name, text = body.string(), body.string()
    message = Parse(name, text, tuple(body.number("!I") for _ in range(body.number("!H"))))
    body.end()
    return message


def _bind(body: _Body) -> Bind:
    portal, statement = body.string(), body.string()
    formats = _formats(body)
    values = [_value(body) for _ in range(body.number("!H"))]
    results = _formats(body)
    body.end()
    if len(formats) > 1 and len(formats) != len(values):
        raise ProtocolViolation(f"bind message has {len(formats)} parameter formats but {len(values)} parameters")
    each = formats * len(values) if len(formats) == 1 else formats or [_TEXT] * len(values)
    pairs = tuple((value, code == _BINARY) for value, code in zip(values, each, strict=True))
    return Bind(portal, statement, pairs, tuple(results))


def _formats(body: _Body) -> list[int]:
    codes = [body.number("!h") for _ in range(body.number("!H"))]
    for code in codes:
        if code not in (_TEXT, _BINARY):
            raise ProtocolViolation(f"unsupported format code: {code}")
    return codes


def _value(body: _Body) -> bytes | None:
    size = body.number("!i")
    return None if size == -1 else body.take(size)


def _kind_and_name(body: _Body) -> tuple[Literal["S", "P"], str]:
    kind = body.take(1)
    name = body.string()
    body.end()
    if kind == b"S":
        return "S", name
    if kind == b"P":
        return "P", name
    raise ProtocolViolation(f"there is a statement (S) and a portal (P), but no {kind!r}")


def _execute(body: _Body) -> Execute:
    message = Execute(body.string(), max(body.number("!i"), 0))
    body.end()
    return message


def _empty(message: Message) -> Callable[[_Body], Message]:
    def decode(body: _Body) -> Message:
        body.end()
        return message

    return decode


def _copy_fail(body: _Body) -> Message:
    message = CopyFail(body.string())
    body.end()
    return message


def _function_call(_: _Body) -> Message:
    raise NotSupported("the function call protocol is not offered", hint="use SELECT")


_DECODERS: Final[dict[type, Callable[[_Body], Message]]] = {
    SaslInitial: _sasl_initial,
    SaslResponse: lambda body: SaslResponse(body.rest()),
    Query: _query,
    Parse: _parse,
    Bind: _bind,
    Describe: lambda body: Describe(*_kind_and_name(body)),
    Execute: _execute,
    Close: lambda body: Close(*_kind_and_name(body)),
    Flush: _empty(Flush()),
    Sync: _empty(Sync()),
    Terminate: lambda _: Terminate(),
    FunctionCall: _function_call,
    CopyData: lambda body: CopyData(body.rest()),
    CopyDone: _empty(CopyDone()),
    CopyFail: _copy_fail,
}

KINDS: Final[dict[int, type]] = {
    ord("Q"): Query,
    ord("P"): Parse,
    ord("B"): Bind,
    ord("D"): Describe,
    ord("E"): Execute,
    ord("C"): Close,
    ord("H"): Flush,
    ord("S"): Sync,
    ord("X"): Terminate,
    ord("F"): FunctionCall,
    ord("d"): CopyData,
    ord("c"): CopyDone,
    ord("f"): CopyFail,
}


def decode(kind: type, data: bytes) -> Message:
    """Decode the body of a message.

    Args:
        kind: which of the message classes it is.
        data: what follows type byte and length.

    Raises:
        ProtocolViolation, InvalidEncoding, NotSupported: it cannot be understood, or is not offered.
    """
    return _DECODERS[kind](_Body(data))
