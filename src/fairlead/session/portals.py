"""A session's portals: statements that have their parameters, and give their rows as they are asked for.

A session has one worker, which runs one statement. Where a portal is suspended and another statement comes, what is
left of the portal is put aside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fairlead.engine.api import TEXT, Column, Encoding, Parameter
from fairlead.errors import EngineError, FairleadError, UndefinedPortal
from fairlead.lang import ast
from fairlead.session_types import Complete, CopyIn, Output, ResultColumns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from fairlead.commands.spooling import Spool
    from fairlead.session.statements import Prepared

_IN_WORKER = ast.DataStatement | ast.CopyFromStdin | ast.CopyToStdout | ast.Export
_WITHOUT_COLUMNS = ast.Export | ast.CopyToStdout  # whose notices are not to wait for their end


@dataclass(slots=True)
class Portal:
    """A statement with its parameters.

    Args:
        prepared: the statement.
        parameters: of it.
        encoding: how its rows are wanted.
        described: its columns are known, or it has none.
        hold: it outlives its transaction.
        begun: somebody has taken rows.
        columns: of its rows.
        outputs: what it gives, once it is started.
        held: what it has given and nobody has taken.
        spool: what was put aside.
        failure: why no more can be had.
    """

    prepared: Prepared
    parameters: Sequence[Parameter]
    encoding: Encoding = TEXT
    described: bool = False
    hold: bool = False
    begun: bool = False
    columns: tuple[Column, ...] | None = None
    outputs: AsyncGenerator[Output, None] | None = None
    held: list[Output] = field(default_factory=list)
    spool: Spool | None = None
    failure: FairleadError | None = None

    async def next(self) -> Output | None:
        """Return what it gives next, but for its columns; None at its end.

        Raises:
            FairleadError: it has failed.
        """
        while True:
            if self.held:
                output: Output | None = self.held.pop(0)
            elif self.spool is not None and (spooled := await self.spool.take()) is not None:
                output = spooled
            elif self.failure is not None:
                raise self.failure
            else:
                output = await anext(self.outputs, None) if self.outputs is not None else None
            if not isinstance(output, ResultColumns):
                return output

    async def put_aside(self, spool: Spool) -> None:
        """Read it to its end. What there is no room for is an error of this portal, not of the next statement.

        Raises:
            FairleadError: its statement has failed.
        """
        assert self.outputs is not None
        self.spool = self.spool or spool
        async for output in self.outputs:
            try:
                if not isinstance(output, ResultColumns):
                    await self.spool.put(output)
            except EngineError as error:
                self.failure = error
                await self.outputs.aclose()
                return

    async def close(self) -> None:
        """End what it runs, and forget what it holds."""
        if self.spool is not None:
            self.spool.close()
        if self.outputs is not None:
            await self.outputs.aclose()


class Portals:
    """The portals of one session.

    Args:
        run: starts the statement of a portal.
        new_spool: gives a place for what is put aside.
    """

    def __init__(self, run: Callable[[Portal], AsyncGenerator[Output, None]], new_spool: Callable[[], Spool]) -> None:
        self._run = run
        self._new_spool = new_spool
        self._by_name: dict[str, Portal] = {}
        self._running: Portal | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def find(self, name: str) -> Portal:
        """Return a portal.

        Raises:
            UndefinedPortal: there is none of the name.
        """
        if name not in self._by_name:
            message = f'portal "{name}" does not exist'
            raise UndefinedPortal(message)
        return self._by_name[name]

    def add(self, name: str, portal: Portal) -> None:
        """Take a new portal; there is none of the name."""
        self._by_name[name] = portal

    async def start(self, portal: Portal) -> None:
        """Start a portal, and hold what comes before its first rows.

        Raises:
            FairleadError: of its statement.
        """
        statement = portal.prepared.statement
        if statement is None:
            return
        in_worker = isinstance(statement, _IN_WORKER)
        if in_worker:
            await self.settle()
        portal.outputs = self._run(portal)
        if in_worker:
            self._running = portal
        if isinstance(statement, _WITHOUT_COLUMNS):
            return
        async for output in portal.outputs:
            if isinstance(output, ResultColumns):
                portal.columns = output.columns
                return
            portal.held.append(output)
            if isinstance(output, Complete | CopyIn):
                return

    async def next_of(self, portal: Portal) -> Output | None:
        """Return what a started portal gives next, None at its end.

        Raises:
            FairleadError: it has failed.
        """
        output = await portal.next()
        if output is None and self._running is portal:
            self._running = None
        return output

    async def settle(self) -> None:
        """Put the rest of a suspended portal aside, before another statement takes the worker."""
        portal, self._running = self._running, None
        if portal is not None and portal.outputs is not None:
            await portal.put_aside(self._new_spool())

    async def close(self, name: str) -> None:
        """Forget a portal and end what it runs; an unknown name is no error."""
        portal = self._by_name.pop(name, None)
        if portal is not None:
            await portal.close()
            if self._running is portal:
                self._running = None

    async def close_all(self, *, keep_held: bool) -> None:
        """Close all portals, or those that do not outlive their transaction."""
        for name, portal in [*self._by_name.items()]:
            runs = getattr(portal.outputs, "ag_running", False)  # the COMMIT that closes the others
            if not runs and not (keep_held and portal.hold):
                await self.close(name)
