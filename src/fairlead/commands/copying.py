"""COPY FROM STDIN: the target is checked, the client's rows are received, and one INSERT of the gateway's loads them.

The INSERT is an ordinary data statement of the session: rights, transaction and retry are those of every other. What
the engine says about a bad row is told as PostgreSQL would: which line, which column, which value.
"""

from __future__ import annotations

import asyncio
import mmap
import re
import secrets
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fairlead.commands.copy_binary import BinaryLoad, BinaryRows, converted
from fairlead.commands.copy_csv import CsvRows
from fairlead.commands.copy_rows import shown
from fairlead.commands.copy_sql import Load, listed
from fairlead.commands.copy_text import TextRows
from fairlead.commands.incoming import Incoming
from fairlead.engine.lake.names import quote
from fairlead.errors import (
    BadCopyData,
    EngineError,
    FairleadError,
    InvalidEncoding,
    InvalidParameter,
    NotSupported,
    QueryCanceled,
    WorkerLost,
)
from fairlead.lang import ast
from fairlead.session_types import Complete, CopyIn, Notice, Output

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from fairlead.commands.copy_rows import CopiedRows
    from fairlead.commands.data import DataRunner
    from fairlead.engine.session import EngineSession

_FAULTY_ROW: Final = re.compile(r"CSV Error on Line: (\d+)\n(?:Original Line: (.*?)\n)?(.*)", re.DOTALL)
_MOMENT: Final = 0.001  # seconds
_COUNTS: Final = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


class Copying:
    """The COPY statements of one session.

    Args:
        data: runs the session's data statements.
        limit_mb: of what one COPY may send, MiB; 0 = there is no room for any.
    """

    def __init__(self, data: DataRunner, limit_mb: int) -> None:
        self._data = data
        self._limit_mb = limit_mb
        self._incoming: Incoming | None = None

    def cancel(self) -> None:
        """End the COPY that receives data, if one does."""
        if self._incoming is not None:
            self._incoming.fail(QueryCanceled("canceling statement due to user request"))

    async def run(self, copy: ast.CopyFromStdin, *, in_block: bool, time_limit: float) -> AsyncGenerator[Output, None]:
        """Run one statement. Whoever reads the outputs answers :class:`CopyIn` before going on.

        Args:
            copy: what to run.
            in_block: whether a transaction block is open.
            time_limit: seconds, 0 for none; the time that the client takes counts.

        Raises:
            FairleadError: nothing was loaded.
        """
        target = _Target.of(copy)
        columns, worker = await self._checked(copy, target, in_block=in_block)
        process, begun = worker.worker, time.monotonic()
        names = tuple(name for name, _ in columns)
        text = None if copy.format == "binary" else (CsvRows if copy.format == "csv" else TextRows)(copy, names)
        rows = text or BinaryRows()
        incoming = self._incoming = await _begin(rows, worker, self._limit_mb)
        try:
            expiry = _expire(incoming, time_limit)
            yield CopyIn(len(columns), incoming, binary=text is None)
            expiry.cancel()
            incoming.settle()
            self._incoming = None
            if worker.worker is not process or not process.alive:
                raise WorkerLost("the process that ran this session's statements was lost during COPY")
            left = max(time_limit - (time.monotonic() - begun), _MOMENT) if time_limit else 0.0
            worker.statement_timeout = left
            async with AsyncExitStack() as stack:
                load = (
                    Load(copy, columns, str(incoming.path), text.row_end)
                    if text is not None
                    else await stack.enter_async_context(converted(copy, columns, incoming.path, worker))
                )
                async for output in self._load(target, load, text, worker, in_block=in_block, time_limit=left):
                    yield output
        finally:
            self._incoming = None
            await incoming.discard()

    async def _checked(
        self, copy: ast.CopyFromStdin, target: _Target, *, in_block: bool
    ) -> tuple[list[tuple[str, str]], EngineSession]:
        """Return name and type of the columns that the data have; the target is there, and may be written to.

        Raises:
            FairleadError: it is not, or may not; the client need not send anything.
        """
        describe, worker = await self._data.prepared(target.statement("DESCRIBE ", ""), in_block=in_block)
        types = {str(row[0]): str(row[1]) for row in (await worker.script([describe]))[0]}
        columns = _chosen(copy, types)
        nothing = ", ".join("NULL" for _ in columns)
        insert, worker = await self._data.prepared(target.insert(columns, f"SELECT {nothing}"), in_block=in_block)
        await worker.script([f"EXPLAIN {insert}"])  # a view cannot be loaded, and more that only the engine knows
        return columns, worker

    async def _load(
        self,
        target: _Target,
        load: Load | BinaryLoad,
        rows: CopiedRows | None,
        worker: EngineSession,
        *,
        in_block: bool,
        time_limit: float,
    ) -> AsyncGenerator[Output, None]:
        statement = target.insert(load.columns, load.select())
        try:
            async with aclosing(self._data.run(statement, (), in_block=in_block, time_limit=time_limit)) as outputs:
                async for output in outputs:
                    if isinstance(output, Complete):
                        yield Complete(f"COPY {output.tag.rpartition(' ')[2]}")
                    elif isinstance(output, Notice):
                        yield output
        except FairleadError as error:
            error.position = None
            told = error
            if rows is not None and isinstance(load, Load):
                told = await _told(error, load, rows, worker, in_block=in_block)
            told.context = told.context or f"COPY {load.copy.table.parts[-1]}"
            raise told from None


