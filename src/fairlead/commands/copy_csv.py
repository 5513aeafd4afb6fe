"""PostgreSQL's CSV format of COPY, as CSV that the engine's reader takes for what PostgreSQL does.

The two agree on fields that are quoted as a whole with doubled quotes, or not at all. PostgreSQL also lets quotes open
and close in the middle of a field and knows an escape character of its own; a block in which that occurs is spelled
anew, field by field. All others pass as they are, after a search or two at the speed of memory. The header goes, and
the end marker that old clients send.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from fairlead.commands.copy_rows import CopiedRows
from fairlead.errors import BadCopyData

if TYPE_CHECKING:
    from mmap import mmap

    from fairlead.lang import ast

_END_MARKER: Final = b"\\."
_LF, _CR = b"\n", b"\r"


class CsvRows(CopiedRows):
    """Rows in CSV format.

    Args:
        copy: the statement.
        columns: names of the columns that the data have.
    """

    def __init__(self, copy: ast.CopyFromStdin, columns: tuple[str, ...]) -> None:
        super().__init__(copy, columns)
        self._quote = copy.quote.encode()
        self._escapes = copy.escape != copy.quote
        self._fills_empty = len(columns) == 1 and copy.null != ""
        q, e, d = (re.escape(one.encode()) for one in (copy.quote, copy.escape, copy.delimiter))
        doubled = rb"%b(?:[^%b]++|%b%b)*+%b" % (q, q, q, q, q)
        self._q, self._doubled = q, doubled
        self._standard = _compiled(doubled)
        self._quoted = rb"%b(?:[^%b%b]++|%b.)*+%b" % (q, q, e, e, q) if self._escapes else doubled
        self._escape = re.compile(rb"%b([%b%b])" % (e, q, e))
        self._unquoted = _compiled(rb"(?:[^%b]++|%b)*+", q, self._quoted)
        self._start = _compiled(rb"(?:[^%b\r\n]++|%b)*+(\r\n|\n|\r)", q, self._quoted)
        self._split = _compiled(rb"((?:[^%b%b]++|%b)*+)(?:%b|\Z)", q, d, self._quoted, d)
        self._field = _compiled(rb"[^%b%b\r\n]*+(?:%b[^%b%b\r\n]*+)++", q, d, self._quoted, q, d)
        self._part = _compiled(rb"(%b)|[^%b]++", self._quoted, q)
        self._usual = _compiled(rb"(?:[^%b]*+(?:(?<=[%b\r\n])|\A)%b(?=[%b\r\n]))*+[^%b]*+", q, d, doubled, d, q)

    # Patterns that need to know the line end, which the first record shows.

    @cached_property
    def _row(self) -> re.Pattern[bytes]:
        return self._rows_of(self._quoted)

    @cached_property
    def _readable_row(self) -> re.Pattern[bytes]:
        return self._rows_of(self._doubled)

    def _rows_of(self, quoted: bytes) -> re.Pattern[bytes]:
        first = self.newline[:1]
        return _compiled(rb"(?:[^%b%b]++|%b|(?!%b)%b)*+%b", self._q, first, quoted, self.newline, first, self.newline)

    @cached_property
    def _empty(self) -> re.Pattern[bytes]:
        return _compiled(rb"%b|(?:\A|(?<=%b))(?=%b)", self._doubled, self.newline, self.newline)

    @cached_property
    def _stray(self) -> re.Pattern[bytes]:
        return _compiled(rb"%b|%b|([\r\n])", self._doubled, self.newline)

    # --- records -----------------------------------------------------------------------------------------------------

    @property
    def row_end(self) -> bytes:
        """Line ends stay as they are: those inside of quotes belong to values."""
        return self.newline

    def lines_before(self, data: bytes | mmap, record: int) -> int:
        """Count line ends, those inside of quotes too."""
        at = lines = 0
        for _ in range(record - 1):
            found = self._readable_row.match(data, at)
            if found is None:
                break
            at = found.end()
            lines += found[0].count(self.newline)
        return lines

    def _first_end(self, data: bytes, *, last: bool) -> bytes | None:
        found = self._start.match(data)
        if found is None or (found[1] == _CR and found.end() == len(data) and not last):
            return None  # the other half of a CRLF may follow
        return bytes(found[1])

    def _cut(self, data: bytes) -> int:
        cut = self._end_by_rows(data) if self._escapes else self._end_by_count(data)
        marker = _END_MARKER + self.newline
        if data.endswith(marker, 0, cut) and (cut == len(marker) or data.endswith(self.newline, 0, cut - len(marker))):
            cut -= len(marker)  # held back: at the very end it is no row
        return cut

    def _end_by_count(self, data: bytes) -> int:
        """Return the end of the last line that ends outside of quotes: behind an even number of them."""
        at = data.rfind(self.newline)
        odd = at >= 0 and data.count(self._quote, 0, at) % 2 == 1
        while at >= 0 and odd:
            before = data.rfind(self.newline, 0, data.rfind(self._quote, 0, at))
            odd = data.count(self._quote, max(before, 0), at) % 2 == 0
            at = before
        return at + len(self.newline) if at >= 0 else 0

    def _end_by_rows(self, data: bytes) -> int:
        at = 0
        while (found := self._row.match(data, at)) is not None:
            at = found.end()
        return at

    def _first_record(self, block: bytes) -> int:
        found = self._start.match(block)
        return found.end() if found is not None else len(block)

    def _names(self, line: bytes) -> list[str]:
        names: list[str] = []
        at = 0
        while (found := self._split.match(line, at)) is not None:
            names.append(self._value(found[1]).decode("utf-8", "replace"))
            if found.end(1) == len(line):
                break
            at = found.end()
        return names

    def _last(self, tail: bytes) -> bytes:
        if tail.removesuffix(self.newline) == _END_MARKER:
            return b""
        whole = self._unquoted.match(tail)
        if whole is not None and whole.end() != len(tail):
            line = self._line + 1 + tail.count(self.newline)
            raise BadCopyData("unterminated CSV quoted field", context=self.place(line))
        return tail

    # --- what the reader would not understand ------------------------------------------------------------------------

    def _readable(self, block: bytes) -> bytes:
        if self._quote in block and (self._escapes or self._usual.fullmatch(block) is None):
            block = self._field.sub(self._requoted, block)
        if self.newline != _LF or _CR in block:
            self._refuse_stray(block)
        if block.startswith(self.newline) or self.newline * 2 in block:
            block = self._without_empty(block)
        return block

    def _requoted(self, found: re.Match[bytes]) -> bytes:
        quote = self._quote
        return quote + self._value(found[0]).replace(quote, quote * 2) + quote

    def _value(self, field: bytes) -> bytes:
        """Return a field without its quotes and escapes."""
        return b"".join(
            part[0] if part[1] is None else self._escape.sub(rb"\1", part[1][1:-1])
            for part in self._part.finditer(field)
        )

    def _refuse_stray(self, block: bytes) -> None:
        """Refuse a line end, outside of quotes, of another kind than that of the first line."""
        outside = self._standard.sub(b"", block) if self._quote in block else block
        outside = outside.replace(self.newline, b"")
        if _CR not in outside and _LF not in outside:
            return
        lines = self._line + 1
        for found in self._stray.finditer(block):
            if found[1] is not None:
                name = "carriage return" if found[1] == _CR else "newline"
                raise BadCopyData(
                    f"unquoted {name} found in data",
                    hint=f"Use quoted CSV field to represent {name}.",
                    context=self.place(lines),
                )
            lines += found[0].count(self.newline)

    def _without_empty(self, block: bytes) -> bytes:
        """Refuse empty lines where rows have several columns, and write them out where an empty text is meant."""
        if len(self.columns) > 1:
            found = next((one for one in self._empty.finditer(block) if not one[0]), None)
            if found is not None:
                self._refuse_empty(self._line + 1 + block.count(self.newline, 0, found.start()))
        elif self._fills_empty:
            return self._empty.sub(lambda found: found[0] or self._quote * 2, block)
        return block


def _compiled(pattern: bytes, *parts: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern % parts if parts else pattern, re.DOTALL)
