"""What HTTP clients of a gateway do in tests: httpx over TLS with the gateway's own certificate."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.services.gateway import ADMINISTRATOR

if TYPE_CHECKING:
    from tests.services.gateway import Gateway

ARROW = {"Accept": "application/vnd.apache.arrow.stream"}


def client(gateway: Gateway, user: str | None = ADMINISTRATOR, password: str | None = None) -> httpx.Client:
    """Return a client that trusts the gateway's certificate; user None = nobody."""
    return httpx.Client(
        base_url=gateway.http,
        verify=ssl.create_default_context(cafile=str(gateway.certificate)),
        auth=None if user is None else (user, gateway.password if password is None else password),
        timeout=60,
        trust_env=False,
    )


def lines(answer: httpx.Response) -> list[Any]:
    """Return the lines of a JSON answer; NaN and its like are no JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    assert answer.headers["content-type"] == "application/x-ndjson", answer.text
    return [json.loads(line, parse_constant=refuse) for line in answer.content.splitlines()]


def sql(
    who: httpx.Client, text: str, *parameters: Any, headers: dict[str, str] | None = None, **more: Any
) -> httpx.Response:
    """Run SQL and return the answer, whatever it is."""
    body = {"sql": text, **({"parameters": list(parameters)} if parameters else {}), **more}
    return who.post("/v1/sql", json=body, headers=headers)


def rows(who: httpx.Client, text: str, *parameters: Any, **more: Any) -> list[Any]:
    """Run one statement and return its rows."""
    answer = sql(who, text, *parameters, **more)
    assert answer.status_code == 200, answer.text
    found = lines(answer)
    assert "tag" in found[-1], found[-1]
    return [line for line in found if isinstance(line, list)]


def figure(gateway: Gateway, name: str, **labels: str) -> float:
    """Return one of the gateway's figures, 0 where it is not there yet."""
    with client(gateway, None) as nobody:
        page = nobody.get("/metrics").text
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return 0.0
