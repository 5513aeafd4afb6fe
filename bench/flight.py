"""What Flight SQL costs: rows over TLS, beside a bare Arrow Flight server with the same engine.

The bare server is the least that the same libraries can do: pyarrow's Flight server hands out what DuckDB gives, with
TLS, but without users, rights, workers or limits. Both run in processes of their own and serve the same rows to the
same client, pyarrow's; ADBC's driver (Go) is measured beside it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import pyarrow.flight as fl
from adbc_driver_flightsql import DatabaseOptions, dbapi

from bench.places import running_gateway
from bench.row import Row, alternate, seconds
from fairlead.server.flight import messages, protobuf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.services.gateway import Gateway

ROWS: Final = 5_000_000
QUERY: Final = (
    "SELECT i AS id, (i * 7919 % 1000000)::INTEGER AS customer, TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS t, "
    f"i / 3.0::DOUBLE AS amount, (i % 97)::DECIMAL(9,2) AS price, 'note ' || (i % 1000) AS note FROM range({ROWS}) r(i)"
)
SMALL: Final = "SELECT 1"
BARE: Final = """
import sys, duckdb, pyarrow.flight as fl

class Server(fl.FlightServerBase):
    def do_get(self, context, ticket):
        connection = duckdb.connect(config={"threads": 3})
        return fl.RecordBatchStream(connection.execute(ticket.ticket.decode()).to_arrow_reader(4096))

certificate, key = (open(path, "rb").read() for path in sys.argv[1:3])
server = Server("grpc+tls://127.0.0.1:0", tls_certificates=[(certificate, key)])
print(server.port, flush=True)
sys.stdin.read()
"""
MILLISECONDS: Final = 1000.0
MEBIBYTE: Final = 2**20


def run() -> list[Row]:
    """Measure against one gateway that nobody else uses."""
    with ExitStack() as stack:
        gateway = stack.enter_context(running_gateway(arguments=("--flight", "127.0.0.1:0")))
        fairlead = stack.enter_context(_fairlead(gateway))
        bare = stack.enter_context(_bare(gateway))
        cursor = stack.enter_context(_cursor(gateway))
        rows, size = fairlead()
        assert rows == bare()[0] == ROWS
        median, other = alternate(fairlead, bare, samples=5)
        adbc = statistics.median(seconds(lambda: _fetch(cursor), samples=3))
        what = f"{ROWS // 1_000_000} M rows, {size / MEBIBYTE:.0f} MiB, over Flight SQL"
        rate = f"{size / MEBIBYTE / median:.0f} MiB/s"
        return [
            Row(f"{what} ({rate})", median, "s", baseline=other, against="bare Arrow Flight", limit=2.5, samples=5),
            Row(f"{what}, ADBC's driver", adbc, "s", samples=3),
            _small(cursor),
        ]


def _small(cursor: dbapi.Cursor) -> Row:
    def ask() -> None:
        cursor.execute(SMALL)
        cursor.fetchall()

    taken = seconds(ask, samples=300, warm=20)
    return Row("SELECT 1 over Flight SQL", statistics.median(taken) * MILLISECONDS, "ms", samples=len(taken))


def _fetch(cursor: dbapi.Cursor) -> int:
    cursor.execute(QUERY)
    return sum(batch.num_rows for batch in cursor.fetch_record_batch())


@contextmanager
def _cursor(gateway: Gateway) -> Iterator[dbapi.Cursor]:
    options = {
        "username": "fairlead",
        "password": gateway.password,
        DatabaseOptions.TLS_ROOT_CERTS.value: gateway.certificate.read_text(),
    }
    with dbapi.connect(gateway.flight, db_kwargs=options, autocommit=True) as connection, connection.cursor() as cursor:
        yield cursor


@contextmanager
def _fairlead(gateway: Gateway) -> Iterator[Callable[[], tuple[int, int]]]:
    """Give what fetches the rows with pyarrow's client."""
    with fl.connect(gateway.flight, tls_root_certs=gateway.certificate.read_text()) as client:
        options = fl.FlightCallOptions(headers=[client.authenticate_basic_token("fairlead", gateway.password)])
        command = messages.wrap("CommandStatementQuery", protobuf.octets(1, QUERY))

        def fetch() -> tuple[int, int]:
            info = client.get_flight_info(fl.FlightDescriptor.for_command(command), options)
            return _counted(client.do_get(info.endpoints[0].ticket, options))

        yield fetch


@contextmanager
def _bare(gateway: Gateway) -> Iterator[Callable[[], tuple[int, int]]]:
    """Start a bare Flight server, and give what fetches the rows from it."""
    files = [str(gateway.data / name) for name in ("server.crt", "server.key")]
    with subprocess.Popen(
        [sys.executable, "-c", BARE, *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            uri = f"grpc+tls://127.0.0.1:{int(server.stdout.readline())}"
            with fl.connect(uri, tls_root_certs=gateway.certificate.read_text()) as client:
                yield lambda: _counted(client.do_get(fl.Ticket(QUERY.encode())))
        finally:
            server.terminate()


def _counted(reader: fl.FlightStreamReader) -> tuple[int, int]:
    """Return how many rows and bytes a stream has."""
    rows = size = 0
    for chunk in reader:
        rows += chunk.data.num_rows
        size += chunk.data.nbytes
    return rows, size
