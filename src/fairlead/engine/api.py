"""The narrow interface of the engine: what goes into a worker and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
class Columns:
    """The shape of the rows that follow."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Complete DataRow messages in text format, ready for the wire."""

    data: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a statement, with PostgreSQL's command tag (``SELECT 10``); empty for an empty text."""

    tag: str


Event = Columns | Rows | Done


@dataclass(frozen=True, slots=True)
class Described:
    """What a statement takes and returns, found without running it."""

    parameters: tuple[int, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class DoorKey:
    """The dummy key that one worker signs with: it opens nothing but this session's door of the store proxy."""

    key_id: str
    secret: Sensitive


@dataclass(frozen=True, slots=True)
class LayerStatus:
    """Whether a protective layer is in force, and why or why not."""

    name: str
    active: bool
    reason: str
