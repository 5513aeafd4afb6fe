"""A change of a connection that is tried on the real system first, where that is asked for.

The change is made and undone in a transaction of its own, which gives the definition as it would be, rights checked;
the checks run outside any transaction; then the change is made for good. A failed check leaves nothing behind.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
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


class _Undone(Exception):
    """Ends the transaction of a trial: a decision, not a failure."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """A connection as it would be after the change."""

    connection_id: int
    full_name: str
    kind: str
    options: Mapping[str, str | Sensitive]
    locations: tuple[str, ...]


def changed(house: House, context: Context, asked: bool | None, change: Change) -> Result:
    """Make a change, after a trial where the statement, or else the session, asks for one.

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
    trial = _made_and_undone(house, change)
    if trial is None:
        return
    subject = f"connection {trial.full_name}"
    house.ledger.record(records.event(context, "use", "VALIDATE", subject, version="as it would be"))
    probe = house.egress.probe(trial.connection_id)
    steps = run_checks(declaration.connector(trial.kind), trial.options, trial.locations, probe)
    failed = next((step for step in steps if step.status == "failed"), None)
    if failed is not None:
        message = f'connection "{trial.full_name}" was not changed: step {failed.step} failed: {failed.evidence}'
        kind_of_error = StoreRefusedCredential if failed.step == "auth" else StoreUnreachable
        raise kind_of_error(message, hint=failed.hint)


def _made_and_undone(house: House, change: Change) -> _Trial | None:
    """Return the connection as the change makes it, None where there is nothing to try; the catalog stays as it was."""
    trial: _Trial | None = None
    with suppress(_Undone), house.catalog.write() as tx:
        connection_id, _ = change(tx)
        if connection_id is not None:
            stages = [d.id for d in tx.dependents(connection_id) if d.kind == "stage"]
            trial = _Trial(
                connection_id,
                full_name=tx.get(connection_id).full_name,
                kind=tx.definition(connection_id)["kind"],
                options=house.resolver.options_in(tx, connection_id),
                locations=tuple(tx.definition(stage_id)["url"] for stage_id in stages),
            )
        raise _Undone
    return trial
