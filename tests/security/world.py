"""A gateway with an object store, an analyst with a few grants, and things that must stay out of reach, all planted.

What is forbidden holds a random token: a token in a result or in an error is an escape, whatever the status was.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pyarrow as pa
from pyarrow import parquet

from tests.security import tables
from tests.security.bare import BareEngine
from tests.security.recorder import Recorder
from tests.services.minio import session_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.services.gateway import Gateway
    from tests.services.s3 import S3Server

ANALYST, BOB = "analyst", "bob"
_FORBIDDEN_KEYS = ("other", "granted2", "grantedx", "Granted", "others", "inbox", "rw2")
_GRANTED_KEYS = ("granted", "late", "lent", "narrow", "twice", "team")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack gave: rows as text, or an error."""

    rows: str
    state: str | None = None
    text: str = ""


def run(connection: psycopg.Connection[Any], statements: Sequence[str], parameters: Sequence[object] = ()) -> Outcome:
    """Run statements in turn until one fails; parameters belong to the last one."""
    rows: list[str] = []
    try:
        for at, statement in enumerate(statements):
            last = at == len(statements) - 1
            cursor = connection.execute(statement.encode(), parameters if last and parameters else None)
            while True:
                if cursor.description is not None:
                    rows.append(repr(cursor.fetchall()))
                if not cursor.nextset():
                    break
    except psycopg.Error as error:
        diag = error.diag
        parts = (diag.message_primary or str(error), diag.message_detail, diag.message_hint)
        return Outcome("\n".join(rows), diag.sqlstate or "-----", "\n".join(part for part in parts if part))
    return Outcome("\n".join(rows))


