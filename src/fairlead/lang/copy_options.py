"""The options of COPY between a table and a client: PostgreSQL 17's, in old and new spelling, and Materialize's.

What an option means is settled here, so that the rooms above see one plain node: defaults are filled in, and a
combination that PostgreSQL refuses is refused with its words (ProcessCopyOptions in copy.c).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from fairlead.errors import InvalidParameter, NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.lang.cursor import Cursor

Format = Literal["text", "csv", "binary"]
Header = Literal["no", "skip", "match"]
_FORMATS: Final[dict[str, Format]] = {"text": "text", "csv": "csv", "binary": "binary"}
_TRUE: Final = frozenset({"TRUE", "ON", "1", "YES"})
_FALSE: Final = frozenset({"FALSE", "OFF", "0", "NO"})
_UTF8: Final = frozenset({"utf8", "utf-8", "utf_8", "unicode", "utf8mb4"})
# In text format these begin or are part of an escape, or would be mistaken for data.
_NO_DELIMITER: Final = frozenset("\\.abcdefghijklmnopqrstuvwxyz0123456789")
_LINE_ENDS: Final = frozenset("\r\n")
_FORMATS_HINT: Final = "FORMAT text (PostgreSQL's own), FORMAT csv and FORMAT binary are"
_COMMON: Final = ("FORMAT", "DELIMITER", "NULL", "HEADER", "QUOTE", "ESCAPE", "ENCODING")
_OLD: Final = ("BINARY", "CSV", "DELIMITER", "NULL", "HEADER", "QUOTE", "ESCAPE", "FORCE", "ENCODING")


@dataclass(frozen=True, slots=True)
class Direction:
    """What differs between the two ways.

    Args:
        name: for messages.
        own: names of options that only this way has.
        refused: known options that are not offered, or belong to the other way, with a hint.
    """

    name: str
    own: tuple[str, ...]
    refused: dict[str, str | None]


FROM_CLIENT: Final = Direction(
    "COPY FROM STDIN",
    ("FORCE_NULL", "FORCE_NOT_NULL", "FREEZE", "ON_ERROR"),
    {
        "DEFAULT": "leave the column out of the list: it gets its default",
        "REJECT_LIMIT": None,
        "LOG_VERBOSITY": None,
        "FORCE_QUOTE": "FORCE_QUOTE is for COPY TO",
    },
)
TO_CLIENT: Final = Direction(
    "COPY TO STDOUT",
    ("FORCE_QUOTE",),
    {
        "FORCE_NULL": "FORCE_NULL is for COPY FROM",
        "FORCE_NOT_NULL": "FORCE_NOT_NULL is for COPY FROM",
        **dict.fromkeys(("FREEZE", "ON_ERROR", "DEFAULT"), "it is for COPY FROM"),
    },
)


@dataclass(slots=True)
class Given:
    """The options that are written, by name."""

    way: Direction
    format: Format | None = None
    delimiter: str | None = None
    null: str | None = None
    header: Header | None = None
    quote: str | None = None
    escape: str | None = None
    force_null: tuple[str, ...] | None = None
    force_not_null: tuple[str, ...] | None = None
    force_quote: tuple[str, ...] | None = None

    def read(self, cursor: Cursor) -> None:
        """Read the options up to the end of the statement, or to WHERE.

        Raises:
            NotSupported: options that are known but not offered.
            InvalidParameter: a value, or a combination, that PostgreSQL refuses.
            SqlSyntaxError: anything else.
        """
        cursor.accept("WITH")
        if cursor.accept_op("("):
            cursor.comma_list(lambda: self._option(cursor))
            cursor.expect_op(")", "right parenthesis")
        else:
            while cursor.token.kind != "eof" and not cursor.at("WHERE"):
                self._old_option(cursor)
        self._check()

    # --- what holds --------------------------------------------------------------------------------------------------

    @property
    def chosen_format(self) -> Format:
        """Of the data."""
        return self.format or "text"

    @property
    def chosen_delimiter(self) -> str:
        """Between two fields."""
        return self.delimiter if self.delimiter is not None else "," if self.format == "csv" else "\t"

    @property
    def chosen_null(self) -> str:
        """What stands for NULL."""
        return self.null if self.null is not None else "" if self.format == "csv" else "\\N"

    @property
    def chosen_quote(self) -> str:
        """Around a field of CSV."""
        return self.quote if self.quote is not None else '"'

    @property
    def chosen_escape(self) -> str:
        """Before a quote inside of a field of CSV."""
        return self.escape if self.escape is not None else self.chosen_quote

    # --- one option --------------------------------------------------------------------------------------------------

    def _option(self, cursor: Cursor) -> None:
        """Read one option of the list in parentheses; Materialize writes an equals sign."""
        name = cursor.word()
        if name in self.way.refused:
            cursor.unsupported(f"the option {name} of {self.way.name} is not offered", self.way.refused[name])
        cursor.expect_one(*_COMMON, *self.way.own)
        cursor.accept_op("=")
        match name:
            case "FORMAT":
                self._once(cursor, "format", _format(cursor))
            case "HEADER":
                self._once(cursor, "header", _header(cursor))
            case "FORCE_NULL" | "FORCE_NOT_NULL" | "FORCE_QUOTE":
                self._once(cursor, name.lower(), _forced(cursor, lambda: columns(cursor)))
            case "ENCODING":
                _encoding(cursor)
            case "FREEZE":
                _boolean(cursor)  # says how rows are stored, not what they are
            case "ON_ERROR":
                if not cursor.accept("STOP"):
                    cursor.unsupported("only ON_ERROR stop is offered: nothing is loaded when a row is faulty")
            case _:
                self._once(cursor, name.lower(), cursor.string())

    def _old_option(self, cursor: Cursor) -> None:
        """Read one option as PostgreSQL wrote them before version 9."""
        if self.way is FROM_CLIENT and cursor.accept("FREEZE"):
            return
        match name := cursor.expect_one(*_OLD):
            case "CSV" | "BINARY":
                self._once(cursor, "format", name.lower())
            case "HEADER":
                self._once(cursor, "header", "skip")
            case "FORCE":
                self._force(cursor)
            case "ENCODING":
                _encoding(cursor)
            case _:
                cursor.accept("AS")
                self._once(cursor, name.lower(), cursor.string())

    def _force(self, cursor: Cursor) -> None:
        if self.way is TO_CLIENT:
            cursor.expect("QUOTE")
            field = "force_quote"
        else:
            negated = cursor.accept("NOT")
            cursor.expect("NULL")
            field = "force_not_null" if negated else "force_null"
        self._once(cursor, field, _forced(cursor, lambda: cursor.comma_list(cursor.identifier)))

    def _once(self, cursor: Cursor, field: str, value: object) -> None:
        if getattr(self, field) is not None:
            cursor.fail(message="conflicting or redundant options", token=cursor.tokens[cursor.at_index - 1])
        setattr(self, field, value)

    # --- what goes together ------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Refuse what PostgreSQL refuses, in its words.

        Raises:
            InvalidParameter: with the reason.
        """
        csv, binary = self.format == "csv", self.format == "binary"
        only_csv = () if csv else ("quote", "escape", "force_null", "force_not_null", "force_quote")
        not_binary = ("delimiter", "null", "header") if binary else ()
        delimiter, quote, null = self.chosen_delimiter, self.chosen_quote, self.chosen_null
        single = (("delimiter", delimiter), ("quote", quote), ("escape", self.chosen_escape))
        faults = [
            *((getattr(self, name) not in (None, "no"), f"cannot specify {name.upper()} in BINARY mode")
              for name in not_binary),
            *((len(value) != 1 or not value.isascii(), f"COPY {name} must be a single one-byte character")
              for name, value in single),
            *((getattr(self, name) is not None, f"COPY {name.upper()} requires CSV mode") for name in only_csv),
            *((value in _LINE_ENDS, f"COPY {name} cannot be newline or carriage return") for name, value in single),
            (not csv and delimiter in _NO_DELIMITER, f'COPY delimiter cannot be "{delimiter}"'),
            (csv and delimiter == quote, "COPY delimiter and quote must be different"),
            (bool(_LINE_ENDS & set(null)), "COPY null representation cannot use newline or carriage return"),
            (delimiter in null, "COPY delimiter character must not appear in the NULL specification"),
            (csv and quote in null, "CSV quote character must not appear in the NULL specification"),
            (self.way is TO_CLIENT and self.header == "match", 'cannot use "match" with HEADER in COPY TO'),
        ]  # fmt: skip
        message = next((message for wrong, message in faults if wrong), None)
        if message is not None:
            raise InvalidParameter(message)


# --- values of options -----------------------------------------------------------------------------------------------


def columns(cursor: Cursor) -> tuple[str, ...]:
    """Read names in parentheses."""
    cursor.expect_op("(", "left parenthesis")
    names = cursor.comma_list(cursor.identifier)
    cursor.expect_op(")", "right parenthesis")
    return names


def _format(cursor: Cursor) -> Format:
    token = cursor.token
    if token.kind not in {"word", "string"}:
        cursor.fail("text", "csv", "binary")
    found = _FORMATS.get(token.text.lower())
    if found is None:
        raise InvalidParameter(
            f'COPY format "{token.text[:64]}" not recognized', hint=_FORMATS_HINT, position=token.start + 1
        )
    cursor.next()
    return found


def _header(cursor: Cursor) -> Header:
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


def _forced(cursor: Cursor, names: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    return ("*",) if cursor.accept_op("*") else names()
