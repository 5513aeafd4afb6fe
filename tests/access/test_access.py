"""Who may do what, told as cases; ``test_rights_model.py`` looks for those that nobody thought of."""

from __future__ import annotations

import pytest

from fairlead.access.privileges import GRANTABLE
from fairlead.access.rules import Action, Rule
from fairlead.errors import PermissionDenied, UndefinedObject

READ, WRITE, LIST, DELETE = Action.READ, Action.WRITE, Action.LIST, Action.DELETE


class World:
    """Users ann (owner), bob, joe; role team with member bob; a connection, a stage on it and a secret of ann's."""

    def __init__(self, catalog, access):
        self.catalog, self.access = catalog, access
        with catalog.write() as tx:
            root = tx.create_role("fairlead", login=True, superuser=True)
            self.ids = {"fairlead": root.id, "public": tx.role("public").id}
            for name, login in (("ann", True), ("bob", True), ("joe", True), ("team", False)):
                self.ids[name] = tx.create_role(name, login=login).id
            tx.add_member(self.ids["team"], self.ids["bob"])
            self.database, self.schema = tx.database("main"), tx.schema("main", "public")
            self.lake = self.make(tx, "connection", "lake", {"kind": "s3"})
            definition = {"url": "s3://acme/raw/", "connection_id": self.lake.id}
            self.raw = self.make(tx, "stage", "raw", definition, [self.lake.id])
            self.key = self.make(tx, "secret", "key", {})

    def make(self, tx, kind, name, definition, references=(), owner="ann"):
        place = (kind, "main", "public", name)
        return tx.create_object(*place, owner_id=self.ids[owner], definition=definition, references=references)

    def user(self, name):
        return self.access.principal(name)

    def grant(self, grantee, privilege, kind, object_id, *, option=False, take=False):
        grant = {"grantee_id": self.ids[grantee], "privilege": privilege, "object_kind": kind, "object_id": object_id}
        with self.catalog.write() as tx:
            if take:
                tx.remove_grant(**grant)
            else:
                tx.add_grant(**grant, grant_option=option, grantor_id=1)

    def scope(self, kind):
        return {"system": None, "database": self.database.id, "schema": self.schema.id}[kind]

    def can(self, name, privilege, thing):
        return self.access.can(self.user(name), privilege, thing.kind, thing.id)

    def rules(self, name):
        return self.access.rules(self.user(name))


@pytest.fixture
def world(catalog, access):
    return World(catalog, access)


def test_a_principal_has_its_roles_through_roles_and_public(world):
    with world.catalog.write() as tx:
        company = tx.create_role("company", login=False)
        tx.add_member(company.id, world.ids["team"])
        tx.add_member(world.ids["team"], company.id)  # a circle must not hang
    found = world.user("BOB")
    assert found.user_name == "bob"
    assert found.role_ids == {world.ids["bob"], world.ids["team"], company.id, world.ids["public"]}
    assert not found.is_superuser
    assert world.user("joe").role_ids == {world.ids["joe"], world.ids["public"]}
    with pytest.raises(UndefinedObject):
        world.user("nobody")


def test_a_role_of_a_superuser_does_not_make_one(world):
    with world.catalog.write() as tx:
        tx.add_member(world.ids["fairlead"], world.ids["joe"])
    assert not world.user("joe").is_superuser
    assert not world.can("joe", "USAGE", world.lake)


def test_without_a_grant_only_owner_and_superuser_can(world):
    for thing in (world.lake, world.raw, world.key):
        for privilege in GRANTABLE[thing.kind]:
            able = [name for name in ("fairlead", "ann", "bob", "joe") if world.can(name, privilege, thing)]
            assert able == ["fairlead", "ann"]


@pytest.mark.parametrize("grantee", ["bob", "team", "public"])
def test_a_grant_reaches_a_user_directly_through_a_role_and_through_public(world, grantee):
    world.grant(grantee, "USAGE", "connection", world.lake.id)
    assert world.can("bob", "USAGE", world.lake)
    assert world.can("joe", "USAGE", world.lake) == (grantee == "public")
    assert not world.can("bob", "SHOW", world.lake)
    world.grant(grantee, "USAGE", "connection", world.lake.id, take=True)
    assert not world.can("bob", "USAGE", world.lake)


