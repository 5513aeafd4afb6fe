"""Grants on tables and views as statements, narrowed ones among them, and default privileges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fairlead.dialects.infos import ColumnInfo, TableInfo
from fairlead.errors import (
    FairleadError,
    InvalidParameter,
    InvalidSchemaName,
    NotSupported,
    PermissionDenied,
    UndefinedColumn,
    UndefinedTable,
    WrongObjectType,
)

if TYPE_CHECKING:
    from fairlead.catalog.records import ObjectRecord
    from tests.commands.conftest import Desk

_COLUMNS = (
    ColumnInfo("region", "VARCHAR"),
    ColumnInfo("amount", "INTEGER", nullable=False, default="0"),
    ColumnInfo("Note it", "VARCHAR"),
)


def table(desk: Desk, name: str, *, schema: str = "public", database: str = "main", owner: str = "ann") -> ObjectRecord:
    """Put a table into the catalog, as the commit of a CREATE TABLE does."""
    with desk.gateway.house.catalog.write() as tx:
        role = tx.role(owner)
        assert role is not None
        definition = {"table_id": 1, "uuid": name, "prefix": f"{schema}/{name}/"}
        return tx.create_object("table", database, schema, name, owner_id=role.id, definition=definition)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """Return a desk with users ann, who owns tables t and s.t, and bob, in the role team; and joe."""
    desk.gateway.house = replace(
        desk.gateway.house,
        columns_of=lambda _: tuple(column.name for column in _COLUMNS),
        shape_of=lambda _: TableInfo(_COLUMNS),
    )
    for name in ("ann", "bob", "joe"):
        desk.outputs(f"CREATE USER {name} PASSWORD 'pass word'")
    desk.outputs("CREATE ROLE team; GRANT team TO bob")
    with desk.gateway.house.catalog.write() as tx:
        tx.create_schema("main", "s", None)
    table(desk, "t")
    table(desk, "t", schema="s")
    return desk


def actions(desk: Desk, user: str) -> dict[str, set[str]]:
    access = desk.gateway.house.access
    return {t.record.full_name: set(t.actions) for t in access.tables(access.principal(user))}


def parts(desk: Desk, user: str) -> list[tuple[tuple[str, ...] | None, str | None]]:
    access = desk.gateway.house.access
    return [(part.columns, part.where) for t in access.tables(access.principal(user)) for part in t.parts]


def statements(desk: Desk, show: str) -> list[str]:
    columns = desk.columns(show)
    return [str(row[columns.index("statement")]) for row in desk.rows(show)]


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        ("GRANT SELECT ON t TO team", {"main.public.t": {"SELECT"}}),
        ("GRANT SELECT, INSERT ON TABLE main.public.t TO bob", {"main.public.t": {"SELECT", "INSERT"}}),
        ("GRANT DELETE ON public.t TO PUBLIC", {"main.public.t": {"DELETE"}}),
        ("GRANT UPDATE ON main.t TO bob", {"main.public.t": {"UPDATE"}}),
        ("GRANT TRUNCATE ON s.t TO bob", {}),
        ("GRANT TRUNCATE ON s.t TO bob; GRANT USAGE ON SCHEMA s TO bob", {"main.s.t": {"TRUNCATE"}}),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO bob", {"main.public.t": {"SELECT"}}),
        ("GRANT SELECT ON ALL TABLES IN DATABASE main TO bob", {"main.public.t": {"SELECT"}}),
        ("GRANT SELECT ON SCHEMA s TO bob", {"main.s.t": {"SELECT"}}),
        ("GRANT SELECT ON main.* TO bob", {"main.public.t": {"SELECT"}, "main.s.t": {"SELECT"}}),
        ("GRANT SELECT ON DATABASE main TO bob", {"main.public.t": {"SELECT"}, "main.s.t": {"SELECT"}}),
        ("GRANT INSERT ON *.* TO bob", {"main.public.t": {"INSERT"}, "main.s.t": {"INSERT"}}),
        (
            "GRANT ALL ON t TO bob; REVOKE ALL PRIVILEGES ON t FROM bob; GRANT SELECT ON t TO bob",
            {"main.public.t": {"SELECT"}},
        ),
    ],
)
def test_every_spelling_of_a_grant_gives_what_it_says(shop: Desk, statement: str, given: dict[str, set[str]]) -> None:
    shop.outputs(statement)
    assert actions(shop, "bob") == given


def test_all_tables_means_those_that_there_are_and_a_star_also_later_ones(shop: Desk) -> None:
    shop.outputs("GRANT SELECT ON ALL TABLES IN SCHEMA public TO bob; GRANT SELECT ON main.* TO joe")
    table(shop, "later")
    assert "main.public.later" not in actions(shop, "bob")
    assert "main.public.later" in actions(shop, "joe")


def test_who_may_grant(shop: Desk) -> None:
    shop.outputs("GRANT SELECT ON t TO bob WITH GRANT OPTION; GRANT INSERT ON t TO bob", "ann")
    shop.outputs("GRANT SELECT ON t TO joe", "bob")
    assert actions(shop, "joe") == {"main.public.t": {"SELECT"}}
    for statement in (
        "GRANT INSERT ON t TO joe",
        "GRANT SELECT (region) ON t TO joe",
        "GRANT SELECT ON main.* TO joe",
        "GRANT SELECT ON s.t TO joe",
        "ALTER TABLE t OWNER TO bob",
    ):
        with pytest.raises(PermissionDenied):
            shop.outputs(statement, "bob")


def test_a_table_that_may_not_be_seen_is_answered_like_a_missing_one(shop: Desk) -> None:
    for name in ("t", "nothing", "s.t"):
        with pytest.raises(PermissionDenied, match=r"permission denied for table") as refused:
            shop.outputs(f"SHOW GRANTS ON {name}", "joe")
        assert "does not exist, or you have no right" in str(refused.value.hint)
    with pytest.raises(UndefinedTable):
        shop.outputs("SHOW GRANTS ON nothing")
    with pytest.raises(InvalidSchemaName):
        shop.outputs("GRANT SELECT ON main.nowhere.t TO joe")


def test_narrowed_grants_are_several_and_are_spelled_as_the_table_is(shop: Desk) -> None:
    shop.outputs("GRANT SELECT (\"NOTE IT\", Region) ON t WHERE region = 'EU' TO team", "ann")
    shop.outputs("GRANT SELECT ON t WHERE amount < 10 TO bob; GRANT SELECT (amount) ON t TO bob")
    assert parts(shop, "bob") == [
        (("region", "Note it"), "region = 'EU'"),
        (None, "amount < 10"),
        (("amount",), None),
    ]
    assert actions(shop, "bob") == {"main.public.t": set()}
    shop.outputs('REVOKE SELECT (region, "note it") ON t FROM team; REVOKE SELECT (region) ON t FROM bob')
    assert parts(shop, "bob") == [(None, "amount < 10"), (("amount",), None)]
    shop.outputs("REVOKE SELECT ON t FROM bob")
    assert actions(shop, "bob") == {}


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("GRANT SELECT (nope) ON t TO bob", UndefinedColumn),
        ("GRANT SELECT ON t WHERE nope = 1 TO bob", UndefinedColumn),
        ("GRANT SELECT ON t WHERE (SELECT 1) = 1 TO bob", InvalidParameter),
        ("GRANT SELECT ON t WHERE region = 's3://b/x' TO bob", InvalidParameter),
        ("GRANT SELECT ON t WHERE getenv(region) = 'x' TO bob", PermissionDenied),
        ("GRANT SELECT ON t WHERE current_setting('x') = region TO bob", PermissionDenied),
        ("CREATE VIEW v AS SELECT 1; GRANT SELECT (region) ON v TO bob", WrongObjectType),
        ("GRANT SELECT ON VIEW t TO bob", WrongObjectType),
        ("CREATE VIEW v AS SELECT 1; GRANT INSERT ON v TO bob", InvalidParameter),
        ("GRANT USAGE ON TABLE t TO bob", InvalidParameter),
        ("GRANT SELECT ON STAGE t TO bob", InvalidParameter),
    ],
)
def test_what_cannot_be_granted_is_refused_and_leaves_nothing(
    shop: Desk, statement: str, error: type[FairleadError]
) -> None:
    with pytest.raises(error):
        shop.outputs(statement)
    assert shop.rows("SHOW GRANTS FOR bob") == []


def test_what_show_grants_prints_can_be_run_again(shop: Desk) -> None:
    shop.outputs("CREATE VIEW v AS SELECT 1")
    shop.outputs("GRANT SELECT, INSERT ON t TO team WITH GRANT OPTION; GRANT SELECT ON v TO team")
    shop.outputs("GRANT SELECT (\"Note it\") ON s.t WHERE \"Note it\" = 'it''s' TO team")
    shop.outputs("GRANT USAGE, CREATE ON SCHEMA s TO team; GRANT SELECT ON main.* TO team; GRANT SELECT ON *.* TO team")
    before = statements(shop, "SHOW GRANTS FOR team")
    assert len(before) == 8
    assert "GRANT SELECT (\"Note it\") ON TABLE main.s.t WHERE \"Note it\" = 'it''s' TO team" in before
    assert "GRANT USAGE ON SCHEMA main.s TO team" in before
    for statement in before:
        shop.outputs(statement)
    assert statements(shop, "SHOW GRANTS FOR team") == before
    shop.outputs("DROP VIEW v; REVOKE ALL ON t FROM team; REVOKE SELECT ON s.t FROM team")
    shop.outputs("REVOKE ALL ON SCHEMA s FROM team; REVOKE ALL ON DATABASE main FROM team; REVOKE ALL ON *.* FROM team")
    assert statements(shop, "SHOW GRANTS FOR team") == []


def test_a_narrowed_grant_and_its_condition_are_on_record(shop: Desk) -> None:
    shop.outputs("GRANT SELECT (region) ON t WHERE amount > 1 TO bob", "ann")
    rows = [row for row in shop.rows("SHOW LEDGER") if row[4] == "GRANT SELECT ON PART"]
    ((_, _, kind, principal, _, subject, detail, *_),) = rows
    assert (kind, principal, subject) == ("ddl", "ann", "table main.public.t")
    assert '"columns": "region"' in str(detail)
    assert '"rows": "amount > 1"' in str(detail)


def test_default_privileges_are_for_what_comes(shop: Desk) -> None:
    shop.outputs("ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO team", "ann")
    shop.outputs("ALTER DEFAULT PRIVILEGES FOR ROLE ann IN SCHEMA s GRANT DELETE ON TABLES TO bob WITH GRANT OPTION")
    assert actions(shop, "bob") == {}
    table(shop, "new")
    assert actions(shop, "bob") == {"main.public.new": {"SELECT", "INSERT"}}
    table(shop, "of_joe", owner="joe")
    shop.outputs("GRANT CREATE ON SCHEMA public TO ann; GRANT USAGE ON SCHEMA s TO bob")
    shop.outputs("CREATE VIEW v AS SELECT 1", "ann")
    table(shop, "inside", schema="s")
    assert actions(shop, "bob") == {
        "main.public.new": {"SELECT", "INSERT"},
        "main.s.inside": {"SELECT", "INSERT", "DELETE"},
    }
    assert [row[0] for row in shop.rows("SHOW VIEWS", "bob")] == ["v"]
    before = statements(shop, "SHOW DEFAULT PRIVILEGES")
    assert before[-1] == (
        "ALTER DEFAULT PRIVILEGES FOR ROLE ann IN SCHEMA main.s GRANT DELETE ON TABLES TO bob WITH GRANT OPTION"
    )
    for statement in before:
        shop.outputs(statement)
    assert statements(shop, "SHOW DEFAULT PRIVILEGES") == before
    assert len(shop.rows("SHOW DEFAULT PRIVILEGES", "bob")) == 3
    assert shop.rows("SHOW DEFAULT PRIVILEGES", "joe") == []
    shop.outputs("ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM team", "ann")
    table(shop, "last")
    assert "main.public.last" not in actions(shop, "bob")
    with pytest.raises(PermissionDenied):
        shop.outputs("ALTER DEFAULT PRIVILEGES FOR ROLE ann GRANT SELECT ON TABLES TO joe", "joe")


def test_show_create_table_shows_the_columns_that_the_caller_may_know(shop: Desk) -> None:
    whole = (
        'CREATE TABLE "main"."public"."t" ("region" VARCHAR, "amount" INTEGER NOT NULL DEFAULT 0, "Note it" VARCHAR)'
    )
    assert shop.rows("SHOW CREATE TABLE t", "ann") == [("main.public.t", whole)]
    shop.outputs("GRANT SELECT (amount) ON t TO bob; GRANT SELECT ON t WHERE amount = 1 TO joe")
    ((_, narrowed),) = shop.rows("SHOW CREATE TABLE t", "bob")
    assert narrowed == 'CREATE TABLE "main"."public"."t" ("amount" INTEGER NOT NULL DEFAULT 0)'
    assert shop.rows("SHOW CREATE TABLE t", "joe")[0][1] == whole
    with pytest.raises(WrongObjectType):
        shop.outputs("CREATE VIEW v AS SELECT 1; SHOW CREATE TABLE v")


def test_owners_change_and_a_schema_keeps_its_name(shop: Desk) -> None:
    shop.outputs("ALTER TABLE t OWNER TO bob")
    assert actions(shop, "bob") == {"main.public.t": {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"}}
    assert actions(shop, "ann") == {}
    shop.outputs("ALTER SCHEMA s OWNER TO team")
    shop.outputs("CREATE VIEW s.v AS SELECT 1", "bob")
    with pytest.raises(NotSupported):
        shop.outputs("ALTER SCHEMA s RENAME TO r", "bob")
    with pytest.raises(PermissionDenied):
        shop.outputs("ALTER SCHEMA s OWNER TO joe", "bob")  # who is not a member of joe
    with pytest.raises(PermissionDenied):
        shop.outputs("ALTER DATABASE main OWNER TO bob", "bob")
    shop.outputs("ALTER DATABASE main OWNER TO joe; ALTER TABLE IF EXISTS nothing OWNER TO joe")
    shop.outputs("CREATE VIEW w AS SELECT 1", "joe")
    with pytest.raises(FairleadError, match="owns"):
        shop.outputs("DROP USER joe")


def test_lists_show_what_the_caller_may_see(shop: Desk) -> None:
    shop.outputs("CREATE VIEW tv AS SELECT 1; GRANT SELECT ON tv TO joe; GRANT SELECT (amount) ON t TO joe")
    assert [row[:4] for row in shop.rows("SHOW TABLES", "joe")] == [
        ("t", "main", "public", "table"),
        ("tv", "main", "public", "view"),
    ]
    assert [row[:3] for row in shop.rows("SHOW TABLES IN s")] == [("t", "main", "s")]
    assert [row[:3] for row in shop.rows("SHOW TABLES FROM main LIKE 'T'")] == [
        ("t", "main", "public"),
        ("t", "main", "s"),
    ]
    assert [row[0] for row in shop.rows("SHOW VIEWS FROM main.public")] == ["tv"]
    assert [row[0] for row in shop.rows("SHOW SCHEMAS", "joe")] == ["public"]
    assert [row[0] for row in shop.rows("SHOW SCHEMAS FROM main")] == ["public", "s"]
    assert shop.rows("SHOW TABLES", "bob") == []
