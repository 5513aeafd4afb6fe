r"""MySQL's text to tokens, each with what it is for the gateway.

Quotes are read as a MySQL server with the mode ANSI_QUOTES reads them: `\` escapes in '...', "..." and `...` are
identifiers, and strings side by side are one. Clients that put values into a text escape them for just these rules.
What comes out has no escapes: a string is its characters between quotes that are doubled inside, so that nothing behind
this place reads it otherwise. Comments become blanks; two minus signs that are no comment in MySQL do not become one.

Source: MySQL's manual, "Language Structure".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from fairlead.errors import InvalidEncoding, NotSupported, SqlSyntaxError
from fairlead.lang.lexer import syntax_error_at

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["word", "quoted", "string", "bytes", "number", "variable", "stage", "param", "op"]

_IDENTIFIER: Final = "A-Za-z_\u0080-\U0010ffff"
_PART: Final = rf"""(?:[{_IDENTIFIER}0-9]+|`[^`]+`|"[^"]+")"""
_PATH: Final = r"""(?:(?!--)(?:[^\s,`;'"()\\\#$]|\\.))*"""
_TOKEN: Final = re.compile(
    rf"""
      (?P<blank>[\x00-\x20]+)
    | (?P<comment>--(?=[\x00-\x20]|\Z)[^\n]*|\#[^\n]*)
    | (?P<executable>/\*M?!)
    | (?P<block>/\*.*?\*/)
    | (?P<string>'(?:[^'\\]|''|\\.)*+')
    | (?P<double>"(?:[^"]|"")*+")
    | (?P<tick>`(?:[^`]|``)*+`)
    | (?P<open>'|"|`|/\*)
    | (?P<hex>0[xX][0-9a-fA-F]+(?![{_IDENTIFIER}0-9]))
    | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<variable>@@(?:(?:session|local|global)\s*\.\s*)?(?:`[^`]+`|[{_IDENTIFIER}0-9$]+))
    | (?P<stage>@(?:~|{_PART}(?:\.{_PART})*)(?:/{_PATH})?)
    | (?P<word>[{_IDENTIFIER}][{_IDENTIFIER}0-9$]*)
    | (?P<param>\?)
    | (?P<op>.)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ESCAPE: Final = re.compile(r"\\(.)|''", re.DOTALL)
_ESCAPED: Final = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": r"\%", "_": r"\_"}
_TEXT_SETS: Final = frozenset({"_utf8", "_utf8mb3", "_utf8mb4", "_ascii", "n"})
_BEFORE_STAGE: Final = frozenset({"FROM", "JOIN", "INTO", "TO", "USING", "LIST", "DESCRIBE", "DESC", "SUMMARIZE"})
_OPENED: Final = {"'": "string", '"': "quoted identifier", "`": "quoted identifier", "/*": "comment"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Args:
        kind: ``bytes`` are a string of bytes, ``variable`` is ``@@name``.
        text: as the gateway reads it.
        value: without quotes and escapes; of a word in capitals, of a variable its name in small letters.
        start: offset in the text.
        end: offset behind it.
    """

    kind: Kind
    text: str
    value: str
    start: int
    end: int

    def is_op(self, text: str) -> bool:
        """Tell whether it is this sign."""
        return self.kind == "op" and self.text == text


def statements(text: str) -> list[list[Token]]:
    """Cut a text into statements, empty ones left out.

    Raises:
        SqlSyntaxError: a quote or a comment is not closed.
        NotSupported: a comment that would be executed, or a string in another encoding.
        InvalidEncoding: bytes that are not UTF-8, where they are not in a string of bytes.
    """
    found: list[list[Token]] = [[]]
    for token in _introduced(_tokens(text)):
        if token.is_op(";"):
            found.append([])
            continue
        if token.kind != "bytes":
            _check(token)
        elif found[-1] and found[-1][-1].value == "_BINARY" and found[-1][-1].kind == "word":
            found[-1].pop()  # it says again what x'...' says
        found[-1].append(token)
    return [tokens for tokens in found if tokens]


def _tokens(text: str) -> Iterator[Token]:  # noqa: C901  # a table
    before = ""
    for match in _TOKEN.finditer(text):
        kind, raw, start, end = str(match.lastgroup), match.group(), match.start(), match.end()
        match kind:
            case "blank" | "comment" | "block":
                continue
            case "executable":
                message = "comments that are executed, /*! ... */, are not offered"
                raise NotSupported(message, hint="write the statement without them", position=start + 1)
            case "open":
                raise _unclosed(text, start, _OPENED[raw])
            case "string":
                value = _ESCAPE.sub(lambda found: _unescaped(found[1]), raw[1:-1])
                yield Token("string", _string(value), value, start, end)
            case "double" | "tick":
                value = raw[1:-1].replace(raw[0] * 2, raw[0])
                yield Token("quoted", _identifier(value), value, start, end)
            case "hex":
                yield _bytes(raw[2:].zfill(len(raw) // 2 * 2 - 2), start, end)
            case "stage" if "/*" in raw and before not in _BEFORE_STAGE:
                # Elsewhere it could be the beginning of a comment, for whoever reads the statement next.
                hint = "stages stand behind FROM and JOIN"
                raise NotSupported("a path with /* is not offered here", hint=hint, position=start + 1)
            case "variable":
                yield Token("variable", raw, _variable(raw), start, end)
            case "word":
                yield Token("word", raw, raw.upper(), start, end)
            case "op" if raw == "$":
                raise SqlSyntaxError("a name does not begin with $, and there are no $-quotes", position=start + 1)
            case _:
                yield Token(kind, raw, raw, start, end)  # type: ignore[arg-type]  # the other groups are kinds
        before = raw.upper()


def _introduced(tokens: Iterator[Token]) -> Iterator[Token]:
    """Join strings side by side, and words such as x and _binary with the strings behind them."""
    held: Token | None = None
    for token in tokens:
        if held is None:
            held = token
        elif token.kind == "string" and (joined := _joined(held, token)) is not None:
            held = joined
        else:
            yield held
            held = token
    if held is not None:
        yield held


def _joined(before: Token, string: Token) -> Token | None:  # noqa: PLR0911  # a table
    if before.kind == "string":
        value = before.value + string.value
        return replace(before, text=_string(value), value=value, end=string.end)
    if before.kind != "word":
        return None
    introducer = before.text.lower()
    if introducer in _TEXT_SETS and (introducer != "n" or before.end == string.start):
        return replace(string, start=before.start)
    if introducer == "_binary":
        return _bytes(string.value.encode("utf-8", "surrogateescape").hex(), before.start, string.end)
    if before.end == string.start and introducer == "x" and re.fullmatch(r"(?:[0-9a-fA-F]{2})*", string.value):
        return _bytes(string.value, before.start, string.end)
    if before.end == string.start and introducer == "b" and re.fullmatch(r"[01]+", string.value):
        return Token("bytes", f"'{string.value}'::BIT", string.value, before.start, string.end)
    if re.fullmatch(r"_(?:latin|cp|utf|ucs|koi|gb|big|eucjp|sjis|mac|hp|greek|hebrew|dec)\w*", introducer):
        raise NotSupported(f"strings in the character set {introducer[1:]} are not offered", hint="write utf8mb4")
    return None


def _bytes(digits: str, start: int, end: int) -> Token:
    escaped = "".join(f"\\x{digits[at : at + 2]}" for at in range(0, len(digits), 2))
    return Token("bytes", f"'{escaped}'::BLOB", digits, start, end)


def _unescaped(char: str | None) -> str:
    return "'" if char is None else _ESCAPED.get(char, char)


def _string(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _identifier(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _variable(raw: str) -> str:
    return raw[2:].rpartition(".")[2].strip().strip("`").lower()


def _check(token: Token) -> None:
    if not token.text.isascii():
        try:
            token.text.encode()
        except UnicodeEncodeError:
            raise InvalidEncoding(
                "invalid byte sequence for encoding utf8mb4", hint="write bytes as x'...', or send them as a parameter"
            ) from None
    if "\0" in token.text:
        raise InvalidEncoding("a text cannot have a zero byte", hint="write bytes as x'...'")


def _unclosed(text: str, start: int, what: str) -> SqlSyntaxError:
    line, column = syntax_error_at(text, start)
    return SqlSyntaxError(f"unterminated {what}", position=start + 1, line=line, column=column)