@pytest.mark.parametrize("kind", ["system", "database", "schema"])
@pytest.mark.parametrize("privilege", GRANTABLE["connection"])
def test_a_right_on_all_connections_is_one_on_each_also_of_later_ones(world, kind, privilege):
    world.grant("joe", f"{privilege} CONNECTION", kind, world.scope(kind))
    with world.catalog.write() as tx:
        later = world.make(tx, "connection", "later", {})
        tx.create_database("other", world.ids["ann"])
        there = tx.create_object("connection", "other", "public", "x", owner_id=world.ids["ann"], definition={})
    for connection in (world.lake, later):
        assert [p for p in GRANTABLE["connection"] if world.can("joe", p, connection)] == [privilege]
    assert world.can("joe", privilege, there) == (kind == "system")
    assert not world.can("joe", "USAGE", world.key)
    assert not world.can("joe", "READ", world.raw)


@pytest.mark.parametrize("kind", ["database", "schema"])
def test_usage_on_a_database_gives_nothing_on_its_connections_and_secrets(world, kind):
    world.grant("joe", "USAGE", kind, world.scope(kind))
    assert not world.can("joe", "USAGE", world.lake)
    assert not world.can("joe", "USAGE", world.key)
    assert world.rules("joe") == ()


@pytest.mark.parametrize(
    ("privilege", "kind", "gives"),
    [
        ("CREATE CONNECTION", "system", {"CREATE CONNECTION"}),
        ("CREATE CONNECTION", "database", {"CREATE CONNECTION"}),
        ("CREATE CONNECTION", "schema", {"CREATE CONNECTION"}),
        ("CREATE", "database", {"CREATE", "CREATE CONNECTION"}),
        ("CREATE", "schema", {"CREATE", "CREATE CONNECTION"}),
        ("CREATE", "system", set()),
        ("CREATE ROLE", "system", set()),
        ("SHOW CONNECTION", "database", {"SHOW"}),
        ("DROP CONNECTION", "system", {"DROP"}),
        ("USAGE", "database", {"USAGE"}),
    ],
)
def test_what_a_grant_gives_on_a_database_and_what_on_a_schema_of_it(world, privilege, kind, gives):
    world.grant("joe", privilege, kind, world.scope(kind))
    with world.catalog.write() as tx:
        other = tx.create_schema("main", "other", None)
    asked = ("CREATE", "CREATE CONNECTION", "SHOW", "DROP", "USAGE")
    joe = world.user("joe")
    on_database, on_public, on_other = (
        {p for p in asked if world.access.can(joe, p, *scope)}
        for scope in (("database", world.database.id), ("schema", world.schema.id), ("schema", other.id))
    )
    assert on_database == on_other == (set() if kind == "schema" else gives)
    assert on_public == gives | {"USAGE"}
    assert not any(world.access.can(joe, p, scope, 99) for p in asked for scope in ("database", "schema"))


def test_who_owns_a_database_may_create_in_it_and_nothing_on_what_others_created(world):
    with world.catalog.write() as tx:
        sales = tx.create_database("sales", world.ids["bob"])
        public = tx.schema("sales", "public")
        theirs = tx.create_object("connection", "sales", "public", "x", owner_id=world.ids["ann"], definition={})
    bob = world.user("bob")
    assert world.access.can(bob, "CREATE", "database", sales.id)
    assert world.access.can(bob, "CREATE CONNECTION", "schema", public.id)
    assert not world.access.can(bob, "SHOW", "database", sales.id)
    assert not world.access.can(bob, "USAGE CONNECTION", "database", sales.id)
    assert not world.can("bob", "USAGE", theirs)
    world.access.require_grantable(bob, "CREATE", "database", sales.id, "database sales")
    with pytest.raises(PermissionDenied):
        world.access.require_grantable(bob, "USAGE CONNECTION", "database", sales.id, "database sales")


def test_nobody_but_superusers_owns_main(world):
    assert not world.access.owns(world.user("ann"), world.database)
    assert world.access.owns(world.user("fairlead"), world.database)


def test_an_id_of_another_kind_or_of_nothing_gives_nobody_anything(world):
    for name in ("ann", "fairlead"):
        assert not world.access.can(world.user(name), "USAGE", "secret", world.lake.id)
        assert not world.access.can(world.user(name), "USAGE", "connection", 999)
        assert not world.access.can(world.user(name), "USAGE", "connection", None)


def test_an_object_is_seen_by_its_owner_and_by_whoever_has_any_right(world):
    world.grant("team", "ALTER", "connection", world.lake.id)
    seers = [name for name in ("fairlead", "ann", "bob", "joe") if world.access.sees(world.user(name), world.lake)]
    assert seers == ["fairlead", "ann", "bob"]


