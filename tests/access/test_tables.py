"""Rights on tables and views: whole ones, parts of them, those around them, and what stores let workers read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.access.access import Access
from fairlead.access.relations import Part
from fairlead.access.rules import Action, Rule
from fairlead.catalog.catalog import Catalog
from fairlead.errors import PermissionDenied, UndefinedObject

ALL = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"}
USERS = ("ann", "bob", "joe")


class World:
    """Users ann (owner), bob, joe; role team with bob; main.public.t, main.closed.t and a view, all ann's."""

    def __init__(self, catalog, access):
        self.catalog, self.access = catalog, access
        with catalog.write() as tx:
            self.ids = {"fairlead": tx.create_role("fairlead", login=True, superuser=True).id, "public": 1}
            for name in (*USERS, "team"):
                self.ids[name] = tx.create_role(name, login=name != "team").id
            tx.add_member(self.ids["team"], self.ids["bob"])
            tx.create_database("other", None)  # so that ids of schemas and databases differ
            self.database, self.public = tx.database("main"), tx.schema("main", "public")
            self.closed = tx.create_schema("main", "closed", None)
            self.t = self.table(tx, "t")
            self.hidden = self.table(tx, "t", "closed")
            definition = {
                "sql": "SELECT 1",
                "columns": ["a"],
                "database": "main",
                "schema": "public",
                "dialect": "native",
            }
            self.v = tx.create_object("view", "main", "public", "v", owner_id=self.ids["ann"], definition=definition)

    def table(self, tx, name, schema="public", database="main", owner="ann"):
        definition = {"table_id": 7, "uuid": f"{schema}-{name}", "prefix": f"{schema}/{name}/"}
        return tx.create_object("table", database, schema, name, owner_id=self.ids[owner], definition=definition)

    def grant(self, grantee, privilege, thing, *, option=False, columns=None, condition=None):
        kind, object_id = ("system", None) if thing is None else (thing.kind, thing.id)
        with self.catalog.write() as tx:
            tx.add_grant(
                grantee_id=self.ids[grantee],
                privilege=privilege,
                object_kind=kind,
                object_id=object_id,
                grant_option=option,
                grantor_id=self.ids["ann"],
                columns=columns,
                condition=condition,
            )

    def take(self, grantee, privilege, thing):
        with self.catalog.write() as tx:
            tx.remove_grant(
                grantee_id=self.ids[grantee], privilege=privilege, object_kind=thing.kind, object_id=thing.id
            )

    def user(self, name):
        return self.access.principal(name)

    def actions(self, name):
        return {t.record.full_name: set(t.actions) for t in self.access.tables(self.user(name))}

    def parts(self, name):
        return {t.record.full_name: t.parts for t in self.access.tables(self.user(name)) if t.parts}


@pytest.fixture
def world(catalog, access):
    return World(catalog, access)


def test_without_a_grant_there_is_nothing_but_for_owner_and_superuser(world):
    assert world.actions("joe") == world.actions("bob") == {}
    assert world.actions("fairlead") == {"main.public.t": ALL, "main.closed.t": ALL}
    assert world.actions("ann") == {"main.public.t": ALL}  # nobody may enter the other schema
    assert [(t.owner, t.table_id, t.uuid, t.prefix) for t in world.access.tables(world.user("ann"))] == [
        (True, 7, "public-t", "public/t/")
    ]


@pytest.mark.parametrize("grantee", ["bob", "team", "public"])
@pytest.mark.parametrize("privilege", sorted(ALL))
def test_a_grant_reaches_a_user_directly_through_a_role_and_through_public(world, grantee, privilege):
    world.grant(grantee, privilege, world.t)
    assert world.actions("bob") == {"main.public.t": {privilege}}
    assert world.actions("joe") == ({"main.public.t": {privilege}} if grantee == "public" else {})
    assert world.access.can(world.user("bob"), privilege, "table", world.t.id)
    assert not world.access.can(world.user("bob"), privilege, "view", world.t.id)
    world.take(grantee, privilege, world.t)
    assert world.actions("bob") == {}


def test_a_grant_on_a_table_needs_usage_on_its_schema(world):
    world.grant("joe", "SELECT", world.hidden)
    world.grant("joe", "SELECT", world.t)
    world.grant("joe", "SELECT", world.v)
    assert world.actions("joe") == {"main.public.t": {"SELECT"}}
    world.grant("joe", "USAGE", world.closed)
    assert world.actions("joe") == {"main.public.t": {"SELECT"}, "main.closed.t": {"SELECT"}}
    world.take("public", "USAGE", world.public)
    assert world.actions("joe") == {"main.closed.t": {"SELECT"}}
    assert world.access.views(world.user("joe")) == ()
    world.grant("joe", "USAGE", world.database)
    assert set(world.actions("joe")) == {"main.public.t", "main.closed.t"}


