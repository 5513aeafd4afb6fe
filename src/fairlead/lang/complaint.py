"""Building a ``SqlSyntaxError``: where, what was found, what was expected, and an excerpt that shows no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.errors import SqlSyntaxError
from fairlead.lang.lexer import syntax_error_at
from fairlead.lang.masking import is_sensitive, shown_tokens
from fairlead.lang.vocabulary import PLACEHOLDER, VOCABULARY
from fairlead.sensitive import MASK
from fairlead.suggest import nearest_start

if TYPE_CHECKING:
    from fairlead.context import Dialect
    from fairlead.lang.lexer import Token
    from fairlead.lang.splitter import Piece

_PUNCTUATION: Final = {
    "(": "left parenthesis",
    ")": "right parenthesis",
    "[": "left square bracket",
    "]": "right square bracket",
    ",": "comma",
    ".": "dot",
    "=": "equals sign",
    "=>": "arrow",
    "::": "double colon",
}
_EXCERPT_SIDE: Final = 60


def describe(token: Token, *, sensitive: bool, strict: bool) -> str:  # noqa: PLR0911  # a table
    """Name a token without showing what may be a secret."""
    match token.kind:
        case "eof":
            return "EOF" if strict else "the end of the statement"
        case "op":
            if token.text.startswith("$"):
                return "a parameter"
            return _PUNCTUATION.get(token.text, f'operator "{token.text}"')
        case "word":
            if token.upper in VOCABULARY:
                return token.upper
            return "a word" if sensitive else f'identifier "{token.text[:64]}"'
        case "quoted":
            return "a quoted identifier"
        case "string" | "hex":
            return "a string literal"
        case "number":
            return "a number"
        case "param":
            return "a parameter"
        case _:
            return "a stage path"


def one_of(expected: tuple[str, ...]) -> str:
    """Join what was expected as Materialize does."""
    if len(expected) == 1:
        return expected[0]
    if len(expected) == 2:  # noqa: PLR2004  # two read differently from more
        return f"one of {expected[0]} or {expected[1]}"
    return f"one of {', '.join(expected[:-1])}, or {expected[-1]}"


def excerpt(text: str, piece: Piece, at: int) -> str:
    """Return the line of an offset with a caret below, redacted token by token."""
    line_start = text.rfind("\n", 0, at) + 1
    line_end = text.find("\n", at)
    line_end = len(text) if line_end < 0 else line_end
    shown, caret = "", -1
    end = line_start
    for token, part in zip(piece.tokens, shown_tokens(text, piece), strict=False):
        if token.end <= line_start or token.start >= line_end:
            continue
        gap = " " if token.start > end and shown else ""
        if token.start >= at and caret < 0:
            caret = len(shown) + len(gap)
        shown += gap + part.replace("\n", " ")
        end = token.end
    if piece.broken and at >= piece.broken.start:
        caret = len(shown) + (1 if shown else 0)
        shown = f"{shown} {MASK}".lstrip()
    caret = len(shown) if caret < 0 else caret
    left = max(0, caret - _EXCERPT_SIDE)
    return f"{shown[left : caret + _EXCERPT_SIDE]}\n{' ' * (caret - left)}^"


def syntax_error(  # the parts of an error are many
    text: str,
    piece: Piece,
    token: Token,
    dialect: Dialect,
    *,
    expected: tuple[str, ...] = (),
    message: str | None = None,
    hint: str | None = None,
    suggest: tuple[str, ...] = (),
    phrase: str = "",
) -> SqlSyntaxError:
    """Return the error for one token.

    Args:
        text: the whole script.
        piece: the statement.
        token: what cannot stand there.
        dialect: decides the wording.
        expected: what could stand there.
        message: instead of "Expected ..., found ...".
        hint: what to do; without one, a near spelling is proposed.
        suggest: spellings to look for a near one; without them, those of ``expected``.
        phrase: several words that may be one of them misspelt, instead of the token alone.
    """
    sensitive = is_sensitive(piece) or _is_hidden(text, piece, token)
    found = describe(token, sensitive=sensitive, strict=dialect == "materialize")
    placeholder = _placeholder(text, token) if dialect != "materialize" else None
    suggestion = None
    if placeholder:
        message, hint = f"replace the placeholder {placeholder} with a value", None
    elif token.kind == "word" and token.upper not in expected:
        suggestion = nearest_start(phrase or token.text, suggest or tuple(word for word in expected if word.isupper()))
    line, column = syntax_error_at(text, token.start)
    where = f"line {line}, column {column}:\n{excerpt(text, piece, token.start)}"
    return SqlSyntaxError(
        message or f"Expected {one_of(expected)}, found {found}",
        hint=hint or (f"did you mean {suggestion}?" if suggestion else None),
        detail=where,
        position=token.start + 1,
        line=line,
        column=column,
        expected=expected,
        found=found,
        suggestion=suggestion,
    )


def _is_hidden(text: str, piece: Piece, token: Token) -> bool:
    """Whether the data rule hides this token: a bare word after an option that sounds secret."""
    shown = zip(piece.tokens, shown_tokens(text, piece), strict=False)
    return any(other is token and part != text[token.start : token.end] for other, part in shown)


def _placeholder(text: str, token: Token) -> str | None:
    """Return ``<name>`` if that is what stands there; the name only when it is one of the documents' words."""
    if token.kind != "op":
        return None
    if token.text == "." and text.startswith("...", token.start):
        return "..."
    if token.text not in {"<", "<>"}:
        return None
    close = text.find(">", token.start, token.start + 80)
    inside = text[token.start + 1 : close] if close > 0 else ""
    if not inside or not all(char.isalnum() or char in "_- " for char in inside):
        return None
    return f"<{inside}>" if PLACEHOLDER.fullmatch(f"<{inside}>") else "<...>"


def broken(text: str, piece: Piece) -> SqlSyntaxError:
    """Return the error for text that cannot be cut into tokens."""
    error = piece.broken
    start, message = (error.start, error.message) if error else (0, "not readable")
    line, column = syntax_error_at(text, start)
    return SqlSyntaxError(
        message,
        detail=f"line {line}, column {column}:\n{excerpt(text, piece, start)}",
        position=start + 1,
        line=line,
        column=column,
        found=message.removeprefix("unterminated ").removeprefix("empty "),
    )
