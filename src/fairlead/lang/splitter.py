"""A script is cut into statements at semicolons outside quotes and comments, each under its own quoting rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fairlead.lang.heads import peek_head
from fairlead.lang.lexer import DATA, LexError, Token, rules_of, tokenize
from fairlead.lang.tails import into_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.context import Dialect
    from fairlead.lang.heads import Head


class Piece(NamedTuple):
    """One statement as tokens, an ``eof`` token last; ``broken`` is where and why it could not be read on."""

    head: Head
    tokens: list[Token]
    broken: LexError | None = None

    @property
    def span(self) -> tuple[int, int]:
        """The range from the first to the last token."""
        if len(self.tokens) == 1:
            return self.tokens[0].start, self.tokens[0].start
        return self.tokens[0].start, self.tokens[-2].end


def split(text: str, dialect: Dialect = "native") -> Iterator[Piece]:
    """Yield the statements of a script, empty ones left out; after a broken one there is no other."""
    at, size = 0, len(text)
    while at < size:
        if text[at] == ";":
            at += 1  # an empty statement; there may be very many
            continue
        head = peek_head(text, at)
        try:
            tokens, at = _tokens(text, head, dialect, at)
        except LexError as error:
            yield Piece(head, [*error.tokens, Token("eof", "", error.start, error.start)], error)
            return
        if len(tokens) > 1:
            yield Piece(head, tokens)


def _tokens(text: str, head: Head, dialect: Dialect, at: int) -> tuple[list[Token], int]:
    """Cut one statement: a query by the engine's rules, what follows its INTO by the dialect's."""
    if head == "ours":
        return tokenize(text, rules_of(dialect), at)
    try:
        tokens, end = tokenize(text, DATA, at)
    except LexError as error:
        tokens, end = error.tokens, -1
        if into_at(tokens) < 0:
            raise
    into = into_at(tokens)
    if into < 0:
        return tokens, end
    try:
        tail, end = tokenize(text, rules_of(dialect), tokens[into].start)
    except LexError as error:
        raise LexError(error.message, error.start, [*tokens[:into], *error.tokens]) from None
    return [*tokens[:into], *tail], end
