"""Runs every path of a worker once in the zygote, so that modules, kernels and caches are there before Landlock is."""

from __future__ import annotations

import socket
from typing import Final

import duckdb

from fairlead.worker import frames, parameters, serve, statements
from fairlead.worker.rows import BATCH_ROWS, Texts

_QUERY: Final = """
    SELECT i, i::VARCHAR, i % 2 = 0, i::DOUBLE, i::DECIMAL(10, 2), NULLIF(i, 3), DATE '2020-01-01',
        TIMESTAMPTZ '2020-01-01 00:00:00+00', '\\x00'::BLOB, INTERVAL 1 MONTH, [i], {'a': i}, uuid(), $1, '{}'::JSON
    FROM system.main.range(2) AS r(i)
"""


_PLAIN: Final = "SELECT 1 AS i, 'a' AS s, true AS b"


def run() -> None:
    """Read small results as a worker does, in an instance that is closed again."""
    near, far = socket.socketpair()
    with near, far, duckdb.connect(":memory:", config={"threads": "1"}) as instance:
        instance.execute("SET arrow_lossless_conversion = true")
        instance.execute("SELECT TIMESTAMPTZ '2020-01-01 00:00:00+00'").fetchall()
        caster = instance.cursor()
        channel = frames.Frames(near)
        for query, values in ((_QUERY, {"1": parameters.value(b"5", 23, binary=False)}), (_PLAIN, {})):
            statement = statements.read(instance, query, allow_all=False)
            result = instance.execute(statement.parsed or query, values)
            types = [str(column[1]) for column in result.description or []]
            reader = result.to_arrow_reader(BATCH_ROWS)
            for columns in Texts(caster, types, {"a": "b"}).of(reader.schema, reader):
                serve.send_rows(channel, columns, more=False)
            reader.close()
        caster.close()
