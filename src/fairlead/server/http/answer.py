"""What a session gives, as the bytes of an answer: lines of JSON, or one Arrow stream.

Rows of the engine come encoded and are passed on; the few rows of a command are written here.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, Protocol

from fairlead.errors import NotSupported
from fairlead.server.http.problems import error_fields, notice_fields
from fairlead.server.http.request import ARROW_STREAM, NDJSON
from fairlead.session_types import (
    Complete,
    CopyIn,
    EmptyStatement,
    Notice,
    ResultColumns,
    ResultRows,
    ResultValues,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.engine.api import Column
    from fairlead.errors import FairleadError
    from fairlead.session_types import Output

_END_OF_STREAM: Final = b"\xff\xff\xff\xff\0\0\0\0"
_CLIENT: Final = "use a PostgreSQL client for it"


class Answer(Protocol):
    """The body of one answer."""

    media_type: str

    def failed(self, error: FairleadError) -> bytes | None:
        """Return the last bytes of an answer that ends with an error; None = cut it off."""
        ...

    async def take(self, output: Output) -> bytes:
        """Return the bytes of one output.

        Raises:
            NotSupported: it cannot be given here.
        """
        ...

    async def finish(self) -> bytes:
        """Return what follows the last output."""
        ...


class JsonAnswer:
    """Lines of JSON: for each statement its columns, rows and tag; notices anywhere.

    Args:
        scrub: takes secrets out of a text.
    """

    media_type = NDJSON

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub
        self._columns: tuple[Column, ...] = ()

    async def take(self, output: Output) -> bytes:
        """Return the lines of one output."""
        match output:
            case ResultRows(data=data, count=0):
                return self._scrub(data.decode()).encode()
            case ResultRows(data=data) if data.startswith(b"["):
                return data
            case ResultColumns(columns=columns):
                self._columns = columns  # of rows of the engine, their own first block says more
                return b""
            case ResultValues(rows=rows):
                return self._head() + b"".join(_line([self._text(value) for value in row]) for row in rows)
            case Notice():
                return _line({"notice": notice_fields(output, self._scrub)})
            case Complete() | EmptyStatement():
                return _line({"tag": output.tag if isinstance(output, Complete) else ""})
        raise unsuitable(output)

    async def finish(self) -> bytes:
        """Return nothing: the last statement's tag is the end."""
        return b""

    def failed(self, error: FairleadError) -> bytes | None:
        """Return the line of an error."""
        return _line({"error": error_fields(error, self._scrub)})

    def _head(self) -> bytes:
        return _line({"columns": [{"name": self._scrub(one.name), "type": "VARCHAR"} for one in self._columns]})

    def _text(self, value: str | None) -> str | None:
        return None if value is None else self._scrub(value)


class ArrowAnswer:
    """One Arrow IPC stream of one statement. Notices have no place in it.

    Args:
        scrub: takes secrets out of a text.
    """

    media_type = ARROW_STREAM

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub
        self._names: list[str] = []
        self._begun = False
        self._tag = ""

    async def take(self, output: Output) -> bytes:
        """Return the messages of one output."""
        match output:
            case ResultRows(data=data) if data.startswith(b"\xff\xff\xff\xff"):
                self._begun = True
                return data
            case ResultColumns(columns=columns):
                self._names = [self._scrub(one.name) for one in columns]
                return b""
            case ResultValues(rows=rows):
                texts = [[None if value is None else self._scrub(value) for value in row] for row in rows]
                self._begun = True
                return await asyncio.to_thread(_texts_as_arrow, self._names, texts)
            case Complete(tag=tag):
                self._tag = tag
                return b""
            case Notice() | EmptyStatement():
                return b""
        raise unsuitable(output)

    async def finish(self) -> bytes:
        """Return the end of the stream; a statement without rows is a stream without columns."""
        if self._begun:
            return _END_OF_STREAM
        return await asyncio.to_thread(_nothing_as_arrow, self._tag) + _END_OF_STREAM

    def failed(self, error: FairleadError) -> bytes | None:  # noqa: ARG002  # part of the protocol
        """Return nothing: a stream that stops before its end mark is not whole."""
        return None


def unsuitable(output: Output) -> FairleadError:
    """Return the error for what cannot be given over HTTP; a COPY that waits for data is told so."""
    if isinstance(output, CopyIn):
        error = NotSupported("COPY FROM STDIN cannot be used over HTTP", hint=_CLIENT)
        output.intake.fail(error)
        return error
    return NotSupported("the result of this statement cannot be given over HTTP", hint=_CLIENT)


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _texts_as_arrow(names: list[str], rows: list[list[str | None]]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415  # only the worker needs it at start

    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    columns = [pa.array([row[number] for row in rows], pa.string()) for number in range(len(names))]
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    return bytes(schema.serialize()) + (bytes(batch.serialize()) if rows else b"")


def _nothing_as_arrow(tag: str) -> bytes:
    import pyarrow as pa  # noqa: PLC0415  # only the worker needs it at start

    return bytes(pa.schema([], metadata={"tag": tag}).serialize())
