"""How a missing right on a table is said, early or at the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from fairlead.errors import PermissionDenied

if TYPE_CHECKING:
    from fairlead.access.relations import TableRights
    from fairlead.context import Context


def deny(table: TableRights, action: str, context: Context) -> NoReturn:
    """Refuse an action on a table.

    Raises:
        PermissionDenied.
    """
    where = table.record.full_name
    detail = f"The '{context.principal.user_name}' role needs {action} privileges on TABLE \"{where}\""
    raise PermissionDenied(f'permission denied for TABLE "{where}"', detail=detail)
