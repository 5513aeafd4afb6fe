"""``INTO LINK 'path' ...`` at the end of a query: found before the engine's quoting rules give way to the dialect's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.lang.lexer import Token

TARGETS: Final = ("LINK", "OUTFILE", "FS", "S3", "GCS", "AZURE", "HDFS", "KAFKA")
OPTIONS: Final = ("FORMAT", "FIELDS", "COLUMNS", "LINES", "HEADER", "WITH", "ENABLE_OVERWRITE")
_READS: Final = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE"})
_WRITES: Final = frozenset({"INSERT", "MERGE", "REPLACE", "IGNORE"})


def into_at(tokens: Sequence[Token]) -> int:
    """Return the index of the INTO that says where the rows of a query go, -1 where there is none.

    In statements that are no query it is looked for too, to be refused there: but then a path must follow.
    """
    verb = next((token.upper for token in tokens if token.text != "("), "")
    for at, token in enumerate(tokens):
        if token.kind != "word" or token.upper != "INTO" or at + 1 >= len(tokens):
            continue
        following = tokens[at + 1]
        if following.kind != "word" or (at and tokens[at - 1].upper in _WRITES):
            continue
        if following.upper in TARGETS and _has_path(tokens, at + 2):
            return at
        if verb in _READS and following.upper in OPTIONS:
            return at
        if verb in _READS and following.upper == "LINK":
            return at
    return -1


def _has_path(tokens: Sequence[Token], at: int) -> bool:
    """Say whether a string follows, after a name or at once."""
    for token in tokens[at : at + 8]:
        if token.kind == "string":
            return True
        if token.kind not in {"word", "quoted"} and token.text not in {".", "`"}:
            return False
    return False
