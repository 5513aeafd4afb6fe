"""One worker: locks itself, then runs the statements of one session until the gateway closes the socket.

Statements run on the main thread. A second thread, started when every limit is on, listens for "cancel" and ends the
process when the gateway is gone. A third one exists while a large result is sent: it assembles rows while the engine
computes the next ones. After any error the next statement is served.
"""

from __future__ import annotations

import os
import queue
import select
import struct
import threading
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import duckdb
from duckdb import StatementType

from fairlead.worker import duck, frames, layers, parameters, statements
from fairlead.worker.pgtypes import pg_type
from fairlead.worker.rows import BATCH_ROWS, Texts, blocks

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    import pyarrow as pa

_STACK_BYTES: Final = 1024 * 1024
_QUEUE_BATCHES: Final = 4
_AGAIN_MS: Final = 50
_COMMAND: Final = struct.Struct("!cQ")
CANCEL: Final = b"c"
STOP: Final = b"s"


class Stopped(Exception):  # asked for
    """The gateway wants no more rows."""


class Control:
    """What the gateway says beside the statements: cancel, stop, and the end.

    Args:
        handle: second socket; its end is the end of the process.
        instance: what is interrupted.
    """

    def __init__(self, handle: socket.socket, instance: duckdb.DuckDBPyConnection) -> None:
        self._handle = handle
        self._instance = instance
        self._lock = threading.Lock()
        self._running = 0
        self._wanted: dict[bytes, int] = {}
        threading.Thread(target=self._listen, name="control", daemon=True).start()

    def begin(self, serial: int) -> None:
        """A statement starts."""
        with self._lock:
            self._running = serial

    def end(self) -> None:
        """The statement has ended: no interrupt may hit the next one."""
        with self._lock:
            self._running = 0

    def checkpoint(self) -> None:
        """Raise when the statement is not wanted any more.

        Raises:
            Stopped: no more rows are wanted.
            duckdb.InterruptException: the statement was cancelled.
        """
        if self._wanted.get(CANCEL) == self._running:
            raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")
        if self._wanted.get(STOP) == self._running:
            raise Stopped

    def _listen(self) -> None:
        readable = select.poll()
        readable.register(self._handle, select.POLLIN)
        while True:
            # An interrupt that comes before the engine has begun is forgotten by it: ask again until it has ended.
            if readable.poll(_AGAIN_MS if self._interrupt() else None):
                message = self._handle.recv(_COMMAND.size)
                if len(message) != _COMMAND.size:
                    os._exit(0)
                kind, serial = _COMMAND.unpack(message)
                self._wanted[kind] = serial

    def _interrupt(self) -> bool:
        with self._lock:
            wanted = self._wanted.get(CANCEL, 0)
            if wanted and wanted == self._running:
                self._instance.interrupt()
            return wanted > 0 and wanted >= self._running > 0


class Sender(threading.Thread):
    """Assembles and sends batches while the main thread computes the next."""

    def __init__(self, channel: frames.Frames) -> None:
        super().__init__(name="rows", daemon=True)
        self._channel = channel
        self._batches: queue.Queue[list[pa.Array] | None] = queue.Queue(_QUEUE_BATCHES)
        self._failure: Exception | None = None
        self.rows = 0

    def put(self, columns: list[pa.Array]) -> None:
        """Hand over a batch; waits while the client is slow."""
        if self._failure is not None:
            raise self._failure
        self._batches.put(columns)

    def finish(self) -> None:
        """Wait until everything is sent."""
        self._batches.put(None)
        self.join()
        if self._failure is not None:
            raise self._failure

    def run(self) -> None:
        """Send until the end; after a failure only swallow, so that nobody waits for ever."""
        while (columns := self._batches.get()) is not None:
            if self._failure is None:
                try:
                    self.rows += send_rows(self._channel, columns, more=True)
                except Exception as error:  # noqa: BLE001  # handed to the main thread
                    self._failure = error


def send_rows(channel: frames.Frames, columns: list[pa.Array], *, more: bool) -> int:
    """Send a batch, return its number of rows."""
    total = 0
    for block, count in blocks(columns):
        channel.rows(block, count, more=more)
        total += count
    return total


