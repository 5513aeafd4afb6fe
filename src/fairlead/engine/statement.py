"""One running statement of one worker: its frames as events, and how it is made to end.

Whoever ends it gives a reason, the first reason stands, and the consumer sees that error. Ending is: tell the worker's
control thread (it interrupts), wait for the grace, kill. What the worker still sends is read and thrown away, by the
consumer or, if nobody is reading, by a task.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from fairlead.engine import channel as wire
from fairlead.engine.api import Described, Done, Results
from fairlead.engine.errors import refusal
from fairlead.engine.process import CANCEL, STOP
from fairlead.errors import FairleadError, QueryCanceled, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fairlead.engine.api import Event
    from fairlead.engine.process import WorkerProcess

# What a worker may answer to each request, beside an error. Anything else is not a worker's.
_ANSWERS: Final = {
    wire.EXECUTE: (wire.COLUMNS, wire.ROWS, wire.DONE),
    wire.DESCRIBE: (wire.DESCRIBED,),
    wire.SCRIPT: (wire.RESULTS,),
}
_LOST = "the process that ran this session's statements ended unexpectedly"
_LOST_HINT = "run the statement again: the session has a new process; its temporary tables and views are gone"


class RunningStatement:
    """A statement that a worker has been given.

    Args:
        worker: runs it.
        kind: of the request.
        serial: its number; what is said about another number does not touch it.
        sql: its text, for positions in errors; None when it is not the user's, so that errors say nothing about it.
        aliases: bucket names of the session with the real ones.
        grace: seconds between being asked to end and being killed.
        progress: whether the worker was asked to report it.
        form: of its rows.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        kind: bytes,
        serial: int,
        sql: str | None,
        *,
        aliases: Mapping[str, str],
        grace: float,
        progress: bool = False,
        form: str = "rows",
    ) -> None:
        self._worker = worker
        self._expected = (wire.ERROR, *_ANSWERS[kind], *((wire.PROGRESS,) if progress else ()))
        self._serial = serial
        self._sql = sql
        self._aliases = aliases
        self._grace = grace
        self._form = form
        self._reading = asyncio.Lock()
        self._reason: FairleadError | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._draining: asyncio.Task[None] | None = None
        self.finished = False

    def limit(self, seconds: float) -> None:
        """End the statement after some seconds; 0 = never."""
        if seconds > 0:
            expired = QueryCanceled("canceling statement due to statement timeout")
            self._after(seconds, lambda: self.ask_to_end(expired))

    async def next(self) -> Event | Described | Results:
        """Wait for the next event.

        Raises:
            FairleadError: the statement failed, or was ended.
        """
        async with self._reading:
            while True:
                if self.finished:
                    raise self._reason or WorkerLost(_LOST, hint=_LOST_HINT)
                event = await self._read()
                if event is not None:
                    return event

    def ask_to_end(self, reason: FairleadError) -> None:
        """Interrupt, and kill after the grace. Returns at once."""
        if self.finished or self._reason is not None:
            return
        self._reason = reason
        self._worker.command(CANCEL, self._serial)
        self._after(self._grace, self._worker.kill)
        # Nobody may be reading (a suspended portal): without this the worker could not get its last word out.
        self._draining = asyncio.create_task(self._drain(), name="end of a statement")

    def kill(self, reason: FairleadError) -> None:
        """End the worker at once."""
        if not self.finished:
            self._reason = self._reason or reason
            self._worker.kill()

    async def end(self, reason: FairleadError) -> None:
        """Ask to end and wait until it has ended."""
        self.ask_to_end(reason)
        if self._draining is not None:
            await self._draining

    async def abandon(self) -> None:
        """Read no further: the worker stops between two batches, without an error and without harm to a transaction."""
        if self.finished:
            return
        self._worker.command(STOP, self._serial)
        self._after(self._grace, lambda: self.ask_to_end(QueryCanceled("the rest of the result was not wanted")))
        await self._drain()

    async def _drain(self) -> None:
        try:
            async with self._reading:
                while not self.finished:
                    await self._read()
        except FairleadError:
            return
        except asyncio.CancelledError:
            self._finish()
            self._worker.kill()
            raise

    async def _read(self) -> Event | Described | Results | None:
        """Read one frame; None when it is not for the consumer any more."""
        try:
            kind, body = await self._worker.channel.frame()
            if self._reason is not None and kind in (wire.COLUMNS, wire.ROWS, wire.PROGRESS):
                return None
            return self._event(kind, body)
        except (EOFError, wire.Malformed) as error:
            # A worker that does not speak the protocol is not asked again.
            self._worker.kill()
            self._finish()
            raise self._reason or WorkerLost(_LOST, hint=_LOST_HINT) from error

    def _event(self, kind: bytes, body: bytes) -> Event | Described | Results:
        if kind not in self._expected:
            raise wire.Malformed("a frame that answers nothing")
        if kind == wire.ERROR:
            raise self._failure(wire.read_json(body))
        event = wire.read_rows(body, self._form) if kind == wire.ROWS else _READERS[kind](body)
        if is_last(event):
            self._finish()
        return event

    def _failure(self, report: dict[str, Any]) -> FairleadError:
        self._finish()
        failure = refusal(report, self._sql or "", port=self._worker.port, aliases=self._aliases)
        if self._sql is None:
            failure = without_text(failure)
        return self._reason or failure

    def _after(self, seconds: float, action: Any) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, action))

    def _finish(self) -> None:
        self.finished = True
        for timer in self._timers:
            timer.cancel()


_READERS: Final[Mapping[bytes, Callable[[bytes], Event | Described | Results]]] = {
    wire.COLUMNS: wire.read_columns,
    wire.PROGRESS: wire.read_progress,
    wire.DONE: wire.read_done,
    wire.DESCRIBED: wire.read_described,
    wire.RESULTS: wire.read_results,
}


def is_last(event: Event | Described | Results) -> bool:
    """Tell whether nothing follows."""
    return isinstance(event, Done | Described | Results)


def without_text(failure: FairleadError) -> FairleadError:
    """Return the error without what it quotes of its statement, which the user has not written."""
    failure.position = None
    failure.message = failure.message.partition("\nLINE ")[0].rstrip()
    failure.args = (failure.message,)
    return failure
