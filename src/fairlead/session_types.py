"""What a session gives back while it runs a statement: plain values, so that the rooms above and below share them.

A statement gives at most one :class:`ResultColumns`, then rows, then exactly one :class:`Complete`; notices may come
anywhere between. :class:`EmptyStatement` takes the place of all of that where there was nothing to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.engine.api import Column
    from fairlead.errors import FairleadError


@dataclass(frozen=True, slots=True)
class Notice:
    """A message beside the result.

    Args:
        severity: how PostgreSQL clients label it.
        message: one sentence.
        sqlstate: five characters; ``00000`` for notices, ``01000`` for warnings without a kind of their own.
        hint: what the reader can do.
        detail: more facts.
    """

    severity: Literal["NOTICE", "WARNING", "INFO"]
    message: str
    sqlstate: str = "00000"
    hint: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class ResultColumns:
    """The columns of the rows that follow."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class ResultRows:
    """A block of rows, encoded by the worker.

    Args:
        data: complete DataRow messages in the formats that were asked for, ready for the wire.
        count: how many.
    """

    data: bytes
    count: int


@dataclass(frozen=True, slots=True)
class ResultValues:
    """The few rows of a command, as texts; None is NULL."""

    rows: Sequence[Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class CopyOut:
    """The client is going to be sent data of a COPY.

    Args:
        columns: how many each row has.
        binary: whether the data are in PostgreSQL's binary format.
    """

    columns: int
    binary: bool


@dataclass(frozen=True, slots=True)
class CopyRows:
    """Data of a COPY, encoded by the worker: complete CopyData messages, ready for the wire."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Complete:
    """A statement has ended well; ``tag`` is PostgreSQL's command tag, as in ``SELECT 10``."""

    tag: str


@dataclass(frozen=True, slots=True)
class EmptyStatement:
    """The text held no statement."""


class Intake(Protocol):
    """Where the client's data of a COPY go."""

    @property
    def wanted(self) -> bool:
        """Whether more are; not after the end, a failure or a cancel."""
        ...

    async def unwanted(self) -> None:
        """Wait until the statement has failed, or was cancelled."""
        ...

    async def write(self, data: bytes) -> None:
        """Take bytes, cut wherever the client has cut them; waits while there are enough."""
        ...

    async def finish(self) -> None:
        """Note that these were all."""
        ...

    def fail(self, error: FairleadError) -> None:
        """Note that the client has given up, and why."""
        ...


@dataclass(frozen=True, slots=True)
class CopyIn:
    """The statement wants data of the client; it goes on when the intake wants no more.

    Args:
        columns: how many each row has.
        intake: takes them.
        binary: whether the data are to be in PostgreSQL's binary format.
    """

    columns: int
    intake: Intake
    binary: bool = False


Output = (
    ResultColumns | ResultRows | ResultValues | Complete | Notice | EmptyStatement | CopyIn | CopyOut | CopyRows
)  # fmt: skip