class Worker:
    """The statements of one session.

    Args:
        channel: frames from and to the gateway.
        control: the second socket.
        instance: locked.
        allow_all: statements of every kind run (the layer is switched off).
    """

    def __init__(
        self, channel: frames.Frames, control: socket.socket, instance: duckdb.DuckDBPyConnection, *, allow_all: bool
    ) -> None:
        self._channel = channel
        self._instance = instance
        self._caster = instance.cursor()
        self._allow_all = allow_all
        self._open: pa.RecordBatchReader | None = None
        self._control = Control(control, instance)

    def run(self) -> None:
        """Serve until the gateway closes the socket, or a statement has left the engine unable to run another.

        Raises:
            EOFError: one of both.
        """
        while True:
            kind, body = self._channel.receive()
            request, values = frames.split_request(body)
            self._control.begin(int(request["serial"]))
            try:
                if kind == frames.EXECUTE:
                    done = frames.DONE, {"tag": self._execute(request, values)}
                else:
                    done = frames.DESCRIBED, self._describe(request)
            except Exception as error:  # noqa: BLE001  # every failure of a statement is the client's to see
                done = frames.ERROR, failure(error)
            self._control.end()
            lasting = done[0] == frames.ERROR and not self._is_sound()
            self._channel.send(*done)
            self._close_result()
            if lasting:
                raise EOFError

    def _close_result(self) -> None:
        """End the engine's side of a result: after the client has its answer, for this takes a while."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _is_sound(self) -> bool:
        """Tell whether the engine still works: some statements break all of its later ones, on every connection."""
        try:
            self._caster.execute("SELECT 1").fetchall()
        except (MemoryError, duckdb.OutOfMemoryException):
            return True
        except duckdb.Error:
            return False
        return True

    def _execute(self, request: dict[str, Any], values: memoryview) -> str:
        statement = statements.read(self._instance, request["sql"], allow_all=self._allow_all)
        if statement.kind is None:
            return ""
        bound = _bound(request["parameters"], values, statement.parameters)
        self._control.checkpoint()
        result = self._instance.execute(statement.parsed or statement.text, bound)
        if statement.returns_rows:
            count = self._send_result(result, request["aliases"])
            return statement.tag if statement.kind == StatementType.EXPLAIN else f"{statement.tag} {count}"
        if statement.kind == StatementType.SET:
            self._caster.execute(statement.text)
        counted = bool(result.description) and result.description[0][0] == "Count"
        rows = result.fetchall() if counted else []
        return f"{statement.tag} {rows[0][0]}" if rows and not statement.tag.startswith("CREATE") else statement.tag

    def _send_result(self, result: duckdb.DuckDBPyConnection, aliases: dict[str, str]) -> int:
        described = [(str(column[0]), str(column[1])) for column in result.description or []]
        types = [type_name for _, type_name in described]
        self._channel.hold(frames.COLUMNS, _columns(described))
        reader = result.to_arrow_reader(BATCH_ROWS)
        source = _Source(reader, self._control)
        texts = Texts(self._caster, types, aliases)
        try:
            return self._send_texts(reader.schema, source, texts)
        except Stopped:
            return source.rows
        except Exception:
            if source.failure is not None:  # the caster wraps what its source raised
                if isinstance(source.failure, Stopped):
                    return source.rows
                raise source.failure from None
            raise
        finally:
            self._open = reader

    def _send_texts(self, schema: pa.Schema, source: _Source, texts: Texts) -> int:
        pulled = iter(source)
        ahead = [batch for batch in (next(pulled, None), next(pulled, None)) if batch is not None]
        if len(ahead) <= 1:
            return sum(send_rows(self._channel, columns, more=False) for columns in texts.of(schema, ahead))
        sender = Sender(self._channel)
        sender.start()
        try:
            for columns in texts.of(schema, chain(ahead, pulled)):
                sender.put(columns)
        finally:
            sender.finish()
        return sender.rows

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = statements.read(self._instance, request["sql"], allow_all=self._allow_all)
        oids = list(request["types"])
        numbers = [int(name) for name in statement.parameters if name.isdecimal()]
        oids += [0] * (max(numbers, default=0) - len(oids))
        described: list[tuple[str, str]] = []
        if statement.kind == StatementType.EXPLAIN:
            described = [("explain_key", "VARCHAR"), ("explain_value", "VARCHAR")]
        elif statement.kind == StatementType.SELECT:
            described = self._described(statement, oids)
        return {"parameters": [oid or parameters.TEXT_OID for oid in oids], **_columns(described)}

    def _described(self, statement: statements.Checked, oids: list[int]) -> list[tuple[str, str]]:
        query = f"DESCRIBE SELECT * FROM ({statement.text.rstrip().rstrip(';')}\n)"  # noqa: S608  # the user's own text
        names = {name: oids[int(name) - 1] for name in statement.parameters if name.isdecimal()}
        bound = {name: parameters.sample(oid) for name, oid in names.items()}
        try:
            rows = self._instance.execute(query, bound).fetchall()
        except duckdb.Error:
            if all(names.values()):
                raise
            # An empty text does not fit everywhere; a NULL does.
            bound = {name: parameters.sample(oid) if oid else None for name, oid in names.items()}
            rows = self._instance.execute(query, bound).fetchall()
        return [(row[0], row[1]) for row in rows]


class _Source:
    """The user's result, batch by batch; keeps the failure, which the casting engine would only quote."""

    def __init__(self, reader: pa.RecordBatchReader, control: Control) -> None:
        self._reader = reader
        self._control = control
        self.failure: Exception | None = None
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._reader:
                self._control.checkpoint()
                self.rows += batch.num_rows
                yield batch
        except Exception as error:
            self.failure = error
            raise


