"""The doors that are open now, each with its running statement and the sockets of its worker."""

from __future__ import annotations

import threading
from contextlib import suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING

from fairlead.egress.door import StatementUse
from fairlead.egress.statement import Statement, outside_statement

if TYPE_CHECKING:
    import socket

    from fairlead.egress.door import Door, UseLedger
    from fairlead.egress.journal import Journal
    from fairlead.egress.shipment import Shipment


class OpenDoor:
    """A door and what goes through it."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._lock = threading.Lock()
        self._statement: Statement | None = None
        self._sockets: set[socket.socket] = set()
        self._shut = False

    @property
    def statement(self) -> Statement:
        """The running statement. Raises PermissionDenied if there is none."""
        statement = self._statement
        if statement is None:
            raise outside_statement()
        return statement

    @property
    def untouched(self) -> bool:
        """Whether no statement runs, or it has asked for nothing."""
        statement = self._statement
        return statement is None or statement.untouched

    @property
    def bytes_written(self) -> int:
        """What the running statement has sent so far."""
        statement = self._statement
        return 0 if statement is None else statement.bytes_written

    def swap(self, statement: Statement | None) -> Statement | None:
        """Set the running statement and return the one before."""
        with self._lock:
            before, self._statement = self._statement, statement
        return before

    def enter(self, sock: socket.socket) -> bool:
        """Note a connection of the worker; False if the door has been shut meanwhile."""
        with self._lock:
            if not self._shut:
                self._sockets.add(sock)
            return not self._shut

    def leave(self, sock: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._sockets.discard(sock)

    def shut(self) -> None:
        """Cut every connection of the worker."""
        with self._lock:
            self._shut = True
            for sock in self._sockets:
                with suppress(OSError):
                    sock.shutdown(SHUT_RDWR)


class Doors:
    """All open doors, by key id.

    Args:
        ledger: for the statements.
        journal: the same.
    """

    def __init__(self, ledger: UseLedger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self._open: dict[str, OpenDoor] = {}

    def open(self, door: Door) -> None:
        """Open a door."""
        self._open[door.key_id] = OpenDoor(door)

    def find(self, key_id: str) -> OpenDoor | None:
        """Return an open door."""
        return self._open.get(key_id)

    def close(self, key_id: str) -> None:
        """Shut a door; its statement, if one runs, ends as failed. A door that is not there is no error."""
        found = self._open.pop(key_id, None)
        if found is not None:
            found.shut()
            statement = found.swap(None)
            if statement is not None:
                statement.end("session ended")

    def close_all(self) -> None:
        """Shut every door."""
        for key_id in list(self._open):
            self.close(key_id)

    def begin(self, key_id: str, shipment: Shipment | None = None) -> None:
        """Begin a statement; one that still runs ends as failed."""
        found = self._open[key_id]
        before = found.swap(Statement(found.door.context, self._ledger, self._journal, shipment))
        if before is not None:
            before.end("replaced")

    def untouched(self, key_id: str) -> bool:
        """Whether the running statement has asked for nothing."""
        found = self._open.get(key_id)
        return found is None or found.untouched

    def end(self, key_id: str, outcome: str) -> StatementUse:
        """End the running statement; without one, or without the door, nothing was used."""
        found = self._open.get(key_id)
        statement = found.swap(None) if found is not None else None
        return statement.end(outcome) if statement is not None else StatementUse(None, 0, 0, 0)
