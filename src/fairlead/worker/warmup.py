"""Runs every path of a worker once in the zygote, so that modules, kernels and caches are there before Landlock is."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

import duckdb

from fairlead.worker import duck, frames, parameters, script, serve, statements
from fairlead.worker.encodings import encoder
from fairlead.worker.rows import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.worker.extensions import Extension

_QUERY: Final = """
    SELECT i, i::VARCHAR, i % 2 = 0, i::DOUBLE, i::DECIMAL(10, 2), NULLIF(i, 3), DATE '2020-01-01',
        TIMESTAMPTZ '2020-01-01 00:00:00+00', '\\x00'::BLOB, INTERVAL 1 MONTH, [i], {'a': i}, uuid(), $1, '{}'::JSON
    FROM system.main.range(2) AS r(i)
"""


_PLAIN: Final = "SELECT 1 AS i, 'a' AS s, true AS b"


# A private lake as a session has it, from its attachment to what has changed in it; small rows stay in memory.
_LAKE: Final = (
    "CREATE TEMPORARY SECRET warm (TYPE s3, KEY_ID 'a', SECRET 'b', SCOPE 's3://')",
    "ATTACH 'ducklake::memory:' AS warm (DATA_PATH 's3://none/', DATA_INLINING_ROW_LIMIT 100)",
    "CREATE SCHEMA warm.public",
    "CREATE TABLE warm.public.t (i INT, v VARCHAR)",
    "BEGIN",
    "INSERT INTO warm.public.t VALUES (1, 'a'), (2, 'b')",
    "UPDATE warm.public.t SET v = 'c' WHERE i = 1",
    "DELETE FROM warm.public.t WHERE i = 2",
    "COMMIT",
    "SELECT v, count(*) FROM warm.public.t WHERE i < 5 GROUP BY v",
    "FROM system.main.ducklake_table_changes('warm', 'public', 't', 3, 3)",
    "SELECT count(*) FROM __ducklake_metadata_warm.ducklake_table",
    "DETACH warm",
)


def run(extensions: Mapping[str, Extension]) -> None:
    """Run it all.

    Args:
        extensions: checked, by name.
    """
    _results()
    _lake(extensions["ducklake"], extensions["httpfs"])


def _lake(*extensions: Extension) -> None:
    """Use a small lake in memory, in an instance that is closed again: a first attachment is a third quicker for it."""
    with duckdb.connect(":memory:", config=duck.configuration(unsigned=True)) as instance:
        for extension in extensions:
            extension.load(instance)
        script.run(instance, _LAKE, lambda: None)


def _results() -> None:
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
            schema, batches = reader.schema, list(reader)
            forms = (("rows", 0), ("rows", 1), ("arrow", 0), ("jsonl", 0), ("mysql", 0), ("mysql_binary", 0))
            for form, code in forms:
                asked = {"form": form, "formats": (code,), "first": 0}
                encode = encoder(asked, caster, types, {"a": "b"})
                for piece in encode.pieces(schema, batches):
                    serve.send_blocks(channel, encode.blocks(piece), more=False)
            reader.close()
        caster.close()
