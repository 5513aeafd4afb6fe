"""COPY FROM STDIN on the wire: the core alone, then bytes that no libpq would send against a listener."""

from __future__ import annotations

import contextlib
import random
import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import FairleadError, InvalidParameter, ProtocolViolation
from fairlead.server.pgwire import messages as m
from fairlead.server.pgwire.connection import Limits, State
from tests.server.pgwire import raw
from tests.server.pgwire.raw import fields
from tests.server.pgwire.test_connection import logged_in

DONE = raw.message(b"c")
COPY = raw.query("TAKE 1000")


def data(text: bytes) -> bytes:
    return raw.message(b"d", text)


def fail(reason: str) -> bytes:
    return raw.message(b"f", reason.encode() + b"\0")


def copying(*, batch=False, limits=None):
    core = logged_in(limits)
    core.receive(raw.execute() if batch else raw.query("x"))
    assert core.next_event() is not None
    assert core.copy_in(2) == b"G" + struct.pack("!ibhhh", 11, 0, 2, 0, 0)
    return core


# --- the core --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("batch", "after"), [(False, State.SIMPLE), (True, State.BATCH)])
def test_data_are_joined_and_the_end_gives_the_turn_back(batch, after):
    core = copying(batch=batch)
    core.receive(data(b"one\n") + data(b"") + data(b"two") + data(b"\n")[:-1])
    assert core.next_event() == m.CopyData(b"one\ntwo")
    assert core.next_event() is None
    core.receive(b"\n" + DONE)
    assert [core.next_event(), core.next_event()] == [m.CopyData(b"\n"), m.CopyDone()]
    assert core.state is after


def test_sync_and_flush_mean_nothing_while_data_come():
    core = copying(batch=True)
    core.receive(raw.SYNC + data(b"a") + raw.FLUSH + raw.SYNC + data(b"b") + fail("tired"))
    assert [core.next_event() for _ in range(3)] == [m.CopyData(b"a"), m.CopyData(b"b"), m.CopyFail("tired")]


@pytest.mark.parametrize("message", [raw.query("y"), raw.parse("", "y"), raw.execute(), raw.message(b"F")])
@pytest.mark.parametrize(("batch", "after"), [(False, State.SIMPLE), (True, State.SKIPPING)])
def test_any_other_message_ends_the_copy_with_an_error(message, batch, after):
    core = copying(batch=batch)
    core.receive(message)
    refused = core.next_event()
    assert isinstance(refused, m.Refused)
    assert isinstance(refused.error, ProtocolViolation)
    core.failed(refused.error)
    assert core.state is after


@pytest.mark.parametrize(("batch", "after"), [(False, State.SIMPLE), (True, State.SKIPPING)])
def test_data_that_come_after_an_error_are_dropped(batch, after):
    core = copying(batch=batch)
    core.failed(InvalidParameter("no"))
    assert core.state is after
    if not batch:
        core.ready("I")
    core.receive(data(b"late") + DONE + (raw.SYNC if batch else raw.query("next")))
    assert core.next_event() == (m.Sync() if batch else m.Query("next"))


def test_goodbye_ends_it():
    core = copying()
    core.receive(raw.TERMINATE)
    assert core.next_event() == m.Terminate()
    assert core.state is State.CLOSED


def test_a_piece_of_data_that_is_too_long_is_refused_before_it_arrives():
    core = copying(limits=Limits(message=1000))
    core.receive(data(b"a") + b"d" + struct.pack("!i", 1001))
    assert core.next_event() == m.CopyData(b"a")
    with pytest.raises(ProtocolViolation, match="1000"):
        core.next_event()


def test_the_data_are_not_in_a_repr():
    assert "private" not in repr(m.CopyData(b"private"))


messages = st.binary(max_size=12).map(data) | st.sampled_from(
    [raw.SYNC, raw.FLUSH, DONE, fail("x"), raw.query("q"), raw.parse("", "p"), raw.execute()]
)


@given(st.lists(messages, max_size=10), st.integers(1, 9))
def test_what_is_taken_is_what_came_before_the_first_message_that_ends_it(found, size):
    core, taken = copying(), b""
    sent = b"".join(found)
    for at in range(0, len(sent), size):
        core.receive(sent[at : at + size])
        while core.state is State.COPYING_IN_SIMPLE and (event := core.next_event()) is not None:
            taken += event.data if isinstance(event, m.CopyData) else b""
    goes_on = (b"d", b"S", b"H")
    end = next((at for at, part in enumerate(found) if part[:1] not in goes_on), len(found))
    assert taken == b"".join(part[5:] for part in found[:end] if part[:1] == b"d")
    assert core.state is (State.COPYING_IN_SIMPLE if end == len(found) else State.SIMPLE)


@settings(max_examples=500)
@given(st.lists(messages | st.binary(max_size=12), max_size=10).map(b"".join), st.booleans())
def test_random_bytes_amid_a_copy_give_events_or_one_error_of_ours(sent, batch):
    core = copying(batch=batch)
    core.receive(sent)
    try:
        while (event := core.next_event()) is not None:
            if isinstance(event, m.Refused):
                core.failed(event.error)
            if core.state in (State.SIMPLE, State.SYNCING):
                core.ready("I")
    except FairleadError as error:
        core.fatal(error)
        assert core.next_event() is None


# --- a listener ------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(server):
    with server.raw() as client:
        client.login()
        yield client