@dataclass(slots=True)
class World:
    """Everything that a case needs.

    Args:
        gateway: running, set up.
        store: the object store.
        outside: a folder with planted files that nobody granted.
        scratch: a folder that controls may write to.
        off: the layers that are switched off.
    """

    gateway: Gateway
    store: S3Server
    outside: Path
    scratch: Path
    off: frozenset[str]
    token: str = field(default_factory=lambda: "planted" + secrets.token_hex(12))
    recorder: Recorder = field(default_factory=Recorder)
    redirector: Recorder = field(init=False)
    values: dict[str, str] = field(default_factory=dict)
    bare: BareEngine = field(init=False)
    admin: psycopg.Connection[Any] = field(init=False)
    _client: Any = field(init=False)
    _session: psycopg.Connection[Any] | None = None
    _mark: str = ""

    def __post_init__(self) -> None:
        self.redirector = Recorder(self.recorder.url)
        self._client = self.store.client()
        self.bare = BareEngine(self.outside)
        self.admin = self.gateway.connect()
        bucket, other = self.store.bucket("lake"), self.store.bucket("vault")
        self.values = {
            "b": bucket,
            "c": other,
            "H": self.recorder.url,
            "R": self.redirector.url,
            "h": self.recorder.address,
            "port": self.recorder.address.rpartition(":")[2],
            "out": str(self.outside),
            "scratch": str(self.scratch),
            "data": str(self.gateway.data),
            "catalog": str(
                next(path for path in self.gateway.data.iterdir() if path.name in {"catalog.db", "catalog.sqlite"})
            ),
            "store": self.store.endpoint.partition("://")[2],
            "gateway_pid": str(self.gateway.pid),
        }
        self._plant_files()
        self._plant_objects(bucket, other)
        self._grant(bucket)
        self.values |= tables.plant(self.admin, self.gateway.data, self.token, ANALYST)

    # --- what is there -------------------------------------------------------------------------------------------

    def _plant_files(self) -> None:
        text = f"a,b\n1,{self.token}\n"
        (self.outside / "secret.txt").write_text(text)
        (self.outside / "secret.csv").write_text(text)
        (self.outside / "secret.json").write_text(json.dumps({"a": 1, "b": self.token}))
        (self.outside / "secret.parquet").write_bytes(_parquet(self.token))
        (self.outside / "link.txt").symlink_to(self.outside / "secret.txt")
        with duckdb.connect(str(self.outside / "secret.db")) as database:
            database.execute(f"CREATE TABLE t AS SELECT '{self.token}' AS b")
        with sqlite3.connect(self.outside / "secret.sqlite") as database:
            database.execute("CREATE TABLE t (b)")
            database.execute("INSERT INTO t VALUES (?)", (self.token,))

    def _plant_objects(self, bucket: str, other: str) -> None:
        secret, fair = _parquet(self.token), _parquet("granted")
        for prefix in _FORBIDDEN_KEYS:
            for name in ("x.parquet", "secret.parquet"):
                self.store.put(bucket, f"{prefix}/{name}", secret)
            self.store.put(bucket, f"{prefix}/x.csv", f"a,b\n1,{self.token}\n".encode())
            self.store.put(bucket, f"{prefix}/x.txt", self.token.encode())
            self.store.put(bucket, f"{prefix}/x.json", json.dumps({"b": self.token}).encode())
        self.store.put(bucket, "top.parquet", secret)
        for key in ("x.parquet", "granted/x.parquet"):
            self.store.put(other, key, secret)
        for prefix in _GRANTED_KEYS:
            self.store.put(bucket, f"{prefix}/x.parquet", fair)
        self.store.put(bucket, "granted/sub/y.parquet", fair)
        self.store.put(bucket, "granted/t.csv", b"a,b\n1,granted\n")
        self.store.put(bucket, "granted/t.json", b'{"a": 1, "b": "granted"}')

    def _grant(self, bucket: str) -> None:
        key = self.store.key
        places = [f"arn:aws:s3:::{bucket}/{prefix}/*" for prefix in ("narrow", "twice")]
        narrow = session_key(self.store, [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": places}])
        stage = "CREATE STAGE {} URL = 's3://{}/{}/' CONNECTION = (CONNECTION_NAME = '{}')"
        aws = "CREATE CONNECTION {} TO AWS (ACCESS KEY ID = '{}', SECRET ACCESS KEY = SECRET {}, {})"
        token = "SESSION TOKEN = SECRET narrow_token"
        password = secrets.token_hex(8)
        self.values["password"] = password
        endpoint = f"ENDPOINT = '{self.store.endpoint}', REGION = '{self.store.region}'"
        for sql in (
            f"CREATE SECRET lake_key AS '{key.secret_access_key}'",
            f"CREATE SECRET narrow_key AS '{narrow.secret_access_key}'",
            f"CREATE SECRET narrow_token AS '{narrow.session_token}'",
            aws.format("lake", key.access_key_id, "lake_key", endpoint),
            aws.format("narrow_lake", narrow.access_key_id, "narrow_key", f"{token}, {endpoint}"),
            aws.format("redirecting", "a", "lake_key", f"ENDPOINT = '{self.redirector.url}', REGION = 'us-east-1'"),
            f"CREATE USER {ANALYST} PASSWORD '{password}'",
            f"CREATE USER {BOB} PASSWORD '{password}'",
            "CREATE ROLE crew",
            f"GRANT crew TO {ANALYST}",
            stage.format("redirected_out", "somewhere", "out", "redirecting"),
            f"GRANT WRITE ON STAGE redirected_out TO {ANALYST}",
            stage.format("redirected", "somewhere", "there", "redirecting"),
            stage.format("raw", bucket, "granted", "lake"),
            stage.format("rw", bucket, "rw", "lake"),
            stage.format("inbox", bucket, "inbox", "lake"),
            stage.format("others", bucket, "others", "lake"),
            stage.format("late", bucket, "late", "lake"),
            stage.format("team", bucket, "team", "lake"),
            stage.format("narrow", bucket, "narrow", "narrow_lake"),
            stage.format("lying", bucket, "other", "narrow_lake"),
            stage.format("twice_lake", bucket, "twice", "lake"),
            stage.format("twice_narrow", bucket, "twice", "narrow_lake"),
            *(
                f"GRANT READ ON STAGE {s} TO {ANALYST}"
                for s in ("raw", "late", "narrow", "lying", "twice_lake", "twice_narrow", "redirected")
            ),
            f"GRANT READ, WRITE ON STAGE rw TO {ANALYST}",
            f"GRANT WRITE ON STAGE inbox TO {ANALYST}",
            "GRANT READ ON STAGE team TO crew",
            f"GRANT USAGE ON CONNECTION lake TO {BOB}",
            f"GRANT CREATE ON DATABASE main TO {BOB}",
        ):
            self.admin.execute(sql.encode())
        with self.gateway.connect(BOB, password) as bob:
            bob.execute(stage.format("lent", bucket, "lent", "lake").encode())
            bob.execute(f"GRANT READ ON STAGE lent TO {ANALYST}".encode())

    # --- sessions ------------------------------------------------------------------------------------------------

    def connect(self, user: str = ANALYST) -> psycopg.Connection[Any]:
        """Return a new session of a user."""
        return self.gateway.connect(user, self.values["password"])

    def session(self) -> psycopg.Connection[Any]:
        """Return the analyst's session, marked so that another worker would be noticed."""
        if self._session is None or self._session.closed:
            self._session = self.connect()
            self._mark = secrets.token_hex(8)
            self._session.execute(f"CREATE TEMP TABLE same_worker AS SELECT '{self._mark}' AS mark".encode())
        return self._session

    def assert_alive(self) -> None:
        """Fail unless the same session and the same worker serve the next statements."""
        try:
            session = self.session()
            assert session.execute(b"SELECT 42").fetchone() == (42,)
            read = f"SELECT b FROM read_parquet('s3://{self.values['b']}/granted/x.parquet')"
            assert session.execute(read.encode()).fetchone() == ("granted",)
            assert session.execute(b"SELECT mark FROM same_worker").fetchone() == (self._mark,)
        except BaseException:
            self.drop_session()
            raise

    def drop_session(self) -> None:
        """Forget the analyst's session, so that the next case begins afresh."""
        if self._session is not None:
            with suppress(psycopg.Error):
                self._session.close()
        self._session = None

    # --- what must not change ------------------------------------------------------------------------------------

    def fingerprint(self) -> dict[str, str]:
        """Return what is outside the grants: files and objects, each with what tells its content."""
        found = {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.outside.rglob("*")
            if path.is_file()
        }
        for bucket in (self.values["b"], self.values["c"]):
            for entry in self._client.list_objects_v2(Bucket=bucket).get("Contents", []):
                if not entry["Key"].startswith("rw/"):
                    found[f"s3://{bucket}/{entry['Key']}"] = entry["ETag"]
        return found | dict(tables.fingerprint(self.gateway.data))

    def forbidden(self) -> tuple[str, ...]:
        """Return texts that no result and no error may hold."""
        return (self.token, self.store.key.secret_access_key, self.store.key.access_key_id, self.gateway.password)

    def stop(self) -> None:
        """End what the world started; the gateway is its fixture's."""
        self.drop_session()
        self.admin.close()
        self.bare.stop()
        self.recorder.stop()
        self.redirector.stop()


def _parquet(text: str) -> bytes:
    out = BytesIO()
    parquet.write_table(pa.table({"a": [1], "b": [text]}), out)
    return out.getvalue()
