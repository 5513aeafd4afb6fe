"""What is declared by name: relations and functions as SQL, and what each stands on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from fairlead.engine.catalogs.vocabulary import references

_PARAMETER: Final = re.compile(r"\b[a-z]_\b")
_FROM: Final = re.compile(r"\bFROM\b")
_CALL: Final = re.compile(r"(?<![\w.{\"'])([a-z][a-z_0-9]+)(?=\()")
_SYNTAX: Final = frozenset({"coalesce", "nullif", "unnest"})


@dataclass(frozen=True, slots=True)
class Declared:
    """A temporary view or macro.

    Args:
        key: by which it is referred to.
        kind: ``macro``: ``sql`` begins with its parameters in parentheses.
        sql: with references in braces.
    """

    key: str
    kind: Literal["view", "macro"]
    sql: str

    @property
    def needs(self) -> frozenset[str]:
        """Keys of what it stands on."""
        return references(self.sql)


def qualified(sql: str) -> str:
    """Return SQL whose functions are the engine's own, whatever macros a session has made. Keywords are upper case."""
    return _CALL.sub(lambda name: name[0] if name[1] in _SYNTAX else f"system.main.{name[1]}", sql)


def hygienic(macro: str) -> str:
    """Return a macro in which no query inside can take a column of an argument for one of its own.

    The engine puts arguments into macros as they are written: in ``(SELECT name FROM roles r WHERE r.oid = o_)`` an
    argument ``r.oid`` would mean the inner ``r``. So every query inside gets its arguments from a row of their own.

    Args:
        macro: its parameters have one letter and ``_`` at the end.
    """
    pieces: list[str] = []
    at = 0
    while (begin := macro.find("(SELECT ", at)) >= 0:
        end = _closing(macro, begin)
        pieces += [macro[at:begin], _given(macro[begin:end])]
        at = end
    return "".join([*pieces, macro[at:]])


def _given(query: str) -> str:
    used = sorted(set(_PARAMETER.findall(query)))
    found = _FROM.search(query)
    if not used or found is None:
        return query
    given = ", ".join(f"{name} AS {name}" for name in used)
    inner = _PARAMETER.sub(lambda name: f"given_.{name[0]}", query)
    at = _FROM.search(inner)
    assert at is not None
    return f"{inner[: at.end()]} (SELECT {given}) AS given_,{inner[at.end() :]}"


def _closing(text: str, begin: int) -> int:
    depth, quoted = 0, False
    for at in range(begin, len(text)):
        char = text[at]
        if char == "'":
            quoted = not quoted
        elif not quoted:
            depth += (char == "(") - (char == ")")
            if depth == 0:
                return at + 1
    return len(text)
