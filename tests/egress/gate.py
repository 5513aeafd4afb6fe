"""An egress with one open door, a ledger that can be read and broken, and ways to knock: signed, forged, by DuckDB."""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs

from fairlead.access.rules import Action, Rule
from fairlead.config import EgressSettings
from fairlead.connectors.store import S3Target
from fairlead.context import Context, Principal
from fairlead.egress import sigv4
from fairlead.egress.door import Door, ResolvedTarget
from fairlead.egress.egress import Egress
from fairlead.egress.http1 import ResponseHead, Stream, parse_response
from fairlead.egress.paths import parse_target
from fairlead.errors import LedgerUnavailable
from fairlead.sensitive import Sensitive

ALL = frozenset(Action)
READ = frozenset({Action.READ, Action.LIST})
USER = Principal(1, "analyst", frozenset({1}), is_superuser=False)


class MemoryLedger:
    """Keeps rows in a list, in order; ``broken`` makes it fail."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, dict[str, Any]]] = []
        self.broken = False

    def begin(self, context: Context, **row: Any) -> int:
        self._write("begin", row)
        return len(self.rows)

    def finish(self, use_id: int, **row: Any) -> None:
        self._write("finish", row)

    def refused(self, context: Context, **row: Any) -> None:
        self._write("refused", row)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.rows]

    def _write(self, kind: str, row: dict[str, Any]) -> None:
        if self.broken:
            raise LedgerUnavailable("the ledger cannot be written")
        self.rows.append((kind, row))


@dataclass
class Reply:
    """An answer of the proxy."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Gate:
    """Egress with its surroundings. Change ``rules``, ``targets`` and ``versions`` at will."""

    egress: Egress
    port: int
    ledger: MemoryLedger
    rules: list[Rule]
    targets: dict[int, S3Target]
    versions: dict[int, str]
    opened: list[int]
    listener: socket.socket
    doors: dict[str, Door] = field(default_factory=dict)

    def door(self, *, begin: bool = True) -> Door:
        key = Door(
            f"FL{secrets.token_hex(8).upper()}",
            Sensitive(secrets.token_hex(20)),
            lambda: USER,
            lambda: Context("session", "statement", USER),
            {},
        )
        self.doors[key.key_id] = key
        self.egress.open_door(key)
        if begin:
            self.egress.statement_begin(key.key_id)
        return key

    def dial(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def request(self, door: Door, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        with self.dial() as sock:
            sock.sendall(signed(door, method, target, body, self.port, **headers))
            return read_reply(Stream(sock), method)

    def duckdb(self, door: Door) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 2})
        folder = Path(duckdb_extension_httpfs.__file__).parent
        (extension,) = folder.glob("extensions/*/httpfs.duckdb_extension")
        connection.execute(f"LOAD '{extension}'")
        connection.execute("SET httpfs_client_implementation = 'httplib'; SET http_retries = 1")
        connection.execute(
            "CREATE SECRET s (TYPE s3, KEY_ID ?, SECRET ?, ENDPOINT ?, REGION 'us-east-1', URL_STYLE 'path',"
            " USE_SSL false)",
            [door.key_id, door.secret.reveal(), f"127.0.0.1:{self.port}"],
        )
        return connection

    def close(self) -> None:
        self.egress.stop()
        self.listener.close()


def make_gate(target: S3Target, *, settings: EgressSettings | None = None, **more: Any) -> Gate:
    """Return a gate whose connection 7 leads to ``target``, with READ below s3://acme/raw/."""
    ledger = MemoryLedger()
    rules = [Rule(7, "acme", "raw/", READ, "stage main.public.raw", "main.public.lake")]
    targets = {7: target}
    versions = {7: "7.1"}
    opened: list[int] = []

    def open_target(connection_id: int) -> ResolvedTarget:
        opened.append(connection_id)
        return ResolvedTarget(targets[connection_id], "main.public.lake", versions[connection_id])

    egress = Egress(
        rules=lambda _: tuple(rules),
        target=open_target,
        version=lambda connection_id: versions[connection_id],
        ledger=ledger,
        settings=settings or EgressSettings(connect_timeout=5, request_timeout=20),
        **more,
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    egress.serve(listener)
    port = listener.getsockname()[1]
    return Gate(egress, port, ledger, rules, targets, versions, opened, listener)


def signed(door: Door, method: str, target: str, body: bytes = b"", port: int = 1, **headers: str) -> bytes:
    """Return a request as httpfs sends it, signed over the raw path; header names with ``_`` for ``-``."""
    parsed = parse_target(target)
    base = {
        "host": f"127.0.0.1:{port}",
        "x-amz-date": sigv4.now(),
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    to_sign = base | {name: value for name, value in extra.items() if name.startswith("x-amz-")}
    authorization = sigv4.authorization(
        door.key_id, door.secret, "us-east-1", method=method, path=parsed.path, query=parsed.query, headers=to_sign
    )
    every = base | {"authorization": authorization} | extra
    if body or method in ("PUT", "POST"):
        every = {"content-length": str(len(body))} | every
    lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body


def read_reply(stream: Stream, method: str = "GET") -> Reply:
    raw = stream.read_head()
    assert raw is not None, "the proxy closed the connection without an answer"
    head: ResponseHead = parse_response(raw)
    length = 0 if method == "HEAD" else int(head.headers.get("content-length", "0"))
    return Reply(head.status, dict(head.headers), stream.read_exactly(length))


class FakeStore:
    """An HTTP server on loopback that keeps what it gets and answers as told.

    Args:
        answer: status, headers and body for (method, path).
    """

    def __init__(self, answer: Any = None) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                store.seen.append((self.command, self.path, headers))
                status, more, body = (answer or hello)(self.command, self.path)
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                if "Content-Length" not in more:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def target(self, **changes: Any) -> S3Target:
        fields: dict[str, Any] = {
            "endpoint": f"http://127.0.0.1:{self.port}",
            "region": "us-east-1",
            "access_key_id": Sensitive("REALKEYID"),
            "secret_access_key": Sensitive("realsecretrealsecret"),
            "session_token": Sensitive("realsessiontoken"),
            "path_style": True,
        }
        return S3Target(**(fields | changes))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def hello(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {"ETag": '"e"', "Last-Modified": "Sat, 01 Aug 2026 00:00:00 GMT"}, b"hello"
