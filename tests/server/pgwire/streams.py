"""Random streams of messages, half of them sensible, for the fuzzing of the wire."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING

from fairlead.errors import FairleadError
from fairlead.server.pgwire import messages as m
from fairlead.server.pgwire.connection import Connection, State
from tests.server.pgwire import raw
from tests.server.pgwire.double import CANARY

if TYPE_CHECKING:
    from random import Random

    from tests.server.pgwire.raw import RawClient

_KNOWN = b"QPBDECSHdcfF"
_TAGS = _KNOWN + b"XpRZ\0\xff1"
_TEXTS = (
    "SELECT 1", "", "SELECT nope", "BEGIN", "COMMIT", "NOTICE hello", "TAKE 3", "BLOCKS 2 2000", "SELECT 1; SELECT 2",
    "DEFECT x", f"SELECT '{CANARY}", "\ud7ff", "SELECT $1",
)  # fmt: skip
_NAMES = ("", "a", "b")


def message(chance: Random) -> bytes:
    """Return some message: a sensible one, one with noise inside, or noise alone."""
    kind = chance.random()
    if kind < 0.9:
        return _sensible(chance)
    if kind < 0.985:
        return raw.message(bytes([chance.choice(_KNOWN)]), chance.randbytes(chance.choice((0, 1, 4, 9, 40))))
    if kind < 0.993:
        whole = bytearray(_sensible(chance))
        whole[chance.randrange(len(whole))] = chance.randrange(256)
        return bytes(whole)
    size = chance.choice((0, 3, 4, 5, 2**31, 2**32 - 1, chance.randrange(100)))
    return bytes([chance.choice(_TAGS)]) + struct.pack("!I", size) + chance.randbytes(chance.randrange(20))


def _sensible(chance: Random) -> bytes:
    name, text = chance.choice(_NAMES), chance.choice(_TEXTS)
    value = chance.choice((None, b"1", b"", chance.randbytes(4)))
    choices = (
        raw.query(text), raw.parse(name, text), raw.parse(name, "SELECT $1", 23), raw.bind(name, name),
        raw.bind(name, name, value, formats=(chance.randrange(3),)), raw.describe("S", name), raw.describe("P", name),
        raw.execute(name, chance.choice((0, 1, 5))), raw.close("S", name), raw.SYNC, raw.SYNC, raw.FLUSH,
        raw.message(b"d", chance.randbytes(9)), raw.message(b"c"), raw.message(b"f", b"no\0"),
    )  # fmt: skip
    return chance.choice(choices)


def feed_core(chance: Random, count: int) -> int:
    """Feed messages to a core that has just logged in, cut anywhere; answer as the shell would. Return the events."""
    core = Connection(lambda text: text.replace(CANARY, "<redacted>"))
    core.receive(raw.startup(user="ann"))
    startup = core.next_event()
    assert isinstance(startup, m.Startup)
    core.offer_sasl(startup, ["SCRAM-SHA-256"])
    core.state = State.OPENING  # the login has fuzz tests of its own
    core.ready("I")
    events = 1
    stream = b"".join(message(chance) for _ in range(count))
    at, said = 0, b""
    while at < len(stream) and core.state is not State.CLOSED:
        size = chance.choice((1, 7, 100, 5000))
        core.receive(stream[at : at + size])
        at += size
        try:
            while (event := core.next_event()) is not None:
                events += 1
                _answer(chance, core, event)
        except FairleadError as error:
            said = core.fatal(error)
            break
    assert CANARY.encode() not in said
    return events


def _answer(chance: Random, core: Connection, event: object) -> None:
    if core.state is State.CLOSED:
        return
    if isinstance(event, m.Refused):
        assert CANARY.encode() not in core.failed(event.error)
    elif isinstance(event, m.Query | m.Execute) and chance.random() < 0.3:
        core.copy_in(1)
        return
    elif isinstance(event, m.Parse) and chance.random() < 0.2:
        core.failed(FairleadError(f"some failure with {CANARY}"))
    if core.state in (State.SIMPLE, State.SYNCING):
        core.ready("I")


def send_some(chance: Random, client: RawClient, count: int) -> None:
    """Send messages; a server that has closed is no error."""
    with contextlib.suppress(OSError):
        for _ in range(count):
            client.send(message(chance))
        client.socket.shutdown(socket.SHUT_WR)


def rest_of(client: RawClient) -> bytes:
    """Read until the server closes, which it has to."""
    data = client.buffer
    with contextlib.suppress(ConnectionError):
        while piece := client.socket.recv(65536):
            data += piece
    return data
