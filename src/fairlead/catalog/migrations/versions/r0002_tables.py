"""Schemas with owners, tables and views, narrowed grants, default privileges, and where a database stores.

Until now a grant on a schema was kept under the id of its database; it moves to the id of that database's ``public``.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE databases ADD COLUMN data_path TEXT",
    "ALTER TABLE databases ADD COLUMN connection_id INTEGER REFERENCES objects (id)",
    """
    CREATE TABLE schemas (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        database_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        owner_id INTEGER,
        created_at TEXT NOT NULL,
        UNIQUE (database_id, name_key),
        FOREIGN KEY (database_id) REFERENCES databases (id) ON DELETE CASCADE,
        FOREIGN KEY (owner_id) REFERENCES roles (id)
    )
    """,
    """
    INSERT INTO schemas (database_id, name, name_key, owner_id, created_at)
    SELECT id, 'public', 'public', owner_id, created_at FROM databases ORDER BY id
    """,
    """
    CREATE UNIQUE INDEX relations_once ON objects (database_id, schema, name_key)
    WHERE kind IN ('table', 'view')
    """,
    "ALTER TABLE grants ADD COLUMN columns TEXT",
    "ALTER TABLE grants ADD COLUMN condition TEXT",
    # Without the index the ids may pass through values that others still have.
    "DROP INDEX grants_once",
    """
    UPDATE grants SET object_id = (SELECT id FROM schemas WHERE schemas.database_id = grants.object_id)
    WHERE object_kind = 'schema'
    """,
    # What a grant on a table is worth nothing without; a right on a schema meant nothing for tables before.
    """
    INSERT INTO grants (grantee_id, privilege, object_kind, object_id, grant_option, grantor_id, created_at)
    SELECT roles.id, 'USAGE', 'schema', schemas.id, FALSE, coalesce(schemas.owner_id, roles.id), schemas.created_at
    FROM schemas JOIN roles ON roles.name_key = 'public'
    WHERE NOT EXISTS (
        SELECT 1 FROM grants WHERE grants.grantee_id = roles.id AND grants.privilege = 'USAGE'
        AND grants.object_kind = 'schema' AND grants.object_id = schemas.id
    )
    ORDER BY schemas.id
    """,
    """
    CREATE UNIQUE INDEX grants_once ON grants (
        grantee_id, privilege, object_kind, coalesce(object_id, 0), coalesce(columns, ''), coalesce(condition, '')
    )
    """,
    """
    CREATE TABLE default_grants (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        owner_id INTEGER NOT NULL,
        database_id INTEGER NOT NULL,
        schema_id INTEGER,
        grantee_id INTEGER NOT NULL,
        privilege TEXT NOT NULL,
        grant_option BOOLEAN NOT NULL,
        FOREIGN KEY (owner_id) REFERENCES roles (id) ON DELETE CASCADE,
        FOREIGN KEY (database_id) REFERENCES databases (id) ON DELETE CASCADE,
        FOREIGN KEY (schema_id) REFERENCES schemas (id) ON DELETE CASCADE,
        FOREIGN KEY (grantee_id) REFERENCES roles (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE UNIQUE INDEX default_grants_once ON default_grants (
        owner_id, database_id, coalesce(schema_id, 0), grantee_id, privilege
    )
    """,
)


def upgrade() -> None:
    """Bring the first schema here."""
    for statement in _STATEMENTS:
        op.execute(statement)
