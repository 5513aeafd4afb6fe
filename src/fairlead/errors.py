"""Every error that Fairlead raises on purpose, in one tree.

Each class has a SQLSTATE (PostgreSQL appendix A); each instance says what was wrong and, where it can, what to do
about it (``hint``). Messages never hold the value of a secret; the scrubber at the door is a second net, not the first.
"""

from __future__ import annotations

from typing import ClassVar


class FairleadError(Exception):
    """Base of all errors.

    Args:
        message: what was wrong, in one sentence, without a trailing period unless a spec's text has one.
        hint: what the reader can do about it.
        detail: more facts, each line a fact.
        position: 1-based offset, in characters, of the offending token in the statement text.
    """

    sqlstate: ClassVar[str] = "XX000"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        detail: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail
        self.position = position
        self.context: str | None = None  # where in data that a client sent; whoever knows it sets it


# --- what the user typed -------------------------------------------------------------------------------------------


class SqlSyntaxError(FairleadError):
    """The text is not a statement of the dialect. Line and column count from 1."""

    sqlstate = "42601"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        detail: str | None = None,
        position: int | None = None,
        line: int = 1,
        column: int = 1,
        expected: tuple[str, ...] = (),
        found: str = "",
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, detail=detail, position=position)
        self.line = line
        self.column = column
        self.expected = expected
        self.found = found
        self.suggestion = suggestion


class InvalidParameter(FairleadError):
    """An option, key or value that the object cannot have."""

    sqlstate = "22023"


class InvalidJson(FairleadError):
    """A JSON argument that is not one JSON object."""

    sqlstate = "22032"


class InvalidName(FairleadError):
    """A name that is too long, empty, or has too many parts."""

    sqlstate = "42602"


class InvalidCatalogName(FairleadError):
    """A database that does not exist."""

    sqlstate = "3D000"


class InvalidSchemaName(FairleadError):
    """A schema that does not exist."""

    sqlstate = "3F000"


class UndefinedObject(FairleadError):
    """A secret, connection, stage, role or setting that does not exist."""

    sqlstate = "42704"


class UndefinedTable(FairleadError):
    """A table does not exist, or is not the caller's to know."""

    sqlstate = "42P01"


class DuplicateTable(FairleadError):
    """A table of that name exists."""

    sqlstate = "42P07"


class DuplicateSchema(FairleadError):
    """A schema of that name exists."""

    sqlstate = "42P06"


class DuplicateObject(FairleadError):
    """A name that is taken."""

    sqlstate = "42710"


class WrongObjectType(FairleadError):
    """The object exists, but is of another kind than the statement needs."""

    sqlstate = "42809"


class InvalidTableDefinition(FairleadError):
    """A view would change in a way that those who read it could not follow."""

    sqlstate = "42P16"


class InvalidObjectDefinition(FairleadError):
    """An object would be made of itself."""

    sqlstate = "42P17"


class UndefinedColumn(FairleadError):
    """A column does not exist."""

    sqlstate = "42703"


class DatatypeMismatch(FairleadError):
    """An expression is of another type than its place needs."""

    sqlstate = "42804"


class DependentObjects(FairleadError):
    """The object is in use, so it cannot be dropped."""

    sqlstate = "2BP01"


class ObjectNotReady(FairleadError):
    """The object is in a state that the statement does not allow (a disabled connection, for instance)."""

    sqlstate = "55000"


class ObjectInUse(FairleadError):
    """Somebody else is busy with the object; later the statement may succeed."""

    sqlstate = "55006"


class NotSupported(FairleadError):
    """Understood, but not offered here."""

    sqlstate = "0A000"


# --- who may ---------------------------------------------------------------------------------------------------------


class PermissionDenied(FairleadError):
    """The caller lacks a privilege."""

    sqlstate = "42501"


class InvalidPassword(FairleadError):
    """Authentication failed; the text is the same whatever the reason was."""

    sqlstate = "28P01"


class LoginRefused(FairleadError):
    """The login cannot even be tried: no user, no TLS where it is required."""

    sqlstate = "28000"


class TooManyConnections(FairleadError):
    """A limit on sessions is reached."""

    sqlstate = "53300"


# --- transactions and statements ------------------------------------------------------------------------------------


class ActiveTransaction(FairleadError):
    """The statement cannot run inside a transaction block that has already written."""

    sqlstate = "25001"


class InFailedTransaction(FairleadError):
    """The transaction has failed; only ROLLBACK is accepted."""

    sqlstate = "25P02"


class NoActiveTransaction(FairleadError):
    """Only inside a transaction block."""

    sqlstate = "25P01"


