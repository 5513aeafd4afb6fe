"""One line of the log for each statement, at level debug: what kind it was, how long it took, how it ended.

Neither its text nor the names in it are written down; ``statement`` is the number under which the ledger has it too.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

import structlog

from fairlead.commands import dispatch
from fairlead.errors import FairleadError
from fairlead.lang import ast
from fairlead.lang.vocabulary import FIRST_WORDS

if TYPE_CHECKING:
    from fairlead.lang.ast import Statement

_log = structlog.get_logger("fairlead")
_KNOWN: Final = frozenset(FIRST_WORDS)


def ended(statement_id: str, statement: Statement, began: float) -> None:
    """Log the end of a statement; called while its error, if there is one, is on its way.

    Args:
        statement_id: session and number.
        statement: what was run.
        began: by the monotonic clock, seconds.
    """
    error = sys.exception()
    if error is None:
        outcome = "00000"
    elif isinstance(error, FairleadError):
        outcome = error.sqlstate
    else:
        outcome = "57014" if isinstance(error, GeneratorExit) else "XX000"
    seconds = round(time.monotonic() - began, 6)
    _log.debug("a statement ended", statement=statement_id, kind=kind_of(statement), seconds=seconds, sqlstate=outcome)


def kind_of(statement: Statement) -> str:
    """Return what kind of statement it is, from a fixed list of words."""
    if not isinstance(statement, ast.DataStatement):
        return dispatch.words(statement)
    return statement.verb if statement.verb in _KNOWN else "DATA"
