"""The conversation without I/O: what may come when, numbers of packets, sizes, and bytes that nobody should send."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import FairleadError, ProtocolViolation
from fairlead.server.mysql import messages as m
from fairlead.server.mysql.connection import FIRST_PACKET, LONGEST_PAYLOAD, RECEIVES, Connection, State
from fairlead.server.mysql.protocol import CACHING_SHA2, MAX_PAYLOAD, Capability

CAPABILITIES = (
    Capability.PROTOCOL_41
    | Capability.SSL
    | Capability.SECURE_CONNECTION
    | Capability.PLUGIN_AUTH
    | Capability.CONNECT_WITH_DB
    | Capability.CONNECT_ATTRS
)


def packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload) | number << 24) + payload


def ssl_request(capabilities: int = CAPABILITIES) -> bytes:
    return struct.pack("<IIB", capabilities, 2**24, 45) + bytes(23)


def hello(user: bytes = b"ann", plugin: bytes = CACHING_SHA2.encode(), response: bytes = b"x" * 32) -> bytes:
    attributes = b"\x0cprogram_name\x04test"
    return (
        ssl_request()
        + (user + b"\0" + bytes((len(response),)) + response + b"main\0" + plugin + b"\0")
        + (bytes((len(attributes),)) + attributes)
    )


def greeted() -> Connection:
    core = Connection(lambda text: text)
    core.greet("8.0", 1, b"s" * 20)
    return core


def idle() -> Connection:
    core = greeted()
    core.receive(packet(1, ssl_request()))
    assert isinstance(core.next_event(), m.SslRequest)
    core.tls_started()
    core.receive(packet(2, hello()))
    assert isinstance(core.next_event(), m.HandshakeResponse)
    core.ask_password()
    core.receive(packet(4, b"secret\0"))
    assert core.next_event() == m.AuthData(b"secret\0")
    core.ready(core.answers.ok(2))
    return core


def test_a_login_goes_over_tls_to_the_first_command():
    core = idle()
    core.receive(packet(0, b"\x03SELECT 1"))
    assert core.next_event() == m.Query("SELECT 1")
    assert core.state is State.COMMAND


def test_the_greeting_offers_tls_and_the_one_plugin_and_no_compression():
    core = Connection(lambda text: text)
    data = core.greet("8.0", 7, b"s" * 20)
    assert data[3] == 0
    assert data.endswith(b"\0" + CACHING_SHA2.encode() + b"\0")
    version_end = data.index(b"\0", 5)
    low, high = struct.unpack_from("<H", data, version_end + 14)[0], struct.unpack_from("<H", data, version_end + 19)[0]
    offered = low | high << 16
    assert offered & Capability.SSL
    assert not offered & (1 << 5 | 1 << 26), "compression"
    assert not offered & 1 << 7, "LOAD DATA LOCAL"


def test_bytes_behind_the_request_for_tls_are_refused():
    core = greeted()
    core.receive(packet(1, ssl_request()) + packet(2, hello()))
    with pytest.raises(ProtocolViolation, match="unencrypted"):
        core.next_event()


def test_bytes_that_come_while_tls_starts_are_refused():
    core = greeted()
    core.receive(packet(1, ssl_request()))
    core.next_event()
    with pytest.raises(ProtocolViolation, match="unencrypted"):
        core.receive(packet(2, hello()))


def test_the_request_for_tls_is_just_as_long_as_the_wire_reads_at_first():
    assert len(packet(1, ssl_request())) == FIRST_PACKET
    assert len(packet(1, hello())) > FIRST_PACKET


def test_no_password_is_asked_for_in_clear():
    core = greeted()
    core.receive(packet(1, hello()))
    assert isinstance(core.next_event(), m.HandshakeResponse)
    with pytest.raises(AssertionError):
        core.ask_password()
    with pytest.raises(AssertionError):
        core.proved()


def test_what_a_client_says_of_itself_is_read():
    core = greeted()
    core.receive(packet(1, ssl_request()))
    core.next_event()
    core.tls_started()
    core.receive(packet(2, hello(b"b\xc3\xb6b", b"mysql_native_password", b"y" * 20)))
    event = core.next_event()
    assert isinstance(event, m.HandshakeResponse)
    assert (event.user, event.database, event.plugin) == ("böb", "main", "mysql_native_password")
    assert event.attributes == {"program_name": "test"}
    assert "yyy" not in repr(event)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x01", m.Quit()),
        (b"\x02main", m.InitDb("main")),
        (b"\x0e", m.Ping()),
        (b"\x16SELECT ?", m.Prepare("SELECT ?")),
        (b"\x17\1\0\0\0\0\1\0\0\0rest", m.Execute(1, 0, b"rest")),
        (b"\x18\1\0\0\0\2\0data", m.LongData(1, 2, b"data")),
        (b"\x19\1\0\0\0", m.CloseStatement(1)),
        (b"\x1a\1\0\0\0", m.ResetStatement(1)),
        (b"\x1b\0\0", m.SetOption(multi_statements=True)),
        (b"\x1f", m.ResetConnection()),
        (b"\x0c\5\0\0\0", m.ProcessKill(5)),
    ],
)
def test_a_command_is_read(payload, expected):
    core = idle()
    core.receive(packet(0, payload))
    assert core.next_event() == expected


@pytest.mark.parametrize(
    "payload", [b"", b"\x04t\0", b"\x11x", b"\x12", b"\x1c", b"\xff", b"\x17\1", b"\x1b\7\0", b"\x02\xff"]
)
def test_a_command_that_is_not_offered_or_malformed_is_refused_and_the_next_one_served(payload):
    core = idle()
    core.receive(packet(0, payload))
    event = core.next_event()
    assert isinstance(event, m.Refused)
    core.ready(core.answers.error(event.error))
    core.receive(packet(0, b"\x0e"))
    assert core.next_event() == m.Ping()


def test_what_is_not_answered_leaves_the_client_its_turn_even_when_malformed():
    core = idle()
    core.receive(packet(0, b"\x19") + packet(0, b"\x18\1") + packet(0, b"\x0e"))
    assert isinstance(core.next_event(), m.Refused)
    assert isinstance(core.next_event(), m.Refused)
    assert core.next_event() == m.Ping()


def test_a_packet_out_of_order_ends_the_conversation():
    core = idle()
    core.receive(packet(1, b"\x0e"))
    with pytest.raises(ProtocolViolation, match="out of order"):
        core.next_event()


def test_a_long_command_comes_in_several_packets():
    core = idle()
    text = b"x" * (MAX_PAYLOAD - 1)
    core.receive(packet(0, b"\x03" + text))
    assert core.next_event() is None
    core.receive(packet(1, b""))
    assert core.next_event() == m.Query(text.decode())


def test_a_command_larger_than_allowed_is_refused_before_it_is_read():
    core = idle()
    for number in range(LONGEST_PAYLOAD // MAX_PAYLOAD):
        core.receive(packet(number, b"x" * MAX_PAYLOAD))
        assert core.next_event() is None
    core.receive(struct.pack("<I", MAX_PAYLOAD | (LONGEST_PAYLOAD // MAX_PAYLOAD) << 24))
    with pytest.raises(ProtocolViolation, match="not allowed"):
        core.next_event()


def test_before_the_login_only_small_packets_are_read():
    core = greeted()
    core.receive(struct.pack("<I", 1_000_000 | 1 << 24))
    with pytest.raises(ProtocolViolation, match="not allowed"):
        core.next_event()


def test_an_answer_is_numbered_on_and_a_large_payload_split():
    core = idle()
    core.receive(packet(0, b"\x0e"))
    core.next_event()
    assert core.packet(b"a") == packet(1, b"a")
    core.passed(253)
    assert core.packet(b"b") == packet(255, b"b")
    assert core.packet(b"c" * MAX_PAYLOAD) == packet(0, b"c" * MAX_PAYLOAD) + packet(1, b"")
    assert core.number == 2


@given(st.lists(st.binary(max_size=80), max_size=6), st.integers(0, 30))
def test_any_bytes_at_any_time_give_events_or_one_error(pieces, cut):
    for make in (greeted, idle):
        core = make()
        try:
            for data in pieces:
                core.receive(data)
                while (event := core.next_event()) is not None:
                    if core.state not in RECEIVES and core.state is not State.CLOSED:
                        if isinstance(event, m.SslRequest):
                            core.tls_started()
                        elif isinstance(event, m.HandshakeResponse):
                            break
                        else:
                            core.ready(core.answers.ok(cut))
        except FairleadError as error:
            last = core.fatal(error)
        else:
            continue
        assert last[4] == 0xFF
        assert core.next_event() is None


@given(st.lists(st.tuples(st.sampled_from(range(0x20)), st.binary(max_size=40)), max_size=8))
def test_any_commands_in_right_packets_are_answered_one_by_one(commands):
    core = idle()
    core.receive(b"".join(packet(0, bytes((kind,)) + data) for kind, data in commands))
    for kind, _ in commands:
        event = core.next_event()
        assert event is not None
        if isinstance(event, m.Quit) or core.state is State.CLOSED:
            assert kind == 1
            return
        if core.state is State.COMMAND:
            core.ready(core.answers.ok(0))
    assert core.next_event() is None
