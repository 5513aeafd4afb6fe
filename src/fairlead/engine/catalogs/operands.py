"""Where operands begin and end in a sequence of tokens: enough of the grammar for casts and for one operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.lang.lexer import Token

_OPEN: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSE: Final = frozenset(_OPEN.values())
# A parenthesis after one of these does not hold the arguments of a function.
_NOT_CALLED: Final = frozenset(
    (
        *(
            "IN",
            "AND",
            "OR",
            "NOT",
            "SELECT",
            "WHERE",
            "ON",
            "WHEN",
            "THEN",
            "ELSE",
            "CASE",
            "BY",
            "FROM",
            "JOIN",
            "AS",
        ),
        *(
            "USING",
            "HAVING",
            "LIKE",
            "ILIKE",
            "BETWEEN",
            "RETURNING",
            "VALUES",
            "UNION",
            "ALL",
            "DISTINCT",
            "IS",
            "LIMIT",
        ),
    )
)
_NAMES: Final = frozenset({"word", "quoted"})


class Operands:
    """The tokens of a statement, with the partner of each bracket.

    Args:
        tokens: an ``eof`` token last.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.partner: dict[int, int] = {}
        opened: list[int] = []
        for at, token in enumerate(tokens):
            if token.kind == "op" and token.text in _OPEN:
                opened.append(at)
            elif token.kind == "op" and token.text in _CLOSE and opened:
                begin = opened.pop()
                self.partner[at], self.partner[begin] = begin, at

    def op(self, at: int, text: str) -> bool:
        """Tell whether an operator or bracket stands there."""
        return 0 <= at < len(self.tokens) and self.tokens[at].kind == "op" and self.tokens[at].text == text

    def word(self, at: int) -> str:
        """Return the bare word that stands there in upper case, or nothing."""
        return self.tokens[at].upper if 0 <= at < len(self.tokens) and self.tokens[at].kind == "word" else ""

    def chain_end(self, at: int) -> int:
        """Return the last token of the dotted name that begins at a name."""
        while self.op(at + 1, ".") and self.tokens[at + 2].kind in _NAMES:
            at += 2
        return at

    def chain_start(self, at: int) -> int:
        """Return the first token of the dotted name that ends at a name."""
        while self.op(at - 1, ".") and at > 1 and self.tokens[at - 2].kind in _NAMES:
            at -= 2
        return at

    def start(self, at: int) -> int:
        """Return the first token of the operand of a cast that ends at a token."""
        while True:
            token = self.tokens[at]
            if self.op(at, "]") and at in self.partner:
                begin = self.partner[at]
                if self.word(begin - 1) == "ARRAY":
                    return begin - 1
                if begin and (self.tokens[begin - 1].kind in _NAMES or self.tokens[begin - 1].text in _CLOSE):
                    at = begin - 1
                    continue
            elif self.op(at, ")") and at in self.partner:
                begin = self.partner[at]
                called = begin and self.tokens[begin - 1].kind in _NAMES and self.word(begin - 1) not in _NOT_CALLED
                begin = self.chain_start(begin - 1) if called else begin
            elif token.kind in _NAMES:
                begin = self.chain_start(at)
            else:
                begin = at
            if not self.op(begin - 1, "::") or begin < 2:  # noqa: PLR2004  # an operand and the operator
                return begin
            at = begin - 2

    def end(self, at: int) -> int:
        """Return the last token of the operand that begins at a token, with its casts and subscripts."""
        while self.op(at, "-") or self.op(at, "+"):
            at += 1
        if at in self.partner:
            at = self.partner[at]
        elif self.tokens[at].kind in _NAMES:
            at = self.chain_end(at)
            if at + 1 in self.partner and self.tokens[at + 1].text in {"(", "["}:
                at = self.partner[at + 1]
        while True:
            if self.op(at + 1, "["):
                at = self.partner.get(at + 1, at + 1)
            elif self.op(at + 1, "::"):
                at = self.type_end(at + 2)
            else:
                return at

    def type_end(self, at: int) -> int:
        """Return the last token of the type name that begins at a token."""
        at = self.chain_end(at)
        while (self.op(at + 1, "(") or self.op(at + 1, "[")) and at + 1 in self.partner:
            at = self.partner[at + 1]
        return at
