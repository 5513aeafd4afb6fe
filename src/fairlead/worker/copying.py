r"""Results as the data of COPY TO STDOUT: PostgreSQL's text, CSV and binary, one CopyData message for each row.

Binary rows are DataRow messages with another tag. Else columns become text as they do for those; what a format has to
escape or quote is found by one search per column, and only columns that hold such characters are rewritten. One
``binary_join_element_wise`` then makes the lines, another the messages. (CopyAttributeOutText and CopyAttributeOutCSV
in PostgreSQL's copyto.c.)
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker.forms import numbers_of, swapped
from fairlead.worker.frames import MAX_BLOCK
from fairlead.worker.joining import RowTooLarge, blocks
from fairlead.worker.rows import DataRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

_TARGET_BLOCK: Final = 2 * 1024 * 1024
_KIND: Final = pa.scalar(b"d", pa.binary())
_NEWLINE: Final = pa.scalar("\n", pa.string())
_NOTHING: Final = pa.scalar(b"", pa.binary())
_OWN_LENGTH: Final = pa.scalar(4, pa.int32())
# The worst that escaping does to a text, so that a batch cannot outgrow Arrow's 32-bit offsets: each byte doubled.
_GROWTH: Final = 2
_SIZE: Final = struct.Struct("!i")
# The signature, no flags, and no extension of the header.
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_LETTERS: Final = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}

Piece = tuple[list[pa.Array], bool]


def copy_rows(
    options: Mapping[str, Any], caster: DuckDBPyConnection, types: Sequence[str], aliases: Mapping[str, str]
) -> CopyLines | CopyBinary:
    """Return the encoder for a COPY.

    Args:
        options: of the request (``CopyFormat`` in ``engine/api.py``).
        caster: a cursor of its own beside the user's.
        types: DuckDB's names of the columns' types.
        aliases: bucket names of this session with the real ones, which texts are mapped back to.
    """
    if options["format"] == "binary":
        return CopyBinary(DataRows(caster, types, (1,), aliases))
    style = Csv(options) if options["format"] == "csv" else Text(options)
    return CopyLines(DataRows(caster, types, (), aliases), style)


class Text:
    """PostgreSQL's text format.

    Args:
        options: of the COPY.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.delimiter: str = options["delimiter"]
        self.header: bool = options["header"]
        self._null: str = options["null"]
        escapes = {"\\": "\\\\", **_LETTERS}
        self._escapes = {**escapes, self.delimiter: escapes.get(self.delimiter, f"\\{self.delimiter}")}
        self._special = f"[{''.join(map(_in_class, self._escapes))}]"

    def fields(self, columns: list[pa.Array], names: Sequence[str]) -> list[pa.Array]:
        """Return the columns as they stand between the delimiters."""
        del names
        return [self._field(column) for column in columns]

    def _field(self, column: pa.Array) -> pa.Array:
        if _any(pc.match_substring_regex(column, self._special)):
            for character, escape in self._escapes.items():
                column = pc.replace_substring(column, character, escape)
        return pc.fill_null(column, self._null)


