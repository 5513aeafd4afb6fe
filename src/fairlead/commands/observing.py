"""One statement as observers and the log see it: its kind in a few words, how long it took, what it gave.

Neither its text nor the names in it are told; the log has the number under which the ledger has it too.
"""

from __future__ import annotations

import time
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from fairlead.commands.dispatch import words
from fairlead.errors import SerializationFailure
from fairlead.lang import ast
from fairlead.observer import Ended, outcome_of
from fairlead.session_types import Output, ResultRows, ResultValues

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from fairlead.context import Context
    from fairlead.observer import Observer

_log = structlog.get_logger("fairlead")
_OTHER: Final = "OTHER"
# A label must not take every first word that somebody types.
_VERBS: Final = frozenset(
    {"SELECT", "WITH", "FROM", "VALUES", "TABLE", "EXPLAIN", "DESCRIBE", "DESC", "SUMMARIZE", "SHOW", "PIVOT"}
    | {"UNPIVOT", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "DROP", "ALTER", "COMMENT", "COPY"}
    | {"SET", "RESET", "PREPARE", "EXECUTE", "CALL", "ANALYZE", "CHECKPOINT"}
)


def kind_of(statement: ast.Statement) -> str:
    """Return a statement's kind, one of a bounded number: never a word of the user's own."""
    if isinstance(statement, ast.DataStatement):
        return statement.verb if statement.verb in _VERBS else _OTHER
    if isinstance(statement, ast.Transaction):
        return statement.action.upper()
    return words(statement)


async def observed(
    observer: Observer, context: Context, statement: ast.Statement, outputs: AsyncGenerator[Output, None]
) -> AsyncGenerator[Output, None]:
    """Give the outputs of a statement and tell an observer of it."""
    kind, began = kind_of(statement), time.monotonic()
    rows = size = 0
    failure: BaseException | None = None
    observer.statement_began(context, kind)
    try:
        async with aclosing(outputs):
            async for output in outputs:
                if isinstance(output, ResultRows):
                    rows, size = rows + output.count, size + len(output.data)
                elif isinstance(output, ResultValues):
                    rows += len(output.rows)
                yield output
    except BaseException as error:
        failure = error
        raise
    finally:
        outcome, sqlstate = outcome_of(failure)
        seconds = time.monotonic() - began
        observer.statement_ended(context, kind, Ended(outcome, sqlstate, seconds, rows, size))
        how = {"statement": context.statement_id, "kind": kind, "sqlstate": sqlstate or "00000"}
        _log.debug("a statement ended", seconds=round(seconds, 6), **how)


@contextmanager
def timed_commit(observer: Observer) -> Iterator[None]:
    """Tell an observer how the commit inside went."""
    began = time.monotonic()
    try:
        yield
    except SerializationFailure:
        observer.committed("conflict", time.monotonic() - began)
        raise
    except BaseException:
        observer.committed("error", time.monotonic() - began)
        raise
    observer.committed("ok", time.monotonic() - began)
