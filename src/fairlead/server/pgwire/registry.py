"""Who is connected: places for sessions, and the keys by which a client may end what its session runs."""

from __future__ import annotations

import contextlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterator

from fairlead.errors import TooManyConnections

_Cancel = Callable[[], Awaitable[None]]


class Registry:
    """The sessions of one listener.

    Args:
        max_sessions: how many there may be at a time.
    """

    def __init__(self, max_sessions: int) -> None:
        self._max_sessions = max_sessions
        self._opening = 0
        self._sessions: dict[int, tuple[bytes, _Cancel]] = {}

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while a session is being opened.

        Raises:
            TooManyConnections: there is none.
        """
        if len(self._sessions) + self._opening >= self._max_sessions:
            raise TooManyConnections(
                f"there are {self._max_sessions} sessions already", hint="close some, or raise worker.max_sessions"
            )
        self._opening += 1
        try:
            yield
        finally:
            self._opening -= 1

    def admit(self, secret: bytes, cancel: _Cancel) -> int:
        """Take in an open session and return its number for CancelRequest.

        Args:
            secret: what a CancelRequest must know.
            cancel: ends what the session runs.
        """
        number = 0
        while number == 0 or number in self._sessions:
            number = secrets.randbits(31)
        self._sessions[number] = secret, cancel
        return number

    def leave(self, number: int) -> None:
        """Forget a session; 0 is nobody."""
        self._sessions.pop(number, None)

    async def cancel(self, number: int, secret: bytes) -> None:
        """End what a session runs, if the secret is right; nobody learns whether it was."""
        known, cancel = self._sessions.get(number, (b"", None))
        if hmac.compare_digest(known, secret) and cancel is not None:
            await cancel()
