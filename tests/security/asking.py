"""The administrator over HTTP, with everything that the gateway has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.services.http import ARROW, client, sql

if TYPE_CHECKING:
    import httpx

    from tests.services.gateway import Gateway


class Asking:
    """Asks, and keeps the answers: heads and bodies.

    Args:
        gateway: running.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._who = client(gateway)
        self.answers: list[bytes] = []

    def stop(self) -> None:
        """Close the connection."""
        self._who.close()

    def ask(self, text: str, *parameters: Any) -> None:
        """Run a statement, for lines of JSON and for Arrow."""
        for headers in ({}, ARROW):
            self._keep(sql(self._who, text, *parameters, headers=headers))

    def ask_wrongly(self, secret: str, word: str, name: str) -> None:
        """Put a secret where none belongs: into bodies, headers, paths and logins.

        Args:
            secret: any text.
            word: letters and digits.
            name: the same, for places of names, which errors repeat.
        """
        who = self._who
        for body in (secret, f'{{"sql": "{word}', f'{{"{word}": 1}}', f'{{"sql": "SELECT 1", "database": "{name}"}}'):
            self._keep(who.post("/v1/sql", content=body.encode(), headers={"Content-Type": "application/json"}))
        for header in ("X-Fairlead-Statement", "X-Fairlead-Session", "Accept", "Content-Type", "traceparent"):
            self._keep(who.post("/v1/sql", json={"sql": "SELECT 1"}, headers={header: f"{word} {word}"}))
        self._keep(sql(who, "SELECT 1", settings={name: secret}))
        self._keep(sql(who, "SELECT 1", dialect=name))
        self._keep(sql(who, "SELECT 1", settings={"statement_timeout": secret}))
        for path in (f"/{word}", f"/v1/statements/{word}", f"/v1/sessions/{word}"):
            self._keep(who.get(path))
            self._keep(who.delete(path))
        for password in (secret, word):
            with client(self._gateway, "analyst", password) as wrong:
                self._keep(sql(wrong, "SELECT 1"))
        self._keep(who.get("/metrics", headers={"Authorization": f"Bearer {word}"}))

    def metrics(self) -> bytes:
        """Return the page of all figures."""
        return self._who.get("/metrics").content

    def _keep(self, answer: httpx.Response) -> None:
        heads = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.answers.append(heads.encode() + b"\n" + answer.content)
