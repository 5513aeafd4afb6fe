"""Which command serves which statement. A statement without an entry here is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairlead.commands import (
    auditing,
    care,
    connections,
    databases,
    defaults,
    drops,
    grants,
    history,
    owning,
    records,
    relations,
    roles,
    secrets,
    showing,
    stages,
    validate,
    views,
)
from fairlead.commands.house import House, Result
from fairlead.context import Context
from fairlead.errors import NotSupported, PermissionDenied
from fairlead.lang import ast

Handler = Callable[[Any, House, Context], Result]


def _show(statement: ast.ShowObjects, house: House, context: Context) -> Result:
    by_kind: dict[str, Handler] = {
        "secret": secrets.show,
        "connection": showing.show_connections,
        "stage": stages.show,
    }
    return by_kind[statement.kind](statement, house, context)


def _describe(statement: ast.DescribeObject, house: House, context: Context) -> Result:
    if statement.kind == "stage":
        return stages.describe(statement, house, context)
    return showing.describe_connection(statement, house, context)


HANDLERS: dict[type[ast.Statement], Handler] = {
    ast.AlterConnection: connections.alter,
    ast.AlterDefaultPrivileges: defaults.alter,
    ast.AlterObject: owning.alter,
    ast.AlterRole: roles.alter,
    ast.AlterSecret: secrets.alter,
    ast.AlterStage: stages.alter,
    ast.CreateConnection: connections.create,
    ast.CreateDatabase: databases.create,
    ast.CreateRole: roles.create,
    ast.CreateSecret: secrets.create,
    ast.CreateStage: stages.create,
    ast.CreateView: views.create,
    ast.DescribeObject: _describe,
    ast.DropDatabase: databases.drop,
    ast.DropObjects: drops.drop,
    ast.DropRole: roles.drop,
    ast.Grant: grants.grant,
    ast.GrantRole: roles.grant,
    ast.ListStage: stages.list_files,
    ast.Revoke: grants.revoke,
    ast.RevokeRole: roles.revoke,
    ast.ShowCreate: showing.show_create,
    ast.ShowDatabases: databases.show,
    ast.ShowDefaultPrivileges: defaults.show,
    ast.ShowDependents: showing.show_dependents,
    ast.ShowGrants: grants.show,
    ast.ShowLedger: auditing.show,
    ast.ShowObjects: _show,
    ast.ShowRoles: roles.show,
    ast.ShowSnapshots: history.show,
    ast.ShowTables: relations.show,
    ast.Vacuum: care.vacuum,
    ast.ValidateConnection: validate.validate,
    ast.VerifyLedger: auditing.verify,
}

# Statements that change the catalog: inside a transaction block they take effect at once (DESIGN 2.9).
CHANGES: frozenset[type[ast.Statement]] = frozenset(
    kind for kind in HANDLERS if kind.__name__.startswith(("Alter", "Create", "Drop", "Grant", "Revoke"))
)

# Statements that only show: they may be run to learn their columns.
SHOWS: frozenset[type[ast.Statement]] = frozenset(
    kind for kind in HANDLERS if kind.__name__.startswith(("Show", "Describe"))
)

# Columns of the statements that ask the outside, so that a client can be told before they run.
COLUMNS: dict[type[ast.Statement], tuple[str, ...]] = {
    ast.ListStage: stages.LIST_COLUMNS,
    ast.Vacuum: care.COLUMNS,
    ast.ValidateConnection: validate.COLUMNS,
    ast.VerifyLedger: auditing.VERIFY_COLUMNS,
}


def run(statement: ast.Statement, house: House, context: Context) -> Result:
    """Run a catalog statement.

    Raises:
        FairleadError: whatever the statement's own command refuses.
    """
    handler = HANDLERS.get(type(statement))
    if handler is None:
        message = f"{type(statement).__name__} is not offered here"
        raise NotSupported(message)
    try:
        return handler(statement, house, context)
    except PermissionDenied:
        records.refused(house, context, words(statement))
        raise


def words(statement: ast.Statement) -> str:
    """Return a statement's kind as words: ``CreateSecret`` gives ``CREATE SECRET``."""
    return "".join(" " + c if c.isupper() else c for c in type(statement).__name__).strip().upper()
