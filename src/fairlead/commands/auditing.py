"""SHOW LEDGER and VERIFY LEDGER."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fairlead.commands.house import House, Result
from fairlead.errors import PermissionDenied

if TYPE_CHECKING:
    from fairlead.context import Context
    from fairlead.lang import ast

_COLUMNS = ("seq", "at", "kind", "principal", "action", "object", "detail", "session", "statement", "hash")
VERIFY_COLUMNS = ("rows", "ok", "first_bad", "reason")


def show(statement: ast.ShowLedger, house: House, context: Context) -> Result:
    """SHOW LEDGER: its newest rows, the oldest of them first."""
    _require_auditor(context)
    rows = [
        (
            str(row.seq),
            row.at,
            row.kind,
            row.principal,
            row.action,
            row.object,
            json.dumps(row.detail, sort_keys=True),
            row.session_id,
            row.statement_id,
            row.hash[:16],
        )
        for row in house.ledger.tail(statement.limit)
    ]
    return Result("SHOW", _COLUMNS, rows)


def verify(_statement: ast.VerifyLedger, house: House, context: Context) -> Result:
    """VERIFY LEDGER: walk the whole chain and say whether it holds, and where not."""
    _require_auditor(context)
    found = house.ledger.verify()
    first_bad = None if found.first_bad is None else str(found.first_bad)
    return Result(
        "VERIFY LEDGER",
        VERIFY_COLUMNS,
        [(str(found.rows), "t" if found.ok else "f", first_bad, found.reason)],
    )


def _require_auditor(context: Context) -> None:
    if not context.principal.is_superuser:
        message = "permission denied for the ledger"
        raise PermissionDenied(message, hint="only superusers read it")
