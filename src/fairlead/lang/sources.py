"""The relations that a query reads, as they are written in it: what a view depends on.

Found by looking at what stands before a name, so a name is reported where it is written, and common table expressions
are told from tables by where they are defined.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from fairlead.lang.dotted import dotted_names
from fairlead.lang.lexer import DATA, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fairlead.lang.lexer import Token

# FROM stands between the arguments of these: EXTRACT(year FROM day).
_CALLS_WITH_FROM: Final = frozenset({"EXTRACT", "TRIM", "SUBSTRING", "OVERLAY", "POSITION"})
_OPEN: Final = frozenset("([{")
_CLOSE: Final = frozenset(")]}")


class _Cte(NamedTuple):
    """A common table expression: its name, whether it may read itself, and the tokens of its query."""

    name: str
    recursive: bool
    begin: int
    end: int


@lru_cache(maxsize=1024)
def sources(query: str) -> frozenset[tuple[str, ...]]:
    """Return the names of the relations that a query reads, each as its parts, case-folded.

    Args:
        query: its text, which the parser has taken already.
    """
    tokens, _ = tokenize(query, DATA)
    at = {token.start: index for index, token in enumerate(tokens)}
    ctes = list(_ctes(tokens))
    found = set()
    for name in dotted_names(tokens, 0):
        index = at[name.span[0]]
        parts = tuple(part.casefold() for part in name.parts)
        if name.relation and not _is_word_of_a_call(tokens, index) and not _is_cte(parts, index, ctes):
            found.add(parts)
    return frozenset(found)


def _is_cte(parts: tuple[str, ...], index: int, ctes: Sequence[_Cte]) -> bool:
    return len(parts) == 1 and any(
        cte.name == parts[0] and (cte.recursive or not cte.begin <= index <= cte.end) for cte in ctes
    )


def _is_word_of_a_call(tokens: Sequence[Token], index: int) -> bool:
    """Tell FROM in ``a IS DISTINCT FROM b`` and ``EXTRACT(year FROM b)`` from the one that begins a list."""
    before = tokens[index - 1]
    if (before.kind, before.upper, tokens[index].upper) == ("word", "USING", "KEY"):  # of a recursive expression
        return True
    if (before.kind, before.upper) != ("word", "FROM"):
        return False
    if index > 1 and tokens[index - 2].upper == "DISTINCT" and tokens[index - 3].upper in {"IS", "NOT"}:
        return True
    depth = 0
    for at in range(index - 2, -1, -1):
        token = tokens[at]
        if token.kind != "op":
            if depth == 0 and token.kind == "word" and token.upper == "SELECT":
                return False
            continue
        depth += (token.text in _CLOSE) - (token.text in _OPEN)
        if depth < 0:
            return tokens[at - 1].kind == "word" and tokens[at - 1].upper in _CALLS_WITH_FROM
    return False


def _ctes(tokens: Sequence[Token]) -> Iterator[_Cte]:
    for index, token in enumerate(tokens):
        if token.kind == "word" and token.upper == "WITH":
            recursive = _is_word(tokens, index + 1, "RECURSIVE")
            yield from _list_of_ctes(tokens, index + (2 if recursive else 1), recursive=recursive)


def _list_of_ctes(tokens: Sequence[Token], at: int, *, recursive: bool) -> Iterator[_Cte]:
    while _token(tokens, at).kind in {"word", "quoted"}:
        name = tokens[at].text.casefold()
        at = _past_parentheses(tokens, at + 1)
        if _is_word(tokens, at, "USING"):  # USING KEY (column)
            at = _past_parentheses(tokens, at + 2)
        if not _is_word(tokens, at, "AS"):
            return
        at += 1
        while _is_word(tokens, at, "NOT") or _is_word(tokens, at, "MATERIALIZED"):
            at += 1
        end = _past_parentheses(tokens, at)
        if end == at:
            return
        yield _Cte(name, recursive, at, end)
        if _token(tokens, end).text != ",":
            return
        at = end + 1


def _token(tokens: Sequence[Token], at: int) -> Token:
    """Return a token; past the end, the ``eof``."""
    return tokens[min(at, len(tokens) - 1)]


def _is_word(tokens: Sequence[Token], at: int, word: str) -> bool:
    token = _token(tokens, at)
    return token.kind == "word" and token.upper == word


def _past_parentheses(tokens: Sequence[Token], at: int) -> int:
    """Return the index after the parenthesis that closes one that opens here; the same index where none opens."""
    if (_token(tokens, at).kind, _token(tokens, at).text) != ("op", "("):
        return at
    depth = 0
    for index in range(at, len(tokens) - 1):
        if tokens[index].kind == "op":
            depth += (tokens[index].text in _OPEN) - (tokens[index].text in _CLOSE)
            if depth == 0:
                return index + 1
    return len(tokens)
