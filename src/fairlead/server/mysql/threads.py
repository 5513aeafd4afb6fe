"""Who is connected, by the numbers that MySQL calls thread ids: places for sessions, and KILL among one's own."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.errors import TooManyConnections
from fairlead.server.mysql.codes import MysqlError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_NUMBERS: Final = 2**32
_NO_SUCH_THREAD: Final = 1094


@dataclass(slots=True)
class Thread:
    """An open session.

    Args:
        user: whose it is.
        address: of the client.
        database: gives the current one.
        cancel: ends what the session runs.
        end: ends the connection.
    """

    user: str
    address: str
    database: Callable[[], str]
    cancel: Callable[[], Awaitable[None]]
    end: Callable[[], None]
    busy: bool = False
    since: float = field(default_factory=time.monotonic)

    def note(self, *, busy: bool) -> None:
        """Note that a command begins, or has ended."""
        self.busy, self.since = busy, time.monotonic()


class Threads:
    """The sessions of one listener.

    Args:
        max_sessions: how many there may be at a time.
    """

    def __init__(self, max_sessions: int) -> None:
        self._max_sessions = max_sessions
        self._opening = 0
        self._last = 0
        self._threads: dict[int, Thread] = {}

    def number(self) -> int:
        """Return a number for a new connection."""
        self._last = self._last % (_NUMBERS - 1) + 1
        while self._last in self._threads:
            self._last = self._last % (_NUMBERS - 1) + 1
        return self._last

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while a session is being opened.

        Raises:
            TooManyConnections: there is none.
        """
        if len(self._threads) + self._opening >= self._max_sessions:
            raise TooManyConnections(
                f"there are {self._max_sessions} sessions already", hint="close some, or raise worker.max_sessions"
            )
        self._opening += 1
        try:
            yield
        finally:
            self._opening -= 1

    def admit(self, number: int, thread: Thread) -> None:
        """Take in an open session."""
        self._threads[number] = thread

    def leave(self, number: int) -> None:
        """Forget a session, if it was one."""
        self._threads.pop(number, None)

    def of(self, user: str) -> list[tuple[int, Thread]]:
        """Return a user's sessions."""
        return [(number, thread) for number, thread in self._threads.items() if thread.user == user]

    async def kill(self, number: int, user: str, *, connection: bool) -> None:
        """End what a session of the same user runs, or the session.

        Raises:
            MysqlError: the user has no session of this number.
        """
        thread = self._threads.get(number)
        if thread is None or thread.user != user:
            raise MysqlError(f"Unknown thread id: {number}", _NO_SUCH_THREAD, hint="SHOW PROCESSLIST lists yours")
        if connection:
            thread.end()
        else:
            await thread.cancel()
