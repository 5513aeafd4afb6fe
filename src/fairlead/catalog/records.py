"""What the catalog hands out: rows as frozen values, so that nobody changes the catalog by changing one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["secret", "connection", "stage", "table", "view"]
KINDS: tuple[Kind, ...] = ("secret", "connection", "stage", "table", "view")
# Tables and views share one name space; every other kind has its own.
RELATIONS: tuple[Kind, ...] = ("table", "view")

GrantKind = Literal["system", "database", "schema", "connection", "secret", "stage", "table", "view"]


@dataclass(frozen=True, slots=True)
class DatabaseRecord:
    """A database. ``owner_id`` is None for ``main``, which nobody but superusers may change.

    ``data_path`` is the URL below which the files of its tables are, None for the gateway's own disk; they are reached
    through the connection.
    """

    id: int
    name: str
    owner_id: int | None
    created_at: datetime
    data_path: str | None = None
    connection_id: int | None = None

    @property
    def kind(self) -> Literal["database"]:
        """What it is, as objects say it."""
        return "database"

    @property
    def full_name(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True, slots=True)
class SchemaRecord:
    """A schema. Every database has ``public``, whose owner is the database's."""

    id: int
    database_id: int
    database: str
    name: str
    owner_id: int | None
    created_at: datetime

    @property
    def kind(self) -> Literal["schema"]:
        """What it is, as objects say it."""
        return "schema"

    @property
    def full_name(self) -> str:
        """``database.schema``."""
        return f"{self.database}.{self.name}"


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """A secret, connection, stage, table or view.

    Args:
        id: never used again, also after a drop.
        database: name of the database, as stored.
        version: 1 at creation, one more with every new definition or value.
        created_at: UTC.
        modified_at: UTC; also a new name, owner or comment counts.
    """

    id: int
    kind: Kind
    database: str
    schema: str
    name: str
    owner_id: int
    comment: str
    enabled: bool
    version: int
    created_at: datetime
    modified_at: datetime
    database_id: int
    schema_id: int

    @property
    def full_name(self) -> str:
        """``database.schema.name``."""
        return f"{self.database}.{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """An encrypted value, and the version of the object that it was sealed for."""

    envelope: bytes
    version: int


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """A user (``login``) or a role. ``verifier`` is a SCRAM verifier, None for those without a password."""

    id: int
    name: str
    login: bool
    superuser: bool
    verifier: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """One privilege of one user or role on one thing.

    ``object_id`` is None for ``system``, else the id of the database, schema or object. A grant is narrowed where it
    has ``columns`` or a ``condition`` (SQL text over the table's columns): it gives these columns of these rows only.
    """

    id: int
    grantee_id: int
    privilege: str
    object_kind: GrantKind
    object_id: int | None
    grant_option: bool
    grantor_id: int
    created_at: datetime
    columns: tuple[str, ...] | None = None
    condition: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether it gives a part only."""
        return self.columns is not None or self.condition is not None


@dataclass(frozen=True, slots=True)
class DefaultGrantRecord:
    """A privilege that every new table or view of one owner gives, in one database or in one schema of it."""

    id: int
    owner_id: int
    database_id: int
    schema_id: int | None
    grantee_id: int
    privilege: str
    grant_option: bool
