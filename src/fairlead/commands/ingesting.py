"""Bulk loads: rows that a client has sent as Arrow become one Parquet file, which one statement of the gateway's loads.

The file lies in the folder of the session's worker that only the gateway writes. Before it is filled, the target is
checked, so that nobody sends rows for nothing. What loads it are ordinary data statements of the session: rights,
transaction and retry are those of every other.
"""

from __future__ import annotations

import secrets
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from fairlead.engine.lake.names import literal, quote
from fairlead.errors import NotSupported, WorkerLost
from fairlead.lang import ast

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

    from fairlead.commands.data import DataRunner
    from fairlead.engine.process import WorkerProcess
    from fairlead.session_types import Output

Mode = Literal["create", "append", "replace", "create_append"]
_CREATE: Final[dict[Mode, str]] = {
    "create": "CREATE TABLE",
    "replace": "CREATE OR REPLACE TABLE",
    "create_append": "CREATE TABLE IF NOT EXISTS",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go.

    Args:
        table: its name, in one to three parts.
        columns: that the rows have.
        mode: whether the table is there, or is to be made.
        temporary: whether it ends with the session.
    """

    table: tuple[str, ...]
    columns: tuple[str, ...]
    mode: Mode
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows are put first.

    Args:
        path: of a Parquet file that is not there yet.
        limit: bytes that it may have.
    """

    path: Path
    limit: int
    worker: WorkerProcess


class Ingesting:
    """The bulk loads of one session.

    Args:
        data: runs the session's data statements.
        limit_mb: of what one load may send, MiB; 0 = there is no room for any.
    """

    def __init__(self, data: DataRunner, limit_mb: int) -> None:
        self._data = data
        self._limit_mb = limit_mb

    async def place(self, target: Target, *, in_block: bool) -> Place:
        """Return where to put the rows.

        Raises:
            FairleadError: the table cannot take them.
        """
        nothing = ", ".join(f"NULL AS {quote(name)}" for name in target.columns)
        worker = None
        for statement in _statements(target, f"(SELECT {nothing} LIMIT 0)"):
            sql, worker = await self._data.prepared(statement, in_block=in_block)
            if target.mode == "append":  # the others make what they need
                await worker.script([f"EXPLAIN {sql}"])
        assert worker is not None
        if worker.folder is None:
            raise NotSupported(
                "a bulk load needs a spill folder", hint="the administrator sets worker.spill_limit_mb above 0"
            )
        path = worker.folder.files / f"ingest-{secrets.token_hex(8)}"
        return Place(path, self._limit_mb * 2**20, worker.worker)

    async def run(
        self, target: Target, place: Place, *, in_block: bool, time_limit: float
    ) -> AsyncGenerator[Output, None]:
        """Load what was put there.

        Raises:
            FairleadError: nothing was loaded.
        """
        for statement in _statements(target, f"system.main.read_parquet({literal(str(place.path))})"):
            _, worker = await self._data.prepared(statement, in_block=in_block)
            if worker.worker is not place.worker or not place.worker.alive:
                raise WorkerLost("the process that ran this session's statements was lost during the load")
            running = self._data.run(statement, (), in_block=in_block, time_limit=time_limit)
            async with aclosing(running) as outputs:
                async for output in outputs:
                    yield output


def _statements(target: Target, source: str) -> Sequence[ast.DataStatement]:
    columns = ", ".join(map(quote, target.columns))
    select = f"SELECT {columns} FROM {source}"  # noqa: S608  # quoted names, and a file of the gateway's own
    insert = _naming("INSERT INTO ", target.table, f" ({columns}) {select}")
    if target.mode == "append":
        return [insert]
    create = _CREATE[target.mode]
    if target.temporary:
        create = create.replace("TABLE", "TEMP TABLE", 1)
    if target.mode == "create_append":
        return [_naming(f"{create} ", target.table, f" AS {select} LIMIT 0"), insert]
    return [_naming(f"{create} ", target.table, f" AS {select}")]


def _naming(before: str, table: tuple[str, ...], after: str) -> ast.DataStatement:
    """Return a statement that names a table between two texts, which name nothing that has to be resolved."""
    words = {word.casefold() for word in before.split()}
    sql = ".".join(map(quote, table))
    return ast.DataStatement(
        text=before + sql + after,
        verb=before.split(maxsplit=1)[0],
        identifiers=frozenset(part.casefold() for part in table) | words,
        names=(ast.DottedName((len(before), len(before) + len(sql)), table, relation=True),),
    )
