"""The protocol core alone, without any I/O."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import FairleadError, InvalidParameter, ProtocolViolation
from fairlead.server.pgwire import decoding
from fairlead.server.pgwire import messages as m
from fairlead.server.pgwire.connection import ANSWERS, RECEIVES, Connection, Limits, State
from tests.server.pgwire import raw

ERROR = InvalidParameter("no")
PASSWORD = raw.message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", 4) + b"n,,x")
PROOF = raw.message(b"p", b"proof")


def connection(limits: Limits | None = None) -> Connection:
    return Connection(lambda text: text, limits)


def logged_in(limits: Limits | None = None) -> Connection:
    core = connection(limits)
    core.receive(raw.startup(user="ann") + PASSWORD + PROOF)
    answer_all(core)
    core.ready("I")
    return core


def answer(core: Connection, event, *, fail: bool = False) -> bytes:
    """Do what a server does after an event, or after an error in it."""
    if fail and core.state in ANSWERS["failed"]:
        core.failed(ERROR)
    match core.state:
        case State.SECURING:
            core.accept_tls()
            core.tls_started()
        case State.GREETED:
            return core.offer_sasl(event, ["SCRAM-SHA-256"])
        case State.CHALLENGING:
            return core.challenge(b"c")
        case State.PROVING:
            return core.authenticated(b"v")
        case State.SIMPLE | State.SYNCING:
            return core.ready("I")
    return b""


def answer_all(core: Connection, *, fail: bool = False) -> list:
    events = []
    while (event := core.next_event()) is not None:
        events.append(event)
        answer(core, event, fail=fail or isinstance(event, m.Refused))
    return events


# --- turns -----------------------------------------------------------------------------------------------------------


def test_a_login_goes_through_its_states():
    core = connection()
    seen = [core.state]
    core.receive(raw.SSL_REQUEST)
    assert core.next_event() == m.SslRequest()
    seen.append(core.state)
    core.tls_started()
    core.receive(raw.startup(user="ann", database="main") + PASSWORD)
    event = core.next_event()
    assert event == m.Startup(0, {"user": "ann", "database": "main"})
    seen.append(core.state)
    core.offer_sasl(event, ["SCRAM-SHA-256"])
    assert core.next_event() == m.SaslInitial("SCRAM-SHA-256", b"n,,x")
    core.challenge(b"c")
    core.receive(PROOF)
    assert core.next_event() == m.SaslResponse(b"proof")
    core.authenticated(b"v")
    seen.append(core.state)
    core.ready("I")
    seen.append(core.state)
    assert seen == [State.OPENED, State.SECURING, State.GREETED, State.OPENING, State.IDLE]
    assert core.secure


def test_nothing_is_given_while_it_is_the_servers_turn():
    core = logged_in()
    core.receive(raw.query("one") + raw.query("two"))
    assert core.next_event() == m.Query("one")
    assert core.next_event() is None
    core.ready("I")
    assert core.next_event() == m.Query("two")


def test_bytes_in_clear_after_a_request_for_tls_are_a_violation():
    core = connection()
    core.receive(raw.SSL_REQUEST)
    core.next_event()
    core.receive(b"")
    with pytest.raises(ProtocolViolation, match="unencrypted"):
        core.receive(b"x")


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_either_the_clients_turn_or_the_servers(state):
    interruptible = {State.BATCH, State.COPYING_IN_SIMPLE, State.COPYING_IN_BATCH}
    answered = {start for moves in ANSWERS.values() for start in moves} - interruptible
    assert (state in RECEIVES) + (state in answered) + (state is State.CLOSED) == 1


def test_an_answer_out_of_turn_is_a_bug_of_the_caller():
    with pytest.raises(AssertionError):
        connection().ready("I")
    with pytest.raises(AssertionError):
        logged_in().authenticated(b"")


def test_a_failed_batch_is_skipped_unread_up_to_sync():
    core = logged_in()
    core.receive(raw.parse("", "x") + raw.message(b"B", b"\xff bad") + raw.query("skipped") + raw.SYNC + raw.query("y"))
    assert core.next_event() == m.Parse("", "x", ())
    core.failed(ERROR)
    assert core.next_event() == m.Sync()
    core.ready("I")
    assert core.next_event() == m.Query("y")


def test_a_message_that_is_too_long_is_refused_before_it_arrives():
    core = logged_in(Limits(login=1000, message=2000))
    core.receive(b"Q" + struct.pack("!i", 2001))
    with pytest.raises(ProtocolViolation, match="2000"):
        core.next_event()
    core = connection(Limits(login=1000, message=2000))
    core.receive(struct.pack("!i", 1001))
    with pytest.raises(ProtocolViolation, match="1000"):
        core.next_event()


def test_the_values_of_a_message_are_not_in_its_repr():
    core = logged_in()
    core.receive(raw.query("private") + raw.parse("", "private") + raw.bind("", "", b"private") + PROOF)
    for _ in range(3):
        event = core.next_event()
        assert "private" not in repr(event)
        answer(core, event)


def test_an_error_cannot_forge_fields_of_its_own():
    answers = connection().answers
    told = raw.fields(answers.error(InvalidParameter("a\0Mforged\0\0"))[5:])
    assert told["M"] == "aMforged"


def test_lone_surrogates_can_be_sent():
    assert b"a?b" in connection().answers.error(InvalidParameter("a\udcffb"))


# --- any bytes -------------------------------------------------------------------------------------------------------

names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
codes = st.sampled_from([0, 1])
values = st.lists(st.none() | st.binary(max_size=20), max_size=5)
client_messages = st.one_of(
    st.builds(raw.query, names),
    st.builds(raw.parse, names, names, *[st.integers(0, 2**32 - 1)] * 2),
    st.builds(lambda p, s, v: raw.bind(p, s, *v), names, names, values),
    st.builds(raw.describe, st.sampled_from("SP"), names),
    st.builds(raw.close, st.sampled_from("SP"), names),
    st.builds(raw.execute, names, st.integers(-1, 2**31 - 1)),
    st.sampled_from([raw.SYNC, raw.FLUSH, raw.message(b"d", b"x"), raw.message(b"F", b"1234")]),
    st.builds(raw.message, st.sampled_from([bytes([tag]) for tag in decoding.KINDS]), st.binary(max_size=30)),
)


def feed(core: Connection, data: bytes, cuts: list[int], *, fail: bool) -> list:
    """Feed bytes in pieces, and answer as a server would; give all events."""
    events, at = [], 0
    for cut in [*sorted(cuts), len(data)]:
        core.receive(data[at : max(cut, at)])
        at = max(cut, at)
        events += answer_all(core, fail=fail)
    return events


@given(st.binary(max_size=300), st.booleans(), st.booleans())
@settings(max_examples=500)
def test_random_bytes_give_events_or_one_error_of_ours(data, inside, fail):
    core = logged_in() if inside else connection()
    core.receive(data)
    try:
        answer_all(core, fail=fail)
    except FairleadError as error:
        core.fatal(error)
        answer_all(core)
    if core.state is State.CLOSED:
        assert core.next_event() is None


@given(st.lists(client_messages, max_size=12), st.lists(st.integers(0, 300), max_size=6), st.booleans())
@settings(max_examples=300)
def test_how_the_bytes_are_cut_makes_no_difference(parts, cuts, fail):
    data = b"".join(part for part in parts if part[:1] != b"X")
    whole, pieces = logged_in(), logged_in()
    assert str(feed(whole, data, [], fail=fail)) == str(
        feed(pieces, data, [min(c, len(data)) for c in cuts], fail=fail)
    )
    assert whole.state == pieces.state
    assert whole.buffered == pieces.buffered == 0


@given(
    st.lists(client_messages, max_size=6),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
    st.booleans(),
)
@settings(max_examples=500)
def test_a_conversation_with_changed_bytes_never_breaks_the_core(parts, changes, fail):
    data = bytearray(raw.startup(user="ann", database="main") + PASSWORD + PROOF + b"".join(parts))
    for at, value in changes:
        data[at % len(data)] = value
    core = connection()
    try:
        core.receive(bytes(data))
        while True:
            events = answer_all(core, fail=fail)
            if core.state is State.OPENING:
                core.ready("I")
            elif not events:
                break
    except FairleadError as error:
        core.fatal(error)


@given(
    st.sampled_from(sorted(set(decoding.KINDS.values()) | {m.SaslInitial, m.SaslResponse}, key=str)),
    st.binary(max_size=60),
)
@settings(max_examples=500)
def test_decoding_gives_a_message_or_an_error_of_ours(kind, body):
    with contextlib.suppress(FairleadError):
        assert isinstance(decoding.decode(kind, body), kind)


@given(st.binary(max_size=60))
def test_decoding_a_first_packet_gives_a_message_or_an_error_of_ours(body):
    with contextlib.suppress(FairleadError):
        assert isinstance(decoding.decode_first(struct.pack("!I", 3 << 16) + body), m.Startup)


@given(names, st.lists(st.none() | st.binary(max_size=20), min_size=1, max_size=5), st.data())
def test_a_bind_comes_out_as_it_went_in(name, given_values, data):
    formats = data.draw(st.lists(codes, min_size=len(given_values), max_size=len(given_values)))
    results = tuple(data.draw(st.lists(codes, max_size=5)))
    message = decoding.decode(m.Bind, raw.bind(name, name, *given_values, formats=formats, results=results)[5:])
    assert message == m.Bind(name, name, tuple(zip(given_values, map(bool, formats), strict=True)), results)
