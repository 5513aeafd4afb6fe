"""A real lake, written by another process as in production; statements come as lines of JSON.

It must be another process: two SQLite libraries in one (DuckDB's own and Python's) drop each other's file locks.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    folder, *extensions = arguments
    connection = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "true", "threads": "1"})
    for extension in extensions:
        connection.execute(f"LOAD '{extension}'")
    connection.execute(
        f"ATTACH 'ducklake:sqlite:{folder}/catalog.sqlite' AS lake (DATA_PATH '{folder}/files/',"
        " META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000, DATA_INLINING_ROW_LIMIT 100)"
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE SCHEMA IF NOT EXISTS lake.public; DROP SCHEMA IF EXISTS lake.main; USE lake.public")
    say("ready")
    for line in sys.stdin:
        try:
            rows = connection.execute(json.loads(line)).fetchall()
            answer = {"rows": [[None if item is None else str(item) for item in row] for row in rows]}
        except duckdb.Error as error:
            answer = {"error": str(error)}
            with contextlib.suppress(duckdb.Error):
                connection.rollback()
        say(json.dumps(answer))


main(sys.argv[1:])
