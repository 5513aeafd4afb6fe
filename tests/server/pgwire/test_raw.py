"""What libpq never sends: wrong orders, early bytes, row limits, bad frames."""

from __future__ import annotations

import ssl
import struct

import pytest

from fairlead.engine.api import Encoding
from tests.server.pgwire import raw
from tests.server.pgwire.raw import RawClient, Scram, fields


@pytest.fixture
def client(server):
    with server.raw() as client:
        client.login()
        yield client


def error_of(client: RawClient) -> dict[str, str]:
    tag, body = client.read()
    assert tag == "E", (tag, body)
    return fields(body)


# --- before the login ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [raw.SSL_REQUEST, raw.GSSENC_REQUEST])
def test_bytes_that_come_with_a_request_for_encryption_are_refused(server, request_):
    with server.raw() as client:
        client.send(request_, raw.startup(user="ann"))
        told = error_of(client)
        assert (told["S"], told["C"]) == ("FATAL", "08P01")
        assert "unencrypted data" in told["M"]
        assert client.at_end()


def test_gss_encryption_is_refused_once_and_tls_may_follow(server):
    with server.raw() as client:
        client.send(raw.GSSENC_REQUEST)
        assert client.read_exactly(1) == b"N"
        client.start_tls()
        client.login()
        client.send(raw.query("SELECT 1"))
        assert client.tags() == "TDCZ"


def test_a_second_tls_inside_tls_is_refused(server):
    with server.raw() as client:
        client.start_tls()
        client.send(raw.SSL_REQUEST)
        assert error_of(client)["C"] == "08P01"


def test_a_handshake_that_is_none_ends_the_connection_only(server):
    with server.raw() as client:
        client.send(raw.SSL_REQUEST)
        assert client.read_exactly(1) == b"S"
        client.send(b"this is no ClientHello, but it is long enough to be looked at")
        with pytest.raises((EOFError, ConnectionResetError)):
            client.read_exactly(1_000_000)
    with server.raw() as client:
        client.login()


@pytest.mark.parametrize(("minor", "key_size"), [(0, 4), (2, 32)])
def test_the_cancel_key_is_long_where_the_version_allows_it(server, minor, key_size):
    with server.raw() as client:
        assert len(client.login(minor=minor)["key"]) == 4 + key_size


def test_a_newer_version_and_unknown_protocol_options_are_negotiated_down(server):
    with server.raw() as client:
        client.send(raw.startup(9999, user="ann", **{"_pq_.magic": "on"}))
        tag, body = client.read()
        assert tag == "v"
        assert body == struct.pack("!ii", 3 << 16 | 2, 1) + b"_pq_.magic\0"
        client.read_until("R")
        client.prove("correct horse")
        assert client.tags().endswith("KZ")


@pytest.mark.parametrize(
    ("packet", "state"),
    [
        (raw.first_packet(2 << 16), "0A000"),
        (raw.first_packet(4 << 16), "0A000"),
        (raw.startup(database="main"), "28000"),
        (raw.startup(user="ann") + b"", None),
        (raw.first_packet(3 << 16, b"user\0ann"), "08P01"),
        (raw.first_packet(3 << 16, b"user\0\xff\0\0"), "22021"),
        (b"\0\0\x7f\xff", "08P01"),
        (b"\0\0\0\3", "08P01"),
        (b"GET / HTTP/1.1\r\n\r\n", "08P01"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "08P01"),
    ],
)
def test_a_first_packet_is_understood_or_refused_with_its_reason(server, packet, state):
    with server.raw() as client:
        client.send(packet)
        tag, body = client.read()
        if state is None:
            assert (tag, body[:4]) == ("R", struct.pack("!i", 10))
        else:
            told = fields(body)
            assert (tag, told["S"], told["C"]) == ("E", "FATAL", state)
            assert client.at_end()


def test_channel_binding_is_offered_over_tls_only(server):
    for secure in (False, True):
        with server.raw() as client:
            if secure:
                client.start_tls()
            client.send(raw.startup(user="ann"))
            _, body = client.read()
            mechanisms = body[4:].rstrip(b"\0").split(b"\0")
            assert mechanisms == ([b"SCRAM-SHA-256-PLUS", b"SCRAM-SHA-256"] if secure else [b"SCRAM-SHA-256"])


