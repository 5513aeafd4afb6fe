"""No secret turns up in an answer to a Flight SQL client, or in the log of it.

Every statement that takes one, right and wrong, is prepared, run, updated and described over Flight SQL.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.flight as fl
import pytest

from fairlead.server.flight import messages
from fairlead.server.flight.protobuf import octets
from tests.security import planting
from tests.security.needles import Needles
from tests.services.gateway import ADMINISTRATOR, Gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WITHOUT_A_STORE = ("{b64}", "{e}", "{k}")


class Client:
    """A Flight SQL client that keeps all that it is told."""

    def __init__(self, gateway: Gateway, wire: fl.FlightClient) -> None:
        self._wire = wire
        self._options = fl.FlightCallOptions(headers=[wire.authenticate_basic_token(ADMINISTRATOR, gateway.password)])
        self.told = bytearray()

    def run(self, text: str) -> None:
        """Run a text in each way that there is."""
        for way in (self._prepare, self._query, self._update, self._describe):
            self.try_(lambda way=way: way(text))  # type: ignore[misc]  # bound at once

    def try_(self, attempt: Callable[[], Any]) -> None:
        """Keep an answer, or the error that takes its place."""
        try:
            self.told += repr(attempt()).encode()
        except (pa.ArrowException, pa.ArrowKeyError, pa.ArrowInvalid, OSError) as error:
            self.told += str(error).encode() + bytes(getattr(error, "extra_info", b""))

    def _prepare(self, text: str) -> list[bytes]:
        body = messages.wrap("ActionCreatePreparedStatementRequest", octets(1, text))
        return [one.body.to_pybytes() for one in self._wire.do_action(("CreatePreparedStatement", body), self._options)]

    def _query(self, text: str) -> tuple[str, list[Any]]:
        info = self._wire.get_flight_info(_descriptor("CommandStatementQuery", text), self._options)
        tables = [self._wire.do_get(one.ticket, self._options).read_all().to_pylist() for one in info.endpoints]
        return str(info.schema), tables

    def _update(self, text: str) -> Any:
        writer, reader = self._wire.do_put(_descriptor("CommandStatementUpdate", text), pa.schema([]), self._options)
        writer.done_writing()
        answer = reader.read()
        writer.close()
        return answer

    def _describe(self, text: str) -> str:
        return str(self._wire.get_schema(_descriptor("CommandStatementQuery", text), self._options).schema)


def _descriptor(name: str, text: str) -> fl.FlightDescriptor:
    return fl.FlightDescriptor.for_command(messages.wrap(name, octets(1, text)))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("canary-flight")
    one = Gateway(folder, env={"FAIRLEAD_LOG_LEVEL": "debug"}, arguments=("--flight", "127.0.0.1:0"))
    try:
        yield one.start()
    finally:
        one.end()


def _filled(template: str, needles: Needles) -> str:
    source = template
    while "{s}" in template:
        template = template.replace("{s}", needles.canary(source), 1)
    while "{j}" in template:
        template = template.replace("{j}", json.dumps(needles.canary(source))[1:-1], 1)
    while "{w}" in template:
        template = template.replace("{w}", needles.plain_canary(source), 1)
    return template


def test_no_secret_is_told_to_a_flight_client(gateway: Gateway) -> None:
    needles = Needles()
    needles.know(gateway.password)
    with fl.connect(gateway.flight, tls_root_certs=gateway.certificate.read_bytes()) as wire:
        client = Client(gateway, wire)
        for template in (*planting.TAKEN, *planting.CHANGED, *planting.WRONG, *planting.SHOWN):
            if not any(one in template for one in _WITHOUT_A_STORE):
                client.run(_filled(template, needles))
        client.try_(lambda: wire.authenticate_basic_token("fairlead", needles.plain_canary("a password")))
        client.try_(lambda: wire.authenticate_basic_token(needles.plain_canary("a name"), "x") and None)
        token = needles.plain_canary("a token")
        header = fl.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
        client.try_(lambda: list(wire.list_actions(header)))
    assert len(client.told) > 100_000
    # The name that was typed is told to whoever typed it, and to nobody else.
    told = [one for one in needles.search(bytes(client.told)) if "from 'a name'" not in one]
    assert told == []
    assert needles.search(gateway.log.encode()) == []
    assert b"Traceback" not in client.told
    with gateway.connect() as admin:
        ledger = admin.execute("SHOW LEDGER LIMIT 100000").fetchall()
    assert needles.search(repr(ledger).encode()) == []
