"""Test doubles for the wire: a backend with two users, and sessions that run SQL on a DuckDB in this process.

Beside SQL a session knows a few words, one for each thing that a real one does now and then:
``NOTICE text``, ``WARNING text``, ``DEFECT text`` (an exception that nobody planned), ``ENDLESS`` (runs until it is
cancelled), ``BLOCKS n size`` (n blocks of rows, of about ``size`` bytes each), ``SET zone = text``, ``SHOW words``,
``TAKE n`` (takes data of the client as COPY does, at most n bytes).
"""

from __future__ import annotations

import asyncio
import functools
import re
import struct
import threading
from dataclasses import dataclass

import duckdb

from fairlead.access.scram import make_verifier
from fairlead.engine.api import Column
from fairlead.errors import (
    EngineError,
    InFailedTransaction,
    InvalidCatalogName,
    QueryCanceled,
    SqlSyntaxError,
    UndefinedPortal,
    UndefinedStatement,
)
from fairlead.sensitive import Sensitive
from fairlead.session_types import Complete, CopyIn, EmptyStatement, Notice, ResultColumns, ResultRows, ResultValues

CANARY = "canary-7Kq2"
MASKED = "<redacted>"
PASSWORDS = {"ann": "correct horse", "fairlead": "pässwörd"}
BLOCK_ROWS = 100
_OIDS = {
    "BOOLEAN": (16, 1), "INTEGER": (23, 4), "BIGINT": (20, 8), "DOUBLE": (701, 8), "DATE": (1082, 4),
    "TIMESTAMP": (1114, 8),
}  # fmt: skip
_BINARY = {16: "!?", 21: "!h", 23: "!i", 20: "!q", 701: "!d"}


def data_row(values) -> bytes:
    fields = b"".join(
        struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value for value in values
    )
    return b"D" + struct.pack("!ih", len(fields) + 6, len(values)) + fields


def column_of(name, kind) -> Column:
    return Column(name, *_OIDS.get(str(kind), (25, -1)))


def python_value(parameter):
    if parameter.value is None:
        return None
    if parameter.binary:
        if parameter.type_oid in _BINARY:
            return struct.unpack(_BINARY[parameter.type_oid], parameter.value)[0]
        return parameter.value if parameter.type_oid == 17 else parameter.value.decode()
    text = parameter.value.decode()
    if parameter.type_oid in (20, 21, 23):
        return int(text)
    return float(text) if parameter.type_oid in (700, 701) else text


def returns_rows(statement) -> bool:
    return statement.split(" ")[0].upper() in ("SELECT", "FROM", "WITH", "VALUES")


@dataclass
class Portal:
    text: str
    parameters: tuple
    outputs: object = None


class IntakeDouble:
    """Keeps what it takes, and fails when that is too much."""

    def __init__(self, limit):
        self.limit = limit
        self.data = b""
        self.complete = False
        self.failure = None
        self.ended = asyncio.Event()

    @property
    def wanted(self):
        return self.failure is None and not self.complete

    async def unwanted(self):
        await self.ended.wait()

    async def write(self, data):
        self.data += data
        if len(self.data) > self.limit:
            self.fail(EngineError("too much", sqlstate="54000"))

    async def finish(self):
        self.complete = self.failure is None

    def fail(self, error):
        if self.wanted:
            self.failure = error
            self.ended.set()