def test_a_client_that_thinks_binding_was_not_offered_is_refused_as_a_downgrade(server):
    with server.raw() as client:
        client.start_tls()
        client.send(raw.startup(user="ann"))
        client.read()
        with pytest.raises(PermissionError, match="negotiation"):
            client.prove("correct horse", flag="y")
    assert server.backend.sessions == []


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "PLAIN", "SCRAM-SHA-1", ""])
def test_a_mechanism_that_was_not_offered_is_refused(server, mechanism):
    with server.raw() as client:
        client.send(raw.startup(user="ann"))
        client.read()
        with pytest.raises(PermissionError):
            client.prove("correct horse", mechanism=mechanism)
        assert client.at_end()
    assert server.backend.opened == []


def test_a_command_before_the_proof_is_refused(server):
    with server.raw() as client:
        client.send(raw.startup(user="ann"))
        client.read()
        client.send(raw.query("SELECT 1"))
        assert error_of(client)["C"] == "08P01"
        assert client.at_end()
    assert server.backend.opened == []


def test_the_salt_of_a_user_who_does_not_exist_stays_the_same(server):
    salts = []
    for _ in range(2):
        with server.raw() as client:
            client.send(raw.startup(user="nobody"))
            client.read()
            first = Scram("x").first()
            client.send(raw.message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first))
            _, body = client.read()
            salts.append(body.split(b",")[1])
    assert salts[0] == salts[1]


def test_a_client_that_says_nothing_is_sent_away(make_server):
    server = make_server(startup_timeout=0.05)
    with server.raw() as client:
        assert "too long" in error_of(client)["M"]
        assert client.at_end()


def test_a_cancel_request_with_a_wrong_key_does_nothing_and_learns_nothing(server):
    with server.raw() as client:
        key = client.login()["key"]
        client.send(raw.query("ENDLESS"))
        assert server.backend.started.wait(20)
        for wrong in (key[:4] + b"\0\0\0\0", b"\0\0\0\1" + key[4:], key + b"x"):
            with server.raw() as canceller:
                canceller.send(raw.first_packet(80877102, wrong))
                assert canceller.at_end()
        assert not server.backend.was_cancelled.is_set()
        with server.raw() as canceller:
            canceller.send(raw.first_packet(80877102, key))
            assert canceller.at_end()
        assert client.read()[0] == "N"
        assert error_of(client)["C"] == "57014"
        assert client.tags() == "Z"


def test_a_cancel_request_may_come_over_tls(server):
    with server.raw() as client, server.raw() as canceller:
        key = client.login()["key"]
        client.send(raw.query("ENDLESS"))
        assert server.backend.started.wait(20)
        canceller.start_tls()
        canceller.send(raw.first_packet(80877102, key))
        assert server.backend.was_cancelled.wait(20)
        assert client.tags() == "NEZ"


# --- extended query ------------------------------------------------------------------------------------------------


def test_a_batch_is_answered_message_by_message(client):
    client.send(
        raw.parse("s", "SELECT $1::INT + 1", 23), raw.describe("S", "s"), raw.bind("p", "s", b"41"),
        raw.describe("P", "p"), raw.execute("p"), raw.close("P", "p"), raw.close("S", "s"), raw.SYNC,
    )  # fmt: skip
    answer = client.read_until()
    assert "".join(tag for tag, _ in answer) == "1tT2TDC33Z"
    assert answer[1][1] == struct.pack("!hI", 1, 23)
    assert answer[5][1] == struct.pack("!hi", 1, 2) + b"42"


def test_a_statement_without_rows_is_described_as_such(client):
    client.send(
        raw.parse("", "SET zone = x"),
        raw.describe("S", ""),
        raw.bind("", ""),
        raw.describe("P", ""),
        raw.execute(),
        raw.SYNC,
    )
    assert client.tags() == "1tn2nCSZ"


def test_an_empty_statement_is_answered_as_such(client):
    client.send(raw.parse("", ""), raw.bind("", ""), raw.describe("P", ""), raw.execute(), raw.SYNC)
    assert client.tags() == "12nIZ"


def test_flush_sends_what_is_ready_and_the_batch_goes_on(client):
    client.send(raw.parse("", "SELECT 1"), raw.FLUSH)
    assert client.read()[0] == "1"
    client.send(raw.bind("", ""), raw.FLUSH)
    assert client.read()[0] == "2"
    client.send(raw.execute(), raw.SYNC)
    assert client.tags() == "DCZ"