@pytest.mark.parametrize("scope", ["closed", "database", None])
def test_a_right_on_all_tables_is_one_on_each_also_of_later_ones_and_needs_no_usage(world, scope):
    thing = None if scope is None else getattr(world, scope)
    world.grant("joe", "UPDATE TABLE", thing)
    with world.catalog.write() as tx:
        world.table(tx, "later", "closed")
        world.table(tx, "there", database="other")
    expected = {"main.closed.t", "main.closed.later"}
    expected |= {"main.public.t"} if scope != "closed" else set()
    expected |= {"other.public.there"} if scope is None else set()
    assert world.actions("joe") == {name: {"UPDATE"} for name in expected}
    assert world.access.views(world.user("joe")) == ()


def test_select_on_all_tables_takes_in_views(world):
    world.grant("joe", "SELECT TABLE", world.database)
    assert [(v.record.name, v.select) for v in world.access.views(world.user("joe"))] == [("v", True)]


def test_who_owns_the_database_or_schema_reads_none_of_its_tables(world):
    with world.catalog.write() as tx:
        tx.set_database_owner(world.database.id, world.ids["bob"])
        tx.set_schema_owner(world.closed.id, world.ids["joe"])
    assert world.actions("bob") == world.actions("joe") == {}
    for name, scope in (("bob", world.database), ("bob", world.public), ("joe", world.closed)):
        principal = world.user(name)
        world.access.require_grantable(principal, "CREATE", scope.kind, scope.id, "it")
        with pytest.raises(PermissionDenied):
            world.access.require_grantable(principal, "SELECT TABLE", scope.kind, scope.id, "it")
    with pytest.raises(PermissionDenied):
        world.access.require_grantable(world.user("bob"), "SELECT", "table", world.t.id, "it")


def test_a_part_is_not_the_whole(world):
    world.grant("bob", "SELECT", world.t, columns=("a", "b"), condition="region = 'EU'")
    world.grant("team", "SELECT", world.t, columns=("c",))
    world.grant("joe", "SELECT", world.hidden, columns=("c",))
    assert world.parts("bob") == {"main.public.t": (Part(("a", "b"), "region = 'EU'"), Part(("c",), None))}
    assert world.actions("bob") == {"main.public.t": set()}
    assert not world.access.can(world.user("bob"), "SELECT", "table", world.t.id)
    assert world.access.sees(world.user("bob"), world.t)
    assert world.parts("joe") == {}  # it may not enter the schema
    with pytest.raises(PermissionDenied):
        world.access.require_grantable(world.user("bob"), "SELECT", "table", world.t.id, "it")


def test_parts_are_of_no_account_beside_the_whole(world):
    world.grant("bob", "SELECT", world.t, condition="a = 1")
    world.grant("bob", "INSERT", world.t)
    assert world.actions("bob") == {"main.public.t": {"INSERT"}}
    assert world.parts("bob") == {"main.public.t": (Part(None, "a = 1"),)}
    world.grant("team", "SELECT", world.t)
    assert world.actions("bob") == {"main.public.t": {"INSERT", "SELECT"}}
    assert world.parts("bob") == {}


def test_a_view_is_its_owners_and_of_those_who_may_select_from_it(world):
    assert world.access.views(world.user("joe")) == ()
    world.grant("joe", "SELECT", world.v)
    (view,) = world.access.views(world.user("joe"))
    assert (view.record, view.sql, view.columns, view.owner_id) == (world.v, "SELECT 1", ("a",), world.ids["ann"])
    assert (view.select, view.database, view.schema, view.dialect) == (True, "main", "public", "native")
    world.take("public", "USAGE", world.public)
    (of_owner,) = world.access.views(world.user("ann"))
    assert not of_owner.select


def test_a_view_is_computed_as_its_owner_who_may_be_a_role(world):
    with world.catalog.write() as tx:
        tx.set_owner(world.v.id, world.ids["team"])
    world.grant("team", "SELECT", world.t)
    as_team = world.access.as_role(world.ids["team"])
    assert (as_team.user_name, as_team.is_superuser) == ("team", False)
    assert [t.record.id for t in world.access.tables(as_team)] == [world.t.id]
    with pytest.raises(UndefinedObject):
        world.access.as_role(999)


@pytest.mark.parametrize("others", [1, 40])
def test_a_new_version_of_a_definition_is_seen_and_an_old_one_is_not_read_again(world, others):
    ann = world.access.principal("ann")
    (before,) = world.access.views(ann)
    with world.catalog.write() as tx:
        for number in range(others):
            world.table(tx, f"more{number}")
    (same,) = world.access.views(ann)
    assert same.sql == before.sql
    with world.catalog.write() as tx:
        tx.new_version(world.v.id, definition={**tx.definition(world.v.id), "sql": "SELECT 2"})
    (after,) = world.access.views(ann)
    assert (before.sql, after.sql) == ("SELECT 1", "SELECT 2")
    assert len(world.access.tables(ann)) == 1 + others, "and the one in the schema that she may not use is not there"
    with world.catalog.write() as tx:
        tx.drop_object(world.v.id)
    assert world.access.views(ann) == ()


