"""BEGIN, COMMIT, ROLLBACK with their modes, SET TRANSACTION and savepoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import Savepoint, SetTransaction, Transaction

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_SERIALIZABLE: Final = "SERIALIZABLE is not offered: every transaction is isolated by snapshot"
_SERIALIZABLE_HINT: Final = "REPEATABLE READ is what there is; weaker levels are given it, too"


def transaction(cursor: Cursor, verb: str) -> Transaction | Savepoint:
    """Read what follows BEGIN, START, COMMIT, END, ROLLBACK, ABORT, SAVEPOINT or RELEASE.

    Raises:
        NotSupported: SERIALIZABLE, or a transaction in two phases.
    """
    if verb in {"SAVEPOINT", "RELEASE"}:
        if verb == "RELEASE":
            cursor.accept("SAVEPOINT")
        return _savepoint(cursor, "set" if verb == "SAVEPOINT" else "release")
    if verb == "START":
        cursor.expect("TRANSACTION")
    else:
        cursor.accept_one("TRANSACTION", "WORK")
    if verb in {"BEGIN", "START"}:
        return Transaction(action="begin", read_only=_modes(cursor))
    if verb == "ROLLBACK" and cursor.accept("TO"):
        cursor.accept("SAVEPOINT")
        return _savepoint(cursor, "rollback")
    if cursor.at("PREPARED"):
        cursor.unsupported("transactions in two phases are not offered")
    chain = False
    if cursor.accept("AND"):
        chain = not cursor.accept("NO")
        cursor.expect("CHAIN")
    cursor.end()
    return Transaction(action="commit" if verb in {"COMMIT", "END"} else "rollback", chain=chain)


def set_transaction(cursor: Cursor) -> SetTransaction:
    """Read what follows SET [SESSION]: TRANSACTION modes, or CHARACTERISTICS AS TRANSACTION modes."""
    session = cursor.accept("CHARACTERISTICS", "AS")
    cursor.expect("TRANSACTION")
    if cursor.token.kind == "eof":
        cursor.fail("READ", "ISOLATION")
    return SetTransaction(read_only=_modes(cursor), session=session)


def _savepoint(cursor: Cursor, action: str) -> Savepoint:
    name = cursor.identifier("the name of a savepoint")
    cursor.end()
    return Savepoint(action=action, name=name)  # type: ignore[arg-type]  # one of the three by construction


def _modes(cursor: Cursor) -> bool | None:
    """Read the modes of a transaction; return whether it may only read, None where that is not said."""
    read_only: bool | None = None
    while cursor.token.kind != "eof":
        if cursor.accept("READ"):
            read_only = cursor.expect_one("ONLY", "WRITE") == "ONLY"
        elif cursor.accept("ISOLATION"):
            cursor.expect("LEVEL")
            _level(cursor)
        else:
            cursor.accept("NOT")
            cursor.expect_one("DEFERRABLE", "READ", "ISOLATION")
        cursor.accept_op(",")
    return read_only


def _level(cursor: Cursor) -> None:
    if cursor.at("SERIALIZABLE"):
        cursor.unsupported(_SERIALIZABLE, _SERIALIZABLE_HINT)
    if cursor.expect_one("REPEATABLE", "READ") == "REPEATABLE":
        cursor.expect("READ")
    else:
        cursor.expect_one("COMMITTED", "UNCOMMITTED")
