"""What the catalog hands out: rows as frozen values, so that nobody changes the catalog by changing one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["secret", "connection", "stage"]
KINDS: tuple[Kind, ...] = ("secret", "connection", "stage")

GrantKind = Literal["system", "database", "schema", "connection", "secret", "stage"]


@dataclass(frozen=True, slots=True)
class DatabaseRecord:
    """A database. ``owner_id`` is None for ``main``, which nobody but superusers may change."""

    id: int
    name: str
    owner_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """A secret, connection or stage.

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

    ``object_id`` is None for ``system``, the database's id for ``database`` and ``schema``, else the object's id.
    """

    id: int
    grantee_id: int
    privilege: str
    object_kind: GrantKind
    object_id: int | None
    grant_option: bool
    grantor_id: int
    created_at: datetime