# --- granting on -----------------------------------------------------------------------------------------------------


def grantable(world, name, privilege, kind, object_id):
    try:
        world.access.require_grantable(world.user(name), privilege, kind, object_id, "it")
    except PermissionDenied:
        return False
    return True


def test_a_right_is_granted_on_by_owner_superuser_and_holders_with_the_option(world):
    asked = ("USAGE", "connection", world.lake.id)
    world.grant("joe", "USAGE", "connection", world.lake.id)
    assert [n for n in ("fairlead", "ann", "bob", "joe") if grantable(world, n, *asked)] == ["fairlead", "ann"]
    world.grant("joe", "USAGE", "connection", world.lake.id, option=True)
    assert grantable(world, "joe", *asked)
    assert not grantable(world, "joe", "DROP", "connection", world.lake.id)
    world.grant("team", "USAGE CONNECTION", "system", None, option=True)
    assert grantable(world, "bob", *asked)
    assert grantable(world, "bob", "USAGE CONNECTION", "database", world.database.id)
    assert not grantable(world, "bob", "OUTBOUND", "system", None)
    assert not grantable(world, "bob", "USAGE", "connection", 999)


# --- rules -----------------------------------------------------------------------------------------------------------


def rule(connection, bucket, prefix, actions, via):
    return Rule(connection.id, bucket, prefix, frozenset(actions), via, connection=connection.full_name)


def test_usage_of_a_connection_is_every_action_everywhere(world):
    world.grant("joe", "USAGE", "connection", world.lake.id)
    assert world.rules("joe") == (rule(world.lake, None, "", Action, "connection main.public.lake"),)


@pytest.mark.parametrize(
    ("privileges", "actions"),
    [(("READ",), (READ, LIST)), (("WRITE",), (WRITE, LIST, DELETE)), (("READ", "WRITE"), Action), ((), None)],
)
def test_a_grant_on_a_stage_is_its_place_and_no_more(world, privileges, actions):
    for privilege in privileges:
        world.grant("joe", privilege, "stage", world.raw.id)
    expected = () if actions is None else (rule(world.lake, "acme", "raw/", actions, "stage main.public.raw"),)
    assert world.rules("joe") == expected


def test_owners_and_superusers_have_connection_and_stage(world):
    for name in ("ann", "fairlead"):
        vias = [(r.via, r.bucket, r.actions) for r in world.rules(name)]
        assert vias == [
            ("connection main.public.lake", None, frozenset(Action)),
            ("stage main.public.raw", "acme", frozenset(Action)),
        ]


def test_show_on_a_connection_is_no_way_to_a_store(world):
    for privilege in ("SHOW", "ALTER", "DROP"):
        world.grant("joe", privilege, "connection", world.lake.id)
    assert world.rules("joe") == ()


def test_a_disabled_connection_or_stage_gives_nobody_a_rule(world):
    world.grant("joe", "READ", "stage", world.raw.id)
    for thing in (world.lake, world.raw):
        for enabled in (False, True):
            with world.catalog.write() as tx:
                tx.set_enabled(thing.id, enabled)
            for name in ("joe", "ann", "fairlead"):
                assert any(r.via.startswith("stage") for r in world.rules(name)) == enabled


def test_a_stage_ends_when_its_owner_loses_the_connection_and_comes_back_with_it(world):
    world.grant("joe", "USAGE", "connection", world.lake.id)
    with world.catalog.write() as tx:
        definition = {"url": "s3://acme/joe/", "connection_id": world.lake.id}
        stage = world.make(tx, "stage", "joes", definition, [world.lake.id], owner="joe")
    world.grant("bob", "READ", "stage", stage.id)
    through_stage = rule(world.lake, "acme", "joe/", (READ, LIST), "stage main.public.joes")
    assert world.rules("bob") == (through_stage,)

    world.grant("joe", "USAGE", "connection", world.lake.id, take=True)
    for name in ("bob", "joe"):
        assert world.rules(name) == ()
        assert not world.can(name, "READ", stage)
    assert world.access.owns(world.user("joe"), stage)
    assert world.can("fairlead", "READ", stage)

    world.grant("joe", "USAGE CONNECTION", "database", world.database.id)
    assert world.rules("bob") == (through_stage,)


