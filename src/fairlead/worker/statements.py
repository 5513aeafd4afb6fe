"""Which kinds of statement a worker runs: an allow-list, by name. Hygiene and clear errors, not the boundary.

DuckDB's own parser says what kind a statement is; where its kinds are coarse (a CREATE SECRET is a CREATE) the next
words decide. What is not known is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duckdb import StatementType

from fairlead.worker.duck import CLIENT_SETTINGS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Statement

_TOKEN: Final = re.compile(
    r"""
      (?P<space>   [\s\u00a0]+ | --[^\n]* | /\*.*?\*/ )
    | (?P<text>    [eE]?'(?:[^']|'')*' | (?P<tag>\$\w*\$).*?(?P=tag) )
    | (?P<quoted>  "(?:[^"]|"")*" )
    | (?P<word>    [^\W\d]\w* )
    | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
# DuckDB reads a file while it parses IMPORT; the others are never meant for a worker.
_NEVER_PARSED: Final = frozenset({"IMPORT", "EXPORT", "ATTACH", "DETACH", "LOAD", "INSTALL", "FORCE"})
_READS: Final = frozenset(
    {"SELECT", "WITH", "FROM", "VALUES", "TABLE", "(", "SHOW", "DESCRIBE", "DESC", "SUMMARIZE", "PIVOT", "UNPIVOT"}
)
_EXPLAINED_QUERY: Final = re.compile(r"\(\s*(SELECT|FROM|WITH|VALUES|\()", re.IGNORECASE)
_TEMPORARY: Final = frozenset({"TEMP", "TEMPORARY"})
_LASTING: Final = frozenset({"TABLE", "SCHEMA"})
_ONLY_TEMPORARY: Final = frozenset({"VIEW", "MACRO", "FUNCTION"})
_MISSING: Final = {"SEQUENCE": "sequences", "INDEX": "indexes", "UNIQUE": "indexes", "TYPE": "types of their own"}
# The gateway reads what a client sends; a worker has neither a standard input nor programs.
_PIPES: Final = frozenset({"STDIN", "PROGRAM"})
_COMMENTED: Final = frozenset({"TABLE", "COLUMN"})
_TAGS: Final = {"START": "START TRANSACTION", "END": "COMMIT", "ABORT": "ROLLBACK"}
_KIND_TAGS: Final = {
    StatementType.SELECT: "SELECT",
    StatementType.INSERT: "INSERT 0",
    StatementType.UPDATE: "UPDATE",
    StatementType.DELETE: "DELETE",
    StatementType.MERGE_INTO: "MERGE",
    StatementType.COPY: "COPY",
    StatementType.EXPLAIN: "EXPLAIN",
}
_CHANGES: Final = (StatementType.INSERT, StatementType.UPDATE, StatementType.DELETE, StatementType.MERGE_INTO)
_CHANGES_NOTHING: Final = (
    StatementType.SELECT,
    StatementType.SET,
    StatementType.VARIABLE_SET,
    StatementType.TRANSACTION,
)
# Tags that have no number of rows, though the engine counts them.
_UNCOUNTED: Final = ("TRUNCATE", "CREATE", "DROP", "ALTER", "COMMENT")


class Refused(Exception):  # a decision, not a failure
    """The statement is of a kind that a worker does not run."""


class Unsupported(Refused):
    """The statement is about something that a lake does not have."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that may run.

    Args:
        text: the whole statement.
        parsed: DuckDB's own form of it; None when DuckDB makes several of it (a PIVOT without a list).
        kind: DuckDB's kind, ``None`` for an empty text.
        tag: command tag for PostgreSQL clients, without the number of rows.
        parameters: names of the parameters.
        changes: whether statements of this kind may change a lake.
    """

    text: str
    parsed: Statement | None
    kind: StatementType | None
    tag: str
    parameters: frozenset[str]
    changes: bool = False

    @property
    def returns_rows(self) -> bool:
        """Tell whether the result is a relation, rather than a count or nothing."""
        if self.kind in (StatementType.SELECT, StatementType.EXPLAIN):
            return True
        return self.kind in _CHANGES and "RETURNING" in _words(self.text, limit=None)

    def tag_of(self, count: int | None) -> str:
        """Return the whole command tag.

        Args:
            count: rows as the engine counts them, None = it does not.
        """
        if count is None:
            return self.tag
        if self.tag == "CREATE TABLE":  # only CREATE TABLE AS has rows
            return f"SELECT {count}"
        return self.tag if self.tag.startswith(_UNCOUNTED) else f"{self.tag} {count}"


def read(instance: DuckDBPyConnection, text: str, *, allow_all: bool) -> Checked:
    """Parse one statement and decide whether it may run.

    Args:
        instance: its parser is used; nothing is bound or executed.
        text: one statement.
        allow_all: skip the allow-list (the layer is switched off).

    Raises:
        Refused: the kind is not allowed.
        duckdb.Error: the text is not a statement.
    """
    words = _words(text, limit=8)
    if not allow_all and words and words[0] in _NEVER_PARSED:
        raise Refused(f"{words[0]} is not available in a session")
    parsed = instance.extract_statements(text)
    if not parsed:
        return Checked(text, None, None, "", frozenset())
    last = parsed[-1]
    if len(parsed) > 1 and not _is_one_pivot(parsed):
        raise Refused("one statement at a time: this text holds several, or one that the engine runs as several")
    if not allow_all:
        _decide(instance, last.type, text, words)
    return Checked(
        text,
        last if len(parsed) == 1 else None,
        last.type,
        _tag(last.type, words),
        frozenset(name for one in parsed for name in one.named_parameters),
        _changes(instance, last.type, text, words),
    )


