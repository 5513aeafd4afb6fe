"""The first schema: roles, databases, objects with versions and sealed values, grants, ledger.

Written out instead of taken from ``tables.py``, because that file goes on to change and this one must not.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE roles (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL UNIQUE,
        login BOOLEAN NOT NULL,
        superuser BOOLEAN NOT NULL,
        verifier TEXT,
        created_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE memberships (
        role_id INTEGER NOT NULL,
        member_id INTEGER NOT NULL,
        PRIMARY KEY (role_id, member_id),
        FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE,
        FOREIGN KEY (member_id) REFERENCES roles (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE databases (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL UNIQUE,
        owner_id INTEGER,
        created_at TEXT NOT NULL,
        FOREIGN KEY (owner_id) REFERENCES roles (id)
    )
    """,
    """
    CREATE TABLE objects (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        database_id INTEGER NOT NULL,
        schema TEXT NOT NULL,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        owner_id INTEGER NOT NULL,
        comment TEXT NOT NULL,
        enabled BOOLEAN NOT NULL,
        version INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        modified_at TEXT NOT NULL,
        UNIQUE (kind, database_id, schema, name_key),
        FOREIGN KEY (database_id) REFERENCES databases (id),
        FOREIGN KEY (owner_id) REFERENCES roles (id)
    )
    """,
    "CREATE INDEX ix_objects_owner_id ON objects (owner_id)",
    """
    CREATE TABLE versions (
        object_id INTEGER NOT NULL,
        version INTEGER NOT NULL,
        definition TEXT NOT NULL,
        created_at TEXT NOT NULL,
        PRIMARY KEY (object_id, version),
        FOREIGN KEY (object_id) REFERENCES objects (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE dependencies (
        object_id INTEGER NOT NULL,
        target_id INTEGER NOT NULL,
        PRIMARY KEY (object_id, target_id),
        FOREIGN KEY (object_id) REFERENCES objects (id) ON DELETE CASCADE,
        FOREIGN KEY (target_id) REFERENCES objects (id)
    )
    """,
    "CREATE INDEX ix_dependencies_target_id ON dependencies (target_id)",
    """
    CREATE TABLE sealed (
        object_id INTEGER NOT NULL,
        field TEXT NOT NULL,
        version INTEGER NOT NULL,
        envelope BLOB NOT NULL,
        PRIMARY KEY (object_id, field, version),
        FOREIGN KEY (object_id) REFERENCES objects (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE grants (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        grantee_id INTEGER NOT NULL,
        privilege TEXT NOT NULL,
        object_kind TEXT NOT NULL,
        object_id INTEGER,
        grant_option BOOLEAN NOT NULL,
        grantor_id INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        FOREIGN KEY (grantee_id) REFERENCES roles (id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX grants_once ON grants (grantee_id, privilege, object_kind, coalesce(object_id, 0))",
    """
    CREATE TABLE ledger (
        seq INTEGER NOT NULL PRIMARY KEY,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        principal TEXT NOT NULL,
        session_id TEXT NOT NULL,
        statement_id TEXT NOT NULL,
        action TEXT NOT NULL,
        object TEXT NOT NULL,
        detail TEXT NOT NULL,
        hash TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE ledger_head (
        id INTEGER NOT NULL PRIMARY KEY,
        count INTEGER NOT NULL,
        hash TEXT NOT NULL,
        seal TEXT NOT NULL
    )
    """,
    # Against mistakes, not against an attacker: whoever can write the file can drop a trigger, and meets the chain.
    """
    CREATE TRIGGER ledger_keeps_rows BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER ledger_keeps_values BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
)


def upgrade() -> None:
    """Create everything."""
    for statement in _STATEMENTS:
        op.execute(statement)
