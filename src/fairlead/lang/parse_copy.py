"""``COPY table FROM STDIN``: the grammar of PostgreSQL 17, old and new spelling of the options, and Materialize's.

What an option means is settled here, so that the rooms above see one plain node: defaults are filled in, and a
combination that PostgreSQL refuses is refused with its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from fairlead.errors import InvalidParameter, NotSupported
from fairlead.lang.ast import CopyFromStdin

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.lang.cursor import Cursor

_TRUE: Final = frozenset({"TRUE", "ON", "1", "YES"})
_FALSE: Final = frozenset({"FALSE", "OFF", "0", "NO"})
_UTF8: Final = frozenset({"utf8", "utf-8", "utf_8", "unicode", "utf8mb4"})
# In text format these begin or are part of an escape, or would be mistaken for data.
_NO_DELIMITER: Final = frozenset("\\.abcdefghijklmnopqrstuvwxyz0123456789")
_LINE_ENDS: Final = frozenset("\r\n")
_FORMATS_HINT: Final = "FORMAT text (PostgreSQL's own) and FORMAT csv are"
_NOT_OFFERED: Final = {
    "DEFAULT": "leave the column out of the list: it gets its default",
    "REJECT_LIMIT": None,
    "LOG_VERBOSITY": None,
    "FORCE_QUOTE": "FORCE_QUOTE is for COPY TO",
}
_OPTIONS: Final = (
    *("FORMAT", "DELIMITER", "NULL", "HEADER", "QUOTE", "ESCAPE", "FORCE_NULL", "FORCE_NOT_NULL", "ENCODING"),
    *("FREEZE", "ON_ERROR"),
)
_OLD: Final = ("CSV", "DELIMITER", "NULL", "HEADER", "QUOTE", "ESCAPE", "FORCE", "ENCODING", "FREEZE")


@dataclass(slots=True)
class _Given:
    """The options that are written, by name."""

    format: Literal["text", "csv"] | None = None
    delimiter: str | None = None
    null: str | None = None
    header: Literal["no", "skip", "match"] | None = None
    quote: str | None = None
    escape: str | None = None
    force_null: tuple[str, ...] | None = None
    force_not_null: tuple[str, ...] | None = None


def reads_client(cursor: Cursor) -> bool:
    """Whether the COPY at hand is one FROM STDIN."""
    depth = 0
    for token, after in zip(cursor.tokens[cursor.at_index :], cursor.tokens[cursor.at_index + 1 :], strict=False):
        if token.kind == "op":
            depth += (token.text == "(") - (token.text == ")")
        elif depth == 0 and token.kind == "word" and token.upper in {"FROM", "TO"}:
            return token.upper == "FROM" and after.kind == "word" and after.upper == "STDIN"
    return False


def copy_from_stdin(cursor: Cursor) -> CopyFromStdin:
    """Read the statement.

    Raises:
        NotSupported: the binary format, WHERE, and options that are known but not offered.
        InvalidParameter: an option's value that PostgreSQL refuses.
        SqlSyntaxError: anything else that is not the statement.
    """
    cursor.expect("COPY")
    if cursor.at("BINARY") and not cursor.at("FROM", by=1):
        _no_binary(cursor)
    if cursor.at("INTO") and not cursor.at("FROM", by=1):
        cursor.next()
    table = cursor.name("table name")
    columns = _columns(cursor) if cursor.at_op("(") else ()
    cursor.expect("FROM", "STDIN")
    given = _Given()
    cursor.accept("WITH")
    if cursor.accept_op("("):
        cursor.comma_list(lambda: _option(cursor, given))
        cursor.expect_op(")", "right parenthesis")
    else:
        while cursor.token.kind != "eof" and not cursor.at("WHERE"):
            _old_option(cursor, given)
    if cursor.at("WHERE"):
        cursor.unsupported("COPY ... WHERE is not offered", "COPY into a temporary table, then INSERT ... SELECT")
    cursor.end()
    start, end = cursor.piece.span
    copy = CopyFromStdin(
        table=table,
        columns=columns,
        format=given.format or "text",
        delimiter=given.delimiter if given.delimiter is not None else "," if given.format == "csv" else "\t",
        null=given.null if given.null is not None else "" if given.format == "csv" else "\\N",
        header=given.header or "no",
        quote=given.quote if given.quote is not None else '"',
        escape=given.escape if given.escape is not None else given.quote if given.quote is not None else '"',
        force_null=given.force_null or (),
        force_not_null=given.force_not_null or (),
        span=(start, end),
    )
    _check(copy, given)
    return copy


# --- options ---------------------------------------------------------------------------------------------------------


def _option(cursor: Cursor, given: _Given) -> None:
    """Read one option of the list in parentheses; Materialize writes an equals sign."""
    name = cursor.word()
    if name in _NOT_OFFERED:
        cursor.unsupported(f"the option {name} of COPY FROM STDIN is not offered", _NOT_OFFERED[name])
    cursor.expect_one(*_OPTIONS)
    cursor.accept_op("=")
    match name:
        case "FORMAT":
            _once(cursor, given, "format", _format(cursor))
        case "HEADER":
            _once(cursor, given, "header", _header(cursor))
        case "FORCE_NULL" | "FORCE_NOT_NULL":
            _once(cursor, given, name.lower(), _forced(cursor, lambda: _columns(cursor)))
        case "ENCODING":
            _encoding(cursor)
        case "FREEZE":
            _boolean(cursor)  # says how rows are stored, not what they are
        case "ON_ERROR":
            if not cursor.accept("STOP"):
                cursor.unsupported("only ON_ERROR stop is offered: nothing is loaded when a row is faulty")
        case _:
            _once(cursor, given, name.lower(), cursor.string())


def _old_option(cursor: Cursor, given: _Given) -> None:
    """Read one option as PostgreSQL wrote them before version 9."""
    if cursor.at("BINARY"):
        _no_binary(cursor)
    match name := cursor.expect_one(*_OLD):
        case "CSV":
            _once(cursor, given, "format", "csv")
        case "HEADER":
            _once(cursor, given, "header", "skip")
        case "FORCE":
            negated = cursor.accept("NOT")
            cursor.expect("NULL")
            field = "force_not_null" if negated else "force_null"
            _once(cursor, given, field, _forced(cursor, lambda: cursor.comma_list(cursor.identifier)))
        case "ENCODING":
            _encoding(cursor)
        case "FREEZE":
            return
        case _:
            cursor.accept("AS")
            _once(cursor, given, name.lower(), cursor.string())


def _once(cursor: Cursor, given: _Given, field: str, value: object) -> None:
    if getattr(given, field) is not None:
        cursor.fail(message="conflicting or redundant options", token=cursor.tokens[cursor.at_index - 1])
    setattr(given, field, value)


def _format(cursor: Cursor) -> Literal["text", "csv"]:
    token = cursor.token
    if token.kind not in {"word", "string"}:
        cursor.fail("text", "csv")
    match token.text.lower():
        case "text":
            cursor.next()
            return "text"
        case "csv":
            cursor.next()
            return "csv"
        case "binary":
            _no_binary(cursor)
    raise InvalidParameter(
        f'COPY format "{token.text[:64]}" not recognized', hint=_FORMATS_HINT, position=token.start + 1
    )


def _no_binary(cursor: Cursor) -> None:
    cursor.unsupported("COPY in binary format is not offered", _FORMATS_HINT)


def _header(cursor: Cursor) -> Literal["no", "skip", "match"]:
    if cursor.token.text.upper() == "MATCH" and cursor.token.kind in {"word", "string"}:
        cursor.next()
        return "match"
    return "skip" if _boolean(cursor) else "no"


def _boolean(cursor: Cursor) -> bool:
    """Read a boolean; none at all means true."""
    token = cursor.token
    word = token.text.upper()
    if token.kind in {"word", "string", "number"} and word in _TRUE | _FALSE:
        cursor.next()
        return word in _TRUE
    if cursor.at_op(",") or cursor.at_op(")"):
        return True
    return cursor.fail("true", "false")


def _encoding(cursor: Cursor) -> None:
    position = cursor.token.start + 1
    if cursor.string().lower() not in _UTF8:
        raise NotSupported("COPY reads UTF-8 only", hint="convert the data first: iconv -t utf-8", position=position)


def _columns(cursor: Cursor) -> tuple[str, ...]:
    cursor.expect_op("(", "left parenthesis")
    columns = cursor.comma_list(cursor.identifier)
    cursor.expect_op(")", "right parenthesis")
    return columns


def _forced(cursor: Cursor, columns: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    return ("*",) if cursor.accept_op("*") else columns()


# --- what goes together ----------------------------------------------------------------------------------------------


def _check(copy: CopyFromStdin, given: _Given) -> None:
    """Refuse what PostgreSQL refuses (ProcessCopyOptions in copy.c), in its words.

    Raises:
        InvalidParameter: with the reason.
    """
    csv = copy.format == "csv"
    only_csv = () if csv else ("quote", "escape", "force_null", "force_not_null")
    single = (("delimiter", copy.delimiter), ("quote", copy.quote), ("escape", copy.escape))
    faults = [
        *((len(value) != 1 or not value.isascii(), f"COPY {name} must be a single one-byte character")
          for name, value in single),
        *((getattr(given, name) is not None, f"COPY {name.upper()} requires CSV mode") for name in only_csv),
        *((value in _LINE_ENDS, f"COPY {name} cannot be newline or carriage return") for name, value in single),
        (not csv and copy.delimiter in _NO_DELIMITER, f'COPY delimiter cannot be "{copy.delimiter}"'),
        (csv and copy.delimiter == copy.quote, "COPY delimiter and quote must be different"),
        (bool(_LINE_ENDS & set(copy.null)), "COPY null representation cannot use newline or carriage return"),
        (copy.delimiter in copy.null, "COPY delimiter character must not appear in the NULL specification"),
        (csv and copy.quote in copy.null, "CSV quote character must not appear in the NULL specification"),
    ]  # fmt: skip
    message = next((message for wrong, message in faults if wrong), None)
    if message is not None:
        raise InvalidParameter(message)