def test_the_grant_option_is_for_the_privilege_that_has_it(world):
    world.grant("joe", "SELECT", world.t, option=True)
    world.grant("bob", "INSERT TABLE", world.database, option=True)
    for name, privilege, may in [
        ("joe", "SELECT", True),
        ("joe", "INSERT", False),
        ("bob", "INSERT", True),
        ("bob", "SELECT", False),
        ("ann", "DELETE", True),
        ("fairlead", "DELETE", True),
    ]:
        rights = world.access._now().rights
        assert rights.may_grant(world.user(name), privilege, "table", world.t.id) == may


def test_a_schema_is_seen_by_those_who_may_something_in_it(world):
    assert world.access.sees(world.user("joe"), world.public)  # USAGE, as everybody
    assert not world.access.sees(world.user("joe"), world.closed)
    world.grant("joe", "INSERT TABLE", world.closed)
    assert world.access.sees(world.user("joe"), world.closed)


# --- stores ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(world):
    with world.catalog.write() as tx:
        place = ("connection", "main", "public", "lake")
        world.lake = tx.create_object(*place, owner_id=world.ids["bob"], definition={"kind": "s3"})
        world.warehouse = tx.create_database(
            "wh", world.ids["bob"], data_path="s3://acme/wh/", connection_id=world.lake.id
        )
        world.far = world.table(tx, "far", database="wh")
        world.beside = world.table(tx, "beside", database="wh")
    return world


def of_tables(world, name):
    return [rule for rule in world.access.rules(world.user(name)) if rule.via.startswith("table ")]


def test_only_whole_tables_can_be_read_where_they_are_stored(stored):
    stored.grant("joe", "SELECT", stored.far)
    stored.grant("joe", "INSERT", stored.beside)
    stored.grant("joe", "SELECT", stored.beside, columns=("a",))
    stored.grant("joe", "SELECT", stored.t)
    actions = frozenset({Action.READ})
    via = "table wh.public.far"
    expected = Rule(stored.lake.id, "acme", "wh/public/far/", actions, via, connection="main.public.lake")
    assert of_tables(stored, "joe") == [expected]
    stored.take("joe", "SELECT", stored.far)
    assert of_tables(stored, "joe") == []


def test_they_end_when_the_connection_is_disabled_or_its_database_loses_the_right_on_it(stored):
    stored.grant("joe", "SELECT", stored.far)
    with stored.catalog.write() as tx:
        tx.set_enabled(stored.lake.id, False)
    assert of_tables(stored, "joe") == []
    with stored.catalog.write() as tx:
        tx.set_enabled(stored.lake.id, True)
        tx.set_owner(stored.lake.id, stored.ids["ann"])
    assert of_tables(stored, "joe") == []
    stored.grant("bob", "USAGE", stored.lake)
    assert len(of_tables(stored, "joe")) == 1


@pytest.mark.parametrize("prefix", ["", "t", "/", "/t/"])
def test_a_table_without_a_folder_of_its_own_opens_nothing(stored, prefix):
    with stored.catalog.write() as tx:
        tx.new_version(stored.far.id, definition={"table_id": 1, "uuid": "u", "prefix": prefix})
    stored.grant("joe", "SELECT", stored.far)
    assert of_tables(stored, "joe") == []


# --- a model ---------------------------------------------------------------------------------------------------------

GRANTS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "joe", "team", "public"]),
        st.sampled_from(["SELECT", "INSERT"]),
        st.sampled_from(["table", "schema", "database", "system", "part"]),
    ),
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(grants=GRANTS, usage=st.sets(st.sampled_from(["bob", "team", "public"])))
def test_every_combination_gives_what_the_rules_say(tmp_path_factory, grants, usage):
    catalog = Catalog.open(tmp_path_factory.mktemp("model") / "catalog.db")
    world = World(catalog, Access(catalog))
    thing = {"table": world.hidden, "schema": world.closed, "database": world.database, "system": None}
    for grantee, privilege, where in grants:
        if where == "part":
            world.grant(grantee, "SELECT", world.hidden, columns=("a",))
        else:
            world.grant(grantee, privilege if where == "table" else f"{privilege} TABLE", thing[where])
    for grantee in usage:
        world.grant(grantee, "USAGE", world.closed)
    roles = {"ann": {"ann", "public"}, "bob": {"bob", "team", "public"}, "joe": {"joe", "public"}}
    for name in USERS:
        enters = bool(roles[name] & usage)
        expected = {p for who, p, where in grants if who in roles[name] and where in ("schema", "database", "system")}
        if enters:
            expected |= {p for who, p, where in grants if who in roles[name] and where == "table"}
            expected |= ALL if name == "ann" else set()
        part = enters and any(who in roles[name] and where == "part" for who, _, where in grants)
        found = {t.record.id: t for t in world.access.tables(world.user(name))}.get(world.hidden.id)
        assert (set(found.actions) if found else set()) == expected
        assert bool(found and found.parts) == (part and "SELECT" not in expected)
        assert (found is not None) == bool(expected or part)
    catalog.close()
