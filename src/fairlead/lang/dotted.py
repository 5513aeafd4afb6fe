"""Names in a data statement: those of several parts, and those that stand where a relation may.

Found by looking at what stands before a name; what a name means is decided by those who know what there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import DottedName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.lang.lexer import Token

# A relation's name follows these; EXISTS ends IF [NOT] EXISTS.
_RELATION: Final = frozenset(
    (
        *("FROM", "JOIN", "INTO", "UPDATE", "TABLE", "USING", "EXISTS", "TRUNCATE", "SCHEMA", "ONLY", "COPY"),
        *("DESCRIBE", "DESC", "SUMMARIZE", "PIVOT", "UNPIVOT", "VIEW"),
    )
)
_NOT_A_NAME: Final = frozenset(
    {"IF", "ONLY", "TABLE", "SELECT", "FROM", "LATERAL", "VALUES", "WITH", "UNNEST", "SET", "SCHEMA", "INTO"}
)
_LIST_BEGINS: Final = frozenset({"FROM", "JOIN", "USING"})
_LIST_ENDS: Final = frozenset(
    (
        *("SELECT", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT"),
        *("INTERSECT", "SET", "WHEN", "RETURNING", "VALUES"),
    )
)


def dotted_names(tokens: Sequence[Token], base: int) -> tuple[DottedName, ...]:
    """Return the names of a statement, in order.

    Args:
        tokens: of the statement, an ``eof`` token last.
        base: offset of the statement in the script.
    """
    found: list[DottedName] = []
    in_list = [False]
    before: Token | None = None
    at = 0
    while tokens[at].kind != "eof":
        token = tokens[at]
        if token.kind == "op":
            _brackets(token.text, in_list)
        elif token.kind in {"word", "quoted"}:
            parts, last = _parts(tokens, at)
            relation = _stands_for_relation(before, in_list=in_list[-1])
            bare = token.kind == "word" and len(parts) == 1
            if len(parts) > 1 or (relation and not (bare and token.upper in _NOT_A_NAME)):
                span = token.start - base, tokens[last].end - base
                found.append(DottedName(span, parts, relation))
            if bare and token.upper in _LIST_BEGINS | _LIST_ENDS:
                in_list[-1] = token.upper in _LIST_BEGINS
            at = last
        before = tokens[at]
        at += 1
    return tuple(found)


def _brackets(text: str, in_list: list[bool]) -> None:
    if text in {"(", "[", "{"}:
        in_list.append(False)
    elif text in {")", "]", "}"} and len(in_list) > 1:
        in_list.pop()


def _parts(tokens: Sequence[Token], at: int) -> tuple[tuple[str, ...], int]:
    """Return the parts of the name that begins here, and the index of its last token."""
    parts = [tokens[at].text]
    while tokens[at + 1].kind == "op" and tokens[at + 1].text == "." and tokens[at + 2].kind in {"word", "quoted"}:
        at += 2
        parts.append(tokens[at].text)
    return tuple(parts), at


def _stands_for_relation(before: Token | None, *, in_list: bool) -> bool:
    if before is None:
        return False
    if before.kind == "word":
        return before.upper in _RELATION
    return before.kind == "op" and before.text == "," and in_list
