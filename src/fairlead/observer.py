"""Who watches what the gateway does: the rooms tell an observer, and whoever counts or traces overrides what it needs.

What is told is made for labels and spans: kinds, outcomes and figures, never a text that a user has typed. Methods are
called from the event loop and from threads; they must be quick, and must not raise.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from fairlead.context import Context

Outcome = Literal["ok", "error", "denied", "canceled", "closed"]

# What a client has sent as W3C `traceparent` with the request that is being served.
TRACE_PARENT: Final[ContextVar[str | None]] = ContextVar("trace_parent", default=None)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a statement has ended.

    Args:
        outcome: ``closed``: the client wanted no more rows.
        sqlstate: of its error, empty where there is none.
        seconds: from its beginning to its last row; a slow client makes it longer.
        rows: that were given.
        size: of the rows, bytes as they were encoded.
    """

    outcome: Outcome
    sqlstate: str
    seconds: float
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """One request of a worker that the store proxy has carried out or refused.

    Args:
        kind: of the connection's system.
        operation: what was asked for, as ``GET`` or ``LIST``.
        outcome: ``ok``, ``failed`` (by the store, or on the way) or ``refused`` (here).
        seconds: until the answer was passed on.
    """

    kind: str
    operation: str
    outcome: Literal["ok", "failed", "refused"]
    seconds: float


class Observer:
    """Sees everything and notes nothing."""

    def statement_began(self, context: Context, kind: str) -> None:
        """Note that a statement begins; ``kind`` is one of a few words (``SELECT``, ``CREATE CONNECTION``)."""

    def statement_ended(self, context: Context, kind: str, ended: Ended) -> None:
        """Note that a statement has ended, whichever way."""

    def store_request(self, context: Context, request: StoreRequest) -> None:
        """Note a request to a store, made for a statement."""

    def store_traffic(self, kind: str, read: int, written: int) -> None:
        """Note the bytes that a statement has moved from and to stores."""

    def login_failed(self) -> None:
        """Note a failed login."""

    def committed(self, outcome: Literal["ok", "conflict", "error"], seconds: float) -> None:
        """Note that the changes of a transaction were brought to their tables, or not."""

    def cared(self, *, well: bool) -> None:
        """Note that the background care of one database's tables has had its turn."""


class Observers(Observer):
    """Tells several observers.

    Args:
        observers: in this order.
    """

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def statement_began(self, context: Context, kind: str) -> None:
        """Tell all."""
        for one in self._observers:
            one.statement_began(context, kind)

    def statement_ended(self, context: Context, kind: str, ended: Ended) -> None:
        """Tell all."""
        for one in self._observers:
            one.statement_ended(context, kind, ended)

    def store_request(self, context: Context, request: StoreRequest) -> None:
        """Tell all."""
        for one in self._observers:
            one.store_request(context, request)

    def store_traffic(self, kind: str, read: int, written: int) -> None:
        """Tell all."""
        for one in self._observers:
            one.store_traffic(kind, read, written)

    def login_failed(self) -> None:
        """Tell all."""
        for one in self._observers:
            one.login_failed()

    def committed(self, outcome: Literal["ok", "conflict", "error"], seconds: float) -> None:
        """Tell all."""
        for one in self._observers:
            one.committed(outcome, seconds)

    def cared(self, *, well: bool) -> None:
        """Tell all."""
        for one in self._observers:
            one.cared(well=well)


NOBODY: Final = Observer()
_DENIED: Final = ("42501", "28")


def outcome_of(error: BaseException | None) -> tuple[Outcome, str]:
    """Return how a statement ended that was left by an exception, and the SQLSTATE."""
    if error is None:
        return "ok", ""
    if isinstance(error, GeneratorExit):
        return "closed", ""
    if not isinstance(error, FairleadError):
        return "error", "XX000"
    if error.sqlstate == "57014":
        return "canceled", error.sqlstate
    return "denied" if error.sqlstate.startswith(_DENIED) else "error", error.sqlstate
