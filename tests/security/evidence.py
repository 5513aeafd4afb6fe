"""Plants secrets in a gateway and collects everything in which one could turn up."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
from pyarrow import parquet

from tests.security import planting, processes
from tests.security.asking import Asking
from tests.security.needles import Needles
from tests.security.wiretap import Wiretap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.gateway import Gateway
    from tests.services.otlp import Receiver
    from tests.services.s3 import S3Server

# Where to look, in the order of the report.
PLACES = (
    *("wire", "http", "metrics", "traces"),
    *("data directory", "log and folder", "ledger", "command lines", "environments", "memory of workers"),
)


@dataclass(slots=True)
class Evidence:
    """What was searched and what was found.

    Args:
        searched: bytes per place.
        found: findings per place.
        unexpected: statements that did not end as the lists say.
    """

    searched: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PLACES, 0))
    found: dict[str, list[str]] = field(default_factory=lambda: {place: [] for place in PLACES})
    unexpected: list[str] = field(default_factory=list)


class Plot:
    """One gateway under search.

    Args:
        gateway: running.
        store: verifies signatures; its root key is a real secret that is in use.
        folder: holds everything that the gateway writes.
        receiver: takes the gateway's traces.
    """

    def __init__(self, gateway: Gateway, store: S3Server, folder: Path, receiver: Receiver) -> None:
        self.gateway = gateway
        self._receiver = receiver
        self._http = Asking(gateway)
        self.store = store
        self.needles = Needles()
        self.named = Needles()  # secrets that were typed where a name belongs
        self.evidence = Evidence()
        self._folder = folder
        self._tap = Wiretap(gateway.address)
        self._analyst_password = self.needles.plain_canary()
        self.needles.know(store.key.secret_access_key, gateway.password)
        self.bucket = store.bucket("canary")
        self.admin = self.connect()

    def connect(self, user: str = "fairlead", password: str | None = None) -> psycopg.Connection[Any]:
        """Return a session in plain text, through the tap."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self._tap.port,
            user=user,
            password=password or self.gateway.password,
            dbname="main",
            sslmode="disable",
            autocommit=True,
        )

    def analyst(self) -> psycopg.Connection[Any]:
        """Return a session of the user who may read the stage and nothing else."""
        return self.connect("analyst", self._analyst_password)

    def stop(self) -> None:
        """End sessions and tap."""
        self.admin.close()
        self._http.stop()
        self._tap.stop()

    # --- planting ------------------------------------------------------------------------------------------------

    def plant(self) -> None:
        """Run every statement of the lists."""
        self.set_up_scan()
        for template in planting.TAKEN:
            self._expect(template, True)
        for template in planting.CHANGED:
            self._expect(template, None)
        for template in planting.WRONG:
            self._expect(template, False)
        self._parameters()
        self._without_rights()
        self._at_the_store()
        for dialect in planting.DIALECTS:
            self.admin.execute(f"SET dialect = '{dialect}'".encode())
            for template in (*planting.WRONG, *planting.SHOWN):
                self._expect(template, None)
        with self.connect() as session:  # a worker of its own: these texts hold a secret on purpose
            for template in planting.NAMED:
                self._expect(template.replace("{w}", self.named.plain_canary(template)), False, session)
            alive = self._stored_secret()
            for template in planting.IN_DATA:
                self._expect(template, False, session, alive)
        self._over_http(alive)

    def _over_http(self, alive: dict[str, str]) -> None:
        """The same, and what only HTTP has: bodies, headers and logins that are none."""
        for template in (*planting.WRONG, *planting.TAKEN, *planting.SHOWN):
            self._http.ask(self._filled(template, {}))
        for template in planting.IN_DATA:
            self._http.ask(self._filled(template, alive))
        secret = self.needles.canary()
        for sql in ("CREATE SECRET s AS $1", "SELECT 1", "SHOW SECRETS LIKE $1"):
            self._http.ask(sql, secret)
        self._http.ask("SELECT $1::INTEGER", alive["{k}"])
        self._http.ask_wrongly(self.needles.canary(), self.needles.plain_canary(), self.named.plain_canary("a name"))

    def set_up_scan(self) -> None:
        """Store a file, and all that an analyst needs to read it."""
        out = BytesIO()
        numbers = pa.array(range(400_000))
        parquet.write_table(pa.table({"a": numbers, "b": numbers.cast(pa.string())}), out)
        self.store.put(self.bucket, "scan/big.parquet", out.getvalue())
        key = self.store.key
        for sql in (
            f"CREATE SECRET lake_key AS '{key.secret_access_key}'",
            (
                f"CREATE CONNECTION lake TO AWS (ACCESS KEY ID = '{key.access_key_id}', SECRET ACCESS KEY = SECRET "
                f"lake_key, ENDPOINT = '{self.store.endpoint}', REGION = '{self.store.region}')"
            ),
            f"CREATE STAGE scan URL = 's3://{self.bucket}/scan/' CONNECTION = (CONNECTION_NAME = 'lake')",
            f"CREATE USER analyst PASSWORD '{self._analyst_password}'",
            "GRANT READ ON STAGE scan TO analyst",
        ):
            self.admin.execute(sql.encode())

    def _stored_secret(self) -> dict[str, str]:
        """Store a secret and return the texts for the placeholders of one that is alive."""
        text, word = self.needles.canary(), self.needles.plain_canary()
        self.admin.execute(f"CREATE OR REPLACE SECRET alive AS '{text}'".encode())
        self.admin.execute(f"CREATE OR REPLACE SECRET alive_too AS '{word}'".encode())
        return {"{k}": text, "{k2}": text.replace('"', '""'), "{k3}": word}

    def _expect(
        self,
        template: str,
        succeeds: bool | None,
        session: psycopg.Connection[Any] | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        sql = self._filled(template, more or {})
        try:
            (session or self.admin).execute(sql.encode())
            ended = True
        except psycopg.Error:
            ended = False
        if succeeds is not None and ended != succeeds:
            self.evidence.unexpected.append(f"{'failed' if succeeds else 'succeeded'}: {template}")

    def _filled(self, template: str, more: dict[str, str]) -> str:
        source = template
        while "{s}" in template:
            template = template.replace("{s}", self.needles.canary(source), 1)
        while "{j}" in template:
            template = template.replace("{j}", json.dumps(self.needles.canary(source))[1:-1], 1)
        while "{w}" in template:
            template = template.replace("{w}", self.needles.plain_canary(source), 1)
        if "{b64}" in template:
            template = template.replace("{b64}", base64.b64encode(self.needles.canary().encode()).decode())
        for name, value in more.items():
            template = template.replace(name, value)
        return template

    def _parameters(self) -> None:
        """Secrets as parameters of statements that take none, of the wrong type, too many of them."""
        secret = self.needles.canary()
        for sql in (
            "CREATE SECRET s AS %s",
            "CREATE USER u8 PASSWORD %s",
            "CREATE CONNECTION x STORAGE_TYPE = 's3' SECRET_ACCESS_KEY = %s",
            "SELECT 1",
            "SHOW SECRETS LIKE %s",
            "SET dialect = %s",
        ):
            with suppress(psycopg.Error):
                self.admin.execute(sql.encode(), (secret,) if "%s" in sql else None, prepare=True)

    def _without_rights(self) -> None:
        with self.analyst() as session:
            for template in planting.TAKEN:
                self._expect(template, False, session)
            for template in planting.SHOWN:
                self._expect(template, None, session)
        with suppress(psycopg.Error):
            self.connect("analyst", self.needles.canary())
        with suppress(psycopg.Error):
            self.connect(self.named.plain_canary("a login"), "x")

    def _at_the_store(self) -> None:
        """Credentials that the store refuses and echoes, and stores that cannot be reached."""
        for name, endpoint in (
            ("refused", self.store.endpoint),
            ("unreachable", "http://127.0.0.1:9"),
            ("nowhere", "http://no.invalid"),
        ):
            secret = self.needles.canary()
            for sql in (
                f"CREATE SECRET {name}_key AS '{secret}'",
                (
                    f"CREATE CONNECTION {name} TO AWS (ACCESS KEY ID = '{self.store.key.access_key_id}', SECRET ACCESS "
                    f"KEY = SECRET {name}_key, ENDPOINT = '{endpoint}', REGION = 'us-east-1')"
                ),
                f"CREATE STAGE {name} URL = 's3://{self.bucket}/scan/' CONNECTION = (CONNECTION_NAME = '{name}')",
            ):
                self.admin.execute(sql.encode())
            self._expect(f"VALIDATE CONNECTION {name}", None)
            self._expect(f"SELECT * FROM @{name}/big.parquet", False)
            self._expect(f"LIST @{name}/", False)
            self._expect(f"COPY (SELECT 1) TO '@{name}/x.csv'", False)
        wrong = self.store.key.with_wrong_secret()
        self.admin.execute(f"CREATE OR REPLACE SECRET refused_key AS '{wrong.secret_access_key}'".encode())
        self.needles.know(wrong.secret_access_key)
        self._expect("SELECT * FROM @refused/big.parquet", False)
        self._expect("VALIDATE CONNECTION refused", None)
        token = self.needles.canary()
        self.admin.execute(f"CREATE SECRET token AS '{token}'".encode())
        self._expect("ALTER CONNECTION refused SET (SESSION TOKEN = SECRET token)", None)
        self._expect("SELECT * FROM @refused/big.parquet", False)

    # --- looking -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Search every place; memory is searched while a worker scans the stage."""
        with scanning(self.analyst()):
            self.look_at_processes()
        self._crash_a_worker()
        self.look_at_the_wire()
        self._see("ledger", "\n".join(map(repr, self._ledger())).encode())
        for path in sorted(self._folder.rglob("*")):
            if path.is_file():
                place = "data directory" if path.is_relative_to(self.gateway.data) else "log and folder"
                self._see(place, path.read_bytes(), path.name)

    def look_at_the_wire(self) -> None:
        """Search what the gateway sent to clients, and what it tells of itself."""
        self._see("wire", self._tap.to_clients)
        self._see("http", b"\n".join(self._http.answers))
        self._see("metrics", self._http.metrics())
        self._see("traces", b"\n".join(self._receiver.bodies))

    def look_at_processes(self) -> None:
        """Search command lines and environments of all processes, and the memory of zygote and workers.

        The gateway's own memory is not claimed to be free of secrets: it uses them. Its environment holds the
        administrator's password only because this test passed it so.
        """
        below = processes.descendants(self.gateway.pid)
        assert below, "the gateway has no zygote"
        for pid in (self.gateway.pid, *below):
            with suppress(FileNotFoundError, ProcessLookupError):
                self._see("command lines", processes.command_line(pid), str(pid))
                environment = processes.environment(pid)
                if pid == self.gateway.pid:
                    given = f"FAIRLEAD_ADMIN_PASSWORD={self.gateway.password}".encode()
                    assert given in environment
                    environment = environment.replace(given, b"")
                self._see("environments", environment or b"(empty)", str(pid))
        for pid in below:
            with suppress(FileNotFoundError, ProcessLookupError):
                for piece in processes.memory(pid):
                    self._see("memory of workers", piece, str(pid))

    def _crash_a_worker(self) -> None:
        """Let each worker end as if it had aborted, in the middle of a scan: crash output goes to log and folder."""
        with self.analyst() as session:
            session.execute(b"SELECT 1")
            for pid in processes.descendants(self.gateway.pid)[1:]:
                with suppress(ProcessLookupError):
                    processes.abort(pid)
            with suppress(psycopg.Error):
                session.execute(b"SELECT count(*) FROM @scan/big.parquet")

    def _ledger(self) -> list[tuple[Any, ...]]:
        with self.connect() as session:
            return session.execute(b"SHOW LEDGER LIMIT 100000").fetchall()

    def _see(self, place: str, data: bytes, where: str = "") -> None:
        self.evidence.searched[place] += len(data)
        found = self.needles.search(data)
        if place not in ("wire", "http"):
            found += self.named.search(data)
        self.evidence.found[place] += [f"{where} {one}" for one in found]


class scanning:  # noqa: N801  # reads as a word: with scanning(session)
    """A session that scans the stage again and again in a thread, for as long as the block lasts."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self._session = session
        self._stop = threading.Event()
        self._first = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        """Begin, and wait until the first scan is through."""
        self._thread.start()
        assert self._first.wait(60), "no scan in a minute"
        assert self._failure is None, self._failure

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()
        self._session.close()
        assert self._failure is None, self._failure

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                query = "SELECT count(*), max(hash(b)) FROM @scan/big.parquet"
                assert self._session.execute(query.encode()).fetchone()[0] == 400_000
                self._first.set()
        except BaseException as error:  # noqa: BLE001  # told by the block
            self._failure = error
            self._first.set()
