"""Where the files of tables are, when they are on a connection, and how the writer gets to them.

The writer is a process without credentials too: it goes through the store proxy by a door of its own, whose rules name
exactly the data paths of the databases.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from fairlead.access.rules import EVERYTHING, Rule
from fairlead.context import Context, Principal
from fairlead.egress.door import Alias, Door
from fairlead.engine.lake.lakes import Storage

if TYPE_CHECKING:
    from fairlead.access.access import Access
    from fairlead.catalog.catalog import Catalog
    from fairlead.egress.egress import Egress
    from fairlead.engine.session import EngineSession

_NOBODY = Principal(user_id=0, user_name="(the writer of tables)", role_ids=frozenset(), is_superuser=False)


class Warehouses:
    """The writer's door, and the rules behind it.

    Args:
        catalog: knows databases and connections.
        access: knows everybody else's rules.
    """

    def __init__(self, catalog: Catalog, access: Access) -> None:
        self._catalog = catalog
        self._access = access
        self._aliases: dict[str, Alias] = {}
        self._door: str | None = None
        self._epoch = -1
        self._rules: tuple[Rule, ...] = ()

    def rules(self, principal: Principal) -> tuple[Rule, ...]:
        """Return what a principal may do in stores; the writer's rules are the data paths of databases."""
        if principal is not _NOBODY:
            return self._access.rules(principal)
        epoch = self._catalog.epoch
        if self._epoch != epoch:
            self._rules, self._epoch = self._read(), epoch
        return self._rules

    def storage_of(self, database_id: int) -> Storage | None:
        """Return where the files of a database are, None for the gateway's own disk."""
        with self._catalog.read() as snapshot:
            database = next((d for d in snapshot.databases() if d.id == database_id), None)
        if database is None or database.data_path is None or database.connection_id is None:
            return None
        bucket = database.data_path.removeprefix("s3://").partition("/")[0]
        wanted = Alias(database.connection_id, bucket)
        alias = next((name for name, entry in self._aliases.items() if entry == wanted), None)
        if alias is None:
            alias = f"{bucket[:40]}-{secrets.token_hex(4)}"
            self._aliases[alias] = wanted
        return Storage(database.data_path, alias, database.connection_id)

    def open_door(self, egress: Egress, writer: EngineSession) -> None:
        """Let the writer out, through its own door; once for each key."""
        key = writer.door_key
        if self._door == key.key_id:
            return
        context = Context(session_id="writer", statement_id="writer", principal=_NOBODY)
        egress.open_door(
            Door(
                key_id=key.key_id,
                secret=key.secret,
                principal=lambda: _NOBODY,
                context=lambda: context,
                aliases=self._aliases,
            )
        )
        self._door = key.key_id

    def _read(self) -> tuple[Rule, ...]:
        found = []
        with self._catalog.read() as snapshot:
            for database in snapshot.databases():
                if database.data_path is None or database.connection_id is None:
                    continue
                bucket, _, prefix = database.data_path.removeprefix("s3://").partition("/")
                via, connection = f"database {database.name}", snapshot.get(database.connection_id).full_name
                found.append(Rule(database.connection_id, bucket, prefix, EVERYTHING, via, connection=connection))
        return tuple(found)
