"""From a connection's id to what egress needs to reach its system: the one place where its secrets are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.connectors import declaration
from fairlead.dialects import definition as meaning
from fairlead.egress.door import ResolvedTarget
from fairlead.errors import ObjectNotReady, VaultError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.catalog.catalog import Catalog
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.sensitive import Sensitive
    from fairlead.vault.vault import Vault


class Resolver:
    """Opens connections. Callers write the ledger first."""

    def __init__(self, catalog: Catalog, vault: Vault) -> None:
        self._catalog = catalog
        self._vault = vault
        self._versions: tuple[int, dict[int, str]] = (-1, {})

    def version(self, connection_id: int) -> str:
        """Return a text that changes whenever the connection, or a secret that it refers to, changes."""
        epoch, known = self._versions
        if epoch != self._catalog.epoch:
            epoch, known = self._catalog.epoch, {}
            self._versions = (epoch, known)
        if connection_id not in known:
            with self._catalog.read() as snapshot:
                known[connection_id] = _version(snapshot, connection_id)
        return known[connection_id]

    def options(self, connection_id: int) -> Mapping[str, str | Sensitive]:
        """Return the connection's options by canonical name, secrets opened.

        Raises:
            ObjectNotReady: the connection is disabled.
            VaultError: a stored secret cannot be opened.
        """
        with self._catalog.read() as snapshot:
            return self.options_in(snapshot, connection_id)

    def target(self, connection_id: int) -> ResolvedTarget:
        """Return how to reach the store of a connection."""
        with self._catalog.read() as snapshot:
            connection = snapshot.get(connection_id)
            stored = snapshot.definition(connection_id)
            options = self.options_in(snapshot, connection_id)
            version = _version(snapshot, connection_id)
        target = declaration.connector(stored["kind"]).target(options)
        return ResolvedTarget(target=target, connection=connection.full_name, version=version)

    def options_in(self, snapshot: Snapshot, connection_id: int) -> Mapping[str, str | Sensitive]:
        """Return the same as ``options``, as a snapshot or an open transaction has it."""
        connection = snapshot.get(connection_id)
        if not connection.enabled:
            message = f'connection "{connection.full_name}" is disabled'
            raise ObjectNotReady(message, hint=f"ALTER CONNECTION {connection.name} ENABLE")

        def secret(secret_id: int) -> Sensitive:
            return self._open(snapshot, secret_id, "value")

        def sealed(field: str) -> Sensitive:
            return self._open(snapshot, connection_id, field)

        return meaning.resolve(snapshot.definition(connection_id), secret, sealed)

    def _open(self, snapshot: Snapshot, object_id: int, field: str) -> Sensitive:
        found = snapshot.sealed(object_id, field)
        if found is None:
            message = f"{snapshot.get(object_id).full_name} has no stored value for {field}"
            raise VaultError(message, hint="give it again with ALTER")
        return self._vault.unseal(found.envelope, object_id=object_id, field=field, version=found.version)


def _version(snapshot: Snapshot, connection_id: int) -> str:
    parts = [f"{connection_id}.{snapshot.get(connection_id).version}"]
    parts += [f"{s.id}.{s.version}" for s in snapshot.dependencies(connection_id)]
    return "+".join(parts)