@dataclass(frozen=True, slots=True)
class _Target:
    """The table, as data statements of the gateway's own name it."""

    parts: tuple[str, ...]
    sql: str

    @classmethod
    def of(cls, copy: ast.CopyFromStdin) -> _Target:
        return cls(copy.table.parts, ".".join(map(quote, copy.table.parts)))

    def statement(self, before: str, after: str) -> ast.DataStatement:
        """Return a statement that names the table between two texts, which name nothing that has to be resolved."""
        name = ast.DottedName((len(before), len(before) + len(self.sql)), self.parts, relation=True)
        return ast.DataStatement(
            text=before + self.sql + after,
            verb=before.split(maxsplit=1)[0],
            identifiers=frozenset(part.casefold() for part in self.parts),
            names=(name,),
        )

    def insert(self, columns: Sequence[tuple[str, str]], query: str) -> ast.DataStatement:
        return self.statement("INSERT INTO ", f" ({listed([name for name, _ in columns])}) {query}")


# --- before the data -------------------------------------------------------------------------------------------------


def _chosen(copy: ast.CopyFromStdin, types: dict[str, str]) -> list[tuple[str, str]]:
    """Return the columns that the data have, with their types.

    Raises:
        EngineError: a name is none of the table's, or is written twice.
    """
    by_name = {name.casefold(): name for name in types}
    table = copy.table.parts[-1]
    names: list[str] = []
    for column in copy.columns or tuple(types):
        name = by_name.get(column.casefold())
        if name is None:
            raise EngineError(f'column "{column}" of relation "{table}" does not exist', sqlstate="42703")
        if name in names:
            raise EngineError(f'column "{column}" specified more than once', sqlstate="42701")
        names.append(name)
    for option, columns in (("FORCE_NULL", copy.force_null), ("FORCE_NOT_NULL", copy.force_not_null)):
        unknown = next((c for c in columns if c != "*" and by_name.get(c.casefold()) not in names), None)
        if unknown is not None:
            message = f'{option} column "{unknown}" not referenced by COPY'
            raise InvalidParameter(message)
    return [(name, types[name]) for name in names]


async def _begin(rows: CopiedRows | BinaryRows, worker: EngineSession, limit_mb: int) -> Incoming:
    if worker.folder is None:
        message = "COPY FROM STDIN needs a spill folder"
        raise NotSupported(message, hint="the administrator sets worker.spill_limit_mb above 0")
    path = worker.folder.files / f"copy-{secrets.token_hex(8)}"
    try:
        return await asyncio.to_thread(Incoming, rows, path, limit_mb)
    except OSError as error:
        message = f"there is no place for the data of COPY: {error.strerror}"
        raise EngineError(message, sqlstate="53100") from error


def _expire(incoming: Incoming, seconds: float) -> asyncio.Handle:
    loop = asyncio.get_running_loop()
    if not seconds:
        return asyncio.Handle(lambda: None, (), loop)
    return loop.call_later(seconds, incoming.fail, QueryCanceled("canceling statement due to statement timeout"))


# --- what went wrong -------------------------------------------------------------------------------------------------


async def _told(
    error: FairleadError, load: Load, rows: CopiedRows, worker: EngineSession, *, in_block: bool
) -> FairleadError:
    """Return an error of the load in PostgreSQL's words, with its place in the client's data."""
    if not isinstance(error, EngineError):
        return error
    faulty = _FAULTY_ROW.search(error.message)
    if faulty is not None:
        line = await asyncio.to_thread(_line_of, load, rows, int(faulty[1]))
        return _bad_row(load, rows, line, faulty[2] or "", faulty[3])
    if not error.sqlstate.startswith("22"):
        return error
    # The transaction has failed, so nothing could be asked in it; the client can only roll it back.
    afresh = ["ROLLBACK", "BEGIN TRANSACTION"] if in_block else []
    try:
        found = (await worker.script([*afresh, load.first_fault()]))[-1]
    except FairleadError:
        return error
    if not found:
        return error
    record, number, text = found[0]
    line = await asyncio.to_thread(_line_of, load, rows, int(record))
    return _bad_value(error, rows.place(line, load.columns[number][0], text), load.columns[number][1], str(text))


def _line_of(load: Load, rows: CopiedRows, record: int) -> int:
    """Return the line of the client's data in which a record begins."""
    with Path(load.path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return rows.header_lines + rows.lines_before(data, record) + 1


def _bad_row(load: Load, rows: CopiedRows, line: int, text: str, reason: str) -> FairleadError:
    where = rows.place(line, value=text)
    counts = _COUNTS.search(reason)
    if counts is not None and int(counts[2]) < int(counts[1]):
        return BadCopyData(f'missing data for column "{load.columns[int(counts[2])][0]}"', context=where)
    if counts is not None:
        return BadCopyData("extra data after last expected column", context=where)
    if "unicode" in reason:
        invalid = InvalidEncoding("invalid byte sequence for encoding UTF8")
        invalid.context = rows.place(line)
        return invalid
    return BadCopyData(reason.partition("\n")[0].strip() or "the row cannot be read", context=where)


def _bad_value(error: EngineError, where: str, kind: str, text: str) -> FairleadError:
    detail = error.message.partition("\n")[0]
    if kind == "VARCHAR":
        return BadCopyData("invalid byte sequence for encoding UTF8", context=where, sqlstate="22021", detail=detail)
    message = f'invalid input syntax for type {kind.lower()}: "{shown(text)}"'
    return BadCopyData(message, context=where, sqlstate="22P02", detail=detail)
