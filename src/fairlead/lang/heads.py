"""Whose statement is it? Told from the first words, before quoting rules and redaction are chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.lang.lexer import DATA, LexError, tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.lang.lexer import Token

# A "query" is a statement of ours around text for the engine, so it is read under the engine's quoting rules.
Head = Literal["data", "ours", "query"]

_DATA: Final = frozenset(
    {
        *("SELECT", "WITH", "FROM", "VALUES", "TABLE", "SUMMARIZE", "PIVOT", "UNPIVOT", "COPY", "INSERT", "DELETE"),
        *("MERGE", "TRUNCATE"),
    }
)
_DESCRIBED: Final = frozenset({"CONNECTION", "LINK", "STAGE", "SECRET"})
_TEMPORARY: Final = frozenset({"TEMP", "TEMPORARY"})
DATA_OBJECTS: Final = frozenset({"TABLE", "VIEW", "MACRO", "FUNCTION"})
# Made, altered and dropped in the lake itself, inside the session's transaction.
_IN_LAKE: Final = frozenset({"TABLE", "SCHEMA"})
_PEEK: Final = 6
_PEEK_FAR: Final = 30
_FAR: Final = frozenset({"EXPLAIN", "ALTER"})


def words_of(tokens: Sequence[Token], at: int = 0) -> list[str]:
    """Return the first bare words, upper case; opening parentheses before them are skipped."""
    while at < len(tokens) and tokens[at].kind == "op" and tokens[at].text == "(":
        at += 1
    words: list[str] = []
    for token in tokens[at : at + 6]:
        if token.kind != "word":
            break
        words.append(token.upper)
    return words


def head_of(tokens: Sequence[Token]) -> Head:
    """Tell whether a statement is for the engine or ours; what is not known is ours, so that it is refused."""
    words = words_of(tokens)
    if words[:1] == ["EXPLAIN"]:
        return head_of(tokens[explained(tokens) :])
    if words[:1] in (["PREPARE"], ["EXECUTE"], ["DECLARE"]):
        return "query"
    if "VIEW" in words and [word for word in words if word not in {"OR", "REPLACE"}][:2] == ["CREATE", "VIEW"]:
        return "query"
    return "data" if _is_data(words, tokens) else "ours"


def _is_data(words: list[str], tokens: Sequence[Token]) -> bool:  # noqa: PLR0911  # a table of first words
    first, rest = (words[0], words[1:]) if words else ("", [])
    match first:
        case "DESCRIBE" | "DESC":
            return not rest or rest[0] not in _DESCRIBED
        case "SHOW":
            return rest[:2] == ["ALL", "TABLES"]
        case "CREATE":
            rest = rest[2:] if rest[:2] == ["OR", "REPLACE"] else rest
            temporary = len(rest) > 1 and rest[0] in _TEMPORARY and rest[1] in DATA_OBJECTS
            return temporary or rest[:1] in (["TABLE"], ["SCHEMA"])
        case "ALTER":
            return rest[:1] == ["TABLE"] and not _gives_away(tokens)
        case "COMMENT":
            return rest[:2] in (["ON", "TABLE"], ["ON", "COLUMN"])
        case "DROP":
            return bool(rest) and rest[0] in (DATA_OBJECTS | _IN_LAKE) - {"VIEW"}
        case "UPDATE":
            extensions = len(tokens) > 1 and tokens[1].upper == "EXTENSIONS" and tokens[1].kind != "string"
            return not (extensions and (len(tokens) < 3 or tokens[2].kind == "eof" or tokens[2].text == "("))  # noqa: PLR2004
        case _:
            return first in _DATA


def _gives_away(tokens: Sequence[Token]) -> bool:
    """Tell ALTER TABLE [IF EXISTS] name OWNER TO, which changes a right and not the table."""
    plain = [token for token in tokens if (token.kind, token.text) != ("op", "`")]
    at = 4 if [token.upper for token in plain[2:4]] == ["IF", "EXISTS"] else 2
    while at + 1 < len(plain) and plain[at + 1].kind == "op" and plain[at + 1].text == ".":
        at += 2
    return [token.upper for token in plain[at + 1 : at + 3] if token.kind == "word"] == ["OWNER", "TO"]


def explained(tokens: Sequence[Token]) -> int:
    """Return the index of the statement inside EXPLAIN [ANALYZE | VERBOSE] [(options)]."""
    at = 1
    while at < len(tokens) and tokens[at].kind == "word" and tokens[at].upper in {"ANALYZE", "VERBOSE"}:
        at += 1
    is_option = at + 1 < len(tokens) and tokens[at].text == "(" and tokens[at + 1].upper in {"FORMAT", "ANALYZE"}
    if is_option:
        while at < len(tokens) and tokens[at].text != ")":
            at += 1
        at += 1
    return at


def peek_head(text: str, start: int) -> Head:
    """Tell whose statement begins at an offset, from its first words only."""
    limit = _PEEK
    while True:
        try:
            tokens, end = tokenize(text, DATA, start, limit=limit)
        except LexError as error:
            return head_of(error.tokens)
        if tokens[0].upper in _FAR and limit == _PEEK:
            limit = _PEEK_FAR
        elif len(tokens) > _PEEK and all(token.text == "(" for token in tokens[:-1]):
            start = end
        else:
            return head_of(tokens)
