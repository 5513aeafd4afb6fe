"""The narrow interface of the engine: what goes into a worker and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result.

    Args:
        name: as the statement gives it.
        type_oid: id of the type in PostgreSQL's pg_type.
        type_size: bytes, -1 = variable.
        type_modifier: PostgreSQL's atttypmod, -1 = none.
    """

    name: str
    type_oid: int
    type_size: int
    type_modifier: int = -1


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value for ``$n``.

    Args:
        value: as the client sent it, None = NULL.
        type_oid: id of its type, 0 = unknown.
        binary: whether it is in PostgreSQL's binary format.
    """

    value: bytes | None
    type_oid: int
    binary: bool


@dataclass(frozen=True, slots=True)
class CopyFormat:
    """The form of the data of a COPY TO STDOUT; the options have PostgreSQL's meaning.

    Args:
        format: of the data; the rest does not concern ``binary``.
        delimiter: one ASCII character.
        null: what stands for NULL.
        header: whether the first line names the columns.
        quote: one ASCII character; csv only.
        escape: one ASCII character; csv only.
        force_quote: names of columns whose values are always quoted; ``("*",)`` = all.
    """

    format: Literal["text", "csv", "binary"] = "text"
    delimiter: str = "\t"
    null: str = "\\N"
    header: bool = False
    quote: str = '"'
    escape: str = '"'
    force_quote: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Encoding:
    """How rows are to come back from a worker, which encodes them.

    Args:
        form: ``rows`` = DataRow messages; ``copy`` = CopyData messages, one for each row; ``arrow`` = messages of an
            Arrow IPC stream, without its end mark; ``jsonl`` = lines of JSON, one array a row; these two begin with a
            block of no rows: schema, or columns. ``mysql``, ``mysql_binary`` = packets of rows in MySQL's text or
            binary format.
        formats: of the columns of ``rows``, as in PostgreSQL's Bind message: 0 = text, 1 = binary; one stands for all
            columns, none for text.
        copy: how ``copy`` writes a row.
        first: of the ``mysql`` forms: number of the packet behind the description of the columns, less the number of
            columns.
    """

    form: Literal["rows", "copy", "arrow", "jsonl", "mysql", "mysql_binary"] = "rows"
    formats: tuple[int, ...] = ()
    copy: CopyFormat | None = None
    first: int = 0


TEXT: Final = Encoding()
ARROW: Final = Encoding("arrow")
JSON_LINES: Final = Encoding("jsonl")


@dataclass(frozen=True, slots=True)
class Columns:
    """The shape of the rows that follow."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in the encoding that was asked for: complete messages, ready for the wire; what precedes rows counts 0."""

    data: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a statement.

    Args:
        tag: PostgreSQL's command tag (``SELECT 10``); empty for an empty text.
        changes: whether statements of this kind may have changed a lake.
    """

    tag: str
    changes: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running statement is, from 0 to 1; comes only where it was asked for."""

    fraction: float


Event = Columns | Rows | Done | Progress


@dataclass(frozen=True, slots=True)
class Described:
    """What a statement takes and returns, found without running it.

    Args:
        parameters: ids of their types.
        columns: of the result.
        arrow: Arrow's schema of the result as an IPC message, where it was asked for and there are columns.
    """

    parameters: tuple[int, ...]
    columns: tuple[Column, ...]
    arrow: bytes = b""


@dataclass(frozen=True, slots=True)
class Results:
    """The rows of each statement of a script, as JSON values."""

    statements: list[list[list[Any]]]


@dataclass(frozen=True, slots=True)
class WorkerFolder:
    """A worker's private folder, as long as the worker lives.

    A worker's current folder is the one around these two, so that it can name what is in them without the path.

    Args:
        spill: the worker's to read and write; holds ``lake/`` (files of private lakes) and ``out/`` (handed over).
        files: the gateway's to fill, mostly with hard links; the worker can read what is in it.
    """

    spill: Path
    files: Path


@dataclass(frozen=True, slots=True)
class DoorKey:
    """The dummy key that one worker signs with: it opens nothing but this session's door of the store proxy."""

    key_id: str
    secret: Sensitive


@dataclass(frozen=True, slots=True)
class WorkerCounts:
    """How many workers there are and were.

    Args:
        spare: blank, of no session yet.
        idle: of sessions that run nothing.
        busy: of sessions that run a statement.
        started: since the engine's start.
        lost: of these, how many a session had to replace.
    """

    spare: int = 0
    idle: int = 0
    busy: int = 0
    started: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class LayerStatus:
    """Whether a protective layer is in force, and why or why not."""

    name: str
    active: bool
    reason: str