class SessionDouble:
    process_id = 0
    patience = 0.0

    def __init__(self, backend, user, parameters):
        self.backend = backend
        self.user = user
        self.transaction_status = "I"
        self.statements = {}
        self.portals = {}
        self.reports = {"TimeZone": parameters["TimeZone"]} if "TimeZone" in parameters else {}
        self.cancelled = asyncio.Event()
        self.running = False
        self.intake = None
        self.closed = False

    @functools.cached_property
    def engine(self):
        return duckdb.connect()

    def pending_parameter_status(self):
        reports, self.reports = self.reports, {}
        return reports

    async def run_script(self, text):
        statements = [part.strip() for part in text.split(";") if part.strip()]
        if not statements:
            yield EmptyStatement()
        for statement in statements:
            async for output in self.run(statement, (), text):
                yield output

    async def prepare(self, name, text, type_oids):
        self.check(text)
        self.statements[name] = (text.strip().rstrip(";"), tuple(type_oids))

    async def describe_statement(self, name):
        text, oids = self.known(name)
        count = max((int(number) for number in re.findall(r"\$(\d+)", text)), default=0)
        types = tuple(oids[at] if at < len(oids) and oids[at] else 25 for at in range(count))
        return types, self.columns(text, [None] * count)

    async def bind(self, portal, statement, parameters, encoding):
        self.backend.encodings.append(encoding)
        self.portals[portal] = Portal(self.known(statement)[0], tuple(map(python_value, parameters)))

    async def describe_portal(self, portal):
        found = self.portal(portal)
        return self.columns(found.text, found.parameters)

    async def execute(self, portal):
        found = self.portal(portal)
        if not found.text:
            yield EmptyStatement()
            return
        if found.outputs is None:
            found.outputs = self.run(found.text, found.parameters, found.text)
        async for output in found.outputs:
            if not isinstance(output, ResultColumns):
                yield output

    async def close_statement(self, name):
        self.statements.pop(name, None)

    async def close_portal(self, name):
        self.portals.pop(name, None)

    async def sync(self):
        if self.transaction_status == "I":
            self.portals.clear()

    async def cancel(self):
        if self.intake is not None:
            self.intake.fail(QueryCanceled("canceling statement due to user request"))
        if self.running:
            self.cancelled.set()

    async def close(self):
        self.closed = True
        if "engine" in vars(self):
            self.engine.close()

    # --- one statement ---------------------------------------------------------------------------------------------

    async def run(self, statement, parameters, script):
        word, _, rest = statement.partition(" ")
        words = {
            "NOTICE": self.notice, "WARNING": self.notice, "DEFECT": self.defect, "ENDLESS": self.endless,
            "BLOCKS": self.blocks, "SET": self.set, "SHOW": self.show, "BEGIN": self.begin,
            "COMMIT": self.end, "ROLLBACK": self.end, "TAKE": self.take,
        }  # fmt: skip
        try:
            self.check(script)
            self.check_transaction(word.upper())
            if word.upper() in words:
                async for output in words[word.upper()](word.upper(), rest):
                    yield output
            else:
                for output in self.query(statement, parameters):
                    yield output
        except Exception:  # whatever it is fails the block, and is raised again
            if self.transaction_status == "T":
                self.transaction_status = "E"
            raise

    def check_transaction(self, word):
        if self.transaction_status == "E" and word not in ("ROLLBACK", "COMMIT"):
            raise InFailedTransaction("current transaction is aborted")

    async def notice(self, word, rest):
        yield Notice(word, rest, hint="a hint", detail="a detail")
        yield Complete(word)

    async def defect(self, word, rest):
        yield Notice("INFO", "about to fail")
        raise ValueError(rest)

    async def set(self, word, rest):
        name, _, value = rest.partition("=")
        self.reports[{"zone": "TimeZone"}.get(name.strip(), name.strip())] = value.strip()
        yield Complete(word)

    async def show(self, word, rest):
        yield ResultColumns((Column("word", 25, -1), Column("number", 25, -1)))
        yield ResultValues([["one", "1"], ["nothing", None]])
        yield Complete(word)

    async def begin(self, word, rest):
        self.engine.begin()
        self.transaction_status = "T"
        yield Complete(word)

    async def end(self, word, rest):
        commit = word == "COMMIT" and self.transaction_status == "T"
        if self.transaction_status != "I":
            self.engine.commit() if commit else self.engine.rollback()
        self.transaction_status = "I"
        yield Complete("COMMIT" if commit else "ROLLBACK")

    def query(self, statement, parameters):
        try:
            result = self.engine.execute(statement, parameters)
        except duckdb.Error as error:
            raise EngineError(str(error), sqlstate="42000") from None
        if not returns_rows(statement):
            yield Complete(statement.split()[0].upper())
            return
        yield ResultColumns(tuple(column_of(name, kind) for name, kind, *_ in result.description))
        total = 0
        while rows := result.fetchmany(BLOCK_ROWS):
            yield ResultRows(
                b"".join(data_row([None if v is None else str(v).encode() for v in row]) for row in rows), len(rows)
            )
            total += len(rows)
        yield Complete(f"SELECT {total}")

    async def blocks(self, word, rest):
        number, size = map(int, rest.split())
        row = data_row([b"x" * 1013])
        count = max(size // len(row), 1)
        block = row * count
        yield ResultColumns((Column("x", 25, -1),))
        for _ in range(number):
            yield ResultRows(block, count)
        yield Complete(f"SELECT {number * count}")

    async def endless(self, word, rest):
        yield Notice("INFO", "this takes long")
        self.running = True
        self.backend.started.set()
        try:
            await self.cancelled.wait()
        finally:
            self.running = False
            self.cancelled.clear()
        self.backend.was_cancelled.set()
        raise QueryCanceled("canceling statement due to user request")

    async def take(self, word, rest):
        self.intake = IntakeDouble(int(rest))
        self.backend.started.set()
        yield CopyIn(2, self.intake)
        if self.intake.failure is not None:
            self.backend.was_cancelled.set()
            raise self.intake.failure
        assert self.intake.complete
        yield Complete(f"COPY {len(self.intake.data)}")

    def check(self, text):
        if (at := text.find("oops")) >= 0:
            raise SqlSyntaxError('syntax error at "oops"', position=at + 1, hint="say please", detail="a fact")

    def columns(self, text, parameters):
        word = text.split(" ")[0].upper()
        if word == "SHOW":
            return (Column("word", 25, -1), Column("number", 25, -1))
        if word == "BLOCKS":
            return (Column("x", 25, -1),)
        if not returns_rows(text):
            return None
        try:
            result = self.engine.execute(text, list(parameters))
        except duckdb.Error as error:
            raise EngineError(str(error), sqlstate="42000") from None
        return tuple(column_of(name, kind) for name, kind, *_ in result.description)

    def known(self, name):
        if name not in self.statements:
            raise UndefinedStatement(f'prepared statement "{name}" does not exist')
        return self.statements[name]

    def portal(self, name):
        if name not in self.portals:
            raise UndefinedPortal(f'portal "{name}" does not exist')
        return self.portals[name]


class BackendDouble:
    def __init__(self):
        self.verifiers = {user: make_verifier(Sensitive(password)) for user, password in PASSWORDS.items()}
        self.failures = []
        self.encodings = []
        self.opened = []
        self.sessions = []
        self.every_session = []  # also those that have ended
        self.pauses = []
        self.started = threading.Event()
        self.was_cancelled = threading.Event()

    async def authenticate_verifier(self, user):
        return self.verifiers.get(user)

    async def login_failed(self, user, client, reason):
        self.failures.append((user, client, reason))

    async def open_session(self, *, user, database, parameters, client):
        if database == "nowhere":
            raise InvalidCatalogName('database "nowhere" does not exist')
        self.opened.append((user, database, dict(parameters), client))
        session = SessionDouble(self, user, parameters)
        self.sessions.append(session)
        self.every_session.append(session)
        return session

    async def close_session(self, session):
        self.sessions.remove(session)
        await session.close()

    def scrub(self, text):
        return text.replace(CANARY, MASKED)

    async def pause(self, seconds):
        self.pauses.append(seconds)
