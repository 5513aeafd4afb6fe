"""The options after a place, ``@stage/path (PATTERN => '...', ...)`` (databend.md, section 8).

``CONNECTION => (...)`` is taken out of the text here, so an inline credential never goes to the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import Option, StageOption, Text
from fairlead.lang.parse_stages import connection_clause
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

OPTION_KEYS: Final = ("FILES", "PATTERN", "FILE_FORMAT", "CONNECTION", "CASE_SENSITIVE")


def stage_options(cursor: Cursor, *, copied: bool) -> tuple[StageOption, ...]:
    """Read the options after a place if there are any.

    Args:
        cursor: after the place.
        copied: the place of a COPY, whose own options in parentheses have no arrows.
    """
    if not cursor.at_op("(") or cursor.ahead().kind != "word":
        return ()
    arrow = cursor.at_op("=>", 2)
    if not arrow and (copied or cursor.ahead().upper not in OPTION_KEYS):
        return ()
    cursor.next()
    options: list[StageOption] = []
    while not cursor.accept_op(")"):
        options.append(_option(cursor))
        if not cursor.accept_op(",") and not cursor.at_op(")") and cursor.token.kind != "word":
            cursor.fail("comma", "right parenthesis")
    return tuple(options)


def _option(cursor: Cursor) -> StageOption:
    key = cursor.expect_one(*OPTION_KEYS)
    cursor.expect_op("=>", "arrow")
    match key:
        case "FILES":
            cursor.expect_op("(", "left parenthesis")
            files = () if cursor.at_op(")") else cursor.comma_list(cursor.string)
            cursor.expect_op(")", "right parenthesis")
            return StageOption(key, files)
        case "CONNECTION":
            cursor.expect_op("(", "left parenthesis")
            name, inline = connection_clause(cursor)
            named = () if name is None else (Option("CONNECTION_NAME", Text(Sensitive(str(name)))),)
            return StageOption(key, (*named, *inline))
        case "CASE_SENSITIVE":
            return StageOption(key, cursor.expect_one("TRUE", "FALSE") == "TRUE")
        case _:
            return StageOption(key, cursor.string())
