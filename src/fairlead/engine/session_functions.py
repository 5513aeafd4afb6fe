"""What a statement asks about its session, answered with Fairlead's truth instead of the engine's.

There are two ways in, because SQL has two spellings. ``current_user`` and its like stand without parentheses and look
like columns; only the engine knows whether a column of that name is in scope, and it takes the column before the
function, as it always does. So these are temporary macros in the worker (:func:`macros`), which the engine finds before
its own functions and after columns. ``version()`` and its like are calls, plain from the tokens: the planner puts the
value in their place (:func:`answered`), which works below ``pg_catalog.`` too, needs nothing in the worker, cannot be
shadowed, and lets a column that is nothing but such a call have the name that PostgreSQL gives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fairlead.dialects.settings import SERVER_VERSION
from fairlead.engine.lake.names import literal, quote
from fairlead.errors import NotSupported, PermissionDenied, UndefinedObject
from fairlead.lang.lexer import DATA, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fairlead.context import SessionFacts
    from fairlead.lang import ast
    from fairlead.lang.lexer import Token

_SETTING: Final = "current_setting"
# What a call may follow, and what may follow it, where it is a whole column of a result.
_BEGINS: Final = frozenset({"SELECT", "DISTINCT", "RETURNING"})
_LISTS: Final = frozenset({"SELECT", "RETURNING"})
_CLAUSES: Final = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "OFFSET"})
_ENDS: Final = _CLAUSES | {"UNION", "EXCEPT", "INTERSECT"}
_TRUTHS: Final = frozenset({"true", "false"})


def macros(facts: SessionFacts) -> tuple[str, ...]:
    """Return the statements after which the names without parentheses are Fairlead's."""
    words = {
        **dict.fromkeys(("current_user", "session_user", "user", "current_role"), facts.user),
        "current_catalog": facts.database,
        "current_schema": facts.search_path[0] if facts.search_path else None,
    }
    return tuple(f"CREATE OR REPLACE TEMP MACRO {quote(name)}() AS {_written(value)}" for name, value in words.items())


@dataclass(frozen=True, slots=True)
class Answers:
    """Calls that have been answered.

    Args:
        spelled: what takes the place of each span of the statement's text.
        names: functions of which every call is among them.
    """

    spelled: Mapping[tuple[int, int], str]
    names: frozenset[str]


NOTHING: Final = Answers({}, frozenset())


def answered(
    statement: ast.DataStatement, facts: SessionFacts | None, besides: frozenset[str] = frozenset()
) -> Answers:
    """Answer the calls of a statement.

    Args:
        statement: the user's.
        facts: of their session; None = nobody asks.
        besides: functions that are somebody else's in this statement.

    Raises:
        UndefinedObject: current_setting of a setting that does not exist.
        PermissionDenied: current_setting of what is not written out.
        NotSupported: a call in a default, which would keep the answer of today.
    """
    asked = (statement.calls & _ANSWERS.keys()) - besides if facts is not None else frozenset()
    if not asked or facts is None:
        return NOTHING
    tokens, _ = tokenize(statement.text, DATA)
    calls = list(_calls(tokens, asked))
    if calls and statement.verb in ("CREATE", "ALTER") and "default" in statement.identifiers:
        message = f"a default cannot ask for {calls[0].name}()"
        raise NotSupported(message, hint="name the column in INSERT and give it the value there")
    spelled = {(call.start, call.end): call.alias(_written(_ANSWERS[call.name](facts, call.values))) for call in calls}
    return Answers(spelled, frozenset(asked))


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    start: int
    end: int
    values: tuple[str, ...]
    whole: bool

    def alias(self, answer: str) -> str:
        return f"{answer} AS {quote(self.name)}" if self.whole else answer


