"""The tables of the catalog, as SQLAlchemy Core sees them now; the migrations are what makes them.

Every id comes from AUTOINCREMENT, so that an id that was once given out never means anything else: a grant, a ledger
row or a sealed value that outlived its object could otherwise come to mean a new one. Names are compared by their
case-folded ``name_key`` and kept as typed in ``name``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy import Dialect

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """A UTC instant, stored as ISO 8601 text with microseconds: sortable, and readable without Fairlead."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return the text of an instant."""
        del dialect
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Return the instant of a text."""
        del dialect
        return None if value is None else datetime.fromisoformat(value)


roles = Table(
    "roles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("login", Boolean, nullable=False),
    Column("superuser", Boolean, nullable=False),
    Column("verifier", Text),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

memberships = Table(
    "memberships",
    metadata,
    Column("role_id", Integer, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
    Column("member_id", Integer, ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
)

databases = Table(
    "databases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("owner_id", Integer, ForeignKey("roles.id")),
    Column("created_at", Instant, nullable=False),
    Column("data_path", Text),
    Column("connection_id", Integer, ForeignKey("objects.id", use_alter=True)),
    sqlite_autoincrement=True,
)

schemas = Table(
    "schemas",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("database_id", Integer, ForeignKey("databases.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("owner_id", Integer, ForeignKey("roles.id")),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("database_id", "name_key"),
    sqlite_autoincrement=True,
)

# ``schema`` is the ``name_key`` of a schema of the database.
objects = Table(
    "objects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("database_id", Integer, ForeignKey("databases.id"), nullable=False),
    Column("schema", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("owner_id", Integer, ForeignKey("roles.id"), nullable=False, index=True),
    Column("comment", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("modified_at", Instant, nullable=False),
    UniqueConstraint("kind", "database_id", "schema", "name_key"),
    sqlite_autoincrement=True,
)
Index(
    "relations_once",
    objects.c.database_id,
    objects.c.schema,
    objects.c.name_key,
    unique=True,
    sqlite_where=text("kind IN ('table', 'view')"),
)

versions = Table(
    "versions",
    metadata,
    Column("object_id", Integer, ForeignKey("objects.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# What the newest version of an object refers to.
dependencies = Table(
    "dependencies",
    metadata,
    Column("object_id", Integer, ForeignKey("objects.id", ondelete="CASCADE"), primary_key=True),
    Column("target_id", Integer, ForeignKey("objects.id"), primary_key=True, index=True),
)

sealed = Table(
    "sealed",
    metadata,
    Column("object_id", Integer, ForeignKey("objects.id", ondelete="CASCADE"), primary_key=True),
    Column("field", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
)

# ``object_id`` points into databases, schemas or objects, depending on ``object_kind``: no foreign key can say that.
grants = Table(
    "grants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("grantee_id", Integer, ForeignKey("roles.id", ondelete="CASCADE"), nullable=False),
    Column("privilege", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Integer),
    Column("grant_option", Boolean, nullable=False),
    Column("grantor_id", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("columns", Text),
    Column("condition", Text),
    sqlite_autoincrement=True,
)
Index(
    "grants_once",
    grants.c.grantee_id,
    grants.c.privilege,
    grants.c.object_kind,
    func.coalesce(grants.c.object_id, 0),
    func.coalesce(grants.c.columns, ""),
    func.coalesce(grants.c.condition, ""),
    unique=True,
)

default_grants = Table(
    "default_grants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner_id", Integer, ForeignKey("roles.id", ondelete="CASCADE"), nullable=False),
    Column("database_id", Integer, ForeignKey("databases.id", ondelete="CASCADE"), nullable=False),
    Column("schema_id", Integer, ForeignKey("schemas.id", ondelete="CASCADE")),
    Column("grantee_id", Integer, ForeignKey("roles.id", ondelete="CASCADE"), nullable=False),
    Column("privilege", Text, nullable=False),
    Column("grant_option", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
Index(
    "default_grants_once",
    default_grants.c.owner_id,
    default_grants.c.database_id,
    func.coalesce(default_grants.c.schema_id, 0),
    default_grants.c.grantee_id,
    default_grants.c.privilege,
    unique=True,
)

# Written by fairlead.access.ledger; here, because a change and its ledger row are one transaction.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("statement_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# One row: how many rows the ledger has, the hash of the newest, and a seal over both.
ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("seal", Text, nullable=False),
)
