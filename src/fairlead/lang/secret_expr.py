"""The constant expression after AS in CREATE SECRET, evaluated at once (materialize.md, section 7).

A plain literal is *input* of type bytea, so a backslash begins an escape in it; ``||`` of two literals is text and
needs ``::bytea``. No error shows any part of the expression.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, NoReturn

from fairlead.errors import InvalidParameter
from fairlead.lang.ast import SecretValue
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_MOST_BYTES: Final = 524288
_DEEPEST: Final = 32
_ESCAPED: Final = re.compile(rb"\\(?:(\\)|([0-3][0-7]{2}))|\\")
_BACKSLASH_HINT: Final = "a backslash begins an escape here: write \\\\ for one backslash, or decode('...', 'base64')"


class _Term(NamedTuple):
    """A value with its type; ``unknown`` is a literal that can still become text or bytea."""

    type: Literal["unknown", "text", "bytea"]
    data: bytes


def secret_value(cursor: Cursor) -> SecretValue:
    """Read and evaluate the expression.

    Raises:
        SqlSyntaxError: not an expression of the known forms.
        InvalidParameter: wrong type, NULL, too long, not UTF-8, or not to be evaluated.
    """
    start = cursor.token.start
    term = _expression(cursor, 0)
    if term.type == "text":
        raise InvalidParameter("AS must have type bytea, not type text", position=start + 1)
    data = _bytea(cursor, term, start)
    if len(data) > _MOST_BYTES:
        raise InvalidParameter("secrets can not be bigger than 512KiB", position=start + 1)
    try:
        return SecretValue(value=Sensitive(data.decode()))
    except UnicodeDecodeError:
        raise InvalidParameter("secret value must be valid UTF-8", position=start + 1) from None


def _expression(cursor: Cursor, depth: int) -> _Term:
    start = cursor.token.start
    terms = [_cast(cursor, depth)]
    while cursor.accept_op("||"):
        terms.append(_cast(cursor, depth))
    if len(terms) == 1:
        return terms[0]
    types = {term.type for term in terms}
    if types >= {"text", "bytea"}:
        raise InvalidParameter("operator does not exist: text || bytea", position=start + 1)
    if "bytea" in types:
        return _Term("bytea", b"".join(_bytea(cursor, term, start) for term in terms))
    return _Term("text", b"".join(term.data for term in terms))


def _cast(cursor: Cursor, depth: int) -> _Term:
    start = cursor.token.start
    term = _primary(cursor, depth)
    while cursor.accept_op("::"):
        term = _converted(cursor, term, start)
    return term


def _converted(cursor: Cursor, term: _Term, start: int) -> _Term:
    if cursor.expect_one("BYTEA", "TEXT") == "BYTEA":
        return _Term("bytea", _bytea(cursor, term, start))
    if term.type == "bytea":
        cursor.fail(message="a bytea value cannot be cast to text here")
    return _Term("text", term.data)


def _primary(cursor: Cursor, depth: int) -> _Term:
    token = cursor.token
    if depth > _DEEPEST:
        cursor.fail(message="the expression is nested too deeply")
    if token.kind == "string":
        cursor.next()
        return _Term("unknown", token.text.encode())
    if token.kind == "hex":
        cursor.next()
        return _Term("bytea", _evaluated(cursor, "hex", token.text.encode(), token.start))
    if cursor.accept_op("("):
        if cursor.word() in {"SELECT", "WITH", "VALUES"}:
            raise InvalidParameter("AS does not allow subqueries", position=token.start + 1)
        term = _expression(cursor, depth + 1)
        cursor.expect_op(")", "right parenthesis")
        return term
    if token.kind == "word" and (cursor.at_op("(", 1) or cursor.at("CAST")):
        return _call(cursor, depth)
    return _refused(cursor)


def _refused(cursor: Cursor) -> NoReturn:
    token = cursor.token
    if cursor.at("NULL"):
        raise InvalidParameter("secret value can not be null", position=token.start + 1)
    if token.kind == "number":
        kind = "integer" if token.text.isdecimal() else "numeric"
        raise InvalidParameter(f"AS must have type bytea, not type {kind}", position=token.start + 1)
    if token.kind == "param":
        raise InvalidParameter("AS does not allow parameters", position=token.start + 1)
    if cursor.word() in {"TRUE", "FALSE"}:
        raise InvalidParameter("AS must have type bytea, not type boolean", position=token.start + 1)
    cursor.fail("a string literal")


def _call(cursor: Cursor, depth: int) -> _Term:
    start = cursor.token.start
    function = cursor.expect_one("DECODE", "CONVERT_TO", "CAST")
    cursor.expect_op("(", "left parenthesis")
    term = _expression(cursor, depth + 1)
    if function == "CAST":
        cursor.expect("AS")
        term = _converted(cursor, term, start)
    else:
        cursor.expect_op(",", "comma")
        form = cursor.string().lower()
        if term.type == "bytea" or (function == "CONVERT_TO" and form not in {"utf8", "utf-8"}):
            _failed(start)
        data = _evaluated(cursor, form, term.data, start) if function == "DECODE" else term.data
        term = _Term("bytea", data)
    cursor.expect_op(")", "right parenthesis")
    return term


def _bytea(cursor: Cursor, term: _Term, start: int) -> bytes:
    if term.type == "bytea":
        return term.data
    if term.data.startswith(b"\\x"):
        return _evaluated(cursor, "hex", term.data[2:], start)
    return _evaluated(cursor, "escape", term.data, start)


def _evaluated(_: Cursor, form: str, data: bytes, start: int) -> bytes:
    try:
        match form:
            case "base64":
                return base64.b64decode(b"".join(data.split()), validate=True)
            case "hex":
                return bytes.fromhex(data.decode("ascii"))
            case "escape":
                return _ESCAPED.sub(_escape, data)
    except (ValueError, binascii.Error):
        pass
    return _failed(start, _BACKSLASH_HINT if form == "escape" else None)


def _escape(found: re.Match[bytes]) -> bytes:
    backslash, octal = found.groups()
    if not backslash and not octal:
        raise ValueError
    return backslash or bytes((int(octal, 8),))


def _failed(start: int, hint: str | None = None) -> NoReturn:
    raise InvalidParameter("could not evaluate secret value", hint=hint, position=start + 1)
