"""Scripts: SQL of the gateway's own, run outside of the list of kinds, whose rows come back as JSON values.

The fence, Landlock and the limits hold for it as for the user's statements; it runs on the user's connection and
therefore inside an open transaction.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fairlead.worker.frames import MAX_JSON
from fairlead.worker.rows import RowTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from duckdb import DuckDBPyConnection

_FETCHED_ROWS: Final = 1000
_AROUND: Final = 100  # bytes of the answer that are not rows


def run(instance: DuckDBPyConnection, statements: Iterable[str], checkpoint: Callable[[], None]) -> bytes:
    """Run statements one after the other and return the rows of each, as the JSON of the answer.

    Args:
        instance: the session's.
        statements: each one statement.
        checkpoint: raises when nothing more is wanted.

    Raises:
        duckdb.Error: a statement failed; those before it have run.
        RowTooLarge: the rows are more than an answer may hold.
    """
    results: list[bytes] = []
    left = MAX_JSON - _AROUND
    for sql in statements:
        checkpoint()
        result = instance.execute(sql)
        rows: list[bytes] = []
        while fetched := result.fetchmany(_FETCHED_ROWS) if result.description else []:
            checkpoint()
            encoded = [json.dumps([value(one) for one in row]).encode() for row in fetched]
            left -= sum(map(len, encoded)) + len(encoded)
            if left < 0:
                raise RowTooLarge(f"the rows of a script may have {MAX_JSON // 2**20} MiB in all")
            rows += encoded
        left -= len(b"[],")
        results.append(b"[" + b",".join(rows) + b"]")
    return b'{"results": [' + b",".join(results) + b"]}"


def value(one: Any) -> Any:
    """Return a value as JSON has it: numbers, truth values, texts and lists as themselves, bytes in hex, else text."""
    if one is None or isinstance(one, bool | int | float | str):
        return one
    if isinstance(one, list | tuple):
        return [value(part) for part in one]
    return one.hex() if isinstance(one, bytes) else str(one)
