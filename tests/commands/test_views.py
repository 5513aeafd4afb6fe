"""CREATE, ALTER, DROP and SHOW of views, and of databases that store through a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.commands import views
from fairlead.errors import (
    DependentObjects,
    DuplicateTable,
    FairleadError,
    InvalidName,
    InvalidParameter,
    NotSupported,
    PermissionDenied,
    WrongObjectType,
)
from fairlead.lang import ast, parse

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

_CONNECTION = "CREATE CONNECTION c STORAGE_TYPE = 's3'"


@pytest.fixture
def joe(desk: Desk) -> Desk:
    """Return a desk with a user who may create in main.public."""
    desk.outputs("CREATE USER joe PASSWORD 'pass word'; GRANT CREATE ON SCHEMA public TO joe")
    return desk


def stored(desk: Desk, name: str) -> dict[str, object]:
    with desk.gateway.house.catalog.read() as snapshot:
        found = snapshot.find("view", "main", name)
        assert found is not None
        return snapshot.definition(found.id)


def test_a_view_is_stored_as_it_was_typed_with_where_it_was(joe: Desk) -> None:
    text = "SELECT *, 'it''s; no end' FROM @raw/x.parquet WHERE a = 1 -- and so on\n"
    joe.outputs(f'CREATE VIEW v (x, "Y z") AS {text};', "joe")
    assert stored(joe, "v") == {
        "sql": text[: text.index(" --")],
        "columns": ["x", "Y z"],
        "database": "main",
        "schema": "public",
        "dialect": "native",
    }


def test_show_create_view_can_be_run_again(joe: Desk) -> None:
    joe.outputs('CREATE VIEW "My view" ("select") AS (SELECT \'a;b\' AS x)')
    before = stored(joe, "my view")
    ((name, text),) = joe.rows('SHOW CREATE VIEW "my view"')
    assert name == "main.public.My view"
    joe.outputs(str(text))
    assert stored(joe, "my view") == before
    assert joe.rows('SHOW CREATE VIEW "my view"') == [(name, text)]


def test_or_replace_keeps_id_and_grants_and_is_the_owners(joe: Desk) -> None:
    joe.outputs("CREATE VIEW v AS SELECT 1; CREATE USER bob PASSWORD 'pass word'; GRANT SELECT ON v TO bob")
    with pytest.raises(PermissionDenied):
        joe.outputs("CREATE OR REPLACE VIEW v AS SELECT 2", "joe")
    joe.outputs("CREATE OR REPLACE VIEW v AS SELECT 2")
    assert stored(joe, "v")["sql"] == "SELECT 2"
    assert [row[0] for row in joe.rows("SHOW VIEWS", "bob")] == ["v"]
    assert joe.notices("CREATE VIEW IF NOT EXISTS v AS SELECT 3") == ['view "v" already exists, skipping']
    with pytest.raises(DuplicateTable):
        joe.outputs("CREATE VIEW V AS SELECT 3")


def test_a_view_cannot_take_the_name_of_a_table(joe: Desk) -> None:
    with joe.gateway.house.catalog.write() as tx:
        tx.create_object("table", "main", "public", "t", owner_id=1, definition={})
    with pytest.raises(DuplicateTable, match=r'table "main\.public\.t" already exists'):
        joe.outputs("CREATE VIEW T AS SELECT 1")
    with pytest.raises(WrongObjectType):
        joe.outputs("CREATE OR REPLACE VIEW t AS SELECT 1")
    with pytest.raises(WrongObjectType):
        joe.outputs("DROP VIEW t")
    with pytest.raises(DuplicateTable):
        joe.outputs("CREATE VIEW v AS SELECT 1; ALTER VIEW v RENAME TO t")


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("SELECT * FROM duckdb_secrets", PermissionDenied),
        ("SELECT getenv('x')", PermissionDenied),
        ("SELECT * FROM 's3://b/x' (CONNECTION => (SECRET_ACCESS_KEY = 'hunter2'))", NotSupported),
        ("SELECT * FROM 'https://u:hunter2@example.org/x'", NotSupported),
        ("SELECT * FROM 's3://b/x?X-Amz-Signature=hunter2'", NotSupported),
    ],
)
def test_a_query_with_a_credential_or_a_door_of_the_engine_is_refused(
    joe: Desk, query: str, error: type[FairleadError]
) -> None:
    with pytest.raises(error) as refused:
        joe.outputs(f"CREATE VIEW v AS {query}")
    assert "hunter2" not in f"{refused.value} {refused.value.hint} {refused.value.detail}"
    assert joe.rows("SHOW VIEWS") == []


def test_a_view_is_made_renamed_given_away_and_dropped_by_its_owner(joe: Desk) -> None:
    joe.outputs("CREATE VIEW v AS SELECT 1; CREATE ROLE team; GRANT team TO joe", "fairlead")
    for statement in ("ALTER VIEW v RENAME TO w", "ALTER VIEW v OWNER TO joe", "DROP VIEW v", "SHOW CREATE VIEW v"):
        with pytest.raises(PermissionDenied):
            joe.outputs(statement, "joe")
    joe.outputs("ALTER VIEW v OWNER TO joe")
    joe.outputs("ALTER VIEW v RENAME TO w; ALTER VIEW w OWNER TO team; ALTER VIEW IF EXISTS v RENAME TO x", "joe")
    assert [row[:5] for row in joe.rows("SHOW VIEWS", "joe")] == [("w", "main", "public", "view", "team")]
    joe.outputs("DROP VIEW main.public.w", "joe")
    assert joe.rows("SHOW VIEWS") == []
    actions = [row[4] for row in joe.rows("SHOW LEDGER") if str(row[5]).startswith("view ")]
    assert actions == ["CREATE VIEW", "ALTER VIEW OWNER", "RENAME VIEW", "ALTER VIEW OWNER", "DROP VIEW"]


def test_creating_needs_the_right_to(joe: Desk) -> None:
    joe.outputs("REVOKE CREATE ON SCHEMA public FROM joe")
    with pytest.raises(PermissionDenied, match="SCHEMA"):
        joe.outputs("CREATE VIEW v AS SELECT 1", "joe")


def test_dropping_a_view_that_the_catalog_does_not_have_is_for_the_engine(joe: Desk) -> None:
    joe.outputs("CREATE VIEW v AS SELECT 1")
    house = joe.gateway.house
    context = joe.context()
    for text, for_engine in [
        ("DROP VIEW v", None),
        ("DROP VIEW v, w", None),
        ("DROP VIEW main.public.w", None),
        ('DROP VIEW IF EXISTS w, "X y" CASCADE', 'DROP VIEW IF EXISTS w, "X y" CASCADE'),
        ("DROP STAGE w", None),
    ]:
        (statement,) = parse(text)
        assert isinstance(statement, ast.DropObjects)
        found = views.for_engine(statement, house, context)
        assert (found and found.text) == for_engine


# --- databases -------------------------------------------------------------------------------------------------------


def test_a_database_may_store_through_a_connection(joe: Desk) -> None:
    joe.outputs(f"{_CONNECTION}; GRANT CREATE DATABASE ON SYSTEM TO joe")
    with pytest.raises(PermissionDenied):
        joe.outputs("CREATE DATABASE d DATA PATH 's3://b/d' CONNECTION = c", "joe")
    joe.outputs("GRANT USAGE ON CONNECTION c TO joe")
    joe.outputs("CREATE DATABASE d DATA PATH 's3://b/d' CONNECTION = c", "joe")
    joe.outputs("CREATE USER bob PASSWORD 'pass word'")
    assert joe.columns("SHOW DATABASES") == ("name", "data_path", "connection")
    assert joe.rows("SHOW DATABASES", "joe") == [("main", None, None), ("d", "s3://b/d/", "main.public.c")]
    assert joe.rows("SHOW DATABASES", "bob") == [("main", None, None), ("d", None, None)]
    joe.outputs("CREATE VIEW d.public.v AS SELECT 1; DROP VIEW d.public.v", "joe")
    for statement in ("DROP CONNECTION c", "DROP CONNECTION c CASCADE"):
        with pytest.raises(DependentObjects, match='database "d"') as refused:
            joe.outputs(statement)
        assert "DROP DATABASE first" in str(refused.value.hint)
    assert joe.rows("SHOW DEPENDENTS OF CONNECTION c") == [("database", "d")]
    with pytest.raises(PermissionDenied):
        joe.outputs("ALTER DATABASE d OWNER TO bob")  # who may not use the connection
    joe.outputs("GRANT USAGE ON CONNECTION c TO bob; ALTER DATABASE d OWNER TO bob")
    joe.outputs("CREATE VIEW d.public.v AS SELECT 1; DROP VIEW d.public.v; DROP DATABASE d", "bob")
    joe.outputs("DROP CONNECTION c")


@pytest.mark.parametrize("name", ["memory", "TEMP", "system", "information_schema", "pg_catalog", "__x", "fairlead_x"])
def test_names_of_the_engine_are_no_names_for_databases(joe: Desk, name: str) -> None:
    with pytest.raises(InvalidName):
        joe.outputs(f"CREATE DATABASE {name}")


@pytest.mark.parametrize(
    "url", ["gs://b/x/", "s3://", "s3://b/../x/", "s3://b/x*/", "s3://b/x?y=z/", "/var/lib", "s3://b/taken/", "s3://b/"]
)
def test_a_data_path_is_a_folder_of_its_own_in_the_store_of_the_connection(joe: Desk, url: str) -> None:
    joe.outputs(f"{_CONNECTION}; CREATE DATABASE one DATA PATH 's3://b/taken/' CONNECTION = c")
    with pytest.raises(InvalidParameter):
        joe.outputs(f"CREATE DATABASE d DATA PATH '{url}' CONNECTION = c")
    assert [row[0] for row in joe.rows("SHOW DATABASES")] == ["main", "one"]
    joe.outputs("CREATE DATABASE d DATA PATH 's3://b/taken-too/' CONNECTION = c")