def _calls(tokens: Sequence[Token], asked: frozenset[str]) -> Iterator[_Call]:
    """Yield the calls, each with whether it is a whole column of a list of results."""
    clauses = [""]
    for at, token in enumerate(tokens):
        if token.kind == "op":
            if token.text == "(":
                clauses.append("")
            elif token.text == ")" and len(clauses) > 1:
                clauses.pop()
        elif token.kind == "word" and token.upper in _LISTS | _CLAUSES:
            clauses[-1] = token.upper
        elif token.kind in {"word", "quoted"} and token.text.casefold() in asked and _is(tokens, at + 1, "("):
            call = _call(tokens, at, in_list=clauses[-1] in _LISTS)
            if call is not None:
                yield call


def _call(tokens: Sequence[Token], at: int, *, in_list: bool) -> _Call | None:
    """Read a call; None where it is of another schema's function, or has arguments that ours does not take."""
    name, first = tokens[at].text.casefold(), at
    if at and _is(tokens, at - 1, "."):
        if at < 2 or tokens[at - 2].text.casefold() != "pg_catalog" or (at > 2 and _is(tokens, at - 3, ".")):  # noqa: PLR2004
            _refuse_setting(name)
            return None
        first = at - 2
    values, last = _arguments(tokens, at + 2)
    if last < 0 or len(values) not in _ARGUMENTS.get(name, (0,)):
        _refuse_setting(name)
        return None
    before, after = tokens[first - 1] if first else None, tokens[last + 1]
    begins = before is not None and (
        (before.kind == "word" and before.upper in _BEGINS) or (before.kind == "op" and before.text == ",")
    )
    ends = after.kind == "eof" or (after.kind == "op" and after.text in ",)") or after.upper in _ENDS
    return _Call(name, tokens[first].start, tokens[last].end, tuple(values), whole=in_list and begins and ends)


def _refuse_setting(name: str) -> None:
    """Leave a call to the engine, but not that which would tell the engine's own settings."""
    if name == _SETTING:
        message = f"{name} takes the name of a setting, written out"
        raise PermissionDenied(message, hint="SHOW ALL lists the settings")


def _arguments(tokens: Sequence[Token], at: int) -> tuple[list[str], int]:
    """Return arguments that are literals, and the index of the closing parenthesis; -1 where there is anything else."""
    values: list[str] = []
    if _is(tokens, at, ")"):
        return values, at
    while True:
        token = tokens[at]
        if token.kind != "string" and not (token.kind == "word" and token.text.casefold() in _TRUTHS):
            return [], -1
        values.append(token.text)
        if _is(tokens, at + 1, ")"):
            return values, at + 1
        if not _is(tokens, at + 1, ","):
            return [], -1
        at += 2


def _is(tokens: Sequence[Token], at: int, text: str) -> bool:
    return tokens[at].kind == "op" and tokens[at].text == text


# --- the answers -----------------------------------------------------------------------------------------------------


def _current_setting(facts: SessionFacts, values: tuple[str, ...]) -> str | None:
    try:
        return facts.settings.current(values[0])
    except UndefinedObject:
        if len(values) > 1 and values[1].casefold() == "true":
            return None
        raise


def _schemas(facts: SessionFacts, values: tuple[str, ...]) -> list[str]:
    implicit = ["pg_catalog"] if values[0].casefold() == "true" else []
    return [*implicit, *facts.search_path]


_ANSWERS: Final[Mapping[str, Callable[[SessionFacts, tuple[str, ...]], Any]]] = {
    _SETTING: _current_setting,
    "current_database": lambda facts, _: facts.database,
    "current_schemas": _schemas,
    "getdatabaseencoding": lambda _, __: "UTF8",
    "inet_client_addr": lambda facts, _: facts.client if facts.client[:1].isdigit() or ":" in facts.client else None,
    "pg_backend_pid": lambda facts, _: facts.process_id,
    "pg_client_encoding": lambda _, __: "UTF8",
    "pg_is_in_recovery": lambda _, __: False,
    "version": lambda _, __: f"PostgreSQL {SERVER_VERSION}, on DuckDB",
}
_ARGUMENTS: Final = {_SETTING: (1, 2), "current_schemas": (1,)}


def _written(value: object) -> str:
    """Return a value as SQL."""
    match value:
        case None:
            return "CAST(NULL AS VARCHAR)"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            return literal(str(value))