def _columns(described: list[tuple[str, str]]) -> dict[str, Any]:
    columns = []
    for name, type_name in described:
        kind = pg_type(type_name)
        columns.append([name, kind.oid, kind.size, kind.modifier])
    return {"columns": columns}


def _bound(described: list[list[Any]], values: memoryview, names: frozenset[str]) -> dict[str, Any]:
    """Return the values by name; those that the text does not use are left out, as DuckDB wants it."""
    bound: dict[str, Any] = {}
    at = 0
    for number, (oid, binary, length) in enumerate(described, start=1):
        raw = None if length is None else bytes(values[at : at + length])
        at += length or 0
        if str(number) in names:
            try:
                bound[str(number)] = parameters.value(raw, oid, binary=binary)
            except parameters.BadParameter as error:
                raise parameters.BadParameter(f"parameter ${number}: {error}") from error
    return bound


def failure(error: Exception) -> dict[str, Any]:
    """Return an error as it travels: the engine's name of its kind, and its text."""
    return {"kind": type(error).__name__, "message": str(error)}


def work(data: socket.socket, control: socket.socket, settings: dict[str, Any], extension: duck.Extension) -> None:
    """Be a worker: lock down, report, serve. Runs in a fresh fork.

    Args:
        data: for statements and rows.
        control: for cancel.
        settings: what all workers have in common.
        extension: httpfs, checked.

    Raises:
        EOFError: the gateway wants no worker any more.
    """
    threading.stack_size(_STACK_BYTES)
    channel = frames.Frames(data)
    _, body = channel.receive()
    boot, _ = frames.split_request(body)
    try:
        instance, report = _locked(boot, settings, extension)
    except Exception as error:  # noqa: BLE001  # the gateway says it, the process ends
        channel.send(frames.ERROR, failure(error))
        return
    allow_all = settings["layers"]["statements"] == layers.OFF
    worker = Worker(channel, control, instance, allow_all=allow_all)
    channel.send(frames.READY, {name: status.as_json() for name, status in report.items()})
    worker.run()


def _locked(
    boot: dict[str, Any], settings: dict[str, Any], extension: duck.Extension
) -> tuple[duckdb.DuckDBPyConnection, dict[str, layers.Status]]:
    mode = settings["layers"]
    spill, port = boot["spill"], int(boot["port"])
    limits = layers.apply_limits(
        mode["limits"],
        address_space_mb=settings["address_space_mb"],
        cpu_seconds=settings["cpu_seconds"],
        spill_mb=settings["spill_limit_mb"],
    )
    recipe = duck.Recipe(
        memory_limit_mb=settings["memory_limit_mb"],
        threads=settings["threads"],
        spill=spill,
        spill_limit_mb=settings["spill_limit_mb"],
        port=port,
        fence=mode["fence"],
    )
    instance = duck.connect(recipe, extension, key_id=boot["key_id"], secret=boot["secret"])
    # The engine has one thread until here: Landlock binds it, and those that it starts from now on.
    landlock = layers.apply_landlock(mode["landlock"], spill=spill, port=port)
    fence = duck.lock(instance, recipe)
    listed = mode["statements"] != layers.OFF
    kinds = layers.Status(listed, "only the kinds that a session needs" if listed else layers.SWITCHED_OFF)
    return instance, {"landlock": landlock, "limits": limits, "fence": fence, "statements": kinds}
