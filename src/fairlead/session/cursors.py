"""SQL's cursors: portals with a name, of which FETCH takes some rows."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from fairlead.engine.api import TEXT, Encoding
from fairlead.errors import DuplicateCursor, NoActiveTransaction, UndefinedCursor
from fairlead.session.portals import Portal
from fairlead.session.statements import Prepared
from fairlead.session_types import Complete, Output, ResultColumns, ResultRows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from fairlead.engine.api import Parameter
    from fairlead.lang import ast
    from fairlead.session.portals import Portals

_length = struct.Struct("!I").unpack_from


class Cursors:
    """The cursors of one session.

    Args:
        portals: of the session; cursors are among them, as in PostgreSQL.
    """

    def __init__(self, portals: Portals) -> None:
        self._portals = portals

    def find(self, name: str) -> Portal:
        """Return a cursor's portal.

        Raises:
            UndefinedCursor: there is none of the name.
        """
        if name not in self._portals:
            message = f'cursor "{name}" does not exist'
            raise UndefinedCursor(message)
        return self._portals.find(name)

    async def declare(self, statement: ast.DeclareCursor, parameters: Sequence[Parameter], *, in_block: bool) -> None:
        """Open a cursor.

        Raises:
            DuplicateCursor: the name is taken.
            NoActiveTransaction: it would end with its statement.
            FairleadError: of the query.
        """
        name = statement.name
        if name in self._portals:
            message = f'cursor "{name}" already exists'
            raise DuplicateCursor(message)
        if not in_block and not statement.hold:
            message = "DECLARE CURSOR can only be used in transaction blocks"
            raise NoActiveTransaction(message, hint="BEGIN first, or declare it WITH HOLD")
        encoding = Encoding(formats=(1,)) if statement.binary else TEXT
        prepared = Prepared(statement.query, ())
        await self._open(name, Portal(prepared, parameters, encoding, described=True, hold=statement.hold))

    async def fetch(self, statement: ast.Fetch, encoding: Encoding) -> AsyncGenerator[Output, None]:
        """Give some rows; those of a block that are too many stay with the portal.

        The first FETCH says in which format the rows are wanted, as it is the first that a client can say it with.

        Raises:
            UndefinedCursor: there is none of the name.
            FairleadError: of the query.
        """
        name = statement.name
        portal = self.find(name)
        if not portal.begun and encoding.formats and portal.encoding != encoding:
            again = Portal(portal.prepared, portal.parameters, encoding, described=True, hold=portal.hold)
            portal = await self._open(name, again)
        portal.begun = True
        if not statement.move and portal.columns is not None:
            yield ResultColumns(portal.columns)
        given = 0
        while statement.count is None or given < statement.count:
            output = await self._portals.next_of(portal)
            if output is None:
                break
            if isinstance(output, ResultRows):
                if statement.count is not None:
                    output, rest = first_rows(output, statement.count - given)
                    portal.held[:0] = [rest] if rest is not None else []
                given += output.count
            if not isinstance(output, Complete) and not (statement.move and isinstance(output, ResultRows)):
                yield output
        yield Complete(f"{'MOVE' if statement.move else 'FETCH'} {given}")

    async def _open(self, name: str, portal: Portal) -> Portal:
        """Start a portal, and put it in the place of one of the same name."""
        await self._portals.close(name)
        await self._portals.start(portal)
        self._portals.add(name, portal)
        return portal

    async def close(self, statement: ast.CloseCursor) -> list[Output]:
        """Close one cursor, or all of them.

        Raises:
            UndefinedCursor: there is none of the name.
        """
        if statement.name is not None:
            self.find(statement.name)
            await self._portals.close(statement.name)
        else:
            await self._portals.close_all(keep_held=False)
        return [Complete("CLOSE CURSOR ALL" if statement.name is None else "CLOSE CURSOR")]


def first_rows(rows: ResultRows, count: int) -> tuple[ResultRows, ResultRows | None]:
    """Split a block of DataRow messages behind the first ``count``; the second is None where nothing is left."""
    if rows.count <= count:
        return rows, None
    at = 0
    for _ in range(count):
        at += 1 + int(_length(rows.data, at + 1)[0])
    return ResultRows(rows.data[:at], count), ResultRows(rows.data[at:], rows.count - count)
