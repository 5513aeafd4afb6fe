"""The base tables: what a user may know of the gateway's world, read from its catalog.

Each is a function from what was read to rows. What decides whether a row is there is always ``Access``: a user finds
here what SHOW would show them, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fairlead.commands import connections
from fairlead.commands.introspection import acls, oids, ours, types
from fairlead.connectors import declaration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fairlead.catalog.records import DatabaseRecord, ObjectRecord, SchemaRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.commands.house import House
    from fairlead.commands.introspection.shapes import Shape
    from fairlead.context import Context
    from fairlead.dialects.settings import SessionSettings

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """A session of the gateway. ``number`` is what a client takes for its process id."""

    number: int
    session_id: str
    user: str
    database: str
    application: str
    client: str
    started: str


@dataclass(frozen=True, slots=True)
class World:
    """What base tables are made from.

    Args:
        house: the gateway's rooms.
        snapshot: of the catalog.
        context: who asks, and where.
        database: whose catalogs they are.
        shapes: columns and sizes of tables and views by object id, as far as they are known.
        system: keys of the catalogs' own relations, by schema.
        settings: of the session.
        activity: sessions of the gateway.
    """

    house: House
    snapshot: Snapshot
    context: Context
    database: DatabaseRecord
    shapes: Mapping[int, Shape]
    system: Mapping[str, Sequence[str]]
    settings: SessionSettings
    activity: Sequence[Activity]

    @property
    def house_owner(self) -> int:
        """Id of the owner of what nobody owns."""
        first = next((role for role in self.snapshot.roles() if role.superuser), None)
        shown = first is not None and (self.everybody or first.id in self.context.principal.role_ids)
        return oids.oid("role", first.id) if first is not None and shown else oids.SUPERUSER

    @property
    def everybody(self) -> bool:
        """Whether the user may know every user and role."""
        return self.can("CREATE ROLE", "system", None)

    def owner(self, owner_id: int | None) -> int:
        """Return the id of an owner."""
        return self.house_owner if owner_id is None else oids.oid("role", owner_id)

    def sees(self, thing: ObjectRecord | SchemaRecord | DatabaseRecord) -> bool:
        """Whether the user may know of something."""
        return self.house.access.sees(self.context.principal, thing)

    def can(self, privilege: str, kind: str, thing_id: int | None) -> bool:
        """Whether the user has a privilege."""
        return self.house.access.can(self.context.principal, privilege, kind, thing_id)


@dataclass(frozen=True, slots=True)
class Base:
    """A base table.

    Args:
        columns: by name, with the engine's types.
        rows: makes them.
        shaped: whether it needs the columns of tables and views.
        volatile: whether it changes without the catalog.
    """

    columns: Mapping[str, str]
    rows: Callable[[World], Iterable[Row]]
    shaped: bool = False
    volatile: bool = False


# --- people ----------------------------------------------------------------------------------------------------------


def _roles(world: World) -> Iterator[Row]:
    """Themselves and their own roles; with CREATE ROLE all; and owners of what the user sees, whom SHOW tells."""
    principal = world.context.principal
    everybody = world.everybody
    known = principal.role_ids | set(_owners(world))
    if world.house_owner == oids.SUPERUSER:
        yield oids.SUPERUSER, "fairlead", False, True, True, True, False, False
    access = world.house.access
    for role in world.snapshot.roles():
        if not (everybody or role.id in known):
            continue
        own = role.id == principal.user_id
        create = [
            role.superuser or ((own or everybody) and access.can(access.as_role(role.id), name, "system", None))
            for name in ("CREATE ROLE", "CREATE DATABASE")
        ]
        held = role.id in principal.role_ids or principal.is_superuser
        yield oids.oid("role", role.id), role.name, role.login, role.superuser, *create, own, held


def _owners(world: World) -> Iterator[int]:
    for record in _seen_objects(world, ("table", "view", "connection", "stage")):
        yield record.owner_id
    for schema in world.snapshot.schemas(world.database.name):
        if schema.owner_id is not None and world.sees(schema):
            yield schema.owner_id


def _members(world: World) -> Iterator[Row]:
    everybody = world.everybody
    for role_id, member_id in world.snapshot.memberships():
        if everybody or {role_id, member_id} <= world.context.principal.role_ids:
            yield oids.oid("role", role_id), oids.oid("role", member_id)


# --- places ----------------------------------------------------------------------------------------------------------


def _databases(world: World) -> Iterator[Row]:
    granted = acls.of_places(world.snapshot, "database")
    for database in world.snapshot.databases():
        current = database.id == world.database.id
        rights = "c" + _rights(world, "database", database.id, acls.PLACE_LETTERS)
        acl = granted.get(database.id)
        yield oids.oid("database", database.id), database.name, world.owner(database.owner_id), current, rights, acl


def _schemas(world: World) -> Iterator[Row]:
    for oid, name in (
        (oids.PG_CATALOG, "pg_catalog"),
        (oids.INFORMATION_SCHEMA, "information_schema"),
        (oids.OURS, "fairlead"),
        (oids.TEMPORARY, "pg_temp_1"),
    ):
        yield oid, name, world.house_owner, oid in (oids.PG_CATALOG, oids.TEMPORARY), "U", "", None
    granted = acls.of_places(world.snapshot, "schema")
    path = {name.casefold() for name in world.context.search_path or (world.context.schema,)}
    for schema in world.snapshot.schemas(world.database.name):
        if world.sees(schema):
            rights = _rights(world, "schema", schema.id, acls.PLACE_LETTERS)
            visible = schema.name.casefold() in path
            oid, owner = oids.oid("schema", schema.id), world.owner(schema.owner_id)
            yield oid, schema.name, owner, visible, rights, "", granted.get(schema.id)


def _rights(world: World, kind: str, thing_id: int, letters: Mapping[str, str]) -> str:
    return "".join(letter for privilege, letter in letters.items() if world.can(privilege, kind, thing_id))


# --- tables and views ------------------------------------------------------------------------------------------------


def _relations(world: World) -> Iterator[Row]:
    roles = {role.id: role for role in world.snapshot.roles()}
    definitions = world.snapshot.definitions("view")
    for record in _seen_objects(world, ("table", "view"), world.database.name):
        shape = world.shapes.get(record.id)
        view = record.kind == "view"
        letters = {"SELECT": "r"} if view else acls.TABLE_LETTERS
        yield (
            *(oids.oid("object", record.id), record.name, oids.oid("schema", record.schema_id), "v" if view else "r"),
            *(world.owner(record.owner_id), (shape.comment if shape else None) or record.comment, "p"),
            *(len(shape.columns) if shape else 0, shape.bytes if shape else None, shape.rows if shape else None),
            definitions[record.id]["sql"] if view else None,
            _rights(world, record.kind, record.id, letters) + _partly(world, record),
            acls.acl(
                world.snapshot.grants(object_kind=record.kind, object_id=record.id), roles, record.owner_id, letters
            ),
        )
    house_owner = world.house_owner
    for schema, names in world.system.items():
        place = {"pg_catalog": oids.PG_CATALOG, "information_schema": oids.INFORMATION_SCHEMA}.get(schema, oids.OURS)
        kind = "r" if schema == "pg_catalog" else "v"
        for number, name in enumerate(names):
            columns = len(ours.COLUMNS.get(name, ())) if place == oids.OURS else 0
            yield (
                *(_system_oid(place, number, name), name, place, kind, house_owner, "", "p", columns, 0, None, None),
                *("r", ["=r/fairlead"]),
            )


def _system_oid(place: int, number: int, name: str) -> int:
    first = {oids.PG_CATALOG: 12000, oids.INFORMATION_SCHEMA: 12500}.get(place, 12900)
    return oids.KNOWN.get(name, first + number) if place == oids.PG_CATALOG else first + number


def _partly(world: World, record: ObjectRecord) -> str:
    """Return SELECT for a table of which a part may be read: that part is what the user sees as the table."""
    return (
        "r" if record.kind == "table" and not world.can("SELECT", "table", record.id) and _parts(world, record) else ""
    )


def _parts(world: World, record: ObjectRecord) -> bool:
    rights = world.house.access.tables(world.context.principal)
    return any(table.parts for table in rights if table.record.id == record.id)


def _columns(world: World) -> Iterator[Row]:
    granted = acls.of_columns(world.snapshot)
    for record in _seen_objects(world, ("table", "view"), world.database.name):
        shape = world.shapes.get(record.id)
        for number, column in enumerate(shape.columns if shape else (), start=1):
            yield (
                *(oids.oid("object", record.id), number, column.name, column.type, column.nullable, column.default),
                *(column.comment, granted.get((record.id, column.name.casefold()))),
            )
    for number, name in enumerate(world.system.get("fairlead", ())):
        for place, (column_name, kind) in enumerate(ours.COLUMNS[name], start=1):
            yield _system_oid(oids.OURS, number, name), place, column_name, kind, True, None, "", None


def _seen_objects(world: World, kinds: Sequence[Any], database: str | None = None) -> Iterator[ObjectRecord]:
    for kind in kinds:
        for record in world.snapshot.objects(kind, database=database):
            if world.sees(record):
                yield record


# --- connections, stages, settings, sessions --------------------------------------------------------------------------


def _connections(world: World) -> Iterator[Row]:
    roles = {role.id: role for role in world.snapshot.roles()}
    letters = {"USAGE": "U"}
    for record in _seen_objects(world, ("connection",)):
        connector = declaration.connector(connections.definition(world.snapshot, record).kind)
        grants = world.snapshot.grants(object_kind="connection", object_id=record.id)
        yield (
            *(oids.oid("object", record.id), record.name, record.database, record.schema, str(connector.category)),
            *(
                connector.kind,
                record.enabled,
                world.owner(record.owner_id),
                record.comment,
                record.created_at.isoformat(),
            ),
            *(record.database_id == world.database.id, acls.acl(grants, roles, record.owner_id, letters)),
            _rights(world, "connection", record.id, letters),
        )


def _stages(world: World) -> Iterator[Row]:
    for record in _seen_objects(world, ("stage",)):
        stored = world.snapshot.definition(record.id)
        connection = world.snapshot.get(stored["connection_id"])
        yield (
            *(oids.oid("object", record.id), record.name, record.database, record.schema, stored["url"]),
            *(connection.full_name, world.owner(record.owner_id), record.comment, record.created_at.isoformat()),
        )


def _settings(world: World) -> Iterator[Row]:
    described = world.settings.described()
    for name, value, default, text in described:
        yield name, value, text, default, "user", "session" if value != default else "default"
    for name, value, text in (
        ("max_index_keys", "32", "Most columns of an index."),
        ("block_size", "8192", "Bytes of a page, in which clients count."),
        ("default_table_access_method", "ducklake", "How tables are kept."),
        ("lc_collate", "C.UTF-8", "Order of texts."),
        ("lc_ctype", "C.UTF-8", "Classes of characters."),
        ("is_superuser", "on" if world.context.principal.is_superuser else "off", "Whether the user is superuser."),
        ("session_authorization", world.context.principal.user_name, "Name of the user."),
    ):
        yield name, value, text, value, "internal", "default"


def _sessions(world: World) -> Iterator[Row]:
    principal = world.context.principal
    for one in world.activity:
        if principal.is_superuser or one.user == principal.user_name:
            own = one.session_id == world.context.session_id
            state = "active" if own else "idle"
            yield one.number, one.user, one.database, one.application, one.client, one.started, state, own


_OID: Final = "BIGINT"
_TEXT: Final = "VARCHAR"
_TRUTH: Final = "BOOLEAN"
_TEXTS: Final = "VARCHAR[]"

BASES: Final[dict[str, Base]] = {
    "base_role": Base(
        {"oid": _OID, "name": _TEXT, "login": _TRUTH, "superuser": _TRUTH, "create_role": _TRUTH}
        | {"create_database": _TRUTH, "self": _TRUTH, "held": _TRUTH},
        _roles,
    ),
    "base_member": Base({"role": _OID, "member": _OID}, _members),
    "base_database": Base(
        {"oid": _OID, "name": _TEXT, "owner": _OID, "current": _TRUTH, "rights": _TEXT, "acl": _TEXTS}, _databases
    ),
    "base_schema": Base(
        {
            "oid": _OID,
            "name": _TEXT,
            "owner": _OID,
            "visible": _TRUTH,
            "rights": _TEXT,
            "comment": _TEXT,
            "acl": _TEXTS,
        },
        _schemas,
    ),
    "base_relation": Base(
        {"oid": _OID, "name": _TEXT, "schema": _OID, "kind": _TEXT, "owner": _OID, "comment": _TEXT}
        | {"persistence": _TEXT, "columns": "SMALLINT", "bytes": "BIGINT", "rows": "BIGINT", "sql": _TEXT}
        | {"rights": _TEXT, "acl": _TEXTS},
        _relations,
        shaped=True,
    ),
    "base_column": Base(
        {"relation": _OID, "number": "SMALLINT", "name": _TEXT, "type": _TEXT, "nullable": _TRUTH}
        | {"standard": _TEXT, "comment": _TEXT, "acl": _TEXTS},
        _columns,
        shaped=True,
    ),
    "base_type": Base(types.COLUMNS, lambda _: types.rows()),
    "base_connection": Base(
        {"oid": _OID, "name": _TEXT, "database": _TEXT, "schema": _TEXT, "category": _TEXT, "type": _TEXT}
        | {"enabled": _TRUTH, "owner": _OID, "comment": _TEXT, "created": "TIMESTAMPTZ", "current": _TRUTH}
        | {"acl": _TEXTS, "rights": _TEXT},
        _connections,
    ),
    "base_stage": Base(
        {"oid": _OID, "name": _TEXT, "database": _TEXT, "schema": _TEXT, "url": _TEXT, "connection": _TEXT}
        | {"owner": _OID, "comment": _TEXT, "created": "TIMESTAMPTZ"},
        _stages,
    ),
    "base_setting": Base(
        {"name": _TEXT, "setting": _TEXT, "description": _TEXT, "boot": _TEXT, "context": _TEXT, "source": _TEXT},
        _settings,
        volatile=True,
    ),
    "base_session": Base(
        {"number": "INTEGER", "user_name": _TEXT, "database": _TEXT, "application": _TEXT, "client": _TEXT}
        | {"started": "TIMESTAMPTZ", "state": _TEXT, "own": _TRUTH},
        _sessions,
        volatile=True,
    ),
}
