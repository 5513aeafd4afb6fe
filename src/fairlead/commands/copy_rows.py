"""What the two formats of COPY have in common: whole records out of a stream of bytes, its line ends, its header.

Nothing here makes an object of a row: blocks of whole records go in and out, about a mebibyte at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from fairlead.errors import BadCopyData, InvalidEncoding

if TYPE_CHECKING:
    from mmap import mmap

    from fairlead.lang import ast

LONGEST_RECORD: Final = 16 * 1024 * 1024  # bytes
_SHOWN: Final = 100
_LF: Final = b"\n"


class CopiedRows(ABC):
    """Turns a client's bytes into a form that the engine's CSV reader reads as PostgreSQL would.

    Args:
        copy: the statement.
        columns: names of the columns that the data have.
    """

    def __init__(self, copy: ast.CopyFromStdin, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.newline = _LF
        self.header_lines = 0
        self.ended = False
        self._copy = copy
        self._line = 0
        self._carry = b""
        self._known = False
        self._header = copy.header != "no"

    # --- for the caller ----------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> bytes:
        """Take what has come and return what can be loaded of it: whole records.

        Raises:
            BadCopyData: it cannot be right, or a record is longer than ``LONGEST_RECORD``.
            InvalidEncoding: it holds a NUL.
        """
        return self._take(data, last=False)

    def finish(self) -> bytes:
        """Return what can be loaded of the rest.

        Raises:
            BadCopyData, InvalidEncoding: as for :meth:`feed`.
        """
        block = self._take(b"", last=True)
        tail = b"" if self.ended else self._last(self._carry)
        return block + self._records(tail + self.newline) if tail else block

    def place(self, line: int, column: str = "", value: str | None = None) -> str:
        """Return where in the data something is, as PostgreSQL says it."""
        where = f"COPY {self._copy.table.parts[-1]}, line {line}"
        where += f", column {column}" if column else ""
        return where if value is None else f'{where}: "{shown(value)}"'

    @property
    @abstractmethod
    def row_end(self) -> bytes:
        """What ends a record in what is given back."""

    @abstractmethod
    def lines_before(self, data: bytes | mmap, record: int) -> int:
        """Return how many lines of ``data``, as given back, stand before a record, counted from 1."""

    # --- blocks ------------------------------------------------------------------------------------------------------

    def _take(self, data: bytes, *, last: bool) -> bytes:
        if self.ended:
            return b""
        data = self._carry + data
        nul = data.find(b"\0")
        if nul >= 0:
            invalid = InvalidEncoding("invalid byte sequence for encoding UTF8: 0x00")
            invalid.context = self.place(self._line + 1 + data.count(_LF, 0, nul))
            raise invalid
        if not self._known:
            newline = self._first_end(data, last=last)
            self._known, self.newline = newline is not None, newline or _LF
        cut = self._cut(data) if self._known else 0
        self._carry = data[cut:]
        if len(self._carry) > LONGEST_RECORD:
            raise BadCopyData(
                f"a row of COPY is longer than {LONGEST_RECORD // 2**20} MiB",
                sqlstate="54000",
                context=self.place(self._line + 1 + data.count(self.newline, 0, cut)),
            )
        return self._records(data[:cut]) if cut else b""

    def _records(self, block: bytes) -> bytes:
        if self._header:
            block = self._without_header(block)
        block = self._readable(block)
        self._line += block.count(self.row_end)
        return block

    def _without_header(self, block: bytes) -> bytes:
        end = self._first_record(block)
        if self._copy.header == "match":
            self._match(self._names(block[: end - len(self.newline)]))
        self.header_lines = self._line = block.count(self.newline, 0, end)
        self._header = False
        return block[end:]

    def _match(self, names: list[str]) -> None:
        """Compare the header with the columns.

        Raises:
            BadCopyData: they differ.
        """
        if len(names) != len(self.columns):
            raise BadCopyData(
                f"wrong number of fields in header line: got {len(names)}, expected {len(self.columns)}",
                context=self.place(1),
            )
        for number, (found, column) in enumerate(zip(names, self.columns, strict=True), start=1):
            if found != column:
                raise BadCopyData(
                    f'column name mismatch in header line field {number}: got "{shown(found)}", expected "{column}"',
                    context=self.place(1),
                )

    def _refuse_empty(self, line: int) -> None:
        """Refuse an empty line where a row has several columns: the reader would pass over it."""
        raise BadCopyData(f'missing data for column "{self.columns[1]}"', context=self.place(line, value=""))

    # --- what differs ------------------------------------------------------------------------------------------------

    @abstractmethod
    def _first_end(self, data: bytes, *, last: bool) -> bytes | None:
        """Return the line end of the first record, None when it has not come yet."""

    @abstractmethod
    def _cut(self, data: bytes) -> int:
        """Return the end of the last whole record that can go on, 0 when there is none."""

    @abstractmethod
    def _readable(self, block: bytes) -> bytes:
        """Return whole records in the form that the reader takes; notes in ``ended`` that the data end there."""

    @abstractmethod
    def _last(self, tail: bytes) -> bytes:
        """Return the last record, which has no line end; nothing for an end marker."""

    @abstractmethod
    def _first_record(self, block: bytes) -> int:
        """Return the end of the first record of whole ones."""

    @abstractmethod
    def _names(self, line: bytes) -> list[str]:
        """Return the fields of the header."""


def shown(value: str) -> str:
    """Return a value as an error shows it: not all of a long one."""
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
