"""A change of a connection that is tried on the real system first, where that is asked for.

The change is made and undone in a transaction of its own, which gives the definition as it would be, rights checked;
the checks run outside any transaction; then the change is made for good. A failed check leaves nothing behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands import records
from fairlead.connectors import declaration
from fairlead.connectors.checks import run_checks
from fairlead.errors import StoreRefusedCredential, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fairlead.catalog.transaction import Transaction
    from fairlead.commands.house import House, Result
    from fairlead.context import Context
    from fairlead.sensitive import Sensitive

    Change = Callable[[Transaction], tuple[int | None, Result]]


class _Undone(Exception):  # noqa: N818  # a decision, not a failure
    """Ends the transaction of a trial."""


def changed(house: House, context: Context, asked: bool | None, change: Change) -> Result:
    """Make a change, after a trial where the statement, the session, or else the connection's type wants one.

    Args:
        house: the gateway's rooms.
        context: of the statement.
        asked: ``WITH (VALIDATE = ...)``, None where absent.
        change: makes the change in a transaction, returns the connection's id (None: nothing to try) and the result.

    Raises:
        StoreUnreachable, StoreRefusedCredential: the trial failed.
    """
    wanted = asked if asked is not None else context.validate_connections
    if wanted:
        _try(house, context, change)
    with house.catalog.write() as tx:
        return change(tx)[1]


def _try(house: House, context: Context, change: Change) -> None:
    found: tuple[str, str, Mapping[str, str | Sensitive], tuple[str, ...], int] | None = None
    try:
        with house.catalog.write() as tx:
            connection_id, _ = change(tx)
            if connection_id is not None:
                connection = tx.get(connection_id)
                stages = [d.id for d in tx.dependents(connection_id) if d.kind == "stage"]
                found = (
                    connection.full_name,
                    tx.definition(connection_id)["kind"],
                    house.resolver.options_in(tx, connection_id),
                    tuple(tx.definition(stage_id)["url"] for stage_id in stages),
                    connection_id,
                )
            raise _Undone
    except _Undone:
        pass
    if found is None:
        return
    name, kind, options, locations, connection_id = found
    house.ledger.record(records.event(context, "use", "VALIDATE", f"connection {name}", version="as it would be"))
    steps = run_checks(declaration.connector(kind), options, locations, house.egress.probe(connection_id))
    failed = next((step for step in steps if step.status == "failed"), None)
    if failed is not None:
        message = f'connection "{name}" was not changed: step {failed.step} failed: {failed.evidence}'
        kind_of_error = StoreRefusedCredential if failed.step == "auth" else StoreUnreachable
        raise kind_of_error(message, hint=failed.hint)