def test_after_an_error_everything_up_to_sync_is_skipped(client):
    client.send(
        raw.parse("", "oops"), raw.bind("", ""), raw.query("SELECT 1"), raw.message(b"d", b"x"), raw.execute(),
        raw.bind("", "", results=(7,)), raw.SYNC, raw.query("SELECT 1"),
    )  # fmt: skip
    assert client.tags() == "EZ"
    assert client.tags() == "TDCZ"


def test_batches_that_were_sent_ahead_are_answered_in_order(client):
    batch = raw.parse("", "SELECT $1::INT", 23), raw.bind("", "", b"7"), raw.execute(), raw.SYNC
    client.send(*batch * 50)
    for _ in range(50):
        answer = client.read_until()
        assert "".join(tag for tag, _ in answer) == "12DCZ"


@pytest.mark.parametrize("limit", [1, 3, 99, 100, 101, 250, 1000])
def test_a_row_limit_suspends_the_portal_and_the_next_execute_goes_on(client, limit):
    client.send(raw.query("BEGIN"))
    client.tags()
    client.send(raw.parse("", "SELECT i FROM range(350) t(i)"), raw.bind("p", ""), raw.SYNC)
    assert client.tags() == "12Z"
    numbers, ended = [], False
    while not ended:
        client.send(raw.execute("p", limit), raw.SYNC)
        answer = client.read_until()
        rows = [body for tag, body in answer if tag == "D"]
        assert len(rows) <= limit
        numbers += [int(row[6:]) for row in rows]
        ended = answer[-2][0] == "C"
        assert ended or (answer[-2][0] == "s" and len(rows) == limit)
    assert numbers == list(range(350))


def test_the_rows_of_a_command_can_be_limited_too(client):
    client.send(raw.query("BEGIN"))
    client.tags()
    client.send(raw.parse("", "SHOW words"), raw.bind("p", ""), raw.execute("p", 1), raw.execute("p", 0), raw.SYNC)
    assert client.tags() == "12DsDCZ"


def test_a_limit_of_zero_gives_what_is_left(client):
    client.send(raw.query("BEGIN"))
    client.tags()
    client.send(
        raw.parse("", "SELECT i FROM range(350) t(i)"),
        raw.bind("p", ""),
        raw.execute("p", 10),
        raw.execute("p"),
        raw.SYNC,
    )
    answer = [tag for tag, _ in client.read_until()]
    assert answer[:2] + answer[12:13] == ["1", "2", "s"]
    assert answer.count("D") == 350


def test_outside_a_transaction_a_suspended_portal_ends_with_the_batch(client):
    client.send(raw.parse("", "SELECT i FROM range(9) t(i)"), raw.bind("p", ""), raw.execute("p", 2), raw.SYNC)
    assert client.tags() == "12DDsZ"
    client.send(raw.execute("p", 2), raw.SYNC)
    assert error_of(client)["C"] == "34000"
    assert client.tags() == "Z"


def test_a_new_portal_of_the_same_name_forgets_the_rows_of_the_old_one(client):
    client.send(raw.query("BEGIN"))
    client.tags()
    client.send(
        raw.parse("", "SELECT i FROM range(9) t(i)"),
        raw.bind("", ""),
        raw.execute("", 2),
        raw.bind("", ""),
        raw.execute("", 1),
        raw.SYNC,
    )
    answer = client.read_until()
    assert [int(body[6:]) for tag, body in answer if tag == "D"] == [0, 1, 0]


def test_the_types_that_were_described_go_with_binary_parameters(client, server):
    client.send(raw.parse("s", "SELECT $1", 20), raw.describe("S", "s"), raw.SYNC)
    client.tags()
    client.send(raw.bind("", "s", struct.pack("!q", 5), formats=(1,)), raw.execute(), raw.SYNC)
    assert client.read_until()[1][1][6:] == b"5"


@pytest.mark.parametrize(
    ("wanted", "announced"), [((), [0, 0]), ((0,), [0, 0]), ((1,), [1, 1]), ((0, 1), [0, 1]), ((1, 0), [1, 0])]
)
def test_the_formats_of_a_portal_are_announced_and_passed_on(client, server, wanted, announced):
    client.send(raw.parse("", "SELECT 1 AS a, 2 AS b"), raw.bind("", "", results=wanted), raw.describe("P", ""))
    client.send(raw.describe("S", ""), raw.SYNC)
    shapes = [body for tag, body in client.read_until() if tag == "T"]
    assert [formats_of(shape) for shape in shapes] == [announced, [0, 0]]
    assert server.backend.encodings[-1] == Encoding("rows", wanted)


