r"""The SQL that loads what COPY FROM STDIN has received: the gateway's own text, run in the user's worker.

Every field is read as a text, and an expression makes the value of it. In text format that un-escapes: ``\\`` becomes a
NUL first, which no data can hold, so that what follows each backslash left over is what it escapes. Octal and
hexadecimal escapes name bytes, several of which may make one character; a field with such is put together from bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.commands.copy_rows import LONGEST_RECORD
from fairlead.engine.lake.names import literal, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.lang import ast

_LINE_ENDS: Final = {b"\n": "\\n", b"\r": "\\r", b"\r\n": "\\r\\n"}
_F: Final = "system.main."
_NUL: Final = f"{_F}chr(0)"
_LETTERS: Final = {"b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
# Octal and hexadecimal escapes, other escapes, and what lies between.
_TOKENS: Final = r"(?s)\\[0-7]{1,3}|\\x[0-9A-Fa-f]{1,2}|\\.|[^\\]+"


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be loaded.

    Args:
        copy: what the user asked for.
        columns: name and engine type of each column that the data have.
        path: of the file that holds them.
        newline: how its lines end.
    """

    copy: ast.CopyFromStdin
    columns: Sequence[tuple[str, str]]
    path: str
    newline: bytes

    def select(self) -> str:
        """Return the query that gives the rows."""
        values = ", ".join(self._value(number) for number in range(len(self.columns)))
        return f"SELECT {values} FROM {self._reader()}"  # noqa: S608  # all quoted

    def first_fault(self) -> str:
        """Return the query for the first value that is not of its type: number of its row, of its column, its text."""
        numbers = range(len(self.columns))
        faults = [f"(TRY({self._value(number)}) IS NULL AND {self._raw(number)} IS NOT NULL)" for number in numbers]
        which = " ".join(f"WHEN {fault} THEN {number}" for number, fault in enumerate(faults))
        what = " ".join(
            f"WHEN {fault} THEN coalesce(TRY({self._text(number)}), {self._raw(number)})"
            for number, fault in enumerate(faults)
        )
        numbered = f"SELECT {_F}row_number() OVER () AS n, * FROM {self._reader()}"  # noqa: S608  # all quoted
        which_and_what = f"CASE {which} END, CASE {what} END"
        return f"SELECT n, {which_and_what} FROM ({numbered}) WHERE {' OR '.join(faults)} ORDER BY n LIMIT 1"  # noqa: S608

    def _reader(self) -> str:
        copy, count = self.copy, len(self.columns)
        quoting = literal(copy.quote if copy.format == "csv" else "")
        options = {
            "auto_detect": "false",
            "header": "false",
            "columns": "{" + ", ".join(f"{literal(_field(number))}: 'VARCHAR'" for number in range(count)) + "}",
            "delim": literal(copy.delimiter),
            "quote": quoting,
            "escape": quoting,
            "comment": "''",
            # With any other text for NULL the reader drops the empty lines of a text with one column.
            "nullstr": literal("" if copy.format == "text" and count == 1 else copy.null),
            "allow_quoted_nulls": "false",
            "new_line": literal(_LINE_ENDS[self.newline]),
            "max_line_size": str(LONGEST_RECORD + 2),
            "buffer_size": str(2 * LONGEST_RECORD + 4),
        }
        given = ", ".join(f"{name} = {value}" for name, value in options.items())
        return f"{_F}read_csv({literal(self.path)}, {given})"

    def _value(self, number: int) -> str:
        """Return the expression for a column's value."""
        text, kind = self._text(number), self.columns[number][1]
        if kind == "VARCHAR":
            return text
        if kind == "BLOB":
            return (
                f"CASE WHEN {_F}starts_with({text}, '\\x') THEN {_F}unhex({text}[3:]) "
                f"WHEN {_F}contains({text}, '\\') THEN {_bytes(text)} ELSE {_F}encode({text}) END"
            )
        if kind.endswith("[]"):  # PostgreSQL writes {1,2}, the engine [1,2]
            text = f"CASE WHEN {_F}starts_with({text}, '{{') THEN '[' || {text}[2:-2] || ']' ELSE {text} END"
        return f"CAST({text} AS {kind})"

    def _text(self, number: int) -> str:
        """Return the expression for a column's text, without escapes."""
        raw = self._raw(number)
        if self.copy.format == "csv":
            return raw
        return f"CASE WHEN {_F}contains({raw}, '\\') THEN {_unescaped(raw)} ELSE {raw} END"

    def _raw(self, number: int) -> str:
        """Return the expression for a column's text as it stands in the data, or NULL."""
        copy, field = self.copy, _field(number)
        if copy.format == "text":
            if len(self.columns) > 1 or copy.null == "":
                return field
            return f"{_F}nullif(coalesce({field}, ''), {literal(copy.null)})"
        name = self.columns[number][0]
        if _forced(copy.force_null, name):
            field = f"{_F}nullif({field}, {literal(copy.null)})"
        return f"coalesce({field}, {literal(copy.null)})" if _forced(copy.force_not_null, name) else field


def _unescaped(raw: str) -> str:
    marked = f"{_F}replace({raw}, '\\\\', {_NUL})"
    simple = marked
    for letter, code in _LETTERS.items():
        simple = f"{_F}replace({simple}, '\\{letter}', {_F}chr({code}))"
    simple = f"{_F}replace({simple}, {_NUL}, '\\')"
    others = f"{_F}regexp_matches({marked}, '\\\\[^bfnrtv]|\\\\$')"
    return f"CASE WHEN {others} THEN {_F}decode({_bytes(raw)}) ELSE {simple} END"


def _bytes(text: str) -> str:
    """Return the expression for the bytes of a text with escapes of every kind."""
    octal = f"{_F}lpad(t[2:], 3, '0')"
    number = f"((({octal}[1]::INTEGER * 8) + {octal}[2]::INTEGER) * 8 + {octal}[3]::INTEGER) & 255"
    letters = " ".join(f"WHEN '{letter}' THEN '{code:02x}'" for letter, code in _LETTERS.items())
    one = (
        f"CASE WHEN {_F}regexp_full_match(t, '\\\\[0-7]+') THEN {_F}lpad({_F}to_hex({number}), 2, '0') "
        f"WHEN {_F}regexp_full_match(t, '\\\\x[0-9A-Fa-f]+') THEN {_F}lpad(t[3:], 2, '0') "
        f"WHEN t[1] = '\\' THEN CASE t[2] {letters} ELSE {_F}hex(t[2:]) END ELSE {_F}hex(t) END"
    )
    tokens = f"{_F}regexp_extract_all({text}, {literal(_TOKENS)})"
    return f"{_F}unhex({_F}array_to_string({_F}list_transform({tokens}, lambda t: {one}), ''))"


def _forced(columns: tuple[str, ...], name: str) -> bool:
    return columns == ("*",) or name.casefold() in {column.casefold() for column in columns}


def _field(number: int) -> str:
    return f"c{number}"


def listed(names: Sequence[str]) -> str:
    """Return names as the list of columns of an INSERT."""
    return ", ".join(map(quote, names))
