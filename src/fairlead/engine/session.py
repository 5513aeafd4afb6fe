"""The engine's half of a client session: one worker at a time, replaced when it is lost."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from fairlead.engine.api import TEXT, Columns, Described, Done, Progress, Results, Rows
from fairlead.engine.channel import DESCRIBE, EXECUTE, SCRIPT
from fairlead.engine.statement import RunningStatement
from fairlead.errors import EngineError, FairleadError, ObjectNotReady, QueryCanceled, WorkerLost

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from fairlead.engine.api import DoorKey, Encoding, Event, Parameter, WorkerFolder
    from fairlead.engine.pool import Pool
    from fairlead.engine.process import WorkerProcess

_NO_ALIASES: Final[Mapping[str, str]] = MappingProxyType({})
_MAX_SETTINGS: Final = 100
_GONE: Final = "the process that held this session's tables has ended"
_GONE_HINT: Final = "run the statement again: the session gets a new process"
_REPLACED: Final = "the session's process was replaced; its temporary tables, views and macros are gone"


class EngineSession:
    """Runs the data statements of one client, one after the other.

    Args:
        pool: gives a new worker when this one is lost.
        worker: ready.
        grace: seconds between interrupt and kill.
        statement_timeout: seconds, 0 = none.
        lake: the folder of all lakes, for the session of their writer.
    """

    def __init__(
        self, pool: Pool, worker: WorkerProcess, *, grace: float, statement_timeout: float, lake: Path | None = None
    ) -> None:
        self.door_key: DoorKey = worker.key
        self.statement_timeout = statement_timeout
        self.generation = 1
        self._lake = lake
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
    def folder(self) -> WorkerFolder | None:
        """The private folder of the present worker; None when sessions may not spill."""
        return self._worker.folder

    @property
    def running(self) -> RunningStatement | None:
        """The statement that runs now."""
        return self._statement if self._statement is not None and not self._statement.finished else None

    def take_notices(self) -> list[str]:
        """Return what the client should be warned about (a replaced worker), once."""
        notices, self._notices = self._notices, []
        return notices

    async def execute(
        self,
        sql: str,
        parameters: Sequence[Parameter] = (),
        *,
        aliases: Mapping[str, str] = _NO_ALIASES,
        encoding: Encoding = TEXT,
        progress: bool = False,
    ) -> AsyncGenerator[Event, None]:
        """Run one statement; its rows are computed as they are asked for.

        Closing the iterator early ends the statement without an error.

        Args:
            sql: as the planner wrote it.
            parameters: values of ``$1``, ``$2`` ...
            aliases: bucket names in ``sql`` that stand for another; texts in results and errors name the real one.
            encoding: how rows come back.
            progress: whether to say how far the statement is, at most once a second.

        Raises:
            EngineError: the engine refused or failed the statement.
            PermissionDenied: it reached for what a worker may not touch.
            OutOfMemory: it needed more memory than a session may have.
            QueryCanceled: :meth:`cancel`, or a time limit.
            WorkerLost: the process ended; the next statement gets a new one.
        """
        described = [[one.type_oid, one.binary, None if one.value is None else len(one.value)] for one in parameters]
        body = {
            "sql": sql,
            "parameters": described,
            "aliases": dict(aliases),
            "encoding": asdict(encoding),
            "progress": progress,
        }
        statement = await self._begin(EXECUTE, body, parameters, aliases)
        try:
            statement.limit(self.statement_timeout)
            while True:
                event = await statement.next()
                assert isinstance(event, Columns | Rows | Done | Progress)
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

    async def script(self, statements: Sequence[str], *, replace: bool = False) -> list[list[list[Any]]]:
        """Run SQL of the gateway's own on the session's connection, inside its open transaction if there is one.

        The statements may be of any kind; the fence and the limits hold for them. An empty script only makes sure
        that there is a worker.

        Args:
            statements: each one statement; several MB are fine.
            replace: take a new worker when this one is lost, instead of failing: what was scripted before is gone.

        Returns:
            For each statement its rows as JSON values: None, bool, int, float, str and lists; bytes in hex; all else as
            text.

        Raises:
            EngineError: a statement failed; those before it have run. Says nothing about the statement's text.
            QueryCanceled: :meth:`cancel`, or a time limit.
            WorkerLost: the process has ended.
        """
        statement = await self._begin(SCRIPT, {"statements": list(statements)}, (), _NO_ALIASES, replace=replace)
        try:
            statement.limit(self.statement_timeout)
            event = await statement.next()
        finally:
            await statement.abandon()
        if not isinstance(event, Results) or len(event.statements) != len(statements):
            self._worker.kill()
            raise WorkerLost("the session's process gave no answer")
        return event.statements

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
        self,
        kind: bytes,
        body: dict[str, Any],
        parameters: Sequence[Parameter],
        aliases: Mapping[str, str],
        *,
        replace: bool = True,
    ) -> RunningStatement:
        if self.running is not None or self._closed:
            what = "the session has ended" if self._closed else "the session's previous statement has not ended"
            raise ObjectNotReady(what)
        for _ in range(2):
            if not self._worker.alive:
                if not replace:
                    raise WorkerLost(_GONE, hint=_GONE_HINT)
                await self._replace()
            self._serial += 1
            statement = RunningStatement(
                self._worker,
                kind,
                self._serial,
                body.get("sql"),
                aliases=aliases,
                grace=self._grace,
                progress=body.get("progress", False),
                form=body.get("encoding", {}).get("form", "rows"),
            )
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
        self._worker = await self._pool.make(self.door_key, self._lake)
        self.generation += 1
        if self._lake is None:
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