def error_in(answer) -> dict[str, str]:
    return next(fields(body) for tag, body in answer if tag == "E")


def tags(answer) -> str:
    return "".join(tag for tag, _ in answer)


def test_a_simple_copy_asks_takes_and_completes(client):
    client.send(COPY)
    assert client.read() == ("G", struct.pack("!bhhh", 0, 2, 0, 0))
    client.send(data(b"a\tb\n"), data(b"c"), DONE)
    assert client.read_until() == [("C", b"COPY 5\0"), ("Z", b"I")]


def test_all_may_be_sent_before_anything_is_read(client):
    client.send(COPY, data(b"abc"), DONE, COPY, data(b"d"), DONE, raw.query("SELECT 1"))
    assert [tags(client.read_until()) for _ in range(3)] == ["GCZ", "GCZ", "TDCZ"]


def test_a_copy_may_stand_in_a_script(client):
    client.send(raw.query("SELECT 1; TAKE 10; SELECT 2"), data(b"x"), DONE)
    assert tags(client.read_until()) == "TDCGCTDCZ"


def test_a_copy_of_the_extended_protocol_ignores_the_sync_before_its_data(client):
    batch = raw.parse("", "TAKE 100") + raw.bind("", "") + raw.describe("P", "") + raw.execute()
    client.send(batch, raw.SYNC)
    assert tags(client.read_until("G")) == "12nG"
    client.send(data(b"abc"), DONE, raw.SYNC)
    assert client.read_until() == [("C", b"COPY 3\0"), ("Z", b"I")]


def test_a_client_that_gives_up_is_told_so(client):
    client.send(COPY, data(b"abc"), fail("the file is gone"))
    told = error_in(client.read_until())
    assert (told["C"], told["M"]) == ("57014", "COPY from stdin failed: the file is gone")


def test_an_error_amid_the_data_is_told_at_once_and_the_rest_is_dropped(client):
    client.send(raw.query("TAKE 3"), data(b"abcd"))
    answer = client.read_until()
    assert (tags(answer), error_in(answer)["C"]) == ("GEZ", "54000")
    client.send(data(b"more"), data(b"more"), DONE, raw.query("SELECT 1"))
    assert tags(client.read_until()) == "TDCZ"


def test_an_error_amid_the_data_of_a_batch_skips_to_sync(client):
    client.send(raw.parse("", "TAKE 3"), raw.bind("", ""), raw.execute(), data(b"abcd"))
    assert tags(client.read_until("E")) == "12GE"
    client.send(data(b"more"), DONE, raw.parse("s", "SELECT 1"), raw.SYNC, raw.query("SELECT 1"))
    assert [tags(client.read_until()) for _ in range(2)] == ["Z", "TDCZ"]


def test_a_query_amid_the_data_ends_the_copy_with_an_error(client):
    client.send(COPY, data(b"abc"), raw.query("SELECT 1"), raw.query("SELECT 2"))
    answer = client.read_until()
    assert (tags(answer), error_in(answer)["C"]) == ("GEZ", "08P01")
    assert tags(client.read_until()) == "TDCZ"


def test_a_copy_that_waits_for_data_can_be_cancelled(server):
    with server.raw() as client:
        found = client.login()
        client.send(COPY)
        client.read()
        with server.raw() as other:
            other.send(raw.first_packet(80877102, found["key"]))  # CancelRequest
            assert other.at_end()
        answer = client.read_until()
        assert (tags(answer), error_in(answer)["C"]) == ("EZ", "57014")
        client.send(data(b"late"), DONE, raw.query("SELECT 1"))
        assert tags(client.read_until()) == "TDCZ"


@pytest.mark.parametrize("goodbye", [b"", raw.TERMINATE, data(b"abcdefgh")[:7]])
def test_a_client_that_goes_amid_its_data_ends_the_session(server, goodbye):
    with server.raw() as client:
        client.login()
        client.send(COPY, data(b"abc"), goodbye)
        client.read()
        assert server.backend.started.wait(20)
        intake = server.backend.every_session[0].intake
    with server.raw() as other:
        other.login()  # the listener still works
    assert not intake.complete


def test_a_client_that_reads_nothing_and_sends_much_is_held_back_not_buffered(server):
    with server.raw() as client:
        client.login()
        client.send(raw.query("TAKE 100000000"))
        client.read()
        piece = data(b"x" * 1000)
        client.send(*[piece] * 20_000, DONE)
        assert client.read_until()[0] == ("C", b"COPY 20000000\0")


@pytest.mark.parametrize("seed", range(30))
def test_random_bytes_amid_a_copy_never_hang_the_listener(server, seed):
    chance = random.Random(seed)
    pieces = [data(chance.randbytes(20)), raw.SYNC, raw.FLUSH, DONE, fail("x"), raw.query("SELECT 1"), raw.execute()]
    with server.raw() as client:
        client.login()
        client.send(COPY)
        client.read()
        noise = [*chance.choices(pieces, k=chance.randrange(6)), chance.randbytes(chance.randrange(1, 40))]
        chance.shuffle(noise)
        client.send(*noise)
        client.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while client.socket.recv(65536):  # the server closes, or the socket's time is up
                pass
    with server.raw() as other:
        other.login()
        other.send(raw.query("SELECT 1"))
        assert tags(other.read_until()) == "TDCZ"
