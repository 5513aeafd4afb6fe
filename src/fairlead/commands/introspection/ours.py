"""The relations of the schema ``fairlead``: what PostgreSQL has no place for. No secret is in any of them."""

from __future__ import annotations

from typing import Final

# Columns with the engine's types, so that these relations can be described like others.
COLUMNS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "connections": (
        *(("name", "VARCHAR"), ("database", "VARCHAR"), ("schema", "VARCHAR"), ("category", "VARCHAR")),
        *(("type", "VARCHAR"), ("enabled", "BOOLEAN"), ("owner", "VARCHAR"), ("comment", "VARCHAR")),
        ("created_time", "TIMESTAMP WITH TIME ZONE"),
    ),
    "stages": (
        *(("name", "VARCHAR"), ("database", "VARCHAR"), ("schema", "VARCHAR"), ("url", "VARCHAR")),
        *(("connection", "VARCHAR"), ("owner", "VARCHAR"), ("comment", "VARCHAR")),
        ("created_time", "TIMESTAMP WITH TIME ZONE"),
    ),
}

RELATIONS: Final[dict[str, str]] = {
    "connections": """
        SELECT c.name, c.database, c.schema, c.category, c.type, c.enabled, r.name AS owner, c.comment,
            c.created AS created_time
        FROM {base_connection} c LEFT JOIN {base_role} r ON r.oid = c.owner""",
    "stages": """
        SELECT s.name, s.database, s.schema, s.url, s.connection, r.name AS owner, s.comment, s.created AS created_time
        FROM {base_stage} s LEFT JOIN {base_role} r ON r.oid = s.owner""",
}
