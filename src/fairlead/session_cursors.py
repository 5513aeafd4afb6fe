"""SQL's cursors: portals with a name, of which FETCH takes some rows."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Protocol

from fairlead.engine.api import TEXT, Encoding
from fairlead.errors import DuplicateCursor, NoActiveTransaction, UndefinedCursor
from fairlead.session_types import Complete, Output, ResultColumns, ResultRows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from fairlead.engine.api import Column, Parameter
    from fairlead.lang import ast

_length = struct.Struct("!I").unpack_from


class CursorPortal(Protocol):
    """A portal, as far as a cursor needs it."""

    hold: bool
    held: list[Output]
    encoding: Encoding
    columns: tuple[Column, ...] | None
    outputs: AsyncGenerator[Output, None] | None


class Cursors:
    """The cursors of one session.

    Args:
        open_portal: starts a portal for a query, in place of one of the same name.
        next_of: gives what a portal has next, None at its end.
        close_portal: closes one.
    """

    def __init__(
        self,
        open_portal: Callable[..., Awaitable[CursorPortal]],
        next_of: Callable[[Any], Awaitable[Output | None]],
        close_portal: Callable[[str], Awaitable[None]],
    ) -> None:
        self._open_portal = open_portal
        self._next_of = next_of
        self._close_portal = close_portal
        self._queries: dict[str, tuple[ast.DataStatement, Sequence[Parameter]]] = {}
        self._portals: dict[str, CursorPortal] = {}
        self._begun: set[str] = set()

    def find(self, name: str) -> CursorPortal:
        """Return a cursor's portal.

        Raises:
            UndefinedCursor: there is none of the name.
        """
        if name not in self._portals:
            message = f'cursor "{name}" does not exist'
            raise UndefinedCursor(message)
        return self._portals[name]

    def forget(self, name: str) -> None:
        """Note that a portal is closed."""
        self._portals.pop(name, None)
        self._queries.pop(name, None)
        self._begun.discard(name)

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
        query = statement.query, parameters
        self._portals[name] = await self._open_portal(name, *query, encoding, hold=statement.hold)
        self._queries[name] = query

    async def fetch(self, statement: ast.Fetch, encoding: Encoding) -> AsyncGenerator[Output, None]:
        """Give some rows; those of a block that are too many stay with the portal.

        The first FETCH says in which format the rows are wanted, as it is the first that a client can say it with.

        Raises:
            UndefinedCursor: there is none of the name.
            FairleadError: of the query.
        """
        name = statement.name
        portal = self.find(name)
        if name not in self._begun and encoding.formats and portal.encoding != encoding:
            portal = await self._open_portal(name, *self._queries[name], encoding, hold=portal.hold)
            self._portals[name] = portal
        self._begun.add(name)
        if not statement.move and portal.columns is not None:
            yield ResultColumns(portal.columns)
        given = 0
        while statement.count is None or given < statement.count:
            output = await self._next_of(portal)
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

    async def close(self, statement: ast.CloseCursor) -> list[Output]:
        """Close one cursor, or all of them.

        Raises:
            UndefinedCursor: there is none of the name.
        """
        if statement.name is not None:
            self.find(statement.name)
        for name in [*self._portals] if statement.name is None else [statement.name]:
            await self._close_portal(name)
        return [Complete("CLOSE CURSOR ALL" if statement.name is None else "CLOSE CURSOR")]


def first_rows(rows: ResultRows, count: int) -> tuple[ResultRows, ResultRows | None]:
    """Split a block of DataRow messages behind the first ``count``; the second is None where nothing is left."""
    if rows.count <= count:
        return rows, None
    at = 0
    for _ in range(count):
        at += 1 + int(_length(rows.data, at + 1)[0])
    return ResultRows(rows.data[:at], count), ResultRows(rows.data[at:], rows.count - count)
