"""How results are shown: tables for people, CSV and JSON lines for programs.

Control characters of the data are never sent to the terminal: a value must not be able to steer it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Final, Literal, Protocol

from rich.box import ROUNDED
from rich.measure import Measurement
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from fairlead.cli.shell.running import Columns, Done, Row, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TextIO

    from rich.console import Console

Expanded = Literal["on", "off", "auto"]

_NULL: Final = Text("NULL", style="dim")
_NUMBERS: Final = frozenset({20, 21, 23, 26, 700, 701, 1700})
_BOOLEAN: Final = 16
_JSON: Final = frozenset({114, 3802})
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARGIN: Final = 4  # lines of the terminal beside the table


def shown(text: str) -> str:
    """Return a text with its control characters written out."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class Printer(Protocol):
    """Shows the results of one statement after the other."""

    def show(self, results: Iterable[Columns | Rows | Done]) -> str:
        """Show a statement's results as they come; return its command tag."""
        ...


class CsvPrinter:
    """CSV (RFC 4180) with a head line; NULL is an empty field without quotes, an empty text one with quotes.

    Args:
        out: where to.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, results: Iterable[Columns | Rows | Done]) -> str:
        """Write the rows as they come."""
        tag = ""
        for one in results:
            match one:
                case Columns(names=names):
                    self._line(names)
                case Rows(rows=rows):
                    for row in rows:
                        self._line(row)
                case Done():
                    tag = one.tag
        return tag

    def _line(self, row: Sequence[str | None]) -> None:
        self._out.write(",".join("" if value is None else _quoted(value) for value in row) + "\n")


def _quoted(value: str) -> str:
    special = value == "" or any(c in value for c in ',"\r\n')
    return '"' + value.replace('"', '""') + '"' if special else value


class JsonPrinter:
    """One JSON object a line; numbers, booleans and JSON as such, everything else as text.

    Args:
        out: where to.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, results: Iterable[Columns | Rows | Done]) -> str:
        """Write the rows as they come."""
        tag, columns = "", Columns((), ())
        for one in results:
            match one:
                case Columns():
                    columns = one
                case Rows(rows=rows):
                    heads = [json.dumps(name, ensure_ascii=False) for name in columns.names]
                    for row in rows:
                        self._out.write(_object(heads, columns.types, row))
                case Done():
                    tag = one.tag
        return tag


def _object(heads: Sequence[str], types: Sequence[int], row: Row) -> str:
    members = (f"{head}: {_json(value, type_)}" for head, type_, value in zip(heads, types, row, strict=True))
    return "{" + ", ".join(members) + "}\n"


def _json(value: str | None, type_: int) -> str:
    if value is None:
        return "null"
    if type_ == _BOOLEAN:
        return "true" if value == "t" else "false"
    if (type_ in _NUMBERS and _NUMBER.fullmatch(value)) or (type_ in _JSON and _is_line(value)):
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_line(value: str) -> bool:
    return "\n" not in value and "\r" not in value


class TablePrinter:
    """Tables for a person; a large one through the pager.

    Args:
        console: the terminal.
        expanded: a line for each value: always, never, or where the table is wider than the terminal.
        limit: rows that are shown of one result; 0 = all.
        paged: whether what is higher than the terminal goes through the pager.
    """

    def __init__(self, console: Console, *, expanded: Expanded = "auto", limit: int = 1000, paged: bool = True) -> None:
        self._console = console
        self.expanded: Expanded = expanded
        self.limit = limit
        self.paged = paged

    def show(self, results: Iterable[Columns | Rows | Done]) -> str:
        """Collect what is to be shown of a result, count the rest, and show it."""
        tag, columns, kept, count = "", None, list[Row](), 0
        for one in results:
            match one:
                case Columns():
                    columns, kept, count = one, [], 0
                case Rows(rows=rows):
                    room = len(rows) if not self.limit else max(0, self.limit - len(kept))
                    kept += rows[:room]
                    count += len(rows)
                case Done():
                    tag = one.tag
                    if columns is not None:
                        self._table(columns, kept, count)
                        columns = None
                    elif tag:
                        self._console.print(Text(shown(tag)))
        return tag

    def _table(self, columns: Columns, rows: Sequence[Row], count: int) -> None:
        table = _grid(columns, rows)
        options = self._console.options.update(max_width=100_000, width=100_000)
        width = Measurement.get(self._console, options, table).maximum
        tall = self.expanded == "on" or (self.expanded == "auto" and width > self._console.width)
        footer = f"({count} row{'' if count == 1 else 's'})"
        if len(rows) < count:
            footer = f"({len(rows)} of {count} rows are shown; \\limit 0 shows all)"
        height = sum(len(columns.names) + 1 for _ in rows) if tall else len(rows) + _MARGIN

        def write() -> None:
            if tall:
                for line in _records(columns, rows):
                    self._console.print(line, soft_wrap=True)
            else:
                # Wider than the terminal, where that is wanted: print() would cut it.
                segments = self._console.render(table, options.update(width=width, max_width=width))
                self._console.print(Segments(segments), end="", crop=False, soft_wrap=True)
            self._console.print(Text(footer, style="dim"))

        self._write(write, height)

    def _write(self, write: Callable[[], None], height: int) -> None:
        if not (self.paged and self._console.is_terminal and height > shutil.get_terminal_size().lines):
            write()
            return
        os.environ.setdefault("LESS", "-SRFX")
        with self._console.pager(styles=True):
            write()


def _grid(columns: Columns, rows: Sequence[Row]) -> Table:
    table = Table(box=ROUNDED, header_style="bold")
    for name, type_ in zip(columns.names, columns.types, strict=True):
        table.add_column(Text(shown(name)), justify="right" if type_ in _NUMBERS else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(_NULL if value is None else Text(shown(value)) for value in row))
    return table


def _records(columns: Columns, rows: Sequence[Row]) -> Iterator[Text]:
    """Give a line for each value, as psql does in its expanded display."""
    names = [shown(name) for name in columns.names]
    width = max(map(len, names), default=0)
    for number, row in enumerate(rows, 1):
        yield Text(f"-[ RECORD {number} ]".ljust(width + 20, "-"), style="dim")
        for name, value in zip(names, row, strict=True):
            yield Text.assemble((name.ljust(width), "bold"), " | ", _NULL if value is None else shown(value))
