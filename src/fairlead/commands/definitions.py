"""CREATE, ALTER and DROP before the engine runs them: what is told of them, and what goes with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fairlead.commands.depending import NOTHING, Cascade, cascade
from fairlead.commands.skipping import skipped
from fairlead.lang.ddl import read_ddl

if TYPE_CHECKING:
    from fairlead.commands.house import House
    from fairlead.context import Context
    from fairlead.engine.planner import Plan
    from fairlead.engine.session import EngineSession
    from fairlead.lang import ast
    from fairlead.session_types import Notice

DEFINES: Final = frozenset({"CREATE", "ALTER", "DROP"})
"""First keywords of the statements that this is about."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What is known of a statement before it runs.

    Args:
        plan: of it, as the engine takes it.
        notices: to be told when it has run.
        along: what goes with it.
    """

    plan: Plan
    notices: tuple[Notice, ...] = ()
    along: Cascade = NOTHING


async def defined(
    house: House, context: Context, statement: ast.DataStatement, plan: Plan, worker: EngineSession
) -> Definition:
    """Return what is known of a statement that creates, alters or drops.

    Args:
        house: the gateway's rooms.
        context: of the statement.
        statement: as typed.
        plan: of it.
        worker: of the session, with what the statement may mean.

    Raises:
        DuplicateTable: a table is to get the name that it has.
        DependentObjects: others depend on what is dropped.
        PermissionDenied: something in a schema that is dropped is somebody else's.
    """
    typed, planned = read_ddl(statement.text), read_ddl(plan.sql)
    if typed is None or planned is None:
        return Definition(plan)
    notices = await skipped(worker, planned)
    if notices:
        return Definition(plan, tuple(notices))
    along = await cascade(house, context, typed, worker)
    if planned.cascade is not None and planned.kind == "table":  # the engine has no CASCADE for tables
        begin, end = planned.cascade
        plan = replace(plan, sql=plan.sql[:begin] + " " * (end - begin) + plan.sql[end:])
    return Definition(plan, along.notices, along)
