"""One worker: locks itself, then runs the statements of one session until the gateway closes the socket.

Statements run on the main thread. A second thread, started when every limit is on, listens for "cancel" and ends the
process when the gateway is gone. A third one exists while a large result is sent: it assembles rows while the engine
computes the next ones. After any error the next statement is served.
"""

from __future__ import annotations

import base64
import os
import queue
import threading
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
from duckdb import StatementType

from fairlead.worker import copied, duck, extensions, frames, inference, layers, parameters, script, statements
from fairlead.worker.arrows import arrow_schema
from fairlead.worker.control import Control, Stopped
from fairlead.worker.encodings import encoder
from fairlead.worker.pgtypes import pg_type
from fairlead.worker.place import Place
from fairlead.worker.progress import Reporter
from fairlead.worker.rows import BATCH_ROWS

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from fairlead.worker.encodings import Encoder
    from fairlead.worker.extensions import Extension

_STACK_BYTES: Final = 1024 * 1024
_INTERRUPTED: Final = "Interrupted!"
_QUEUE_BATCHES: Final = 4
# Of these the engine can say which types their parameters have.
_INFERRED: Final = (
    StatementType.SELECT,
    StatementType.INSERT,
    StatementType.UPDATE,
    StatementType.DELETE,
    StatementType.MERGE_INTO,
)


class Sender(threading.Thread):
    """Assembles and sends batches while the main thread computes the next."""

    def __init__(self, channel: frames.Frames, encode: Encoder[Any]) -> None:
        super().__init__(name="rows", daemon=True)
        self._channel = channel
        self._encode = encode
        self._pieces: queue.Queue[Any] = queue.Queue(_QUEUE_BATCHES)
        self._failure: Exception | None = None
        self.rows = 0

    def put(self, piece: Any) -> None:
        """Hand over a piece; waits while the client is slow."""
        if self._failure is not None:
            raise self._failure
        self._pieces.put(piece)

    def finish(self) -> None:
        """Wait until everything is sent."""
        self._pieces.put(None)
        self.join()
        if self._failure is not None:
            raise self._failure

    def run(self) -> None:
        """Send until the end; after a failure only swallow, so that nobody waits for ever."""
        while (piece := self._pieces.get()) is not None:
            if self._failure is None:
                try:
                    self.rows += send_blocks(self._channel, self._encode.blocks(piece), more=True)
                except Exception as error:  # noqa: BLE001  # handed to the main thread
                    self._failure = error


