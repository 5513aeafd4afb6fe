"""Results of the worker's encoder, taken apart again by a plain reading of the protocol."""

from __future__ import annotations

import struct

import duckdb

from fairlead.worker.pgtypes import pg_type
from fairlead.worker.rows import BATCH_ROWS, DataRows


def split(data):
    """Return the rows of DataRow messages as tuples of bytes."""
    rows, at = [], 0
    while at < len(data):
        tag, length, columns = struct.unpack_from("!cih", data, at)
        assert tag == b"D"
        end, at, row = at + 1 + length, at + 7, []
        for _ in range(columns):
            (size,) = struct.unpack_from("!i", data, at)
            at += 4
            row.append(None if size == -1 else data[at : at + size])
            at += max(size, 0)
        assert at == end
        rows.append(tuple(row))
    return rows


class Encoded:
    """What a client would get for a query."""

    def __init__(self, query, formats=(), aliases=None, setup=()):
        with duckdb.connect() as instance:
            instance.execute("SET arrow_lossless_conversion = true")
            for statement in setup:
                instance.execute(statement)
            result = instance.execute(query)
            types = [str(column[1]) for column in result.description]
            reader = result.to_arrow_reader(BATCH_ROWS)
            encoder = DataRows(instance.cursor(), types, formats, aliases or {})
            data = b""
            self.count = 0
            for piece in encoder.pieces(reader.schema, reader):
                for block, count in encoder.blocks(piece):
                    data += bytes(block)
                    self.count += count
        self.types = [pg_type(name) for name in types]
        self.rows = split(data)
        assert len(self.rows) == self.count
