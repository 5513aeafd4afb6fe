"""Commands and actions: what each is read as, and that nothing else than an error of ours comes of any bytes."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import FairleadError, NotSupported, ProtocolViolation
from fairlead.server.flight import messages as m
from fairlead.server.flight.protobuf import fixed64, integer, octets

QUERY = octets(1, "SELECT 1")


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("CommandStatementQuery", QUERY + octets(2, b"t"), m.Query("SELECT 1", b"t")),
        ("CommandStatementUpdate", QUERY, m.Update("SELECT 1", b"")),
        ("CommandPreparedStatementQuery", octets(1, b"h"), m.Prepared(b"h")),
        ("CommandPreparedStatementUpdate", octets(1, b"h"), m.PreparedUpdate(b"h")),
        (
            "CommandStatementIngest",
            octets(1, integer(1, 1) + integer(2, 2))
            + octets(2, "t")
            + octets(3, "s")
            + integer(5, 1)
            + octets(6, b"x"),
            m.Ingest(1, 2, "t", "s", None, temporary=True, transaction=b"x", options=0),
        ),
        ("CommandGetSqlInfo", octets(1, b"\x00\x08") + integer(1, 503), m.GetSqlInfo((0, 8, 503))),
        ("CommandGetCatalogs", b"", m.GetCatalogs()),
        ("CommandGetDbSchemas", octets(1, "main"), m.GetSchemas("main", None)),
        (
            "CommandGetTables",
            octets(3, "t%") + octets(4, "TABLE") + octets(4, "VIEW") + integer(5, 1),
            m.GetTables(None, None, "t%", ("TABLE", "VIEW"), with_columns=True),
        ),
        ("CommandGetXdbcTypeInfo", integer(1, -5), m.GetTypeInfo(-5)),
        ("CommandGetXdbcTypeInfo", b"", m.GetTypeInfo(None)),
        ("CommandGetCrossReference", b"", m.GetForeignKeys()),
        ("TicketStatementQuery", octets(1, b"h"), m.StatementTicket(b"h")),
    ],
)
def test_a_command_is_read(name: str, body: bytes, expected: m.Command) -> None:
    assert m.command(m.wrap(name, body)) == expected


def test_a_ticket_is_read_back() -> None:
    assert m.command(m.ticket(b"handle")) == m.StatementTicket(b"handle")


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("CreatePreparedStatement", m.wrap("ActionCreatePreparedStatementRequest", QUERY), m.Prepare("SELECT 1", b"")),
        (
            "ClosePreparedStatement",
            m.wrap("ActionClosePreparedStatementRequest", octets(1, b"h")),
            m.ClosePrepared(b"h"),
        ),
        ("BeginTransaction", m.wrap("ActionBeginTransactionRequest", b""), m.Begin()),
        ("EndTransaction", m.wrap("ActionEndTransactionRequest", octets(1, b"t") + integer(2, 2)), m.End(b"t", 2)),
        ("CancelFlightInfo", octets(1, octets(3, octets(1, octets(1, b"k")))), m.Cancel((b"k",), wrapped=False)),
        ("GetSessionOptions", b"", m.GetOptions()),
        ("CloseSession", b"", m.CloseSession()),
    ],
)
def test_an_action_is_read(name: str, body: bytes, expected: m.ActionRequest) -> None:
    assert m.action(name, body) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (octets(1, "x"), "x"),
        (integer(2, 1), True),
        (fixed64(3, 2**64 - 5), -5),
        (fixed64(4, struct.unpack("<Q", struct.pack("<d", 1.5))[0]), 1.5),
        (octets(5, octets(1, "a") + octets(1, "b")), ["a", "b"]),
        (b"", None),
    ],
)
def test_an_option_has_its_type(value: bytes, expected: m.Option) -> None:
    body = octets(1, octets(1, "name") + octets(2, value))
    assert m.action("SetSessionOptions", body) == m.SetOptions({"name": expected})


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", ProtocolViolation),
        (b"SELECT 1", ProtocolViolation),
        (octets(1, "type.googleapis.com/other.Message"), ProtocolViolation),
        (m.wrap("CommandStatementSubstraitPlan", b""), NotSupported),
        (m.wrap("CommandOfTomorrow", b""), NotSupported),
    ],
)
def test_what_is_no_command_is_refused(data: bytes, error: type[FairleadError]) -> None:
    with pytest.raises(error):
        m.command(data)


@given(st.sampled_from([*m.ACTIONS, "Other"]), st.binary(max_size=200))
def test_any_body_of_an_action_is_read_or_refused(name: str, body: bytes) -> None:
    with suppress(FairleadError):
        m.action(name, body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_command_or_refused(data: bytes) -> None:
    with suppress(FairleadError):
        m.command(data)


@given(
    st.sampled_from(["CommandStatementQuery", "CommandStatementIngest", "CommandGetTables"]), st.binary(max_size=200)
)
def test_any_body_of_a_command_is_read_or_refused(name: str, body: bytes) -> None:
    with suppress(FairleadError):
        m.command(m.wrap(name, body))