def send_blocks(channel: frames.Frames, blocks: Iterable[tuple[memoryview, int]], *, more: bool) -> int:
    """Send blocks, return their number of rows."""
    total = 0
    for block, count in blocks:
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
            del body
            self._control.begin(int(request["serial"]))
            try:
                answer, content = self._answer(kind, request, values)
            except Exception as error:  # noqa: BLE001  # every failure of a statement is the client's to see
                answer, content = frames.ERROR, frames.encoded(failure(error))
            self._control.end()
            lasting = answer == frames.ERROR and not self._is_sound()
            self._channel.send(answer, content)
            self._close_result()
            if lasting:
                raise EOFError

    def _answer(self, kind: bytes, request: dict[str, Any], values: memoryview) -> tuple[bytes, bytes]:
        """Do what was asked; return the last frame."""
        if kind == frames.EXECUTE:
            return frames.DONE, frames.encoded(self._execute(request, values))
        if kind == frames.SCRIPT and "copied" in request:
            copied.convert(self._caster, **request["copied"])
            return frames.RESULTS, script.run(self._instance, (), self._control.checkpoint)
        if kind == frames.SCRIPT:
            return frames.RESULTS, script.run(self._instance, request["statements"], self._control.checkpoint)
        return frames.DESCRIBED, frames.encoded(self._describe(request))

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

    def _execute(self, request: dict[str, Any], values: memoryview) -> dict[str, Any]:
        statement = statements.read(self._instance, request["sql"], allow_all=self._allow_all)
        if statement.kind is None:
            return {"tag": ""}
        bound = self._bound(request["parameters"], values, statement)
        self._control.checkpoint()
        reporter = Reporter.start_for(self._instance, self._channel) if request.get("progress") else None
        try:
            return {"tag": self._run(statement, bound, request), "changes": statement.changes}
        finally:
            if reporter is not None:
                reporter.stop()

    def _bound(self, described: list[list[Any]], values: memoryview, statement: statements.Checked) -> dict[str, Any]:
        """Return the values by name; those that the text does not use are left out, as DuckDB wants it."""
        bound: dict[str, Any] = {}
        at = 0
        for number, (oid, binary, length) in enumerate(described, start=1):
            raw = None if length is None else bytes(values[at : at + length])
            at += length or 0
            name = str(number)
            if name in statement.parameters:
                kind = oid
                if not oid and raw is not None and raw[:1] == b"{" and inference.wants_list(statement.text, name):
                    known = {str(place): one[0] for place, one in enumerate(described, start=1)}
                    kind = inference.infer(self._instance, self._caster, statement.text, known)[name]
                try:
                    bound[name] = parameters.value(raw, kind, binary=binary)
                except parameters.BadParameter as error:
                    raise parameters.BadParameter(f"parameter ${number}: {error}") from error
        return bound

    def _run(self, statement: statements.Checked, bound: dict[str, Any], request: dict[str, Any]) -> str:
        """Run a statement, send its rows, return its command tag."""
        result = self._instance.execute(statement.parsed or statement.text, bound)
        # COPY ... (RETURN_STATS) tells of each file that it wrote.
        if statement.returns_rows or (result.description and result.description[0][0] == "filename"):
            try:
                count = self._send_result(result, request)
            except Exception as error:  # noqa: BLE001  # of any kind: raised again, or what it hides
                raise self._cause(error, statement, bound) from None
            return statement.tag if statement.kind == StatementType.EXPLAIN else f"{statement.tag} {count}"
        if statement.kind == StatementType.SET:
            self._caster.execute(statement.text)
        counted = bool(result.description) and result.description[0][0] == "Count"
        rows = result.fetchall() if counted else []
        return statement.tag_of(rows[0][0] if rows else None)

    def _cause(self, error: Exception, statement: statements.Checked, bound: dict[str, Any]) -> Exception:
        """Return why a query has failed: where one thread of the engine fails, another may only say that it was ended.

        The query is then run again, for its error alone. Where that is not possible, it is told what is known.
        """
        if _INTERRUPTED not in str(error) or statement.kind != StatementType.SELECT:
            return error
        try:
            self._close_result()
            self._control.checkpoint()
            for _ in self._instance.execute(statement.parsed or statement.text, bound).to_arrow_reader(BATCH_ROWS):
                self._control.checkpoint()
        except Exception as again:  # noqa: BLE001  # it is what was asked for
            return again
        return error

    def _send_result(self, result: duckdb.DuckDBPyConnection, request: dict[str, Any]) -> int:
        described = [(str(column[0]), str(column[1])) for column in result.description or []]
        types = [type_name for _, type_name in described]
        self._channel.hold(frames.COLUMNS, frames.encoded(_columns(described)))
        reader = result.to_arrow_reader(BATCH_ROWS)
        source = _Source(reader, self._control)
        encode = encoder(request["encoding"], self._caster, types, request["aliases"])
        try:
            return self._send_encoded(reader.schema, source, encode)
        except Stopped:
            return source.rows
        except Exception:  # of any kind: the caster wraps what its source raised; raised again, as what it was
            if source.failure is not None:
                if isinstance(source.failure, Stopped):
                    return source.rows
                raise source.failure from None
            raise
        finally:
            self._open = reader

    def _send_encoded(self, schema: pa.Schema, source: _Source, encode: Encoder[Any]) -> int:
        pulled = iter(source)
        ahead = [batch for batch in (next(pulled, None), next(pulled, None)) if batch is not None]
        if len(ahead) <= 1:
            pieces = encode.pieces(schema, ahead)
            return sum(send_blocks(self._channel, encode.blocks(piece), more=False) for piece in pieces)
        sender = Sender(self._channel, encode)
        sender.start()
        try:
            for piece in encode.pieces(schema, chain(ahead, pulled)):
                sender.put(piece)
        finally:
            sender.finish()
        return sender.rows

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = statements.read(self._instance, request["sql"], allow_all=self._allow_all)
        oids = list(request["types"])
        numbers = [int(name) for name in statement.parameters if name.isdecimal()]
        oids += [0] * (max(numbers, default=0) - len(oids))
        if statement.kind in _INFERRED and not all(oids[number - 1] for number in numbers):
            known = {str(number): oids[number - 1] for number in numbers}
            inferred = inference.infer(self._instance, self._caster, statement.text, known)
            oids = [inferred.get(str(number), oid) for number, oid in enumerate(oids, start=1)]
        described: list[tuple[str, str]] = []
        if statement.kind == StatementType.EXPLAIN:
            described = [("explain_key", "VARCHAR"), ("explain_value", "VARCHAR")]
        elif statement.kind == StatementType.SELECT:
            described = self._described(statement, oids)
        answer = {"parameters": [oid or parameters.TEXT_OID for oid in oids], **_columns(described)}
        if request.get("arrow"):
            types = [type_name for _, type_name in described]
            schema = arrow_schema(self._caster, [name for name, _ in described], types) if types else b""
            answer["arrow"] = base64.b64encode(schema).decode()
        return answer

    def _described(self, statement: statements.Checked, oids: list[int]) -> list[tuple[str, str]]:
        query = f"DESCRIBE SELECT * FROM ({statement.text.rstrip().rstrip(';')}\n)"  # noqa: S608  # the user's own text
        names = {name: oids[int(name) - 1] for name in statement.parameters if name.isdecimal()}
        bound = {name: parameters.sample(oid) for name, oid in names.items()}
        try:
            rows = self._instance.execute(query, bound).fetchall()
        except duckdb.Error:
            if parameters.TEXT_OID not in names.values():
                raise
            # An empty text does not fit everywhere; a NULL does.
            texts = {name: None for name, oid in names.items() if oid == parameters.TEXT_OID}
            rows = self._instance.execute(query, {**bound, **texts}).fetchall()
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


