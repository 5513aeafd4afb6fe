"""From the threads in which Arrow runs the calls of clients to the gateway's event loop, and back.

A thread waits for its coroutine. Arrow does not wake a thread whose client has gone, so the thread looks from time to
time, and has what it waits for ended.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from fairlead.errors import AdminShutdown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_T = TypeVar("_T")
_LOOK: Final = 0.25  # seconds


class Call(Protocol):
    """What a thread knows of its call: Arrow's ``ServerCallContext``."""

    def is_cancelled(self) -> bool:
        """Tell whether the client wants no answer any more."""
        ...


class Bridge:
    """The way to one event loop.

    Args:
        loop: of the gateway.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def start(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Start work on the loop; to be called in another thread.

        Raises:
            AdminShutdown: the gateway has stopped.
        """
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise AdminShutdown("the gateway is stopping") from None

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Wait for work that is done soon."""
        return self.start(work).result()

    def wait(self, future: Future[_T], call: Call, end: Callable[[], Coroutine[Any, Any, None]]) -> _T:
        """Wait for work as long as the client does.

        Args:
            future: of the work.
            call: tells whether the client still waits.
            end: makes the work end, by an error of its own.
        """
        ending = False
        while True:
            try:
                return future.result(_LOOK)
            except StillRunning:
                if future.done():  # the work itself has failed that way
                    raise
                if not ending and call.is_cancelled():
                    ending = True
                    self.start(end())