class ReadOnlyTransaction(FairleadError):
    """The transaction may only read."""

    sqlstate = "25006"


class UndefinedSavepoint(FairleadError):
    """A savepoint that the transaction does not have."""

    sqlstate = "3B001"


class DuplicateStatement(FairleadError):
    """A prepared statement of that name exists."""

    sqlstate = "42P05"


class UndefinedCursor(FairleadError):
    """A cursor that the session does not have."""

    sqlstate = "34000"


class DuplicateCursor(FairleadError):
    """A cursor of that name is open."""

    sqlstate = "42P03"


class CursorNotScrollable(FairleadError):
    """A cursor goes forward only."""

    sqlstate = "55000"


class SerializationFailure(FairleadError):
    """Somebody else has committed a change to the same first; the transaction can be run again."""

    sqlstate = "40001"


class UndefinedStatement(FairleadError):
    """A prepared statement that does not exist."""

    sqlstate = "26000"


class UndefinedPortal(FairleadError):
    """A portal or cursor that does not exist."""

    sqlstate = "34000"


class QueryCanceled(FairleadError):
    """The user, or a time limit, ended the statement."""

    sqlstate = "57014"


class OutOfMemory(FairleadError):
    """The statement needed more memory than a session may have."""

    sqlstate = "53200"


class AdminShutdown(FairleadError):
    """The gateway is being stopped."""

    sqlstate = "57P01"


class IdleSession(FairleadError):
    """The client has said nothing for longer than idle_session_timeout."""

    sqlstate = "57P05"


class IdleInTransaction(FairleadError):
    """The client has left a transaction open for longer than idle_in_transaction_session_timeout."""

    sqlstate = "25P03"


class InvalidEncoding(FairleadError):
    """Bytes from a client that are not UTF-8."""

    sqlstate = "22021"


class BadCopyData(FairleadError):
    """Data of COPY FROM STDIN that are not in the format, or a value that is not of its column's type.

    Args:
        message: as PostgreSQL words it.
        context: where in the data: ``COPY t, line 3, column b: "x"``.
        sqlstate: ``22P04`` for the format, ``22P02`` for a value.
        hint: what the reader can do about it.
        detail: what the engine said of it.
    """

    def __init__(
        self,
        message: str,
        *,
        context: str | None,
        sqlstate: str = "22P04",
        hint: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.context = context
        self.sqlstate = sqlstate  # type: ignore[misc]  # narrower than the class attribute on purpose


class ProtocolViolation(FairleadError):
    """A client sent bytes that the protocol does not allow at this point."""

    sqlstate = "08P01"


# --- the engine ------------------------------------------------------------------------------------------------------


class EngineError(FairleadError):
    """The engine refused or failed a data statement; ``sqlstate`` follows the engine's own kind of error."""

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str = "XX000",
        hint: str | None = None,
        detail: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, detail=detail, position=position)
        self.sqlstate = sqlstate  # type: ignore[misc]  # narrower than the class attribute on purpose


class LakeMoved(FairleadError):
    """A lake has changed while it was being read; the same again will do."""

    sqlstate = "40001"


class LakeUnreadable(FairleadError):
    """The catalog of a lake cannot be read, or contradicts itself."""

    sqlstate = "XX001"


class WorkerLost(FairleadError):
    """The process that ran the session's statements ended; the next statement gets a new one."""

    sqlstate = "58000"


# --- the outside -----------------------------------------------------------------------------------------------------


class StoreUnreachable(FairleadError):
    """A store could not be reached: name, address, TLS, time-out."""

    sqlstate = "08001"


class StoreRefusedCredential(FairleadError):
    """A store did not accept the credential of the connection."""

    sqlstate = "28000"


class StoreError(FairleadError):
    """A store answered with an error of another kind."""

    sqlstate = "58000"


class UndefinedFile(FairleadError):
    """Nothing at the path."""

    sqlstate = "58P01"


class DuplicateFile(FairleadError):
    """Something is at the path already."""

    sqlstate = "58P02"


class DestinationRefused(FairleadError):
    """The egress policy, or the lock on a connection's destination, does not allow the address."""

    sqlstate = "42501"


# --- the house itself ------------------------------------------------------------------------------------------------


class LedgerUnavailable(FairleadError):
    """The ledger could not be written, so the credential was not used."""

    sqlstate = "58030"


class VaultError(FairleadError):
    """A stored secret could not be opened: wrong or missing keyring, or changed bytes."""

    sqlstate = "58000"


class ConfigurationError(FairleadError):
    """A setting that cannot be honoured, or a data directory that cannot be used."""

    sqlstate = "F0000"
