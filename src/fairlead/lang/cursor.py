"""A place in a statement's tokens, and the small steps of recursive descent: at, accept, expect, fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from fairlead.errors import InvalidName, NotSupported
from fairlead.lang.ast import Name
from fairlead.lang.complaint import syntax_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.context import Dialect
    from fairlead.lang.lexer import Token
    from fairlead.lang.splitter import Piece

T = TypeVar("T")
_MAX_PARTS: Final = 3
_MAX_BYTES: Final = 255


class Cursor:
    """Reads one statement.

    Args:
        text: the whole script.
        piece: the statement's tokens.
        dialect: whose grammar holds.
    """

    __slots__ = ("at_index", "dialect", "piece", "text", "tokens")

    def __init__(self, text: str, piece: Piece, dialect: Dialect) -> None:
        self.text = text
        self.piece = piece
        self.tokens = piece.tokens
        self.dialect = dialect
        self.at_index = 0

    # --- looking ---------------------------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        """The token at hand."""
        return self.tokens[self.at_index]

    @property
    def native(self) -> bool:
        """Whether the native dialect holds."""
        return self.dialect == "native"

    def ahead(self, by: int = 1) -> Token:
        """Return a later token; past the end, the ``eof``."""
        return self.tokens[min(self.at_index + by, len(self.tokens) - 1)]

    def at(self, *words: str, by: int = 0) -> bool:
        """Whether these bare words stand here, in this order."""
        for offset, word in enumerate(words, by):
            token = self.ahead(offset)
            if token.kind != "word" or token.upper != word:
                return False
        return True

    def at_op(self, op: str, by: int = 0) -> bool:
        """Whether this operator stands here."""
        token = self.ahead(by)
        return token.kind == "op" and token.text == op

    def word(self) -> str:
        """Return the bare word at hand in upper case, else an empty text."""
        return self.token.upper if self.token.kind == "word" else ""

    # --- stepping --------------------------------------------------------------------------------------------------

    def next(self) -> Token:
        """Return the token at hand and go on."""
        token = self.token
        if token.kind != "eof":
            self.at_index += 1
        return token

    def accept(self, *words: str) -> bool:
        """Go past these bare words if they stand here."""
        if self.at(*words):
            self.at_index += len(words)
            return True
        return False

    def accept_one(self, *words: str) -> str:
        """Go past one of several words and return it, else return an empty text."""
        word = self.word()
        if word in words:
            self.at_index += 1
            return word
        return ""

    def accept_op(self, op: str) -> bool:
        """Go past an operator if it stands here."""
        if self.at_op(op):
            self.at_index += 1
            return True
        return False

    def expect(self, *words: str) -> None:
        """Go past these bare words, or fail."""
        for word in words:
            if not self.accept(word):
                self.fail(word)

    def expect_one(self, *words: str) -> str:
        """Go past one of several words and return it, or fail."""
        return self.accept_one(*words) or self.fail(*words)

    def expect_op(self, op: str, what: str) -> None:
        """Go past an operator, or fail naming it."""
        if not self.accept_op(op):
            self.fail(what)

    def end(self) -> None:
        """Fail unless the statement ends here."""
        if self.token.kind != "eof":
            self.fail("end of statement")

    # --- small things ----------------------------------------------------------------------------------------------

    def identifier(self, what: str = "identifier") -> str:
        """Read one identifier; Materialize folds bare ones to lower case."""
        token = self.token
        if token.kind not in {"word", "quoted"}:
            self.fail(what)
        self.at_index += 1
        text = token.text
        if token.kind == "word" and self.dialect == "materialize":
            text = text.lower()
        if len(text.encode()) > _MAX_BYTES:
            raise InvalidName(f"identifier length exceeds {_MAX_BYTES} bytes", position=token.start + 1)
        return text

    def name(self, what: str = "identifier") -> Name:
        """Read a name of one to three parts."""
        start = self.token.start
        parts = [self.identifier(what)]
        while len(parts) <= _MAX_PARTS and self.accept_op("."):
            parts.append(self.identifier())
        if len(parts) > _MAX_PARTS:
            raise InvalidName("qualified name did not have between 1 and 3 components", position=start + 1)
        return Name(tuple(parts))

    def string(self, what: str = "string literal") -> str:
        """Read a string literal."""
        if self.token.kind != "string":
            self.fail(what)
        return self.next().text

    def integer(self, what: str = "literal integer") -> int:
        """Read a number without a fraction."""
        token = self.token
        if token.kind != "number" or not token.text.isdecimal():
            self.fail(what)
        if len(token.text) > 18:  # noqa: PLR2004  # more digits than a bigint
            self.fail("a smaller number")
        self.at_index += 1
        return int(token.text)

    def comma_list(self, read: Callable[[], T]) -> tuple[T, ...]:
        """Read one or more things with commas between."""
        items = [read()]
        while self.accept_op(","):
            items.append(read())
        return tuple(items)

    def flag_if_not_exists(self) -> bool:
        """Read IF NOT EXISTS if it is there."""
        if self.accept("IF"):
            self.expect("NOT", "EXISTS")
            return True
        return False

    def flag_if_exists(self) -> bool:
        """Read IF EXISTS if it is there."""
        if self.accept("IF"):
            self.expect("EXISTS")
            return True
        return False

    # --- failing ---------------------------------------------------------------------------------------------------

    def fail(
        self,
        *expected: str,
        message: str | None = None,
        hint: str | None = None,
        token: Token | None = None,
        suggest: tuple[str, ...] = (),
        phrase: str = "",
    ) -> NoReturn:
        """Raise a syntax error at the token at hand, or at another one."""
        raise syntax_error(
            self.text,
            self.piece,
            token or self.token,
            self.dialect,
            expected=expected,
            message=message,
            hint=hint,
            suggest=suggest,
            phrase=phrase,
        )

    def native_only(self, what: str) -> None:
        """Fail with the usual hint unless the native dialect holds."""
        if not self.native:
            self.fail(
                message=f"{what} is not part of the {self.dialect} dialect",
                hint="the native dialect has it: SET dialect = 'native'",
            )

    def unsupported(self, message: str, hint: str | None = None) -> NoReturn:
        """Raise NotSupported at the token at hand."""
        raise NotSupported(message, hint=hint, position=self.token.start + 1)