class Csv:
    """PostgreSQL's CSV format.

    Args:
        options: of the COPY.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.delimiter: str = options["delimiter"]
        self.header: bool = options["header"]
        self._null: str = options["null"]
        self._quote: str = options["quote"]
        self._escape: str = options["escape"]
        self._forced = frozenset(name.casefold() for name in options["force_quote"])
        self._special = f"[{''.join(map(_in_class, (self.delimiter, self._quote, chr(10), chr(13))))}]"

    def fields(self, columns: list[pa.Array], names: Sequence[str]) -> list[pa.Array]:
        """Return the columns as they stand between the delimiters; a header (all columns of text) is never forced."""
        alone = len(columns) == 1
        forced = [bool(self._forced & {"*", name.casefold()}) for name in names] or [False] * len(columns)
        return [self._field(column, forced=force, alone=alone) for column, force in zip(columns, forced, strict=True)]

    def _field(self, column: pa.Array, *, forced: bool, alone: bool) -> pa.Array:
        wanted = pc.match_substring_regex(column, self._special)
        wanted = pc.or_(wanted, pc.equal(column, self._null))
        if alone:  # it would be the end marker
            wanted = pc.or_(wanted, pc.equal(column, "\\."))
        if forced or _any(wanted):
            quoted = column
            for character in dict.fromkeys((self._escape, self._quote)):
                quoted = pc.replace_substring(quoted, character, self._escape + character)
            quote = pa.scalar(self._quote)
            quoted = pc.binary_join_element_wise(quote, quoted, quote, pa.scalar(""))
            column = quoted if forced else pc.if_else(wanted, quoted, column)
        return pc.fill_null(column, self._null)


class CopyLines:
    """CopyData messages of lines.

    Args:
        texts: makes texts of a result's columns.
        style: how they become fields.
    """

    def __init__(self, texts: DataRows, style: Text | Csv) -> None:
        self._texts = texts
        self._style = style
        self._names: list[str] = []

    def pieces(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[Piece]:
        """Yield the columns of each batch, as text, after the header. ``batches`` are pulled one at a time."""
        self._names = list(schema.names)
        if self._style.header:
            yield [pa.array([name], pa.string()) for name in schema.names], True
        for columns in self._texts.pieces(schema, batches):
            yield columns, False

    def blocks(self, piece: Piece) -> Iterator[tuple[memoryview, int]]:
        """Yield a batch as blocks of complete messages."""
        columns, is_header = piece
        for block, count in self._blocks(columns, [] if is_header else self._names):
            yield block, 0 if is_header else count

    def _blocks(self, columns: list[pa.Array], names: Sequence[str]) -> Iterator[tuple[memoryview, int]]:
        count = len(columns[0])
        if not count:
            return
        size = _GROWTH * sum(pc.sum(pc.binary_length(column)).as_py() or 0 for column in columns)
        if size > _TARGET_BLOCK and count > 1:
            half = count // 2
            yield from self._blocks([column[:half] for column in columns], names)
            yield from self._blocks([column[half:] for column in columns], names)
        elif size > MAX_BLOCK:
            raise RowTooLarge(f"a row of COPY takes {size // 2**20} MiB; it may take {MAX_BLOCK // 2**20} MiB")
        else:
            yield self._messages(self._style.fields(columns, names)), count

    def _messages(self, fields: list[pa.Array]) -> memoryview:
        joined = pc.binary_join_element_wise(*fields, pa.scalar(self._style.delimiter))
        lines = pc.binary_join_element_wise(joined, _NEWLINE, pa.scalar("")).cast(pa.binary())
        sizes = pc.add(pc.binary_length(lines), _OWN_LENGTH)
        heads = pa.Array.from_buffers(pa.binary(4), len(sizes), [None, pa.py_buffer(swapped(numbers_of(sizes, "i")))])
        messages = pc.binary_join_element_wise(_KIND, heads.cast(pa.binary()), lines, _NOTHING)
        _, offsets, data = messages.buffers()
        bounds = memoryview(offsets).cast("i")
        return memoryview(data)[bounds[messages.offset] : bounds[messages.offset + len(messages)]]


class CopyBinary:
    """CopyData messages in PostgreSQL's binary format: DataRow messages with another tag, a signature and a trailer.

    The signature stands in the message of the first row, as PostgreSQL sends it and clients expect it.

    Args:
        cells: makes the cells of a result's columns.
    """

    def __init__(self, cells: DataRows) -> None:
        self._cells = cells
        self._begun = False

    def pieces(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.Array]]:
        """Yield the cells of each batch, and nothing for the trailer. ``batches`` are pulled one at a time."""
        yield from self._cells.pieces(schema, batches)
        yield []

    def blocks(self, piece: list[pa.Array]) -> Iterator[tuple[memoryview, int]]:
        """Yield a batch as blocks of complete messages."""
        if not piece:
            yield memoryview(_copy_data(self._opening(), _TRAILER)), 0
            return
        for block, count in blocks(piece, b"d"):
            opening = self._opening()
            if opening:
                end = 1 + int(_SIZE.unpack_from(block, 1)[0])
                first = _copy_data(opening, block[1 + _SIZE.size : end])
                yield memoryview(b"".join((first, block[end:]))), count
            else:
                yield block, count

    def _opening(self) -> bytes:
        opening, self._begun = b"" if self._begun else _SIGNATURE, True
        return opening


def _copy_data(*parts: bytes | memoryview) -> bytes:
    return b"".join((b"d", _SIZE.pack(_SIZE.size + sum(map(len, parts))), *parts))


def _any(found: pa.Array) -> bool:
    return bool(pc.any(found).as_py())


def _in_class(character: str) -> str:
    """Return a character as RE2 takes it inside of brackets."""
    return re.escape(character) if character.isprintable() else f"\\x{ord(character):02x}"
