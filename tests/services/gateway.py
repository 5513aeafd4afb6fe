"""A real gateway: ``fairlead serve`` in a process of its own, reached as its users reach it, with psycopg over TLS."""

from __future__ import annotations

import json
import os
import secrets
import sys
from typing import TYPE_CHECKING, Any

import psycopg

from tests.services.process import Process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ADMINISTRATOR = "fairlead"

# What a gateway may inherit from the shell that runs the tests: how to find programs, and which layers to switch off.
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "SYSTEMROOT")
_INHERITED_PREFIX = "FAIRLEAD_LAYER_"


class Gateway:
    """One gateway on a free port.

    Args:
        folder: holds its data directory (``data``), its log and its ready file; what is there is taken up again.
        env: settings as ``FAIRLEAD_*`` variables, beside the administrator's password.
        arguments: further arguments of ``fairlead serve``.
    """

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None, arguments: tuple[str, ...] = ()) -> None:
        self.data = folder / "data"
        self.password = secrets.token_urlsafe(18)
        self._ready_file = folder / "ready.json"
        inherited = {k: v for k, v in os.environ.items() if k in _INHERITED or k.startswith(_INHERITED_PREFIX)}
        self._process = Process(
            [
                *(sys.executable, "-m", "fairlead", "serve"),
                *("--data", str(self.data), "--pg", "127.0.0.1:0", "--http", "127.0.0.1:0"),
                *("--ready-file", str(self._ready_file)),
                *arguments,
            ],
            log=folder / "gateway.log",
            env={**inherited, "FAIRLEAD_ADMIN_PASSWORD": self.password, **(env or {})},
            cwd=folder,  # out of reach of a fairlead.toml of whoever runs the tests
        )

    @property
    def pid(self) -> int:
        """The process id of the gateway itself."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the gateway's process is there."""
        return self._process.running

    @property
    def log(self) -> str:
        """Everything that it has printed, over all restarts."""
        return self._process.log

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of its PostgreSQL listener."""
        where = json.loads(self._ready_file.read_text())["pg"]
        return where["host"], where["port"]

    @property
    def flight(self) -> str:
        """URI of its Flight SQL listener, where it has one."""
        where = json.loads(self._ready_file.read_text())["flight"]
        return f"grpc+tls://{where['host']}:{where['port']}"

    @property
    def http(self) -> str:
        """Where its HTTP listener is, as a URL without a path."""
        where = json.loads(self._ready_file.read_text())["http"]
        return f"https://{where['host']}:{where['port']}"

    @property
    def mysql(self) -> tuple[str, int]:
        """Host and port of its MySQL listener, where it has one."""
        where = json.loads(self._ready_file.read_text())["mysql"]
        return where["host"], where["port"]

    @property
    def certificate(self) -> Path:
        """Its certificate, self-signed, which clients have to trust."""
        return self.data / "server.crt"

    def start(self, *, timeout: float = 30) -> Gateway:
        """Start it and return when its administrator can log in.

        Raises:
            ServerFailed: it ended, or was not ready within ``timeout`` seconds.
        """
        self._ready_file.unlink(missing_ok=True)
        self._process.start(self._answers, timeout=timeout)
        return self

    def stop(self) -> int:
        """Ask it to end, as an administrator would (SIGTERM), and return its exit code."""
        return self._process.stop()

    def stop_within(self, seconds: float) -> int:
        """Ask it to end, and return its exit code; statements that run may take some time."""
        return self._process.stop(timeout=seconds)

    def kill(self) -> None:
        """Kill it without warning (SIGKILL); its workers are on their own."""
        self._process.kill()

    def restart(self) -> Gateway:
        """Start it again on the same data, after ending it if it still runs."""
        if self.running:
            self.stop()
        return self.start()

    def end(self) -> None:
        """End it with everything that it started; for the end of a test."""
        self._process.end_group()

    def connect(
        self,
        user: str = ADMINISTRATOR,
        password: str | None = None,
        dbname: str = "main",
        *,
        autocommit: bool = True,
        **options: Any,
    ) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection over TLS; the administrator's password is known.

        Args:
            user: who logs in.
            password: the user's; needed for everyone but the administrator.
            dbname: the current database.
            autocommit: False opens a transaction block with the first statement, as psycopg does by itself.
            options: further options of libpq.
        """
        host, port = self.address
        return psycopg.connect(
            host=host,
            port=port,
            user=user,
            password=self.password if password is None else password,
            dbname=dbname,
            autocommit=autocommit,
            **{"sslmode": "require", "connect_timeout": 10, **options},
        )

    def _answers(self) -> bool:
        """Whether the ready file is complete and the administrator gets an answer."""
        try:
            with self.connect() as connection:
                return connection.execute("SELECT 1").fetchone() is not None
        except (FileNotFoundError, json.JSONDecodeError, psycopg.OperationalError):
            return False
