"""Where statements end while they are typed: a semicolon outside quotes and comments, by the language's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fairlead.lang.splitter import split

if TYPE_CHECKING:
    from fairlead.context import Dialect


class Typed(NamedTuple):
    """A text cut up: statements that are complete, without their semicolons, and what has no end yet."""

    statements: tuple[str, ...]
    rest: str


def cut(text: str, dialect: Dialect = "native") -> Typed:
    """Cut a text into statements.

    Args:
        text: what was typed, or a script.
        dialect: whose quoting rules hold.
    """
    statements: list[str] = []
    done = 0
    for piece in split(text, dialect):
        end = piece.tokens[-1].start
        if piece.broken is not None or text[end : end + 1] != ";":
            return Typed(tuple(statements), text[done:].strip())
        statements.append(text[piece.tokens[0].start : end].strip())
        done = end + 1
    return Typed(tuple(statements), text[done:].strip(" \t\r\n;"))


def is_complete(text: str, dialect: Dialect = "native") -> bool:
    """Tell whether Enter should run what is typed: a command with a backslash, nothing at all, or a semicolon last."""
    bare = text.strip()
    return not bare or bare.startswith("\\") or not cut(text, dialect).rest
