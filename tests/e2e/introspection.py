"""What the tests of the catalogs share: a database with something in it, and somebody who may see a part of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from tests.services.gateway import Gateway

PASSWORD = "a reader's own password"

_MADE = (
    (
        "CREATE TABLE orders (id BIGINT NOT NULL, note VARCHAR DEFAULT 'none', amount DECIMAL(10,2), tags INTEGER[],"
        " placed TIMESTAMPTZ, paid BOOLEAN)"
    ),
    "CREATE TABLE secrets_of_hr (salary BIGINT)",
    "CREATE SCHEMA sales",
    "CREATE TABLE sales.deals (id INTEGER, region VARCHAR)",
    "COMMENT ON TABLE orders IS 'what was ordered'",
    "COMMENT ON COLUMN orders.note IS 'free text'",
    "INSERT INTO orders VALUES (1, 'a', 1.50, [1, 2], '2026-01-02 03:04:05+00', true)",
    "CREATE VIEW paid_orders AS SELECT id, amount * 2 AS twice FROM orders WHERE paid",
    "CREATE VIEW hidden_view AS SELECT salary FROM secrets_of_hr",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A database and a user who may read ``orders`` and ``paid_orders`` in it, and nothing else."""

    gateway: Gateway
    database: str
    reader: str

    def admin(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as the administrator."""
        return self.gateway.connect(dbname=self.database, **options)

    def read(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as the reader."""
        return self.gateway.connect(self.reader, PASSWORD, dbname=self.database, **options)

    def url(self, driver: str) -> str:
        """Return a URL of SQLAlchemy for the administrator."""
        host, port = self.gateway.address
        return f"postgresql+{driver}://fairlead:{self.gateway.password}@{host}:{port}/{self.database}"


def make(gateway: Gateway) -> Place:
    """Make the database and the user."""
    name = f"d{secrets.token_hex(4)}"
    place = Place(gateway, name, f"reader_{name}")
    with gateway.connect() as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        admin.execute(f"CREATE USER {place.reader} PASSWORD 'a reader''s own password'")  # type: ignore[call-overload]
    with place.admin() as admin:
        for statement in _MADE:
            admin.execute(statement)  # type: ignore[call-overload]
        for relation in ("orders", "paid_orders"):
            admin.execute(f"GRANT SELECT ON {relation} TO {place.reader}")  # type: ignore[call-overload]
    return place
