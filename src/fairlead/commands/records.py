"""What commands write into the ledger, and how tables become results."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from fairlead.access.ledger import LedgerEvent
from fairlead.commands.house import Result
from fairlead.errors import LedgerUnavailable

if TYPE_CHECKING:
    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.commands.house import House
    from fairlead.context import Context
    from fairlead.dialects.tables import Table
    from fairlead.session_types import Notice


def event(context: Context, kind: str, action: str, subject: str, **detail: str | int) -> LedgerEvent:
    """Return a ledger event of this statement. ``detail`` must hold nothing secret."""
    return LedgerEvent(
        kind=kind,
        principal=context.principal.user_name,
        session_id=context.session_id,
        statement_id=context.statement_id,
        action=action,
        object=subject,
        detail=detail,
    )


def ddl(context: Context, action: str, subject: ObjectRecord | str, **detail: str | int) -> LedgerEvent:
    """Return the event of a change to an object."""
    if isinstance(subject, str):
        return event(context, "ddl", action, subject, **detail)
    return event(context, "ddl", action, f"{subject.kind} {subject.full_name}", version=subject.version, **detail)


def refused(house: House, context: Context, action: str) -> None:
    """Record that a statement was refused for want of a right; the refusal stands whether or not that succeeds.

    Neither the text nor the names in it are written down: people type passwords in the wrong place.
    """
    with suppress(LedgerUnavailable):
        house.ledger.record(event(context, "refused", action, "statement"))


def result(tag: str, table: Table, notices: tuple[Notice, ...] = ()) -> Result:
    """Return the result that shows a table."""
    return Result(tag, table.columns, table.rows, notices)


def owner_name(snapshot: Snapshot, record: ObjectRecord) -> str:
    """Return the name of an object's owner."""
    owner = snapshot.role_by_id(record.owner_id)
    return owner.name if owner is not None else ""
