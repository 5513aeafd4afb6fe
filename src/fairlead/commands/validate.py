"""VALIDATE CONNECTION: which step of reaching the system works, and which does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands import connections, records
from fairlead.commands.house import House, Result
from fairlead.connectors import declaration
from fairlead.connectors.checks import run_checks

if TYPE_CHECKING:
    from fairlead.context import Context
    from fairlead.lang import ast

COLUMNS = ("step", "status", "milliseconds", "evidence", "hint")


def validate(statement: ast.ValidateConnection, house: House, context: Context) -> Result:
    """Run the checks of the connection's connector. The right is checked, and the ledger written, before any packet."""
    with house.catalog.read() as snapshot:
        connection = connections.visible(house, snapshot, statement.name, context, statement.noun)
        house.access.require(context.principal, "USAGE", connection)
        kind = connections.definition(snapshot, connection).kind
        locations = tuple(
            snapshot.definition(d.id)["url"] for d in snapshot.dependents(connection.id) if d.kind == "stage"
        )
    house.ledger.record(
        records.event(context, "use", "VALIDATE", f"connection {connection.full_name}", version=connection.version)
    )
    options = house.resolver.options(connection.id)
    steps = run_checks(declaration.connector(kind), options, locations, house.egress.probe(connection.id))
    rows = [
        (step.step, step.status, str(step.milliseconds), house.vault.scrubber.scrub(step.evidence), step.hint)
        for step in steps
    ]
    return Result(f"VALIDATE {statement.noun}", COLUMNS, rows)
