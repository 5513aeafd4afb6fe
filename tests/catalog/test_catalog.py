"""What the catalog keeps: objects, versions, references, sealed values, roles, grants."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from fairlead.catalog.catalog import Catalog
from fairlead.errors import (
    DependentObjects,
    DuplicateObject,
    InvalidCatalogName,
    InvalidName,
    InvalidSchemaName,
    UndefinedObject,
)


def make(tx, kind="connection", name="lake", **given):
    values = {"owner_id": 1, "definition": {"kind": "s3"}, **given}
    return tx.create_object(kind, "main", "public", name, **values)


def given(snapshot):
    """Return the grants beside the one that every catalog has: USAGE on main.public, for everybody."""
    return snapshot.grants()[1:]


def test_a_new_catalog_has_main_and_public_and_nothing_else(catalog):
    with catalog.read() as snapshot:
        assert [(d.name, d.owner_id) for d in snapshot.databases()] == [("main", None)]
        assert [(r.name, r.login, r.superuser) for r in snapshot.roles()] == [("public", False, False)]
        assert [schema.full_name for schema in snapshot.schemas()] == ["main.public"]
        assert [(g.grantee_id, g.privilege, g.object_kind) for g in snapshot.grants()] == [(1, "USAGE", "schema")]
        assert not snapshot.in_use()


def test_names_keep_their_case_and_are_found_in_any(catalog):
    with catalog.write() as tx:
        created = make(tx, name="Straße")
        assert created.full_name == "main.public.Straße"
        assert tx.find("connection", "MAIN", "STRASSE", "Public") == created
        with pytest.raises(DuplicateObject):
            make(tx, name="strasse")


def test_each_kind_has_its_own_names(catalog):
    with catalog.write() as tx:
        made = [make(tx, kind, "x") for kind in ("secret", "connection", "stage")]
    with catalog.read() as snapshot:
        assert [snapshot.find(kind, "main", "x") for kind in ("secret", "connection", "stage")] == made


@pytest.mark.parametrize("name", ["", "a" * 256, "ü" * 128, "a\0b", "a\nb", "\ud800"])
def test_names_that_cannot_be_are_refused(catalog, name):
    with catalog.write() as tx:
        with pytest.raises(InvalidName):
            make(tx, name=name)
        with pytest.raises(InvalidName):
            tx.create_role(name, login=True)
        with pytest.raises(InvalidName):
            tx.create_database(name, 1)


def test_a_name_of_255_bytes_is_accepted(catalog):
    with catalog.write() as tx:
        assert make(tx, name="ü" * 127 + "a").name == "ü" * 127 + "a"


def test_an_object_needs_a_database_and_a_schema_that_exist(catalog):
    with catalog.write() as tx:
        with pytest.raises(InvalidCatalogName):
            tx.create_object("stage", "nowhere", "public", "s", owner_id=1, definition={})
        with pytest.raises(InvalidSchemaName):
            tx.create_object("stage", "main", "other", "s", owner_id=1, definition={})


def test_what_refers_by_id_follows_a_change_of_name_and_definition(catalog):
    with catalog.write() as tx:
        lake = make(tx)
        stage = make(tx, "stage", "raw", references=[lake.id, lake.id])
        tx.rename(lake.id, "ocean")
        newer = tx.new_version(lake.id, definition={"kind": "gcs"})
    with catalog.read() as snapshot:
        assert newer.version == 2
        assert [o.name for o in snapshot.dependencies(stage.id)] == ["ocean"]
        assert [o.name for o in snapshot.dependents(lake.id)] == ["raw"]
        assert snapshot.definition(lake.id) == {"kind": "gcs"}
        assert snapshot.definition(lake.id, 1) == {"kind": "s3"}
        assert snapshot.definitions("connection") == {lake.id: {"kind": "gcs"}}
        with pytest.raises(UndefinedObject):
            snapshot.definition(lake.id, 3)


def test_references_are_those_of_the_newest_version(catalog):
    with catalog.write() as tx:
        one, two = make(tx, name="one"), make(tx, name="two")
        stage = make(tx, "stage", "raw", references=[one.id])
        tx.new_version(stage.id, definition={}, references=[two.id])
        assert [o.name for o in tx.dependencies(stage.id)] == ["two"]
        tx.drop_object(one.id)


def test_a_reference_to_nothing_is_refused_and_leaves_nothing(catalog):
    with pytest.raises(UndefinedObject), catalog.write() as tx:
        make(tx, "stage", "raw", references=[77])
    with catalog.read() as snapshot:
        assert snapshot.objects("stage") == ()


def test_an_object_in_use_cannot_be_dropped(catalog):
    with catalog.write() as tx:
        lake = make(tx)
        make(tx, "stage", "raw", references=[lake.id])
    with pytest.raises(DependentObjects) as refused, catalog.write() as tx:
        tx.drop_object(lake.id)
    assert refused.value.detail == "stage main.public.raw"


def test_a_dropped_object_takes_everything_along_and_its_id_never_comes_back(catalog):
    with catalog.write() as tx:
        lake = make(tx)
        tx.put_sealed(lake.id, "key", 1, b"envelope")
        grant = {"grantee_id": 1, "privilege": "USAGE", "object_kind": "connection"}
        tx.add_grant(**grant, object_id=lake.id, grantor_id=1)
        tx.drop_object(lake.id)
        again = make(tx)
    with catalog.read() as snapshot:
        assert again.id > lake.id
        assert snapshot.sealed(again.id, "key") is None
        assert given(snapshot) == ()
        with pytest.raises(UndefinedObject):
            snapshot.get(lake.id)
        with pytest.raises(UndefinedObject):
            snapshot.definition(lake.id)


def test_a_sealed_value_is_the_newest_at_or_below_a_version(catalog):
    with catalog.write() as tx:
        lake = make(tx)
        for version in (1, 3):
            tx.put_sealed(lake.id, "key", version, b"v%d" % version)
        found = [tx.sealed(lake.id, "key", version) for version in (None, 1, 2, 3, 9)]
        assert [(f.envelope, f.version) for f in found] == [(b"v3", 3), (b"v1", 1), (b"v1", 1), (b"v3", 3), (b"v3", 3)]
        assert tx.sealed(lake.id, "other") is None
        assert tx.in_use()


def test_owner_comment_and_state_change_without_a_new_version(catalog):
    with catalog.write() as tx:
        joe, lake = tx.create_role("joe", login=True), make(tx)
        tx.set_owner(lake.id, joe.id)
        tx.set_comment(lake.id, "hello")
        tx.set_enabled(lake.id, False)
        changed = tx.get(lake.id)
    assert (changed.owner_id, changed.comment, changed.enabled, changed.version) == (joe.id, "hello", False, 1)
    assert changed.modified_at > changed.created_at


def test_lists_are_in_creation_order_and_of_one_database_where_asked(catalog):
    with catalog.write() as tx:
        tx.create_database("Sales", 1)
        for name in ("b", "a"):
            make(tx, name=name)
        tx.create_object("connection", "sales", "public", "c", owner_id=1, definition={})
        assert [o.name for o in tx.objects("connection")] == ["b", "a", "c"]
        assert [o.full_name for o in tx.objects("connection", database="SALES")] == ["Sales.public.c"]
        assert tx.objects("connection", database="main", schema="other") == ()


def test_renaming_onto_a_taken_name_is_refused_and_onto_itself_is_not(catalog):
    with catalog.write() as tx:
        lake, _ = make(tx), make(tx, name="ocean")
        with pytest.raises(DuplicateObject):
            tx.rename(lake.id, "OCEAN")
        assert tx.rename(lake.id, "LAKE").name == "LAKE"


def test_a_database_is_dropped_only_when_empty_and_takes_its_grants_along(catalog):
    with catalog.write() as tx:
        sales = tx.create_database("sales", 1)
        held = tx.create_object("secret", "sales", "public", "s", owner_id=1, definition={})
        for kind, on in (("database", sales.id), ("schema", tx.schema("sales", "public").id)):
            tx.add_grant(grantee_id=1, privilege="CREATE", object_kind=kind, object_id=on, grantor_id=1)
        with pytest.raises(DependentObjects):
            tx.drop_database(sales.id)
        with pytest.raises(DuplicateObject):
            tx.create_database("SALES", 1)
        tx.drop_object(held.id)
        tx.drop_database(sales.id)
        assert given(tx) == ()
        assert tx.create_database("sales", 1).id > sales.id


def test_roles_are_changed_property_by_property(catalog):
    with catalog.write() as tx:
        joe = tx.create_role("Joe", login=True, verifier="v1")
        tx.alter_role(joe.id, verifier="v2")
        tx.alter_role(joe.id, superuser=True)
        tx.alter_role(joe.id, name="JOE")
        found = tx.role("joe")
        assert found is not None
        assert (found.id, found.name, found.verifier, found.superuser, found.login) == (joe.id, "JOE", "v2", True, True)
        assert tx.role_by_id(joe.id) == found
        with pytest.raises(DuplicateObject):
            tx.create_role("jOE", login=False)
        with pytest.raises(DuplicateObject):
            tx.alter_role(joe.id, name="Public")
        with pytest.raises(UndefinedObject):
            tx.alter_role(99, name="x")


def test_a_role_that_owns_something_cannot_be_dropped(catalog):
    with catalog.write() as tx:
        joe, ann = tx.create_role("joe", login=True), tx.create_role("ann", login=True)
        lake = make(tx, owner_id=joe.id)
        tx.add_member(joe.id, ann.id)
        tx.add_member(joe.id, ann.id)
        tx.add_grant(grantee_id=joe.id, privilege="X", object_kind="system", object_id=None, grantor_id=1)
        assert tx.memberships() == ((joe.id, ann.id),)
    with pytest.raises(DependentObjects), catalog.write() as tx:
        tx.drop_role(joe.id)
    with catalog.write() as tx:
        tx.set_owner(lake.id, ann.id)
        tx.drop_role(joe.id)
        assert tx.memberships() == ()
        assert given(tx) == ()
        assert tx.role("joe") is None


def test_a_membership_ends(catalog):
    with catalog.write() as tx:
        joe, ann = tx.create_role("joe", login=True), tx.create_role("ann", login=True)
        tx.add_member(joe.id, ann.id)
        tx.remove_member(ann.id, joe.id)
        assert tx.memberships() == ((joe.id, ann.id),)
        tx.remove_member(joe.id, ann.id)
        assert tx.memberships() == ()


@pytest.mark.parametrize(("kind", "object_id"), [("system", None), ("database", 1)])
def test_a_grant_stands_once_and_gains_and_loses_its_option(catalog, kind, object_id):
    grant = {"grantee_id": 1, "privilege": "CREATE", "object_kind": kind, "object_id": object_id}
    with catalog.write() as tx:
        for option in (False, True, False):
            tx.add_grant(**grant, grant_option=option, grantor_id=1)
        assert [g.grant_option for g in given(tx)] == [True]
        tx.remove_grant(**grant, grant_option_only=True)
        assert [g.grant_option for g in given(tx)] == [False]
        tx.remove_grant(**{**grant, "privilege": "OTHER"})
        assert len(given(tx)) == 1
        tx.remove_grant(**grant)
        assert given(tx) == ()


def test_grants_are_found_by_grantee_and_by_object(catalog):
    with catalog.write() as tx:
        joe = tx.create_role("joe", login=True)
        for grantee, kind, on in (
            (1, "system", None),
            (1, "database", 1),
            (joe.id, "database", 1),
            (joe.id, "stage", 5),
        ):
            tx.add_grant(grantee_id=grantee, privilege="P", object_kind=kind, object_id=on, grantor_id=1)
        assert [(g.object_kind, g.object_id) for g in tx.grants(grantee_ids={joe.id})] == [
            ("database", 1),
            ("stage", 5),
        ]
        assert [g.grantee_id for g in tx.grants(object_kind="database", object_id=1)] == [1, joe.id]
        assert [g.object_kind for g in tx.grants(object_kind="system")] == ["system"]
        assert tx.grants(grantee_ids=()) == ()


# --- transactions ----------------------------------------------------------------------------------------------------


def test_an_exception_undoes_the_whole_block_and_the_epoch_stays(catalog):
    def fail() -> None:
        with catalog.write() as tx:
            make(tx)
            raise ZeroDivisionError

    before = catalog.epoch
    with pytest.raises(ZeroDivisionError):
        fail()
    with catalog.read() as snapshot:
        assert snapshot.objects("connection") == ()
    assert catalog.epoch == before


def test_the_epoch_counts_committed_changes_only(catalog):
    before = catalog.epoch
    with catalog.write() as tx:
        tx.find("connection", "main", "lake")
    assert catalog.epoch == before
    with catalog.write() as tx:
        make(tx)
        make(tx, "stage")
    assert catalog.epoch == before + 1


def test_a_snapshot_does_not_see_what_is_committed_after_it(catalog):
    with catalog.read() as snapshot:
        assert snapshot.objects("connection") == ()
        with catalog.write() as tx:
            make(tx)
        assert snapshot.objects("connection") == ()
    with catalog.read() as snapshot:
        assert len(snapshot.objects("connection")) == 1


def test_a_writer_inside_a_writer_is_refused_at_once(catalog):
    with catalog.write(), pytest.raises(RuntimeError), catalog.write():
        pass
    with catalog.write() as tx:
        make(tx)


def test_writers_of_many_threads_take_turns(catalog):
    def work(number: int) -> None:
        for step in range(10):
            with catalog.write() as tx:
                make(tx, name=f"c{number}_{step}", comment=str(len(tx.objects("connection"))))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with catalog.read() as snapshot:
        # Each saw every object that was made before it.
        assert [o.comment for o in snapshot.objects("connection")] == [str(n) for n in range(50)]
    assert catalog.epoch == 50


def test_times_come_from_the_clock_and_keep_their_zone(tmp_path):
    class Frozen:
        def now(self) -> datetime:
            return datetime(2026, 7, 1, 12, 30, 0, 42, tzinfo=UTC)

    catalog = Catalog.open(tmp_path / "c.db", clock=Frozen())
    with catalog.write() as tx:
        made = make(tx)
    assert made.created_at == datetime(2026, 7, 1, 12, 30, 0, 42, tzinfo=UTC)
    assert made.created_at.tzinfo is not None
    catalog.close()


def test_an_error_of_the_driver_shows_no_values(catalog):
    with catalog.write() as tx:
        lake = make(tx)
        tx.put_sealed(lake.id, "a bound value", 1, b"envelope")
        with pytest.raises(Exception, match="UNIQUE") as failed:
            tx.put_sealed(lake.id, "a bound value", 1, b"envelope")
    assert "a bound value" not in str(failed.value)
