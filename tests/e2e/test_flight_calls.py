"""Flight SQL call by call, with pyarrow's own client: who may do what, limits, cancelling, and the end."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.server.flight import messages, protobuf
from fairlead.server.flight.protobuf import octets
from tests.security.processes import descendants
from tests.services.gateway import ADMINISTRATOR, Gateway
from tests.services.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.services.fixtures import StartGateway

MANY = "SELECT i, i::VARCHAR AS s FROM range(100000000) r(i)"
FOR_EVER = "SELECT count(*) FROM range(100000) a(i), range(100000) b(j), range(1000) c(k) WHERE i + j + k = 7"


class Client:
    """One login."""

    def __init__(self, gateway: Gateway, wire: fl.FlightClient) -> None:
        self.wire = wire
        self.options = fl.FlightCallOptions(headers=[wire.authenticate_basic_token(ADMINISTRATOR, gateway.password)])

    def info(self, query: str, transaction: bytes = b"") -> fl.FlightInfo:
        body = octets(1, query) + (octets(2, transaction) if transaction else b"")
        return self.wire.get_flight_info(_descriptor("CommandStatementQuery", body), self.options)

    def get(self, ticket: fl.Ticket) -> fl.FlightStreamReader:
        return self.wire.do_get(ticket, self.options)

    def rows(self, query: str, transaction: bytes = b"") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(self.info(query, transaction).endpoints[0].ticket).read_all().to_pylist()
        return found

    def act(self, name: str, body: bytes = b"") -> list[bytes]:
        return [one.body.to_pybytes() for one in self.wire.do_action((name, body), self.options)]


def _descriptor(name: str, body: bytes) -> fl.FlightDescriptor:
    return fl.FlightDescriptor.for_command(messages.wrap(name, body))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    one = Gateway(tmp_path_factory.mktemp("gateway"), arguments=("--flight", "127.0.0.1:0"))
    try:
        yield one.start()
    finally:
        one.end()


@contextmanager
def stranger(gateway: Gateway) -> Iterator[fl.FlightClient]:
    with fl.connect(gateway.flight, tls_root_certs=gateway.certificate.read_bytes()) as wire:
        yield wire


@contextmanager
def logged_in(gateway: Gateway) -> Iterator[Client]:
    with stranger(gateway) as wire:
        yield Client(gateway, wire)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with logged_in(gateway) as one:
        yield one
        one.act("CloseSession")


CALLS: dict[str, Callable[[fl.FlightClient, fl.FlightCallOptions], Any]] = {
    "GetFlightInfo": lambda c, o: c.get_flight_info(_descriptor("CommandStatementQuery", octets(1, "SELECT 1")), o),
    "GetSchema": lambda c, o: c.get_schema(_descriptor("CommandStatementQuery", octets(1, "SELECT 1")), o),
    "DoGet": lambda c, o: c.do_get(fl.Ticket(messages.wrap("CommandGetCatalogs", b"")), o).read_all(),
    "DoAction": lambda c, o: list(c.do_action(("GetSessionOptions", b""), o)),
    "ListActions": lambda c, o: list(c.list_actions(o)),
    "ListFlights": lambda c, o: list(c.list_flights(options=o)),
    "DoPut": lambda c, o: _put(c, _descriptor("CommandStatementUpdate", octets(1, "SELECT 1")), o),
}


def _put(client: fl.FlightClient, descriptor: fl.FlightDescriptor, options: fl.FlightCallOptions) -> bytes:
    writer, reader = client.do_put(descriptor, pa.schema([]), options)
    writer.done_writing()
    answer = reader.read()
    writer.close()
    return b"" if answer is None else answer.to_pybytes()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer x", "Basic ZmFpcmxlYWQ6eA==", "Bearer " + "A" * 43], ids=lambda h: str(h)[:20]
)
def test_without_a_token_no_call_is_answered(gateway: Gateway, call: Any, header: str | None) -> None:
    headers = [] if header is None else [(b"authorization", header.encode())]
    # pyarrow's own client has no class of errors for a GetSchema without a login.
    with stranger(gateway) as wire, pytest.raises((fl.FlightUnauthenticatedError, OSError), match="28000"):
        call(wire, fl.FlightCallOptions(headers=headers))


def test_a_ticket_is_good_once_and_only_in_its_session(gateway: Gateway, client: Client) -> None:
    ticket = client.info("SELECT 1 AS a").endpoints[0].ticket
    with logged_in(gateway) as other, pytest.raises(pa.ArrowKeyError, match="26000"):
        other.get(ticket).read_all()
    assert client.get(ticket).read_all().to_pylist() == [{"a": 1}]
    with pytest.raises(pa.ArrowKeyError, match="26000"):
        client.get(ticket).read_all()


def test_a_prepared_statement_belongs_to_its_session(gateway: Gateway, client: Client) -> None:
    body = messages.wrap("ActionCreatePreparedStatementRequest", octets(1, "SELECT $1::INTEGER AS a"))
    (answer,) = client.act("CreatePreparedStatement", body)
    fields = protobuf.read(protobuf.read(answer).octets(2))
    handle, columns, parameters = (fields.octets(number) for number in (1, 2, 3))
    assert pa.ipc.read_schema(pa.py_buffer(columns)) == pa.schema([("a", pa.int32())])
    assert len(pa.ipc.read_schema(pa.py_buffer(parameters))) == 1
    with logged_in(gateway) as other, pytest.raises(pa.ArrowKeyError, match="26000"):
        other.wire.get_flight_info(_descriptor("CommandPreparedStatementQuery", octets(1, handle)), other.options)


def test_what_a_text_gives_is_described_without_running_it(client: Client) -> None:
    def schema(text: str) -> pa.Schema:
        return client.wire.get_schema(_descriptor("CommandStatementQuery", octets(1, text)), client.options).schema

    assert schema(FOR_EVER) == pa.schema([("count_star()", pa.int64())])
    assert schema("SHOW DATABASES").names == ["name", "data_path", "connection"]
    assert len(schema("CREATE TABLE never_made (i INTEGER)")) == 0
    with pytest.raises(pa.ArrowException, match="42P01"):
        schema("SELECT * FROM never_made")


def test_transactions_have_handles(client: Client) -> None:
    (answer,) = client.act("BeginTransaction", messages.wrap("ActionBeginTransactionRequest", b""))
    transaction = protobuf.read(protobuf.read(answer).octets(2)).octets(1)
    client.info("CREATE TABLE undone AS SELECT 1 AS i", transaction)
    assert client.rows("SELECT i FROM undone", transaction) == [{"i": 1}]
    with pytest.raises(pa.ArrowInvalid, match="25001"):
        client.info("SELECT 1")
    with pytest.raises(pa.ArrowKeyError, match="26000"):
        client.info("SELECT 1", b"another")
    with pytest.raises(pa.ArrowInvalid, match="25001"):
        client.act("BeginTransaction", messages.wrap("ActionBeginTransactionRequest", b""))
    end = octets(1, transaction) + protobuf.integer(2, 2)
    client.act("EndTransaction", messages.wrap("ActionEndTransactionRequest", end))
    with pytest.raises(pa.ArrowKeyError, match="42P01"):
        client.info("SELECT i FROM undone")


def test_options_are_set_and_told(client: Client) -> None:
    def option(name: str, value: bytes) -> bytes:
        return octets(1, octets(1, name) + octets(2, value))

    wanted = (
        option("TimeZone", octets(1, "Asia/Tokyo"))
        + option("nonsense", octets(1, "x"))
        + option("statement_timeout", octets(1, "soon"))
    )
    (answer,) = client.act("SetSessionOptions", wanted)
    errors = {one.text(1): protobuf.read(one.octets(2)).integer(1) for one in protobuf.read(answer).messages(1)}
    assert errors == {"nonsense": 1, "statement_timeout": 2}
    (told,) = client.act("GetSessionOptions")
    options = {one.text(1): protobuf.read(one.octets(2)).text(1) for one in protobuf.read(told).messages(1)}
    assert (options["TimeZone"], options["catalog"], options["schema"]) == ("Asia/Tokyo", "main", "public")


def test_a_cancelled_ticket_ends_its_statement(client: Client) -> None:
    info = client.info(MANY)
    reader = client.get(info.endpoints[0].ticket)
    assert reader.read_chunk().data.num_rows > 0
    (answer,) = client.act("CancelFlightInfo", octets(1, info.serialize()))
    assert protobuf.read(answer).integer(1) == 1
    with pytest.raises(pa.ArrowException):
        for _ in reader:
            pass
    assert client.rows("SELECT 1 AS a") == [{"a": 1}]


def test_a_closed_session_is_gone(gateway: Gateway) -> None:
    with logged_in(gateway) as one:
        assert one.rows("SELECT 1 AS a") == [{"a": 1}]
        one.act("CloseSession")
        with pytest.raises(fl.FlightUnauthenticatedError, match="has ended"):
            one.info("SELECT 1")


def test_a_session_may_not_hold_every_thread(client: Client) -> None:
    tickets = [client.info(f"SELECT {n} AS n, i FROM range(3000000) r(i)").endpoints[0].ticket for n in range(20)]
    readers: list[fl.FlightStreamReader] = []

    def read_all_at_once() -> None:
        for ticket in tickets:
            readers.append(client.get(ticket))
            readers[-1].read_chunk()

    with pytest.raises(fl.FlightUnavailableError, match="53300"):
        read_all_at_once()
    assert len(readers) > 10
    for reader in readers:
        reader.cancel()
    readers.clear()
    del reader
    wait_until(lambda: _answers(client), timeout=60)


def _answers(client: Client) -> bool:
    try:
        return client.rows("SELECT 1 AS a") == [{"a": 1}]
    except fl.FlightUnavailableError:
        return False


def test_a_stranger_cannot_fill_the_memory(gateway: Gateway) -> None:
    def peak() -> int:
        status = Path(f"/proc/{gateway.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))

    before = peak()
    with stranger(gateway) as wire, pytest.raises(fl.FlightUnavailableError):
        list(wire.do_action(("CreatePreparedStatement", b"x" * 400 * 2**20)))
    assert peak() - before < 400 * 1024
    with logged_in(gateway) as one:
        assert one.rows("SELECT 1 AS a") == [{"a": 1}]


def _answer(attempt: Callable[[], object]) -> str:
    try:
        return str(attempt())
    except (pa.ArrowException, pa.ArrowKeyError, pa.ArrowInvalid) as error:
        return str(error)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([*messages.ACTIONS][:-1]), st.binary(max_size=300))
def test_noise_is_answered_by_an_error_or_not_at_all(client: Client, name: str, noise: bytes) -> None:
    for attempt in (
        lambda: client.act(name, noise),
        lambda: client.wire.get_flight_info(fl.FlightDescriptor.for_command(noise), client.options),
        lambda: client.get(fl.Ticket(noise)).read_all(),
        lambda: _put(client.wire, fl.FlightDescriptor.for_command(noise), client.options),
    ):
        answer = _answer(attempt)
        assert "internal error" not in answer
        assert "Traceback" not in answer
    assert client.rows("SELECT 1 AS a") == [{"a": 1}]


def test_clients_that_do_not_read_do_not_keep_the_gateway(start_gateway: StartGateway) -> None:
    gateway = start_gateway(arguments=("--flight", "127.0.0.1:0"))
    with logged_in(gateway) as one, logged_in(gateway) as other:
        reader = one.get(one.info(MANY).endpoints[0].ticket)
        reader.read_chunk()
        with ThreadPoolExecutor() as pool:
            running = pool.submit(other.rows, FOR_EVER)
            wait_until(lambda: not running.done())
            os.kill(gateway.pid, signal.SIGTERM)
            with pytest.raises(pa.ArrowException):
                running.result(30)
        assert gateway.stop() == 0
    assert "Traceback" not in gateway.log


def test_silent_sessions_end(start_gateway: StartGateway) -> None:
    gateway = start_gateway(arguments=("--flight", "127.0.0.1:0"), env={"FAIRLEAD_FLIGHT_IDLE_TIMEOUT": "1"})
    with logged_in(gateway) as one:
        assert one.rows("SELECT 1 AS a") == [{"a": 1}]
        before = set(descendants(gateway.pid))
        wait_until(lambda: not before <= set(descendants(gateway.pid)), timeout=20)
        with pytest.raises(fl.FlightUnauthenticatedError, match="has ended"):
            one.info("SELECT 1")
