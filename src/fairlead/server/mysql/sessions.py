"""A session as MySQL clients see it: variables, and transactions that begin by themselves where autocommit is off.

An error inside a transaction leaves it failed until ROLLBACK, unlike in MySQL: there are no savepoints to go back to.
Where a transaction has begun by itself and has not written, nothing is lost by ending it, so that is done at once.
COMMIT of a failed transaction is an error: a client must not take it for one that has succeeded.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Protocol, cast

from fairlead.errors import FairleadError, InFailedTransaction
from fairlead.lang.heads import peek_head
from fairlead.server.mysql.codes import MysqlError
from fairlead.server.mysql.results import status_of
from fairlead.server.mysql.schema import identifier, literal
from fairlead.server.mysql.variables import Variables
from fairlead.server.pgwire.backend import ClientSession
from fairlead.session_types import Complete, Notice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from fairlead.context import Context
    from fairlead.engine.api import Encoding
    from fairlead.session_types import Output

_READS: Final = frozenset({"SELECT", "EXPLAIN", "SHOW", "DESCRIBE", "SET"})
_NOT_COMMITTED: Final = 1180


class MysqlSession(ClientSession, Protocol):
    """What is asked of a session beside what PostgreSQL's clients need."""

    def context(self) -> Context:
        """Return who runs statements now, and where."""
        ...


class Transactions:
    """A session with MySQL's rules of transactions.

    Args:
        session: of the client.
    """

    def __init__(self, session: MysqlSession) -> None:
        self.session = session
        self.variables = Variables()
        self._implicit = False
        self._wrote = False

    @property
    def database(self) -> str:
        """The current database."""
        return self.session.context().database

    def status(self, *, more: bool = False) -> int:
        """Return what an answer says of the session."""
        in_transaction = self.session.transaction_status != "I"
        return status_of(in_transaction=in_transaction, autocommit=self.variables.autocommit, more=more)

    async def run(self, text: str, encoding: Encoding) -> AsyncGenerator[Output, None]:
        """Run one statement."""
        await self.prepare_to_run(text)
        async with aclosing(self.watched(self.session.run_script(text, encoding))) as outputs:
            async for output in outputs:
                yield output

    async def prepare_to_run(self, text: str) -> None:
        """Begin a transaction, where the statement is to be in one and none is open."""
        if self.variables.autocommit or self.session.transaction_status != "I" or peek_head(text, 0) == "ours":
            return
        await self.quietly("BEGIN")
        self._implicit, self._wrote = True, False

    async def watched(self, outputs: AsyncIterator[Output]) -> AsyncGenerator[Output, None]:
        """Give the outputs of a statement, and end a transaction that has failed without having written."""
        try:
            async with closing(outputs) as watched:
                async for output in watched:
                    if isinstance(output, Complete) and output.tag.partition(" ")[0] not in _READS:
                        self._wrote = True
                    yield output
        except FairleadError:
            if self._implicit and not self._wrote and self.session.transaction_status == "E":
                await self.quietly("ROLLBACK")
            raise

    async def begin(self) -> None:
        """Begin a transaction; one that is open is committed.

        Raises:
            InFailedTransaction: one is open that has failed.
        """
        if self.session.transaction_status == "E":
            raise InFailedTransaction("the current transaction has failed", hint="ROLLBACK ends it")
        await self.end(commit=True)
        await self.quietly("BEGIN")
        self._implicit = False

    async def end(self, *, commit: bool) -> None:
        """End the transaction that is open, if one is.

        Raises:
            MysqlError: it is to be committed, and has failed.
        """
        status = self.session.transaction_status
        if status == "I":
            return
        await self.quietly("COMMIT" if commit else "ROLLBACK")
        if commit and status == "E":
            message = "the transaction had failed, and was rolled back"
            raise MysqlError(message, _NOT_COMMITTED, "40000", hint="run it again")

    async def use(self, database: str) -> None:
        """Change the current database."""
        await self.quietly(f"USE {identifier(database)}")

    async def reset(self) -> None:
        """Forget everything but the login."""
        await self.end(commit=False)
        await self.quietly("DISCARD ALL")
        self.variables = Variables()

    async def set(self, values: Sequence[tuple[str, str | None]]) -> list[Notice]:
        """Set variables; return warnings.

        Raises:
            FairleadError: one cannot be set; those before it are.
        """
        notices = []
        for name, value in values:
            before = self.variables.autocommit
            warning = self.variables.set(name, value)
            await self._follow(name)
            if self.variables.autocommit and not before:
                await self.end(commit=True)
            if warning is not None:
                notices.append(Notice("WARNING", warning))
        return notices

    async def _follow(self, name: str) -> None:
        """Pass on what the session itself honours."""
        value = str(self.variables.get(name))
        if name == "time_zone":
            zone = "UTC" if value in ("SYSTEM", "+00:00", "-00:00", "+0:00") else value
            try:
                await self.quietly(f"SET timezone = {literal(zone)}")
            except FairleadError:
                self.variables.set(name, "DEFAULT")
                raise
        elif name == "max_execution_time":
            await self.quietly(f"SET statement_timeout = {literal(value)}")

    async def quietly(self, text: str) -> None:
        """Run a statement of the listener's own."""
        async with closing(self.session.run_script(text)) as outputs:
            async for _ in outputs:
                pass


def closing(outputs: AsyncIterator[Output]) -> aclosing[AsyncGenerator[Output, None]]:
    """Close an iterator at the end of a block: it holds a worker's statement and must not wait for the collector."""
    return aclosing(cast("AsyncGenerator[Output, None]", outputs))
