"""Text to tokens: one compiled pattern per set of quoting rules, matched stickily from left to right.

The lexer is total (every text gives tokens or a ``SqlSyntaxError``) and linear. Under ``DATA`` rules it cuts the text
exactly where DuckDB does, because spans of data statements are replaced in place; under the rules of a dialect it adds
backticks, raw strings and, where that system has them, backslash escapes and ``"..."`` strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from fairlead.errors import SqlSyntaxError
from fairlead.lang.literals import BadEscape, unescape_backslash, unescape_e_string, unquote

if TYPE_CHECKING:
    from fairlead.context import Dialect

Kind = Literal["word", "quoted", "string", "hex", "number", "param", "op", "stage", "eof"]


class Token(NamedTuple):
    """One token. ``text`` is decoded: quotes and escapes are gone; ``start`` and ``end`` are offsets in the script."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        """The text in upper case: how bare words are compared."""
        return self.text.upper()


@dataclass(frozen=True, slots=True)
class Rules:
    r"""How quotes are read.

    Args:
        backslash: ``\`` escapes in ``'..'``: "no", "lenient" (an unknown escape is its character) or "strict".
        double_strings: ``"..."`` is a string, not an identifier.
        extras: backtick identifiers and ``r'..'`` are known.
        stages: ``@stage/path`` is one token where a table may stand.
    """

    backslash: Literal["no", "lenient", "strict"] = "no"
    double_strings: bool = False
    extras: bool = True
    stages: bool = False


# What DuckDB counts as blank beside the ASCII ones; every other character above 127 may stand in an identifier.
_BLANKS: Final = "\t\n\f\r \u00a0\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
_INLINE: Final = _BLANKS.replace("\n", "").replace("\r", "")
_BEYOND: Final = "\u0080-\u009f\u00a1-\u1fff\u200c-\u202e\u2030-\u205e\u2061-\u2fff\u3001-\ufefe\uff00-\U0010ffff"
_HEAD: Final = f"[A-Za-z_{_BEYOND}]"
_TAIL: Final = f"[A-Za-z0-9_${_BEYOND}]"
_TAG: Final = _TAIL.replace("$", "")
_SKIP: Final = rf"(?:[{_BLANKS}]++|--[^\r\n]*+)*+"
_PLAIN: Final = r"'[^']*+(?:''[^']*+)*+'"
_ESCAPED: Final = r"'(?:[^'\\]++|''|\\.)*+'"
# Two strings are one when only blanks with a line end, or line comments, stand between them (PostgreSQL 4.1.2.1).
_JOIN: Final = rf"(?=[{_INLINE}]*+(?:--[^\r\n]*+)?[\r\n])(?:[{_BLANKS}]++|--[^\r\n]*+(?=[\r\n]))++(?=')"
_STAGE: Final = re.compile(
    rf"@(?P<name>~|(?:\"(?:[^\"]|\"\")+\"|`[^`]+`|{_TAIL}+)(?:\.(?:\"(?:[^\"]|\"\")+\"|`[^`]+`|{_TAIL}+))*+)"
    rf"(?P<path>(?:/(?:[^{_BLANKS},`;'\"()\\]|\\.)*+)?)",
    re.DOTALL,
)
_SKIPPED: Final = re.compile(_SKIP)
_JOINED: Final = re.compile(_JOIN)
_PLAIN_PART: Final = re.compile(_PLAIN)
_ESCAPED_PART: Final = re.compile(_ESCAPED, re.DOTALL)
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")
_OPEN: Final = {"'": "string literal", '"': "quoted identifier", "`": "quoted identifier"}


@cache
def _pattern(rules: Rules) -> re.Pattern[str]:
    string = _PLAIN if rules.backslash == "no" else _ESCAPED
    double = r'"(?:[^"\\]++|""|\\.)*+"' if rules.double_strings else r'"(?:[^"]++|"")++"'
    prefixes = "[eExXrR]'" if rules.extras else "[eExXbB]'"
    parts = [
        rf"(?P<word>(?!{prefixes}){_HEAD}{_TAIL}*+)",
        rf"(?P<string>{string})",
        rf"(?P<double>{double})",
        r"(?P<end>\Z)",
        r"(?P<block>/\*)",
        r"(?P<number>(?:[0-9]++(?:_[0-9]++)*+(?:\.(?!\.)[0-9_]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)",
        rf"(?P<estring>[eE]{_ESCAPED})",
        rf"(?P<hex>{'[xX]' if rules.extras else '[xXbB]'}'[^']*+')",
        rf"(?P<param>\$[0-9]++)|(?P<dollar>\$(?:(?![0-9]){_TAG}++)?\$)|(?P<named>\$(?![0-9]){_TAG}++)",
        r"(?P<op>=>|::|\|\||:=|->>?|<=|>=|<>|!=|[-+*/<>=~!@#^&|?%.,;:()\[\]{}$])",
    ]
    if not rules.extras:
        parts.append("(?P<tick>`)")
    else:
        parts[4:4] = [rf"(?P<raw>[rR]{_PLAIN})", r"(?P<back>`(?:[^`]++|``)++`)"]
    return re.compile(rf"{_SKIP}(?:{'|'.join(parts)})", re.DOTALL)


DATA: Final = Rules(extras=False, stages=True)
_RULES: Final[dict[str, Rules]] = {
    "native": Rules(stages=True),
    "materialize": Rules(stages=True),
    "singlestore": Rules(backslash="lenient", double_strings=True, stages=True),
    "databend": Rules(backslash="strict", stages=True),
    "clickzetta": Rules(backslash="lenient", double_strings=True, stages=True),
}


def rules_of(dialect: Dialect) -> Rules:
    """Return how our own statements are read in a dialect."""
    return _RULES[dialect]


class LexError(Exception):
    """Where the text cannot be cut into tokens; the parser turns it into a ``SqlSyntaxError`` with an excerpt."""

    def __init__(self, message: str, start: int, tokens: list[Token]) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.tokens = tokens


def tokenize(text: str, rules: Rules, start: int = 0, *, limit: int = 0) -> tuple[list[Token], int]:
    """Cut one statement into tokens.

    Args:
        text: the whole script.
        rules: how quotes are read.
        start: offset at which the statement begins.
        limit: stop after so many tokens; 0 = at the end of the statement.

    Returns:
        The tokens, an ``eof`` token last, and the offset after the semicolon, the end of the text or the last token.

    Raises:
        LexError: something is not closed, or a character has no meaning.
    """
    tokens: list[Token] = []
    add, new = tokens.append, tuple.__new__
    match = _pattern(rules).match
    watch = _StageWatch() if rules.stages and "@" in text else None
    at = start
    while True:
        found = match(text, at)
        if found is None:
            raise _unclosed(text, at, tokens)
        kind, end = found.lastgroup, found.end()
        at, _ = found.span(kind)  # type: ignore[arg-type]  # every match has a last group
        if kind == "word" or kind == "number" or kind == "param":  # noqa: PLR1714  # a set is slower here
            add(new(Token, (kind, text[at:end], at, end)))
        elif kind == "op":
            char = text[at:end]
            if char == ";":
                add(Token("eof", "", at, at))
                return tokens, end
            token = _stage(text, at, tokens) if char == "@" and watch is not None and watch.ready else None
            add(token or new(Token, ("op", char, at, end)))
            end = token.end if token else end
        elif kind == "end":
            break
        elif kind == "block":
            at = _comment_end(text, at, tokens)
            continue
        else:
            token = _quoted(text, at, end, str(kind), rules, tokens)
            add(token)
            end = token.end
        at = end
        if watch is not None:
            watch.see(tokens)
        if len(tokens) == limit:
            break
    add(Token("eof", "", at, at))
    return tokens, at


def _quoted(text: str, at: int, end: int, kind: str, rules: Rules, tokens: list[Token]) -> Token:  # noqa: PLR0911  # a table of kinds
    body = text[at:end]
    try:
        match kind:
            case "string":
                return _string(text, at, end, rules.backslash, tokens)
            case "estring":
                return _string(text, at, end, "e", tokens)
            case "dollar":
                close = text.find(body, end)
                if close < 0:
                    raise LexError("unterminated dollar-quoted string", at, tokens)
                return Token("string", _clean(text[end:close], at, tokens), at, close + len(body))
            case "named" | "tick":
                return Token("op", body, at, end)
            case "raw":
                return Token("string", _clean(unquote(body[1:]), at, tokens), at, end)
            case "hex":
                return _hex(text, at, end, rules, tokens)
            case "double" if rules.double_strings:
                return Token("string", _clean(unescape_backslash(body, strict=False), at, tokens), at, end)
            case _:
                return Token("quoted", _clean(unquote(body), at, tokens), at, end)
    except BadEscape as error:
        raise LexError(str(error), at, tokens) from None


def _string(text: str, at: int, end: int, mode: str, tokens: list[Token]) -> Token:
    """Decode a string, together with those that continue it after a line end."""
    inner = _ESCAPED_PART if mode != "no" else _PLAIN_PART
    pieces = [text[at:end]]
    if mode in {"no", "e"}:
        while gap := _JOINED.match(text, end):
            following = inner.match(text, gap.end())
            if following is None:
                raise LexError("unterminated string literal", gap.end(), tokens)
            pieces.append(following.group())
            end = following.end()
    if mode == "no":
        value = "".join(map(unquote, pieces))
    elif mode == "e":
        value = "".join(unescape_e_string(piece.lstrip("eE")) for piece in pieces)
    else:
        value = unescape_backslash(pieces[0], strict=mode == "strict")
    return Token("string", _clean(value, at, tokens), at, end)


def _hex(text: str, at: int, end: int, rules: Rules, tokens: list[Token]) -> Token:
    """Read hexadecimal or binary digits, together with those that continue them after a line end."""
    digits = [text[at + 2 : end - 1]]
    while rules.backslash == "no" and (gap := _JOINED.match(text, end)):
        begin = gap.end() + 1
        close = text.find("'", begin)
        if close < 0:
            raise LexError("unterminated string literal", gap.end(), tokens)
        digits.append(text[begin:close])
        end = close + 1
    return Token("hex", "".join(digits), at, end)


def _clean(value: str, at: int, tokens: list[Token]) -> str:
    if "\0" in value:
        raise LexError("a string cannot hold the character NUL", at, tokens)
    return value


def _comment_end(text: str, at: int, tokens: list[Token]) -> int:
    depth, where = 1, at + 2
    while depth:
        edge = _COMMENT_EDGE.search(text, where)
        if edge is None:
            raise LexError("unterminated comment", at, tokens)
        depth += 1 if edge.group() == "/*" else -1
        where = edge.end()
    return where


def _unclosed(text: str, at: int, tokens: list[Token]) -> LexError:
    at = _SKIPPED.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing too
    char = text[at]
    quote = text[at + 1] if char in "eExXrRbB" and text[at + 1 : at + 2] == "'" else char
    if quote in _OPEN:
        empty = quote != "'" and text.startswith(quote * 2, at)
        return LexError(f"{'empty' if empty else 'unterminated'} {_OPEN[quote]}", at, tokens)
    return LexError("a character that has no meaning here", at, tokens)


# --- @stage/path -----------------------------------------------------------------------------------------------------

# Functions whose arguments are places; elsewhere ``@x`` is DuckDB's absolute value.
READERS: Final = re.compile(
    r"(?:read_\w+|parquet_\w+|sniff_csv|glob|infer_schema|list_stage|iceberg_\w+|delta_scan|st_read\w*)", re.IGNORECASE
)
_TABLES: Final = frozenset({"FROM", "JOIN"})
_PLACES: Final = frozenset({"LIST", "INTO", "TO", "USING", "DESCRIBE", "DESC", "SUMMARIZE"})
_ENDS: Final = frozenset(
    {
        "SELECT",
        "WHERE",
        "GROUP",
        "HAVING",
        "ORDER",
        "WINDOW",
        "QUALIFY",
        "LIMIT",
        "OFFSET",
        "SET",
        "VALUES",
        "RETURNING",
    }
)
# Functions with FROM between their arguments: extract(year FROM @x).
_FROM_INSIDE: Final = frozenset({"EXTRACT", "SUBSTRING", "TRIM", "OVERLAY", "POSITION"})
_ARGUMENT: Final = frozenset({"(", "[", ",", "=>", "=", ":="})


class _StageWatch:
    """Whether a table may stand at this point (``ready``), told in constant time per token."""

    __slots__ = ("ready", "stack")

    def __init__(self) -> None:
        self.stack = ["other"]
        self.ready = False

    def see(self, tokens: list[Token]) -> None:
        """Take note of the last token."""
        kind, text, _, _ = tokens[-1]
        self.ready = False
        if kind == "word":
            self._word(text.upper(), tokens)
        elif kind == "op":
            if text in {"(", "["}:
                self.stack.append(self._opened(tokens))
            elif text in {")", "]"} and len(self.stack) > 1:
                self.stack.pop()
            frame = self.stack[-1]
            self.ready = (frame == "reader" and text in _ARGUMENT) or (frame == "tables" and text == ",")

    def _word(self, word: str, tokens: list[Token]) -> None:
        if word in _PLACES:
            self.ready = True
        elif word in _ENDS:
            self.stack[-1] = "other" if self.stack[-1] == "tables" else self.stack[-1]
        elif word in _TABLES:
            distinct = len(tokens) > 1 and tokens[-2].kind == "word" and tokens[-2].upper == "DISTINCT"
            if self.stack[-1] != "scalar" and not distinct:
                self.stack[-1] = "tables"
                self.ready = True

    def _opened(self, tokens: list[Token]) -> str:
        if self.stack[-1] == "reader":
            return "reader"
        before = tokens[-2] if len(tokens) > 1 else None
        if tokens[-1].text == "(" and before is not None and before.kind == "word":
            if READERS.fullmatch(before.text):
                return "reader"
            if before.upper in _FROM_INSIDE:
                return "scalar"
        return "other"


def _stage(text: str, at: int, tokens: list[Token]) -> Token | None:
    found = _STAGE.match(text, at)
    if found is None:
        return None
    body = found.group()
    excess = body.count("]") - body.count("[")
    if excess > 0:  # brackets of a list around it
        body = body[: max(len(body) - excess, len(body.rstrip("]")))]
    return Token("stage", _clean(body, at, tokens), at, at + len(body))


def syntax_error_at(text: str, start: int) -> tuple[int, int]:
    """Return line and column, both from 1, of an offset."""
    before = text.count("\n", 0, start)
    return before + 1, start - (text.rfind("\n", 0, start) + 1) + 1


def check_characters(text: str) -> None:
    """Refuse text that is not Unicode (lone surrogates), which nothing below could encode.

    Raises:
        SqlSyntaxError: with the position of the first one.
    """
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line, column = syntax_error_at(text, error.start)
        raise SqlSyntaxError(
            "the text is not valid Unicode",
            position=error.start + 1,
            line=line,
            column=column,
            found="a lone surrogate",
        ) from None
