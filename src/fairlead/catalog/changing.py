"""What every part of the writing transaction stands on: one place through which changes go, and the form of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete

from fairlead.catalog import tables as t
from fairlead.catalog.snapshot import Snapshot
from fairlead.errors import InvalidName

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable

    from fairlead.clock import Clock

MAX_NAME_BYTES = 255


class Changing(Snapshot):
    """A snapshot that can be written to.

    ``changed`` says whether objects, roles or grants were changed; a ledger row alone does not count.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        super().__init__(connection)
        self.clock = clock
        self.changed = False

    def _change(self, statement: Executable) -> None:
        self.changed = True
        self.connection.execute(statement)

    def _drop_grants(self, object_kind: str, object_id: int) -> None:
        on_it = (t.grants.c.object_kind == object_kind) & (t.grants.c.object_id == object_id)
        self._change(delete(t.grants).where(on_it))


def name_key(name: str) -> str:
    """Return what a name is compared by.

    Raises:
        InvalidName: it is empty, too long, or holds a zero character.
    """
    if not name:
        message = "a name cannot be empty"
        raise InvalidName(message)
    length = len(name.encode("utf-8", "surrogatepass"))
    if length > MAX_NAME_BYTES:
        message = f'the name "{name[:20]}..." has {length} bytes'
        raise InvalidName(message, hint=f"a name has at most {MAX_NAME_BYTES} bytes")
    if "\0" in name or not name.isprintable():
        message = "a name cannot hold control characters"
        raise InvalidName(message)
    return name.casefold()
