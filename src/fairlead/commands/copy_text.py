r"""PostgreSQL's text format of COPY, as lines that the engine's CSV reader can split without knowing of escapes.

The reader splits at every delimiter and every line end, so those that a backslash makes part of a value are spelled as
escapes (``\054``, ``\n``) before it sees them. Line ends become ``\n``, the header and the end marker go. Values stay
as they are: the worker un-escapes them (``copy_sql``), and only those that hold a backslash.

Blocks are looked at as a whole, with searches that run at the speed of memory; only a block that has a backslash in
front of a delimiter or a line end is read escape by escape.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.commands.copy_rows import CopiedRows
from fairlead.errors import BadCopyData

if TYPE_CHECKING:
    from mmap import mmap

    from fairlead.lang import ast

_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_FIRST_END: Final = re.compile(rb"(?:[^\\\r\n]++|\\.)*+(\r\n|\n|\r)", re.DOTALL)
_LF, _CR, _CRLF = b"\n", b"\r", b"\r\n"
_END_MARKER: Final = b"\\."
_LOOK: Final = 4096


class TextRows(CopiedRows):
    """Rows in text format.

    Args:
        copy: the statement.
        columns: names of the columns that the data have.
    """

    def __init__(self, copy: ast.CopyFromStdin, columns: tuple[str, ...]) -> None:
        super().__init__(copy, columns)
        self._delimiter = copy.delimiter.encode()
        self._spelled = {_LF: b"\\n", _CR: b"\\r", self._delimiter: b"\\%03o" % self._delimiter[0]}
        # What the reader would split at, and what may be the end marker: one search finds out that there is none.
        self._special = re.compile(rb"\\[\r\n.%b]" % re.escape(self._delimiter))

    @property
    def row_end(self) -> bytes:
        """Line ends of every kind become this one."""
        return _LF

    def lines_before(self, data: bytes | mmap, record: int) -> int:
        """A record is a line."""
        del data
        return record - 1

    def _first_end(self, data: bytes, *, last: bool) -> bytes | None:
        found = _FIRST_END.match(data)
        if found is None or (found[1] == _CR and found.end() == len(data) and not last):
            return None  # the other half of a CRLF may follow
        return bytes(found[1])

    def _cut(self, data: bytes) -> int:
        at = data.rfind(self.newline)
        while at >= 0 and _is_escaped(data, at):
            at = data.rfind(self.newline, 0, at)
        return at + len(self.newline) if at >= 0 else 0

    def _readable(self, block: bytes) -> bytes:
        special = self._special.search(block) is not None
        if special:
            block = _ESCAPE.sub(lambda found: self._spelled.get(found[1], found[0]), block)
        self._refuse_stray(block)
        if self.newline != _LF:
            block = block.replace(self.newline, _LF)
        if special:
            block = self._up_to_the_end(block)
        empty = 0 if block.startswith(_LF) else block.find(_LF + _LF) + 1
        if len(self.columns) > 1 and (empty or block.startswith(_LF)):
            self._refuse_empty(self._line + 1 + block.count(_LF, 0, empty))
        return block

    def _up_to_the_end(self, block: bytes) -> bytes:
        at = 0 if block.startswith(_END_MARKER + _LF) else block.find(_LF + _END_MARKER + _LF) + 1
        if at or block.startswith(_END_MARKER + _LF):
            self.ended = True
            block = block[:at]
        return block

    def _refuse_stray(self, block: bytes) -> None:
        """Refuse a line end of another kind than that of the first line."""
        if self.newline == _LF and _CR not in block:
            return
        plain = block.replace(self.newline, b" " * (len(self.newline) - 1) + b"\0")
        found = re.search(rb"[\r\n]", plain)
        if found is None:
            return
        name, escape = ("carriage return", "\\r") if found[0] == _CR else ("newline", "\\n")
        raise BadCopyData(
            f"literal {name} found in data",
            hint=f'Use "{escape}" to represent {name}.',
            context=self.place(self._line + 1 + plain.count(b"\0", 0, found.start())),
        )

    def _last(self, tail: bytes) -> bytes:
        if tail == _END_MARKER:
            return b""
        return tail[:-1] if _is_escaped(tail, len(tail)) else tail

    def _first_record(self, block: bytes) -> int:
        found = _FIRST_END.match(block)
        return found.end() if found is not None else len(block)

    def _names(self, line: bytes) -> list[str]:
        return [part.decode("utf-8", "replace") for part in line.split(self._delimiter)]


def _is_escaped(data: bytes, at: int) -> bool:
    """Whether an odd number of backslashes stands before an offset."""
    run = 0
    while True:
        before = data[max(at - run - _LOOK, 0) : at - run]
        rest = before.rstrip(b"\\")
        run += len(before) - len(rest)
        if rest or not before:
            return run % 2 == 1
