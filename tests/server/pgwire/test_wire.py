"""Gathering, back-pressure and the end of a connection, over a transport that only takes notes."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.engine.api import Column
from fairlead.server.pgwire.answers import Answers
from fairlead.server.pgwire.messages import Query
from fairlead.server.pgwire.statements import Statements
from fairlead.server.pgwire.wire import ClientGone, Wire
from fairlead.session_types import Complete, ResultColumns, ResultRows


class Notes(asyncio.Transport):
    def __init__(self):
        super().__init__({"peername": ("10.1.2.3", 5), "socket": self})
        self.writes = []
        self.written = asyncio.Event()
        self.reading = True

    def setsockopt(self, *_): ...

    def set_write_buffer_limits(self, high=None, low=None): ...

    def write(self, data):
        self.writes.append(data)
        self.written.set()

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True


class Script:
    """A session double that gives fixed outputs."""

    transaction_status = "I"

    def __init__(self, *outputs):
        self.outputs = outputs

    async def run_script(self, text):
        for output in self.outputs:
            yield output


def connected() -> tuple[Wire, Notes]:
    accepted = []
    wire, notes = Wire(accepted.append), Notes()
    wire.connection_made(notes)
    assert accepted == [wire]
    assert wire.address == "10.1.2.3"
    return wire, notes


def run(test):
    def wrapped():
        asyncio.run(test())

    wrapped.__name__ = test.__name__
    return wrapped


async def no_copy(copy):
    raise AssertionError(copy)


@run
async def test_a_small_answer_leaves_in_one_write():
    wire, notes = connected()
    script = Script(ResultColumns((Column("a", 23, 4),)), ResultRows(b"D-row", 1), Complete("SELECT 1"))
    await Statements(script, wire, Answers(str), no_copy).handle(Query("SELECT 1"))
    assert notes.writes == []
    wire.flush()
    assert len(notes.writes) == 1
    assert notes.writes[0].endswith(b"D-rowC\0\0\0\x0dSELECT 1\0")


@run
async def test_a_small_answer_does_not_wait_for_a_slow_rest():
    wire, notes = connected()
    wire.send(b"first rows")
    assert notes.writes == []
    await notes.written.wait()
    assert notes.writes == [b"first rows"]


@run
async def test_a_large_block_is_passed_on_as_it_is():
    wire, notes = connected()
    block = b"x" * 100_000
    wire.send(b"head")
    await wire.send_block(block)
    assert notes.writes[0] == b"head"
    assert notes.writes[1] is block


@run
async def test_a_writer_waits_while_the_client_does_not_read():
    wire, _ = connected()
    wire.pause_writing()
    waiting = asyncio.ensure_future(wire.drain())
    await asyncio.sleep(0)
    assert not waiting.done()
    wire.resume_writing()
    await waiting


@run
async def test_reading_pauses_when_too_much_has_come_and_goes_on_when_it_is_taken():
    wire, notes = connected()
    for _ in range(5):
        wire.data_received(b"y" * 100_000)
    assert not notes.reading
    assert len(await wire.read()) == 500_000
    assert notes.reading


@run
async def test_a_lost_client_wakes_everybody_who_waits():
    wire, notes = connected()
    lost = []
    wire.on_lost = lambda: lost.append(True)
    wire.pause_writing()
    reader, writer = asyncio.ensure_future(wire.read()), asyncio.ensure_future(wire.drain())
    await asyncio.sleep(0)
    wire.connection_lost(None)
    assert await reader == b""
    with pytest.raises(ClientGone):
        await writer
    wire.send(b"too late")
    wire.flush()
    assert notes.writes == []
    assert lost == [True]


@run
async def test_a_session_is_told_to_end_its_statement_when_the_client_is_gone():
    wire, _ = connected()
    ended = []

    class Endless(Script):
        async def run_script(self, text):
            try:
                while True:
                    yield ResultRows(b"x" * 100_000, 1)
            finally:
                ended.append(True)

    wire.connection_lost(None)
    with pytest.raises(ClientGone):
        await Statements(Endless(), wire, Answers(str), no_copy).handle(Query("x"))
    assert ended == [True]
