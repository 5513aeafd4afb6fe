"""PostgreSQL's binary format of COPY: kept as it came, made a file of the engine's in the worker, loaded from that."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.engine.lake.names import literal
from fairlead.errors import EngineError, FairleadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from fairlead.engine.session import EngineSession
    from fairlead.lang import ast


class BinaryRows:
    """Takes a client's bytes as they are: where a row ends is only plain to whoever reads all of it."""

    row_end = b""

    def feed(self, data: bytes) -> bytes:
        """Return what has come."""
        return data

    def finish(self) -> bytes:
        """Return nothing: there is no rest."""
        return b""


@dataclass(frozen=True, slots=True)
class BinaryLoad:
    """What is to be loaded.

    Args:
        copy: what the user asked for.
        columns: name and engine type of each column that the data have.
        path: of the converted file.
    """

    copy: ast.CopyFromStdin
    columns: Sequence[tuple[str, str]]
    path: str

    def select(self) -> str:
        """Return the query that gives the rows."""
        values = ", ".join(f"CAST(c{number} AS {kind})" for number, (_, kind) in enumerate(self.columns))
        return f"SELECT {values} FROM system.main.read_parquet({literal(self.path)})"  # noqa: S608  # quoted


@asynccontextmanager
async def converted(
    copy: ast.CopyFromStdin, columns: Sequence[tuple[str, str]], source: Path, worker: EngineSession
) -> AsyncIterator[BinaryLoad]:
    """Have the data converted for as long as they are loaded.

    Raises:
        EngineError: they are not what the format says.
    """
    assert worker.folder is not None
    target = worker.folder.spill / "out" / f"{source.name}.parquet"
    try:
        await worker.convert_copied(str(source), str(target), [kind for _, kind in columns])
        yield BinaryLoad(copy, columns, str(target))
    except FairleadError as error:
        if isinstance(error, EngineError):
            error.context = error.context or f"COPY {copy.table.parts[-1]}"
        raise
    finally:
        await asyncio.to_thread(target.unlink, missing_ok=True)
