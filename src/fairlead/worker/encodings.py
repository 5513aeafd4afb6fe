"""How a result's batches become bytes for the gateway: one encoder for each form that may be asked for.

Encoding has two halves, so that the second may run beside the first in a thread of its own: on the statement's thread
the batches are cast (with the engine's help, where that is needed), on the other the pieces become blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fairlead.worker.arrows import ArrowBatches
from fairlead.worker.copying import copy_rows
from fairlead.worker.jsonlines import JsonLines
from fairlead.worker.mysqlrows import MysqlRows
from fairlead.worker.rows import DataRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from duckdb import DuckDBPyConnection

_Piece = TypeVar("_Piece")


class Encoder(Protocol[_Piece]):
    """Turns a result into blocks of bytes."""

    def pieces(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[_Piece]:
        """Yield what is to be encoded, on the statement's thread. ``batches`` are pulled one at a time."""
        ...

    def blocks(self, piece: _Piece) -> Iterator[tuple[memoryview, int]]:
        """Yield the blocks of one piece, each with its number of rows; another thread may call this."""
        ...


def encoder(
    encoding: Mapping[str, Any], caster: DuckDBPyConnection, types: Sequence[str], aliases: Mapping[str, str]
) -> Encoder[Any]:
    """Return the encoder that a request asks for.

    Args:
        encoding: of the request (``engine/api.py``).
        caster: a cursor of its own beside the user's.
        types: DuckDB's names of the columns' types.
        aliases: bucket names of this session with the real ones, which texts are mapped back to.

    Raises:
        ValueError: there is no such form.
    """
    match encoding["form"]:
        case "rows":
            return DataRows(caster, types, encoding["formats"], aliases)
        case "copy":
            return copy_rows(encoding["copy"], caster, types, aliases)
        case "arrow":
            return ArrowBatches(caster, types, aliases)
        case "jsonl":
            return JsonLines(caster, types, aliases)
        case "mysql" | "mysql_binary" as form:
            return MysqlRows(caster, types, aliases, first=encoding["first"], binary=form == "mysql_binary")
    raise ValueError(encoding["form"])
