"""What is to be done for a statement that is not for the session as it is: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.engine.api import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = tuple[str | None, ...]
TEXT_OID: Final = 25


@dataclass(frozen=True, slots=True)
class Table:
    """A result that is ready."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Set:
    """Variables to be set: each with its value, None for NULL."""

    values: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Kill:
    """KILL."""

    number: int
    connection: bool


@dataclass(frozen=True, slots=True)
class Begin:
    """START TRANSACTION: what is open is committed first."""


@dataclass(frozen=True, slots=True)
class End:
    """COMMIT or ROLLBACK."""

    commit: bool


@dataclass(frozen=True, slots=True)
class Instead:
    """A statement for the session in the place of this one.

    Args:
        text: of the statement.
        columns: of the answer, where the session's rows are to be taken apart.
        pick: makes a row of the answer from one of the session's; None leaves it out.
    """

    text: str
    columns: tuple[Column, ...] = ()
    pick: Callable[[dict[str, str | None]], Row | None] | None = field(default=None)


Answer = Table | Set | Kill | Begin | End | Instead


def texts(*names: str) -> tuple[Column, ...]:
    """Return columns of texts."""
    return tuple(Column(name, TEXT_OID, -1) for name in names)
