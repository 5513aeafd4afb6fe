"""The state of a gateway's data directory as its own catalog and vault read it: names, definitions, grants, values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.catalog.catalog import Catalog
from fairlead.egress.resolver import Resolver
from fairlead.vault.vault import Vault
from tests.crash.model import State

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot


def observe(data: Path, client: str) -> State:
    """Return the state of one client's objects."""
    file = next(path for path in data.iterdir() if path.stem == "catalog" and path.suffix in {".db", ".sqlite"})
    catalog = Catalog.open(file)
    try:
        vault = Vault.open(data, in_use=True)
        with catalog.read() as snapshot:
            return _state(snapshot, vault, Resolver(catalog, vault), client)
    finally:
        catalog.close()


def _state(snapshot: Snapshot, vault: Vault, resolver: Resolver, client: str) -> State:
    def own(kind: str) -> list[ObjectRecord]:
        return [o for o in snapshot.objects(kind) if o.name.startswith(f"{client}_")]

    roles = {role.id: role.name for role in snapshot.roles()}
    grants = frozenset(
        (grant.privilege, kind, record.name, roles[grant.grantee_id])
        for kind in ("connection", "stage")
        for record in own(kind)
        for grant in snapshot.grants(object_kind=kind, object_id=record.id)
        if roles[grant.grantee_id].startswith(f"{client}_")
    )
    return State(
        {secret.name: _value(snapshot, vault, secret) for secret in own("secret")},
        {connection.name: _connection(snapshot, resolver, connection) for connection in own("connection")},
        {
            stage.name: (
                snapshot.definition(stage.id)["url"],
                snapshot.get(snapshot.definition(stage.id)["connection_id"]).name,
            )
            for stage in own("stage")
        },
        frozenset(name for name in roles.values() if name.startswith(f"{client}_")),
        grants,
    )


def _value(snapshot: Snapshot, vault: Vault, secret: ObjectRecord) -> str:
    sealed = snapshot.sealed(secret.id, "value")
    assert sealed is not None, f"{secret.name} has no value"
    assert sealed.version == secret.version, (
        f"{secret.name} is at version {secret.version}, its value at {sealed.version}"
    )
    return vault.unseal(sealed.envelope, object_id=secret.id, field="value", version=sealed.version).reveal()


def _connection(snapshot: Snapshot, resolver: Resolver, connection: ObjectRecord) -> tuple[str, str, bool]:
    options = snapshot.definition(connection.id)["options"]
    region = next(value for name, value in options.items() if name.upper() == "REGION")
    secrets = snapshot.dependencies(connection.id)
    assert len(secrets) == 1, [s.name for s in secrets]
    if connection.enabled:
        opened = resolver.options(connection.id)  # every secret of it opens
        assert opened
    return region, secrets[0].name, connection.enabled
