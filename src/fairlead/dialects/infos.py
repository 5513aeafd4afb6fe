"""Plain records of what there is: what the tables and texts of the dialects are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.connectors import declaration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fairlead.connectors.declaration import Connector
    from fairlead.dialects.stored import Definition


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A connection. Times are UTC."""

    name: str
    database: str
    schema: str
    owner: str
    comment: str
    enabled: bool
    version: int
    created: datetime
    modified: datetime
    definition: Definition

    @property
    def connector(self) -> Connector:
        """The declaration of its system."""
        return declaration.connector(self.definition.kind)

    @property
    def category(self) -> str:
        """STORAGE, CATALOG, API, ..."""
        return str(self.connector.category)

    @property
    def state(self) -> str:
        """ENABLED or DISABLED."""
        return "ENABLED" if self.enabled else "DISABLED"

    @property
    def full_name(self) -> str:
        """``database.schema.name``."""
        return f"{self.database}.{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """A named secret, without its value."""

    name: str
    database: str
    schema: str
    owner: str
    comment: str
    version: int
    created: datetime
    modified: datetime


@dataclass(frozen=True, slots=True)
class StageInfo:
    """A stage, with the connection behind it as it is now.

    Args:
        connection: full name.
        connection_name: its last part.
        connection_definition: of that connection.
        file_format: options by name, TYPE among them.
    """

    name: str
    database: str
    schema: str
    url: str
    file_format: Mapping[str, str]
    connection: str
    connection_name: str
    connection_definition: Definition
    owner: str
    created: datetime
    comment: str


@dataclass(frozen=True, slots=True)
class GrantInfo:
    """One privilege of one user or role. ``object_name`` is empty for the whole gateway.

    ``object_parts`` is the same name as its parts, which may hold dots; ``columns`` and ``condition`` narrow the grant.
    """

    privilege: str
    object_kind: str
    object_name: str
    grantee: str
    grantee_login: bool
    grantor: str
    grant_option: bool
    created: datetime
    object_parts: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class RelationInfo:
    """A table, view or schema (whose own ``schema`` is empty)."""

    name: str
    database: str
    schema: str
    kind: str
    owner: str
    comment: str
    created: datetime


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column of a table.

    Args:
        name: as stored.
        type: in the engine's spelling.
        nullable: whether NULL is allowed.
        default: SQL text, None for none.
        comment: empty for none.
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What a table is made of.

    Args:
        columns: in order.
        comment: empty for none.
        keys: by which it is partitioned, as they stand in SQL.
    """

    columns: tuple[ColumnInfo, ...]
    comment: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DefaultInfo:
    """A privilege that new tables and views of an owner give; ``schema`` is None for the whole database."""

    owner: str
    database: str
    schema: str | None
    privilege: str
    grantee: str
    grant_option: bool