def _is_one_pivot(parsed: list[Statement]) -> bool:
    *types, select = parsed
    made = all(one.type == StatementType.CREATE and not one.query for one in types)
    return made and select.type == StatementType.SELECT and not select.query


def _decide(instance: DuckDBPyConnection, kind: StatementType, text: str, words: list[str]) -> None:
    first = words[0] if words else ""
    if kind == StatementType.SELECT:
        _require(first in _READS, first)
    elif kind == StatementType.EXPLAIN:
        read(instance, _explained(text), allow_all=False)
    elif kind == StatementType.COPY:
        direction, end = _copy_direction(text)
        _require(bool(direction), "this form of COPY")
        _require(direction == "TO" or end not in _PIPES, f"COPY ... FROM {end}")
    elif kind == StatementType.CREATE:
        _decide_create(_created(words))
    elif kind == StatementType.DROP:
        what = words[1] if len(words) > 1 else ""
        _require_known(first, what)
        _require(first == "DROP" and what in _LASTING | _ONLY_TEMPORARY, f"{first} {what}")
    elif kind == StatementType.ALTER:
        _decide_alter(words)
    elif kind in (StatementType.SET, StatementType.VARIABLE_SET):
        _decide_set(words)
    else:
        allowed = (*_CHANGES, StatementType.TRANSACTION)
        _require(kind in allowed, first or kind.name)


def _decide_create(words: list[str]) -> None:
    made = next((word for word in words if word not in _TEMPORARY), "")
    _require_known("CREATE", made)
    _require(made in _LASTING | _ONLY_TEMPORARY, f"CREATE {made}")
    if made in _ONLY_TEMPORARY and words[0] not in _TEMPORARY:
        raise Refused(f"only a temporary {made.lower()} can be created here: write CREATE TEMP {made}")


def _decide_alter(words: list[str]) -> None:
    """ALTER TABLE, and COMMENT ON: the engine has one kind for both."""
    if words[:2] == ["COMMENT", "ON"]:
        _require(len(words) > 2 and words[2] in _COMMENTED, " ".join(words[:3]))  # noqa: PLR2004  # the third word
    else:
        what = words[1] if len(words) > 1 else ""
        _require_known("ALTER", what)
        _require(words[0] == "ALTER" and what == "TABLE", f"ALTER {what}")


def _created(words: list[str]) -> list[str]:
    """Return what follows CREATE [OR REPLACE]."""
    return [word for word in words[1:] if word not in ("OR", "REPLACE")]


def _require_known(verb: str, what: str) -> None:
    if what in _MISSING:
        raise Unsupported(f"{verb} {what} is not available: the tables of a database have no {_MISSING[what]}")


def _decide_set(words: list[str]) -> None:
    named = [word for word in words[1:] if word not in ("SESSION", "LOCAL", "GLOBAL")]
    known = {name.upper() for name in CLIENT_SETTINGS}
    plain = len(words) > 1 and words[0] in ("SET", "RESET") and words[1] != "GLOBAL"
    zone = named[:2] == ["TIME", "ZONE"]
    _require(plain and (zone or (bool(named) and named[0] in known)), " ".join(words[:2]))


def _require(allowed: bool, what: str) -> None:
    if not allowed:
        raise Refused(f"{what} is not available in a session")


def _changes(instance: DuckDBPyConnection, kind: StatementType, text: str, words: list[str]) -> bool:
    """Tell whether the kind may have changed a lake; what is not known may have."""
    if kind in _CHANGES_NOTHING:
        return False
    if kind == StatementType.EXPLAIN:
        explained = read(instance, _explained(text), allow_all=True)
        return explained.changes or explained.kind is None
    if kind == StatementType.COPY:
        return _copy_direction(text)[0] != "TO"
    return kind != StatementType.CREATE or _created(words)[0] not in _TEMPORARY


def _tag(kind: StatementType, words: list[str]) -> str:
    first = words[0] if words else ""
    if kind == StatementType.CREATE:
        return f"CREATE {next((word for word in _created(words) if word not in _TEMPORARY), '')}"
    if kind == StatementType.DROP or (kind == StatementType.ALTER and first != "COMMENT"):
        return " ".join(words[:2])
    if kind == StatementType.DELETE and first == "TRUNCATE":
        return "TRUNCATE TABLE"
    return _KIND_TAGS.get(kind) or _TAGS.get(first, first or kind.name)


def _words(text: str, *, limit: int | None) -> list[str]:
    """Return the first keywords and names, in capitals, without comments and texts."""
    found: list[str] = []
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "word" or token.group() == "(":
            found.append(token.group().upper())
        if limit is not None and len(found) >= limit:
            break
    return found


def _explained(text: str) -> str:
    """Return the statement that an EXPLAIN is about."""
    depth = 0
    for token in _TOKEN.finditer(text):
        word = token.group().upper()
        depth += (word == "(") - (word == ")")
        if token.lastgroup == "word" and depth == 0 and word not in ("EXPLAIN", "ANALYZE", "VERBOSE"):
            return text[token.start() :]
        if word == "(" and depth == 1 and _EXPLAINED_QUERY.match(text, token.start()):
            return text[token.start() :]
    return ""


def _copy_direction(text: str) -> tuple[str, str]:
    """Return TO or FROM, the first of them outside of parentheses, and the word after it if it is one."""
    depth, direction = 0, ""
    for token in _TOKEN.finditer(text):
        depth += (token.group() == "(") - (token.group() == ")")
        word = token.group().upper()
        if token.lastgroup == "space":
            continue
        if direction:
            return direction, word if token.lastgroup == "word" else ""
        if depth == 0 and token.lastgroup == "word" and word in ("TO", "FROM"):
            direction = word
    return direction, ""