def formats_of(shape):
    """Return the format codes of a RowDescription whose names have one letter."""
    return [struct.unpack_from("!h", shape, 2 + 20 * number + 18)[0] for number in range(2)]


@pytest.mark.parametrize("text", ["SELECT 1 AS a, 2 AS b", "SHOW words"])
def test_as_many_formats_as_columns_are_needed(client, text):
    client.send(raw.parse("", text), raw.bind("", "", results=(0, 1, 1)), raw.describe("P", ""), raw.SYNC)
    told = [fields(body) for tag, body in client.read_until() if tag == "E"]
    assert [one["C"] for one in told] == ["08P01"]


def test_the_rows_of_a_command_are_the_same_in_binary(client):
    client.send(raw.parse("", "SHOW words"), raw.bind("", "", results=(1,)), raw.describe("P", ""), raw.execute())
    client.send(raw.SYNC)
    answer = client.read_until()
    assert next(body for tag, body in answer if tag == "D")[6:].startswith(b"one")
    assert [tag for tag, _ in answer] == list("12TDDCZ")


# --- what is refused, without an end -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "state"),
    [
        (raw.bind("", "", results=(2,)), "08P01"),
        (raw.bind("", "", b"1", formats=(2,)), "08P01"),
        (raw.bind("", "", b"1", formats=(0, 0)), "08P01"),
        (raw.bind("", "missing"), "26000"),
        (raw.describe("S", "missing"), "26000"),
        (raw.describe("X", ""), "08P01"),
        (raw.execute("missing"), "34000"),
        (raw.message(b"P", b"no end"), "08P01"),
        (raw.message(b"B", b"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"), "08P01"),
        (raw.message(b"P", b"\0SELECT '\xff'\0\0\0"), "22021"),
        (raw.message(b"H", b"x"), "08P01"),
    ],
)
def test_a_bad_message_of_a_batch_is_an_error_of_that_batch(client, sent, state):
    client.send(sent, raw.execute(), raw.SYNC)
    told = error_of(client)
    assert (told["S"], told["C"]) == ("ERROR", state)
    assert client.tags() == "Z"
    client.send(raw.query("SELECT 1"))
    assert client.tags() == "TDCZ"


@pytest.mark.parametrize(
    ("sent", "state"),
    [
        (raw.message(b"F", b"\0\0\0\1"), "0A000"),
        (raw.message(b"Q", b"no end"), "08P01"),
        (raw.message(b"Q", b"SELECT '\xe4'\0"), "22021"),
        (raw.message(b"Q", b"SELECT 1\0 more\0"), "08P01"),
    ],
)
def test_a_bad_simple_message_is_an_error_and_the_session_goes_on(client, sent, state):
    client.send(sent)
    assert error_of(client)["C"] == state
    assert client.tags() == "Z"


def test_copy_messages_that_nobody_asked_for_are_dropped(client):
    client.send(raw.message(b"d", b"1\t2\n"), raw.message(b"c"), raw.message(b"f", b"x\0"), raw.query("SELECT 1"))
    assert client.tags() == "TDCZ"


@pytest.mark.parametrize("sent", [b"z\0\0\0\4", b"Q\0\0\0\3", b"Q\x7f\xff\xff\xff", b"p\0\0\0\4", b"\0\0\0\0\0"])
def test_a_broken_frame_ends_the_connection_with_a_word(client, sent):
    client.send(sent)
    told = error_of(client)
    assert (told["S"], told["C"]) == ("FATAL", "08P01")
    assert client.at_end()


def test_terminate_ends_the_connection(client, server):
    client.send(raw.TERMINATE)
    assert client.at_end()


def test_a_client_that_does_not_read_is_waited_for(server):
    with server.raw() as client:
        client.login()
        client.send(raw.query("BLOCKS 200 1000000"))
        answer = client.read_until()
        assert sum(tag == "D" for tag, _ in answer) == 200 * (1_000_000 // 1024)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_below_1_2_is_refused(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with server.raw() as client:
        client.send(raw.SSL_REQUEST)
        assert client.read_exactly(1) == b"S"
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(client.socket)
