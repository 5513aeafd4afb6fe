"""The body of a request for SQL: strict JSON in, a plain value out. No I/O happens here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from fairlead.engine.api import ARROW, JSON_LINES, Encoding, Parameter
from fairlead.server.http.problems import HttpRefused
from fairlead.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

NDJSON: Final = "application/x-ndjson"
ARROW_STREAM: Final = "application/vnd.apache.arrow.stream"
_FORMS: Final = {
    "": JSON_LINES,
    "*/*": JSON_LINES,
    "application/*": JSON_LINES,
    "application/json": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/jsonl": JSON_LINES,
    ARROW_STREAM: ARROW,
}
_OF_SQL: Final = frozenset({"sql", "parameters", "database", "dialect", "settings"})
_OF_SESSION: Final = frozenset({"database", "dialect", "settings"})
_MOST_PARAMETERS: Final = 32_767  # as in PostgreSQL's Bind
# PostgreSQL's ids of types (pg_type.dat).
_UNKNOWN, _BOOL, _INT8, _NUMERIC, _FLOAT8, _JSON = 0, 16, 20, 1700, 701, 114
_ARRAYS: Final = {bool: 1000, int: 1016, float: 1022, str: 1009}
_INT8_RANGE: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a session is to begin with.

    Args:
        database: current one, None = the default.
        settings: as in a connection string of PostgreSQL; the dialect is one of them.
    """

    database: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SqlRequest:
    """What is to be run.

    Args:
        sql: one statement, or several when there are no parameters.
        parameters: values of ``$1`` and so on.
        session: what a session for it begins with.
        names_session: whether the request says anything about that.
    """

    sql: str
    parameters: tuple[Parameter, ...]
    session: SessionRequest
    names_session: bool


def read_sql(body: bytes) -> SqlRequest:
    """Read the body of ``POST /v1/sql``.

    Raises:
        HttpRefused: it is not one.
    """
    fields = _object(body, _OF_SQL)
    sql = fields.get("sql")
    if not isinstance(sql, str):
        raise _bad('"sql" must be a text')
    values = fields.get("parameters", [])
    if not isinstance(values, list) or len(values) > _MOST_PARAMETERS:
        raise _bad(f'"parameters" must be a list of at most {_MOST_PARAMETERS} values')
    parameters = tuple(_parameter(value) for value in values)
    return SqlRequest(sql, parameters, _session(fields), not _OF_SESSION.isdisjoint(fields))


def read_session(body: bytes) -> SessionRequest:
    """Read the body of ``POST /v1/sessions``; nothing at all is fine.

    Raises:
        HttpRefused: it is not one.
    """
    return _session(_object(body, _OF_SESSION)) if body else SessionRequest()


def encoding_of(accept: str) -> Encoding:
    """Return the form of rows that an Accept header asks for: the first of its types that there is.

    Raises:
        HttpRefused: there is none of them.
    """
    for one in accept.lower().split(","):
        found = _FORMS.get(one.partition(";")[0].strip())
        if found is not None:
            return found
    raise HttpRefused(406, "none of the accepted types is offered", hint=f"accept {NDJSON} or {ARROW_STREAM}")


def _session(fields: dict[str, Any]) -> SessionRequest:
    database, dialect, settings = (fields.get(name) for name in ("database", "dialect", "settings"))
    if not isinstance(database, str | None) or not isinstance(dialect, str | None):
        raise _bad('"database" and "dialect" must be texts')
    given: dict[str, str] = {} if dialect is None else {"dialect": dialect}
    for name, value in _settings(settings).items():
        if not isinstance(value, str):
            raise _bad('"settings" must be an object whose values are texts')
        given[name] = value
    return SessionRequest(database, given)


def _settings(settings: Any) -> dict[str, Any]:
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise _bad('"settings" must be an object whose values are texts')
    return settings


def _object(body: bytes, known: frozenset[str]) -> dict[str, Any]:
    try:
        text = body.decode()
        fields = json.loads(text, parse_constant=_no_number, object_pairs_hook=_unique)
        json.dumps(fields, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise _bad("it is not JSON in UTF-8") from error
    if not isinstance(fields, dict):
        raise _bad("it is not an object")
    if unknown := fields.keys() - known:
        # Not repeated: who knows what stands where a name should.
        meant = next(filter(None, (did_you_mean(name, known) for name in sorted(unknown))), None)
        raise _bad("a name is not known" + (f"; {meant}" if meant else f"; there are {', '.join(sorted(known))}"))
    if "\0" in text or "\\u0000" in text:
        raise _bad("it holds a zero character")
    return fields


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice")
    return fields


def _parameter(value: Any) -> Parameter:
    """Return a JSON value as PostgreSQL's text of it, with its type; a text takes the type of its place."""
    if value is None:
        return Parameter(None, _UNKNOWN, binary=False)
    text, oid = _typed(value)
    return Parameter(text.encode(), oid, binary=False)


def _typed(value: Any) -> tuple[str, int]:
    match value:
        case bool():
            return _word(value), _BOOL
        case int():
            return str(value), _INT8 if value in _INT8_RANGE else _NUMERIC
        case float():
            return repr(value), _FLOAT8
        case str():
            return value, _UNKNOWN
        case list() if (oid := _array_type(value)) is not None:
            return "{" + ",".join(map(_element, value)) + "}", oid
    return json.dumps(value, ensure_ascii=False), _JSON


def _array_type(values: list[Any]) -> int | None:
    """Return the type of an array whose elements are of one kind; other lists are JSON."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        kinds = {float}
    if len(kinds) != 1 or any(type(value) is int and value not in _INT8_RANGE for value in values):
        return None
    return _ARRAYS.get(kinds.pop())


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return _word(value) if isinstance(value, bool) else repr(value)


def _word(value: bool) -> str:
    return "true" if value else "false"


def _bad(what: str) -> HttpRefused:
    return HttpRefused(400, f"the body cannot be used: {what}", hint="docs/http.md shows a request")
