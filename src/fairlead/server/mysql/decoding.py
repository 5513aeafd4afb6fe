"""From a packet's payload to a message.

Source: MySQL's "Protocol::SSLRequest", "Protocol::HandshakeResponse41" and the pages of the commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.errors import InvalidEncoding, NotSupported, ProtocolViolation
from fairlead.server.mysql import messages as m
from fairlead.server.mysql.protocol import OFFERED, Capability
from fairlead.server.mysql.reading import Payload

if TYPE_CHECKING:
    from collections.abc import Callable

_FIXED: Final = 32  # bytes before the user's name, and the whole of SSLRequest
_FILLER: Final = 23
_MOST_ATTRIBUTES: Final = 256
_OPTIONS: Final = {0: True, 1: False}


def decode_first(data: bytes, *, secure: bool) -> m.SslRequest | m.HandshakeResponse:
    """Read what a client sends first, and again over TLS.

    Raises:
        ProtocolViolation: it is no such packet, or of a protocol before 4.1.
    """
    payload = Payload(data)
    asked = payload.number("<I")
    capabilities = Capability(asked & OFFERED)
    if not capabilities & Capability.PROTOCOL_41:
        raise ProtocolViolation("only clients of MySQL 4.1 and later are understood")
    payload.take(4 + 1 + _FILLER)  # the longest packet, the character set, nothing
    if capabilities & Capability.SSL and not payload.left and not secure:
        return m.SslRequest(capabilities)
    user = _text(payload.terminated())
    response = _response(payload, capabilities)
    database = _text(payload.terminated()) if capabilities & Capability.CONNECT_WITH_DB and payload.left else ""
    plugin = _text(payload.terminated()) if capabilities & Capability.PLUGIN_AUTH and payload.left else ""
    attributes = _attributes(payload) if capabilities & Capability.CONNECT_ATTRS and payload.left else {}
    return m.HandshakeResponse(capabilities, user, database or None, plugin, attributes, response)


def _response(payload: Payload, capabilities: Capability) -> bytes:
    if capabilities & Capability.PLUGIN_AUTH_LENENC:
        return payload.lengthed()
    if capabilities & Capability.SECURE_CONNECTION:
        return payload.take(payload.take(1)[0])
    return payload.terminated()


def _attributes(payload: Payload) -> dict[str, str]:
    inner = Payload(payload.lengthed())
    attributes: dict[str, str] = {}
    while inner.left:
        name = _text(inner.lengthed())
        attributes[name] = _text(inner.lengthed())
        if len(attributes) > _MOST_ATTRIBUTES:
            raise ProtocolViolation("more connection attributes than are allowed")
    return attributes


def decode_command(data: bytes) -> m.Command:
    """Read a command; one that is not offered or malformed becomes :class:`messages.Refused`."""
    if not data:
        return m.Refused(ProtocolViolation("malformed packet: an empty command"))
    reader = _COMMANDS.get(data[0])
    if reader is None:
        return m.Refused(NotSupported(_NOT_OFFERED.get(data[0], f"command {data[0]} is not offered")))
    try:
        return reader(Payload(data, 1))
    except (ProtocolViolation, InvalidEncoding) as error:
        return m.Refused(error)


def kind_of(data: bytes) -> type:
    """Return the kind of a command, by which the conversation moves, however malformed it is."""
    return _KINDS.get(data[0], m.Refused) if data else m.Refused


def _set_option(payload: Payload) -> m.Command:
    option = payload.number("<H")
    if option not in _OPTIONS:
        raise ProtocolViolation(f"there is no option {option}")
    return m.SetOption(_OPTIONS[option])


def _execute(payload: Payload) -> m.Command:
    statement, cursor, times = payload.number("<I"), payload.take(1)[0], payload.number("<I")
    if times != 1:
        raise ProtocolViolation("a statement is executed once at a time")
    return m.Execute(statement, cursor, payload.rest())


def _long_data(payload: Payload) -> m.Command:
    return m.LongData(payload.number("<I"), payload.number("<H"), payload.rest())


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidEncoding("invalid byte sequence for encoding utf8mb4") from None


def _statement(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


_COMMANDS: Final[dict[int, Callable[[Payload], m.Command]]] = {
    0x01: lambda _payload: m.Quit(),
    0x02: lambda payload: m.InitDb(_text(payload.rest())),
    0x03: lambda payload: m.Query(_statement(payload.rest())),
    0x09: lambda _payload: m.Statistics(),
    0x0A: lambda _payload: m.ProcessInfo(),
    0x0C: lambda payload: m.ProcessKill(payload.number("<I")),
    0x0E: lambda _payload: m.Ping(),
    0x16: lambda payload: m.Prepare(_statement(payload.rest())),
    0x17: _execute,
    0x18: _long_data,
    0x19: lambda payload: m.CloseStatement(payload.number("<I")),
    0x1A: lambda payload: m.ResetStatement(payload.number("<I")),
    0x1B: _set_option,
    0x1F: lambda _payload: m.ResetConnection(),
}
# What is not answered, or ends the conversation, is so even where the rest of it cannot be read.
_KINDS: Final[dict[int, type]] = {0x01: m.Quit, 0x18: m.LongData, 0x19: m.CloseStatement}
_NOT_OFFERED: Final = {
    0x04: "COM_FIELD_LIST is not offered; SHOW COLUMNS FROM lists columns",
    0x11: "COM_CHANGE_USER is not offered; connect again as the other user",
    0x12: "replication is not offered",
    0x1C: "cursors are not offered: fetch the whole result",
    0x1E: "replication is not offered",
}
