"""The engine's half of a client session: one worker at a time, replaced when it is lost."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fairlead.engine.api import Described, Done
from fairlead.engine.channel import DESCRIBE, EXECUTE
from fairlead.engine.statement import RunningStatement
from fairlead.errors import EngineError, FairleadError, ObjectNotReady, QueryCanceled, WorkerLost

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from fairlead.engine.api import DoorKey, Event, Parameter
    from fairlead.engine.pool import Pool
    from fairlead.engine.process import WorkerProcess

_NO_ALIASES: Final[Mapping[str, str]] = MappingProxyType({})
_MAX_SETTINGS: Final = 100
_REPLACED: Final = "the session's process was replaced; its temporary tables, views and macros are gone"


class EngineSession:
    """Runs the data statements of one client, one after the other.

    Args:
        pool: gives a new worker when this one is lost.
        worker: ready.
        grace: seconds between interrupt and kill.
        statement_timeout: seconds, 0 = none.
    """

    def __init__(self, pool: Pool, worker: WorkerProcess, *, grace: float, statement_timeout: float) -> None:
        self.door_key: DoorKey = worker.key
        self.statement_timeout = statement_timeout
        self._pool = pool
        self._worker = worker
        self._grace = grace
        self._serial = 0
        self._statement: RunningStatement | None = None
        self._settings: dict[str, str] = {}
        self._notices: list[str] = []
        self._closed = False

    @property
    def worker_pid(self) -> int:
        """The process id of the present worker, for metrics and tests."""
        return self._worker.pid

    @property
    def worker(self) -> WorkerProcess:
        """The present worker, for the watch."""
        return self._worker

    @property
    def running(self) -> RunningStatement | None:
        """The statement that runs now."""
        return self._statement if self._statement is not None and not self._statement.finished else None

    def take_notices(self) -> list[str]:
        """Return what the client should be warned about (a replaced worker), once."""
        notices, self._notices = self._notices, []
        return notices

    async def execute(
        self, sql: str, parameters: Sequence[Parameter] = (), *, aliases: Mapping[str, str] = _NO_ALIASES
    ) -> AsyncGenerator[Event, None]:
        """Run one statement; its rows are computed as they are asked for.

        Closing the iterator early ends the statement without an error.

        Args:
            sql: as the planner wrote it.
            parameters: values of ``$1``, ``$2`` ...
            aliases: bucket names in ``sql`` that stand for another; texts in results and errors name the real one.

        Raises:
            EngineError: the engine refused or failed the statement.
            PermissionDenied: it reached for what a worker may not touch.
            OutOfMemory: it needed more memory than a session may have.
            QueryCanceled: :meth:`cancel`, or a time limit.
            WorkerLost: the process ended; the next statement gets a new one.
        """
        described = [[one.type_oid, one.binary, None if one.value is None else len(one.value)] for one in parameters]
        body = {"sql": sql, "parameters": described, "aliases": dict(aliases)}
        statement = await self._begin(EXECUTE, body, parameters, aliases)
        try:
            statement.limit(self.statement_timeout)
            while True:
                event = await statement.next()
                assert not isinstance(event, Described)
                if isinstance(event, Done):
                    self._remember(sql, event)
                    yield event
                    return
                yield event
        finally:
            await statement.abandon()

    async def describe(self, sql: str, type_oids: Sequence[int] = ()) -> Described:
        """Find out what a statement takes and returns, without running it.

        Args:
            sql: as the planner wrote it.
            type_oids: types of its parameters as far as the client knows them, 0 = unknown.

        Raises:
            FairleadError: as :meth:`execute`.
        """
        statement = await self._begin(DESCRIBE, {"sql": sql, "types": list(type_oids)}, (), _NO_ALIASES)
        try:
            statement.limit(self.statement_timeout)
            event = await statement.next()
        finally:
            await statement.abandon()
        if not isinstance(event, Described):
            raise WorkerLost("the session's process gave no answer")
        return event

    async def cancel(self) -> None:
        """End the running statement: interrupt, grace, kill. Does nothing when none runs."""
        if (statement := self.running) is not None:
            await statement.end(QueryCanceled("canceling statement due to user request"))

    async def close(self) -> None:
        """End the worker."""
        if not self._closed:
            self._closed = True
            if (statement := self.running) is not None:
                statement.kill(QueryCanceled("the session has ended"))
            await self._pool.give_back(self)

    async def _begin(
        self, kind: bytes, body: dict[str, Any], parameters: Sequence[Parameter], aliases: Mapping[str, str]
    ) -> RunningStatement:
        if self.running is not None or self._closed:
            what = "the session has ended" if self._closed else "the session's previous statement has not ended"
            raise ObjectNotReady(what)
        for _ in range(2):
            if not self._worker.alive:
                await self._replace()
            self._serial += 1
            statement = RunningStatement(self._worker, self._serial, body["sql"], aliases=aliases, grace=self._grace)
            self._statement = statement
            try:
                await self._worker.channel.send(kind, {**body, "serial": self._serial}, parameters)
            except ValueError as error:
                self._statement = None
                raise EngineError(str(error), sqlstate="54000") from error
            except OSError:
                # It went before it had the whole statement, so nothing has run.
                self._worker.kill()
                statement.finished = True
            else:
                return statement
        raise WorkerLost("the session's process cannot be reached")

    async def _replace(self) -> None:
        """Take a new worker, with the same key and the same client settings."""
        self._pool.dispose(self._worker)
        self._worker = await self._pool.make(self.door_key)
        self._notices.append(_REPLACED)
        self._statement = None
        for sql in list(self._settings.values()):
            try:
                async for _ in self.execute(sql):
                    pass
            except FairleadError:
                self._notices.append("a setting of the session could not be set again")

    def _remember(self, sql: str, done: Done) -> None:
        if done.tag in ("SET", "RESET") and len(self._settings) < _MAX_SETTINGS:
            words = sql.replace("=", " ").split()
            self._settings[" ".join(words[1:2]).lower()] = sql
