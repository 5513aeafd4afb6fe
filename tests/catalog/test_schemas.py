"""Schemas, where databases store, tables and views in one name space, narrowed and default grants."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError

from fairlead.errors import (
    DependentObjects,
    DuplicateObject,
    DuplicateTable,
    InvalidCatalogName,
    InvalidName,
    InvalidSchemaName,
)


@pytest.fixture
def ids(catalog):
    with catalog.write() as tx:
        return {name: tx.create_role(name, login=True).id for name in ("ann", "bob")} | {"public": 1}


def table(tx, name, ids, schema="public", kind="table", owner="ann", database="main"):
    return tx.create_object(kind, database, schema, name, owner_id=ids[owner], definition={"table_id": 1})


def test_a_database_has_public_of_its_owner_open_to_all(catalog, ids):
    with catalog.write() as tx:
        made = tx.create_database("Sales", ids["ann"])
        public = tx.schema("sales", "PUBLIC")
        assert (public.full_name, public.owner_id, public.database_id) == ("Sales.public", ids["ann"], made.id)
        grants = tx.grants(object_kind="schema", object_id=public.id)
        assert [(g.grantee_id, g.privilege) for g in grants] == [(ids["public"], "USAGE")]
        tx.set_database_owner(made.id, ids["bob"])
        assert tx.schema("Sales", "public").owner_id == ids["bob"]
        assert tx.database("Sales").owner_id == ids["bob"]


def test_a_schema_is_made_renamed_given_away_and_dropped(catalog, ids):
    with catalog.write() as tx:
        made = tx.create_schema("main", "Raw", ids["ann"])
        inside = table(tx, "t", ids, "raw")
        assert inside.full_name == "main.Raw.t"
        assert tx.rename_schema(made.id, "Cooked").full_name == "main.Cooked"
        assert tx.get(inside.id).full_name == "main.Cooked.t"
        assert tx.relation("main", "cooked", "T").id == inside.id
        assert tx.objects("table", schema="raw") == ()
        tx.rename_schema(made.id, "COOKED")
        tx.set_schema_owner(made.id, ids["bob"])
        assert tx.schema_by_id(made.id).owner_id == ids["bob"]
        with pytest.raises(DependentObjects):
            tx.drop_schema(made.id)
        tx.drop_object(inside.id)
        tx.add_grant(
            grantee_id=ids["bob"], privilege="USAGE", object_kind="schema", object_id=made.id, grantor_id=ids["ann"]
        )
        tx.drop_schema(made.id)
        assert tx.grants(grantee_ids=[ids["bob"]]) == ()
        with pytest.raises(InvalidSchemaName):
            tx.drop_schema(made.id)
        assert tx.create_schema("main", "raw", None).id > made.id


def test_what_no_schema_can_be_is_refused(catalog, ids):
    with catalog.write() as tx:
        other = tx.create_schema("main", "other", ids["ann"])
        with pytest.raises(DuplicateObject):
            tx.create_schema("main", "PUBLIC", None)
        with pytest.raises(DuplicateObject):
            tx.rename_schema(other.id, "Public")
        with pytest.raises(InvalidName):
            tx.create_schema("main", "", None)
        with pytest.raises(InvalidCatalogName):
            tx.create_schema("nowhere", "s", None)
        with pytest.raises(DependentObjects):
            tx.drop_schema(tx.schema("main", "public").id)


def test_a_dropped_database_takes_its_schemas_and_their_grants_along(catalog, ids):
    with catalog.write() as tx:
        made = tx.create_database("d", ids["ann"])
        schema = tx.create_schema("d", "s", ids["ann"])
        before = len(tx.grants())
        tx.add_grant(grantee_id=2, privilege="CREATE", object_kind="schema", object_id=schema.id, grantor_id=2)
        tx.drop_database(made.id)
        assert tx.schemas("d") == ()
        assert len(tx.grants()) == before - 1  # USAGE on public went too


def test_tables_and_views_of_a_schema_share_one_name_space(catalog, ids):
    with catalog.write() as tx:
        tx.create_schema("main", "s", ids["ann"])
        one = table(tx, "x", ids)
        table(tx, "x", ids, "s", "view")
        other = table(tx, "y", ids, kind="view")
        tx.create_object("stage", "main", "public", "x", owner_id=ids["ann"], definition={})
        for kind in ("table", "view"):
            with pytest.raises(DuplicateTable):
                table(tx, "X", ids, kind=kind)
        with pytest.raises(DuplicateTable):
            tx.rename(other.id, "X")
        tx.rename(one.id, "X")
        assert tx.find("view", "main", "x") is None
        assert tx.relation("main", "public", "x").kind == "table"


def test_the_name_space_holds_even_past_the_checks(catalog, ids):
    with catalog.write() as tx:
        one, two = table(tx, "a", ids), table(tx, "b", ids, kind="view")
        with pytest.raises((IntegrityError, sqlite3.IntegrityError)):
            tx.connection.exec_driver_sql(f"UPDATE objects SET name_key = 'a' WHERE id = {two.id}")
        assert tx.get(one.id).name == "a"


def test_a_connection_that_a_database_stores_on_cannot_be_dropped(catalog, ids):
    with catalog.write() as tx:
        lake = tx.create_object("connection", "main", "public", "lake", owner_id=ids["ann"], definition={})
        made = tx.create_database("d", ids["ann"], data_path="s3://b/p/", connection_id=lake.id)
        assert (made.data_path, made.connection_id) == ("s3://b/p/", lake.id)
        assert [d.name for d in tx.stored_through(lake.id)] == ["d"]
    with pytest.raises(DependentObjects) as refused, catalog.write() as tx:
        tx.drop_object(lake.id)
    assert refused.value.detail == "database d"
    with catalog.write() as tx:
        tx.drop_database(made.id)
        tx.drop_object(lake.id)


def narrowed(ids, thing, columns=None, condition=None):
    return {
        "grantee_id": ids["bob"],
        "privilege": "SELECT",
        "object_kind": "table",
        "object_id": thing.id,
        "grantor_id": ids["ann"],
        "columns": columns,
        "condition": condition,
    }


def test_each_narrowed_grant_is_one_of_its_own(catalog, ids):
    parts = [(("a",), None), (("a", "b"), "x = 1"), (None, "x = 1"), (("a", "b"), None), (None, None)]
    with catalog.write() as tx:
        thing = table(tx, "t", ids)
        for columns, condition in parts * 2:
            tx.add_grant(**narrowed(ids, thing, columns, condition))
        found = tx.grants(object_kind="table", object_id=thing.id)
        assert [(g.columns, g.condition) for g in found] == parts
        assert [g.narrowed for g in found] == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("columns", "left"),
    [
        (("a",), [(("A", "b"), "x"), (None, "x"), (None, None)]),
        (("B", "a"), [(("a",), None), (None, "x"), (None, None)]),
        (("c",), [(("a",), None), (("A", "b"), "x"), (None, "x"), (None, None)]),
        (None, []),
    ],
)
def test_a_revoke_takes_the_grants_of_exactly_its_columns_or_all(catalog, ids, columns, left):
    with catalog.write() as tx:
        thing = table(tx, "t", ids)
        for part in ((("a",), None), (("A", "b"), "x"), (None, "x"), (None, None)):
            tx.add_grant(**narrowed(ids, thing, *part))
        same = {key: value for key, value in narrowed(ids, thing).items() if key not in ("grantor_id", "condition")}
        tx.remove_grant(**{**same, "columns": columns})
        assert [(g.columns, g.condition) for g in tx.grants(object_kind="table", object_id=thing.id)] == left


def test_new_tables_and_views_give_what_their_owner_said(catalog, ids):
    with catalog.write() as tx:
        main = tx.database("main")
        schema = tx.create_schema("main", "s", ids["ann"])
        before = table(tx, "before", ids)
        default = {"owner_id": ids["ann"], "database_id": main.id, "grantee_id": ids["bob"]}
        tx.add_default_grant(**default, schema_id=None, privilege="SELECT")
        tx.add_default_grant(**default, schema_id=None, privilege="SELECT", grant_option=True)
        tx.add_default_grant(**default, schema_id=schema.id, privilege="INSERT")
        assert len(tx.default_grants()) == 2
        tx.create_database("d", ids["ann"])
        made = {
            "public": table(tx, "t", ids),
            "schema": table(tx, "t", ids, "s"),
            "view": table(tx, "v", ids, "s", "view"),
            "of another": table(tx, "o", ids, owner="bob"),
            "elsewhere": table(tx, "t", ids, database="d"),
            "before": before,
        }
        given = {
            name: [(g.privilege, g.grant_option) for g in tx.grants(object_kind=o.kind, object_id=o.id)]
            for name, o in made.items()
        }
        assert given == {
            "public": [("SELECT", True)],
            "schema": [("SELECT", True), ("INSERT", False)],
            "view": [("SELECT", True)],
            "of another": [],
            "elsewhere": [],
            "before": [],
        }
        tx.remove_default_grant(**default, schema_id=None, privilege="SELECT")
        later = table(tx, "later", ids)
        assert tx.grants(object_kind="table", object_id=later.id) == ()
        tx.drop_object(made["schema"].id)
        tx.drop_object(made["view"].id)
        tx.drop_schema(schema.id)
        assert tx.default_grants() == ()
