"""A query's result in one of the forms, each block checked as the gateway checks it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from fairlead.engine.blocks import CHECKS
from fairlead.worker.encodings import encoder
from fairlead.worker.rows import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


def blocks(
    query: str,
    form: str,
    *,
    aliases: Mapping[str, str] | None = None,
    setup: Sequence[str] = (),
    first: int = 0,
) -> list[tuple[bytes, int]]:
    """Return the blocks of a query's result with their numbers of rows."""
    with duckdb.connect() as instance:
        instance.execute("SET arrow_lossless_conversion = true")
        for statement in setup:
            instance.execute(statement)
        result = instance.execute(query)
        types = [str(column[1]) for column in result.description or []]
        reader = result.to_arrow_reader(BATCH_ROWS)
        encode = encoder({"form": form, "formats": (), "first": first}, instance.cursor(), types, aliases or {})
        with closing(encode.pieces(reader.schema, reader)) as pieces:
            found = [(bytes(block), count) for piece in pieces for block, count in encode.blocks(piece)]
    for data, count in found:
        CHECKS[form](data, count)
    return found


def table(messages: Sequence[tuple[bytes, int]]) -> pa.Table:
    """Read the messages of an Arrow stream, every buffer checked."""
    with pa.ipc.open_stream(b"".join(data for data, _ in messages) + END_OF_STREAM) as reader:
        read = reader.read_all()
    read.validate(full=True)
    assert read.num_rows == sum(count for _, count in messages)
    return read