def test_a_stage_of_a_role_stands_on_the_rights_of_the_role(world):
    with world.catalog.write() as tx:
        tx.set_owner(world.raw.id, world.ids["team"])
    assert world.rules("bob") == ()
    # A right of one member is not a right of the role.
    world.grant("bob", "USAGE", "connection", world.lake.id)
    assert [r.via for r in world.rules("bob")] == ["connection main.public.lake"]
    world.grant("team", "USAGE", "connection", world.lake.id)
    assert [r.via for r in world.rules("bob")] == ["connection main.public.lake", "stage main.public.raw"]


def test_a_stage_follows_a_new_url_and_a_new_connection(world):
    world.grant("joe", "READ", "stage", world.raw.id)
    with world.catalog.write() as tx:
        ocean = world.make(tx, "connection", "ocean", {})
        definition = {"url": "s3://other/", "connection_id": ocean.id}
        tx.new_version(world.raw.id, definition=definition, references=[ocean.id])
    assert world.rules("joe") == (rule(ocean, "other", "", (READ, LIST), "stage main.public.raw"),)


def test_a_stage_whose_url_is_no_place_gives_no_rule(world):
    with world.catalog.write() as tx:
        definition = {"url": "https://acme/raw/", "connection_id": world.lake.id}
        tx.new_version(world.raw.id, definition=definition, references=[world.lake.id])
    assert [r.via for r in world.rules("ann")] == ["connection main.public.lake"]


def test_grants_do_not_outlive_a_drop_and_a_new_object_of_the_name(world):
    world.grant("joe", "READ", "stage", world.raw.id)
    with world.catalog.write() as tx:
        definition = tx.definition(world.raw.id)
        tx.drop_object(world.raw.id)
        world.make(tx, "stage", "raw", definition, [world.lake.id])
    assert world.rules("joe") == ()


def test_rules_are_read_once_per_change(world, monkeypatch):
    first = world.rules("ann")
    opened = []
    monkeypatch.setattr(world.catalog, "read", lambda: opened.append(1))
    assert world.rules("ann") is first
    assert opened == []


# --- refusals in words -----------------------------------------------------------------------------------------------


def test_a_refusal_names_the_object_the_privilege_and_the_role(world):
    with pytest.raises(PermissionDenied) as refused:
        world.access.require(world.user("joe"), "USAGE", world.lake)
    assert str(refused.value) == 'permission denied for CONNECTION "main.public.lake"'
    assert refused.value.detail == "The 'joe' role needs USAGE privileges on CONNECTION \"main.public.lake\""
    assert refused.value.sqlstate == "42501"


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda w, a, joe: a.require(joe, "USAGE", w.key), 'permission denied for SECRET "main.public.key"'),
        (lambda w, a, joe: a.require(joe, "READ", w.raw), 'permission denied for STAGE "main.public.raw"'),
        (lambda w, a, joe: a.require(joe, "SHOW", w.database), 'permission denied for DATABASE "main"'),
        (lambda w, a, joe: a.require(joe, "CREATE ROLE", None), "permission denied for SYSTEM"),
        (lambda w, a, joe: a.require_create(joe, "CREATE", w.schema), 'permission denied for SCHEMA "main.public"'),
        (lambda w, a, joe: a.require_owner(joe, w.lake), "must be owner of CONNECTION main.public.lake"),
        (lambda w, a, joe: a.require_owner(joe, w.database), "must be owner of DATABASE main"),
        (
            lambda w, a, joe: a.require_grantable(joe, "USAGE", "connection", w.lake.id, "connection x"),
            "permission denied to grant or revoke USAGE on connection x",
        ),
    ],
)
def test_every_refusal_has_the_text_of_the_specs_and_superusers_pass(world, call, text):
    with pytest.raises(PermissionDenied) as refused:
        call(world, world.access, world.user("joe"))
    assert str(refused.value) == text
    call(world, world.access, world.user("fairlead"))


def test_something_can_be_given_only_to_a_role_that_one_is_a_member_of(world):
    with world.catalog.read() as snapshot:
        team = snapshot.role("team")
    for name in ("bob", "fairlead"):
        world.access.require_membership(world.user(name), team)
    with pytest.raises(PermissionDenied, match=r'^must be a member of "team"$'):
        world.access.require_membership(world.user("joe"), team)


def test_inside_a_writing_transaction_rights_are_those_before_it(world):
    with world.catalog.write() as tx:
        grant = {"privilege": "USAGE", "object_kind": "connection", "object_id": world.lake.id, "grantor_id": 1}
        tx.add_grant(grantee_id=world.ids["joe"], **grant)
        assert not world.can("joe", "USAGE", world.lake)
    assert world.can("joe", "USAGE", world.lake)