def failure(error: Exception) -> dict[str, Any]:
    """Return an error as it travels: the engine's name of its kind, and its text."""
    return {"kind": type(error).__name__, "message": str(error)}


def work(data: socket.socket, control: socket.socket, settings: dict[str, Any], checked: dict[str, Extension]) -> None:
    """Be a worker: lock down, report, serve. Runs in a fresh fork.

    Args:
        data: for statements and rows.
        control: for cancel.
        settings: what all workers have in common.
        checked: the extensions, by name.

    Raises:
        EOFError: the gateway wants no worker any more.
    """
    threading.stack_size(_STACK_BYTES)
    channel = frames.Frames(data)
    _, body = channel.receive()
    boot, _ = frames.split_request(body)
    try:
        instance, report = _locked(boot, settings, checked)
    except Exception as error:  # noqa: BLE001  # the gateway says it, the process ends
        channel.send(frames.ERROR, frames.encoded(failure(error)))
        return
    allow_all = settings["layers"]["statements"] == layers.OFF
    worker = Worker(channel, control, instance, allow_all=allow_all)
    channel.send(frames.READY, frames.encoded({name: status.as_json() for name, status in report.items()}))
    worker.run()


def _locked(
    boot: dict[str, Any], settings: dict[str, Any], checked: dict[str, Extension]
) -> tuple[duckdb.DuckDBPyConnection, dict[str, layers.Status]]:
    mode = settings["layers"]
    place, port = Place.of(boot, settings["spill_limit_mb"]), int(boot["port"])
    limits = layers.apply_limits(
        mode["limits"],
        address_space_mb=settings["address_space_mb"],
        # The writer lives as long as the gateway.
        cpu_seconds=0 if place.role == extensions.WRITER else settings["cpu_seconds"],
        file_mb=place.file_limit_mb,
    )
    recipe = duck.Recipe(
        memory_limit_mb=settings["memory_limit_mb"],
        threads=settings["threads"],
        place=place,
        spill_limit_mb=settings["spill_limit_mb"],
        port=port,
        fence=mode["fence"],
    )
    if place.role == extensions.WRITER and place.spill is not None:
        # SQLite writes temporary files too, and would look for a folder that Landlock hides.
        os.environ["SQLITE_TMPDIR"] = place.spill
    if place.role != extensions.WRITER and place.readable:
        # Names of files then say nothing of the machine: the engine shows them in queries and plans.
        os.chdir(Path(place.readable[0]).parent)
    loaded = [checked[name] for name in extensions.LOADED[place.role]]
    instance = duck.connect(recipe, loaded, key_id=boot["key_id"], secret=boot["secret"])
    # The engine has one thread until here: Landlock binds it, and those that it starts from now on.
    landlock = layers.apply_landlock(mode["landlock"], writable=place.writable, readable=place.readable, port=port)
    fence = duck.lock(instance, recipe)
    listed = mode["statements"] != layers.OFF
    kinds = layers.Status(listed, "only the kinds that a session needs" if listed else layers.SWITCHED_OFF)
    return instance, {"landlock": landlock, "limits": limits, "fence": fence, "statements": kinds}
