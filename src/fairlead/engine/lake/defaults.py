"""Default values of columns: from what DuckLake has stored to SQL of our own.

DuckLake keeps a literal as its text and everything else as the text of an expression. An expression that a worker
names would be run in the writer, and later in the workers of others: only a few forms are carried.
"""

from __future__ import annotations

import re
from typing import Final

from fairlead.engine.lake.columntypes import PLAIN
from fairlead.engine.lake.names import literal
from fairlead.errors import NotSupported

_FUNCTIONS: Final = frozenset(
    {
        "now()",
        "current_timestamp",
        "get_current_timestamp()",
        "localtimestamp",
        "current_date",
        "today()",
        "current_time",
        "localtime",
        "uuid()",
        "gen_random_uuid()",
        "random()",
    }
)
_TYPES: Final = frozenset({*PLAIN.values(), "TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE"})
_CAST: Final = re.compile(r"CAST\((.*) AS (\"?)([A-Za-z_ ]+)\2\)", re.DOTALL)
_DECIMAL_CAST: Final = re.compile(r"CAST\((.*) AS DECIMAL\((\d{1,2}), ?(\d{1,2})\)\)", re.DOTALL)
_TEXT: Final = re.compile(r"'((?:[^']|'')*)'", re.DOTALL)
_NUMBER: Final = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?")


def literal_default(text: str | None) -> str | None:
    """The default whose literal has this text, as SQL; None for none."""
    return None if text is None else literal(text)


def expression_default(column: str, text: str) -> str:
    """The default that DuckLake has stored as an expression, as SQL.

    Args:
        column: name of the column, for the error.
        text: of the expression, in DuckLake's spelling.

    Raises:
        NotSupported: an expression that is not carried.
    """
    sql = _rendered(text)
    if sql is None:
        raise NotSupported(
            f'The default of column "{column}" is an expression that tables cannot have',
            hint="Use a literal, now(), current_timestamp, current_date, current_time, uuid() or random()",
        )
    return sql


def _rendered(text: str) -> str | None:
    if match := _CAST.fullmatch(text):
        inner, type_ = _atom(match[1]), match[3].upper()
        return f"CAST({inner} AS {type_})" if inner and type_ in _TYPES else None
    if match := _DECIMAL_CAST.fullmatch(text):
        inner = _atom(match[1])
        return f"CAST({inner} AS DECIMAL({match[2]},{match[3]}))" if inner else None
    return _atom(text)


def _atom(text: str) -> str | None:
    if text in _FUNCTIONS or _NUMBER.fullmatch(text):
        return text
    if match := _TEXT.fullmatch(text):
        return literal(match[1].replace("''", "'"))
    return None
