"""A session's transaction: explicit blocks, the implicit one of a script, read-only mode, and savepoints.

Statements that come in one message are one transaction, as in PostgreSQL: an error undoes those before it. The block is
begun only at the first statement that writes and is not the last, since nothing else could be undone; it ends with the
message, or at a COMMIT or ROLLBACK in it, and a BEGIN in it makes it an ordinary one. Statements about connections,
stages, people and the like are no part of any transaction, so they end it before they run.

The engine has no savepoints. One that is set before the block has written anything can be gone back to by beginning the
engine's transaction anew on the same snapshot. One that is set later is only good if nothing is written after it; going
back over writes is refused, and the block can then only be rolled back as a whole, so that nothing is ever kept that
should have been undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from fairlead.commands import dispatch
from fairlead.errors import (
    ActiveTransaction,
    FairleadError,
    InFailedTransaction,
    NoActiveTransaction,
    NotSupported,
    ReadOnlyTransaction,
    UndefinedSavepoint,
)
from fairlead.lang import ast
from fairlead.lang.writing import writing
from fairlead.session_types import Complete, Notice, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.commands.data import DataRunner
    from fairlead.dialects.settings import SessionSettings

BlockStatement = ast.Transaction | ast.Savepoint | ast.SetTransaction
_MODE: Final = "transaction_read_only"
_DEFAULT_MODE: Final = "default_transaction_read_only"


@dataclass(frozen=True, slots=True)
class _Savepoint:
    name: str
    writes: int
    values: Mapping[str, str]


class Block:
    """The transaction of one session.

    Args:
        data: runs its data statements.
        settings: of the session.
    """

    def __init__(self, data: DataRunner, settings: SessionSettings) -> None:
        self.status: Literal["I", "T", "E"] = "I"
        self._data = data
        self._settings = settings
        self._implicit = False
        self._savepoints: list[_Savepoint] = []

    def fail(self) -> None:
        """Note that a statement has failed."""
        if self.status == "T":
            self.status = "E"

    # --- before a statement ------------------------------------------------------------------------------------------

    def check(self, statement: ast.Statement) -> None:
        """Refuse what a failed or a read-only transaction does not do.

        Raises:
            InFailedTransaction: only going back is left.
            ReadOnlyTransaction: the statement writes.
        """
        back = isinstance(statement, ast.Savepoint) and statement.action == "rollback"
        if not (isinstance(statement, ast.Transaction) or back):
            self._refuse_after_failure()
        self._refuse_writing(dispatch.words(statement) if _is_catalog_change(statement) else writing(statement))

    def check_load(self) -> None:
        """Refuse a bulk load where an INSERT would be refused.

        Raises:
            InFailedTransaction: only going back is left.
            ReadOnlyTransaction: it writes.
        """
        self._refuse_after_failure()
        self._refuse_writing("INSERT")

    def _refuse_after_failure(self) -> None:
        if self.status == "E":
            message = "current transaction is aborted, commands ignored until end of transaction block"
            raise InFailedTransaction(message)

    def _refuse_writing(self, what: str | None) -> None:
        mode = _MODE if self.status == "T" else _DEFAULT_MODE
        if what is not None and self._settings.current(mode) == "on":
            message = f"cannot execute {what} in a read-only transaction"
            raise ReadOnlyTransaction(message)

    async def enter(self, statement: ast.Statement, *, last: bool) -> None:
        """Begin or end the implicit transaction of a script, as its next statement demands.

        Raises:
            FairleadError: what was done before could not be committed.
        """
        if self.status == "I" and not last and writing(statement) is not None:
            self._begin()
            self._implicit = True
        elif self._implicit and not isinstance(statement, BlockStatement) and type(statement) in dispatch.HANDLERS:
            await self.leave(commit=True)

    async def leave(self, *, commit: bool) -> None:
        """End the implicit transaction of a script, if one is open.

        Raises:
            FairleadError: it could not be committed.
        """
        if self._implicit:
            await self._end(commit=commit)

    # --- statements --------------------------------------------------------------------------------------------------

    async def run(self, statement: BlockStatement) -> list[Output]:
        """Run a statement about the transaction.

        Raises:
            FairleadError: it does not fit, or what was to be committed could not be.
        """
        match statement:
            case ast.Transaction(action="begin"):
                return self._run_begin(statement)
            case ast.Transaction():
                return await self._run_end(statement)
            case ast.SetTransaction():
                return self._set_mode(statement)
            case ast.Savepoint():
                return await self._savepoint(statement)

    def _run_begin(self, statement: ast.Transaction) -> list[Output]:
        notices: list[Output] = []
        if self._implicit:
            self._implicit = False
        elif self.status != "I":
            notices.append(Notice("WARNING", "there is already a transaction in progress", "25001"))
        else:
            self._begin()
        if statement.read_only is not None:
            self._settings.set(_MODE, "on" if statement.read_only else "off", local=True)
        return [*notices, Complete("BEGIN")]

    async def _run_end(self, statement: ast.Transaction) -> list[Output]:
        tag = "COMMIT" if statement.action == "commit" else "ROLLBACK"
        notices: list[Output] = []
        if self.status == "I" or self._implicit:
            if statement.chain:
                message = f"{tag} AND CHAIN can only be used in transaction blocks"
                raise NoActiveTransaction(message)
            notices.append(Notice("WARNING", "there is no transaction in progress", "25P01"))
        if self.status != "I":
            mode = self._settings.current(_MODE)
            commit = statement.action == "commit" and self.status != "E"
            await self._end(commit=commit)
            tag = "COMMIT" if commit else "ROLLBACK"
            if statement.chain:
                self._begin()
                self._settings.set(_MODE, mode, local=True)
        return [*notices, Complete(tag)]

    def _set_mode(self, statement: ast.SetTransaction) -> list[Output]:
        wanted = statement.read_only
        if wanted is None:
            return [Complete("SET")]  # a level of isolation, and every transaction has the one there is
        value = "on" if wanted else "off"
        if statement.session:
            self._settings.set(_DEFAULT_MODE, value)
        elif self.status == "I":
            return [
                Notice("WARNING", "SET TRANSACTION can only be used in transaction blocks", "25P01"),
                Complete("SET"),
            ]
        elif not wanted and self._settings.current(_MODE) == "on" and self._data.in_block:
            message = "transaction read-write mode must be set before any query"
            raise ActiveTransaction(message)
        else:
            self._settings.set(_MODE, value, local=True)
        return [Complete("SET")]

    # --- savepoints --------------------------------------------------------------------------------------------------

    async def _savepoint(self, statement: ast.Savepoint) -> list[Output]:
        words = {"set": "SAVEPOINT", "release": "RELEASE SAVEPOINT", "rollback": "ROLLBACK TO SAVEPOINT"}
        if self.status == "I" or self._implicit:
            message = f"{words[statement.action]} can only be used in transaction blocks"
            raise NoActiveTransaction(message)
        if statement.action == "set":
            self._savepoints.append(_Savepoint(statement.name, self._data.writes, self._settings.values()))
            return [Complete("SAVEPOINT")]
        names = [savepoint.name.casefold() for savepoint in self._savepoints]
        if statement.name.casefold() not in names:
            message = f'savepoint "{statement.name}" does not exist'
            raise UndefinedSavepoint(message)
        at = len(names) - 1 - names[::-1].index(statement.name.casefold())
        if statement.action == "release":
            del self._savepoints[at:]
            return [Complete("RELEASE")]
        await self._back_to(self._savepoints[at])
        del self._savepoints[at + 1 :]
        return [Complete("ROLLBACK")]

    async def _back_to(self, savepoint: _Savepoint) -> None:
        if savepoint.writes == 0:
            await self._data.undo_block()
        elif self.status == "E" or savepoint.writes != self._data.writes:
            self.status = "E"
            message = f'cannot go back to savepoint "{savepoint.name}", which was set after the transaction had written'
            raise NotSupported(message, hint="ROLLBACK the whole transaction, and run it again")
        self._settings.back_to(savepoint.values)
        self.status = "T"

    # --- begin and end -----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.status = "T"
        self._settings.begin()
        self._settings.set(_MODE, self._settings.current(_DEFAULT_MODE), local=True)

    async def _end(self, *, commit: bool) -> None:
        self.status, self._implicit = "I", False
        self._savepoints.clear()
        try:
            await self._data.end_block(commit=commit)
        except FairleadError:
            self._settings.end(commit=False)
            raise
        self._settings.end(commit=commit)
        await self._data.own.set_time_zone(self._settings.time_zone)


def _is_catalog_change(statement: ast.Statement) -> bool:
    return type(statement) in dispatch.CHANGES
