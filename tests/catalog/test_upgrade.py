"""A data directory of the first release, with content, is brought here by opening it."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from fairlead.access.access import Access
from fairlead.catalog import migrations
from fairlead.catalog.catalog import Catalog
from fairlead.errors import DuplicateTable

if TYPE_CHECKING:
    from pathlib import Path

_AT = "2026-01-02T03:04:05.000000+00:00"
_CONTENT = f"""
INSERT INTO roles VALUES (1, 'public', 'public', 0, 0, NULL, '{_AT}'), (2, 'fairlead', 'fairlead', 1, 1, 'v', '{_AT}'),
    (3, 'Ann', 'ann', 1, 0, 'v', '{_AT}'), (4, 'bob', 'bob', 1, 0, 'v', '{_AT}');
INSERT INTO databases VALUES (1, 'main', 'main', NULL, '{_AT}'), (2, 'gone', 'gone', NULL, '{_AT}'),
    (3, 'Sales', 'sales', 3, '{_AT}');
DELETE FROM databases WHERE id = 2;
INSERT INTO objects VALUES
    (1, 'connection', 1, 'public', 'lake', 'lake', 3, '', 1, 2, '{_AT}', '{_AT}'),
    (2, 'stage', 3, 'public', 'raw', 'raw', 3, 'c', 1, 1, '{_AT}', '{_AT}');
INSERT INTO versions VALUES (1, 1, '{{"kind":"old"}}', '{_AT}'), (1, 2, '{{"kind":"s3"}}', '{_AT}'),
    (2, 1, '{{"connection_id":1,"url":"s3://b/raw/"}}', '{_AT}');
INSERT INTO dependencies VALUES (2, 1);
INSERT INTO sealed VALUES (1, 'key', 1, x'00ff');
INSERT INTO grants VALUES
    (1, 4, 'USAGE', 'connection', 1, 1, 3, '{_AT}'),
    (2, 4, 'CREATE CONNECTION', 'schema', 3, 0, 2, '{_AT}'),
    (3, 4, 'CREATE', 'schema', 1, 0, 2, '{_AT}'),
    (4, 1, 'USAGE', 'schema', 3, 1, 2, '{_AT}'),
    (5, 4, 'CREATE DATABASE', 'system', NULL, 0, 2, '{_AT}');
INSERT INTO ledger VALUES (1, '{_AT}', 'ddl', 'fairlead', '', '', 'CREATE USER', 'role Ann', '{{}}', 'aa');
INSERT INTO ledger_head VALUES (1, 1, 'aa', 'seal');
"""


def first_release(path: Path) -> None:
    """Make an empty catalog as the first revision left it."""
    config = Config()
    config.set_main_option("script_location", str(migrations.__path__[0]))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a catalog as the first revision left it, with content."""
    path = tmp_path / "catalog.db"
    first_release(path)
    raw = sqlite3.connect(path)
    raw.executescript(_CONTENT)
    raw.close()
    return path


def everything(path: Path, table: str, columns: str = "*") -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()
    connection.close()
    return rows


_KEPT = {
    "roles": "*",
    "objects": "*",
    "versions": "*",
    "dependencies": "*",
    "sealed": "*",
    "ledger": "*",
    "ledger_head": "*",
    "databases": "id, name, name_key, owner_id, created_at",
}


def test_what_was_there_stays_as_it_was(file):
    before = {table: everything(file, table, columns) for table, columns in _KEPT.items()}
    Catalog.open(file).close()
    assert {table: everything(file, table, columns) for table, columns in _KEPT.items()} == before
    assert json.loads(str(before["versions"][1][2])) == {"kind": "s3"}


def test_every_database_gets_public_and_its_grants(file):
    catalog = Catalog.open(file)
    with catalog.read() as snapshot:
        schemas = {schema.full_name: schema for schema in snapshot.schemas()}
        assert {name: schema.owner_id for name, schema in schemas.items()} == {"main.public": None, "Sales.public": 3}
        on_schemas = [
            (g.grantee_id, g.privilege, g.object_id, g.grant_option)
            for g in snapshot.grants()
            if g.object_kind == "schema"
        ]
        main, sales = schemas["main.public"].id, schemas["Sales.public"].id
        assert sales != 3  # else the ids of databases and schemas would not be told apart here
        assert sorted(on_schemas) == [
            (1, "USAGE", main, False),
            (1, "USAGE", sales, True),
            (4, "CREATE", main, False),
            (4, "CREATE CONNECTION", sales, False),
        ]
        assert [o.full_name for o in snapshot.dependents(1)] == ["Sales.public.raw"]
        assert snapshot.connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert snapshot.connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    catalog.close()


def test_rights_are_the_same_after_it(file):
    catalog = Catalog.open(file)
    access = Access(catalog)
    bob = access.principal("bob")
    with catalog.read() as snapshot:
        main, sales = snapshot.schema("main", "public"), snapshot.schema("sales", "public")
        lake = snapshot.find("connection", "main", "lake")
    assert main is not None
    assert sales is not None
    assert lake is not None
    can = [
        access.can(bob, privilege, "schema", schema.id)
        for schema in (main, sales)
        for privilege in ("CREATE", "CREATE CONNECTION", "USAGE")
    ]
    assert can == [True, True, True, False, True, True]
    assert access.can(bob, "USAGE", "connection", lake.id)
    assert access.can(bob, "CREATE DATABASE", "system", None)
    assert not access.can(bob, "USAGE CONNECTION", "schema", main.id)
    catalog.close()


def test_tables_and_views_can_be_made_in_it_and_share_one_name_space(file):
    catalog = Catalog.open(file)
    with catalog.write() as tx:
        tx.create_object("table", "sales", "PUBLIC", "t", owner_id=3, definition={"table_id": 1})
        with pytest.raises(DuplicateTable):
            tx.create_object("view", "sales", "public", "T", owner_id=3, definition={"sql": "SELECT 1"})
    catalog.close()


def test_opening_it_again_changes_nothing(file):
    Catalog.open(file).close()
    first = {table: everything(file, table) for table in ("schemas", "grants", "databases")}
    Catalog.open(file).close()
    assert {table: everything(file, table) for table in first} == first
