"""Random histories of roles, grants and objects, decided twice: by Access, and by a model that only searches facts.

The model keeps plain sets, asks them afresh for every question, and shares no code with the house.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fairlead.access.access import Access
from fairlead.catalog.catalog import Catalog

USERS = ("u0", "u1", "u2")
ROLES = ("r0", "r1", "r2")
ALL = (*USERS, *ROLES, "public")
DATABASES = ("main", "db1")
ON_CONNECTION = ("USAGE", "SHOW", "ALTER", "DROP")
ON_STAGE = ("READ", "WRITE")

names = st.sampled_from(ALL)
options = st.booleans()


class Model:
    """Facts, and the questions one may ask of them."""

    def __init__(self) -> None:
        self.members: set[tuple[str, str]] = set()  # (role, member)
        self.grants: dict[tuple[str, str, str, object], bool] = {}  # (who, privilege, kind, thing) -> option
        self.connections: dict[int, dict] = {}
        self.stages: dict[int, dict] = {}

    def roles(self, who: str) -> set[str]:
        found = {who, "public"}
        while True:
            more = {role for role, member in self.members if member in found} - found
            if not more:
                return found
            found |= more

    def granted(self, who: str, privilege: str, kind: str, thing: object, *, option: bool = False) -> bool:
        held = [self.grants.get((role, privilege, kind, thing)) for role in self.roles(who)]
        return any(value is not None and (value or not option) for value in held)

    def on_connection(self, who: str, privilege: str, number: int, *, option: bool = False) -> bool:
        connection = self.connections[number]
        return (
            connection["owner"] in self.roles(who)
            or self.granted(who, privilege, "connection", number, option=option)
            or self.granted(who, f"{privilege} CONNECTION", "database", connection["database"], option=option)
            or self.granted(who, f"{privilege} CONNECTION", "schema", connection["database"], option=option)
            or self.granted(who, f"{privilege} CONNECTION", "system", None, option=option)
        )

    def on_stage(self, who: str, privilege: str, number: int) -> bool:
        stage = self.stages[number]
        allowed = stage["owner"] in self.roles(who) or self.granted(who, privilege, "stage", number)
        return allowed and self.on_connection(stage["owner"], "USAGE", stage["connection"])

    def rules(self, who: str) -> set[tuple[int, str | None, str, frozenset[str]]]:
        found: set[tuple[int, str | None, str, frozenset[str]]] = set()
        for number, connection in self.connections.items():
            if connection["enabled"] and self.on_connection(who, "USAGE", number):
                found.add((number, None, "", frozenset({"read", "write", "list", "delete"})))
        for number, stage in self.stages.items():
            actions = set()
            if self.on_stage(who, "READ", number):
                actions |= {"read", "list"}
            if self.on_stage(who, "WRITE", number):
                actions |= {"write", "list", "delete"}
            if actions and self.connections[stage["connection"]]["enabled"]:
                found.add((stage["connection"], "b", f"{number}/", frozenset(actions)))
        return found


class Histories(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.catalog = Catalog.open(Path(self.folder.name) / "catalog.db")
        self.access = Access(self.catalog)
        self.model = Model()
        with self.catalog.write() as tx:
            self.ids = {name: tx.create_role(name, login=name in USERS).id for name in (*USERS, *ROLES)}
            self.ids["public"] = tx.role("public").id
            # Ids of schemas and databases must differ, or the one could be taken for the other unnoticed.
            tx.create_schema("main", "between", None)
            self.databases = {"main": tx.database("main").id, "db1": tx.create_database("db1", None).id}
            self.schemas = {name: tx.schema(name, "public").id for name in self.databases}

    def teardown(self) -> None:
        self.catalog.close()
        self.folder.cleanup()

    @rule(role=st.sampled_from(ROLES), member=names)
    def join(self, role: str, member: str) -> None:
        with self.catalog.write() as tx:
            tx.add_member(self.ids[role], self.ids[member])
        self.model.members.add((role, member))

    @rule(role=st.sampled_from(ROLES), member=names)
    def leave(self, role: str, member: str) -> None:
        with self.catalog.write() as tx:
            tx.remove_member(self.ids[role], self.ids[member])
        self.model.members.discard((role, member))

    @rule(owner=names, database=st.sampled_from(DATABASES))
    def create_connection(self, owner: str, database: str) -> None:
        name = f"c{len(self.model.connections)}_{self.catalog.epoch}"
        with self.catalog.write() as tx:
            made = tx.create_object(
                "connection", database, "public", name, owner_id=self.ids[owner], definition={"kind": "s3"}
            )
        self.model.connections[made.id] = {"owner": owner, "database": database, "enabled": True}

    @precondition(lambda self: self.model.connections)
    @rule(owner=names, data=st.data())
    def create_stage(self, owner: str, data) -> None:
        connection = data.draw(st.sampled_from(sorted(self.model.connections)))
        with self.catalog.write() as tx:
            made = tx.create_object(
                "stage", "main", "public", f"s{self.catalog.epoch}", owner_id=self.ids[owner], definition={}
            )
            definition = {"url": f"s3://b/{made.id}/", "connection_id": connection}
            tx.new_version(made.id, definition=definition, references=[connection])
        self.model.stages[made.id] = {"owner": owner, "connection": connection}

    @precondition(lambda self: self.model.connections)
    @rule(data=st.data(), enabled=st.booleans())
    def enable(self, data, enabled: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.model.connections)))
        with self.catalog.write() as tx:
            tx.set_enabled(number, enabled)
        self.model.connections[number]["enabled"] = enabled

    @precondition(lambda self: self.model.connections)
    @rule(data=st.data(), owner=names)
    def give(self, data, owner: str) -> None:
        number = data.draw(st.sampled_from(sorted([*self.model.connections, *self.model.stages])))
        with self.catalog.write() as tx:
            tx.set_owner(number, self.ids[owner])
        (self.model.connections.get(number) or self.model.stages[number])["owner"] = owner

    @precondition(lambda self: self.model.stages)
    @rule(data=st.data())
    def drop_stage(self, data) -> None:
        number = data.draw(st.sampled_from(sorted(self.model.stages)))
        with self.catalog.write() as tx:
            tx.drop_object(number)
        del self.model.stages[number]
        self.model.grants = {g: o for g, o in self.model.grants.items() if (g[2], g[3]) != ("stage", number)}

    def things(self) -> list[tuple[str, str, object]]:
        """Return every (privilege, kind, thing) that can be granted now."""
        found: list[tuple[str, str, object]] = []
        for privilege in ON_CONNECTION:
            found.append((f"{privilege} CONNECTION", "system", None))
            found += [(f"{privilege} CONNECTION", kind, d) for kind in ("database", "schema") for d in DATABASES]
            found += [(privilege, "connection", number) for number in self.model.connections]
        for database in DATABASES:
            found += [("USAGE", "database", database), ("CREATE", "schema", database)]
        found += [(privilege, "stage", number) for privilege in ON_STAGE for number in self.model.stages]
        return found

    def thing_id(self, kind: str, thing: object) -> int | None:
        if isinstance(thing, str):
            return (self.schemas if kind == "schema" else self.databases)[thing]
        return thing

    @rule(data=st.data(), grantee=names, option=options)
    def grant(self, data, grantee: str, option: bool) -> None:
        privilege, kind, thing = data.draw(st.sampled_from(self.things()))
        with self.catalog.write() as tx:
            tx.add_grant(
                grantee_id=self.ids[grantee],
                privilege=privilege,
                object_kind=kind,
                object_id=self.thing_id(kind, thing),
                grant_option=option,
                grantor_id=1,
            )
        key = (grantee, privilege, kind, thing)
        self.model.grants[key] = self.model.grants.get(key, False) or option

    @precondition(lambda self: self.model.grants)
    @rule(data=st.data(), option_only=st.booleans())
    def revoke(self, data, option_only: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.grants, key=repr)))
        with self.catalog.write() as tx:
            tx.remove_grant(
                grantee_id=self.ids[key[0]],
                privilege=key[1],
                object_kind=key[2],
                object_id=self.thing_id(key[2], key[3]),
                grant_option_only=option_only,
            )
        if option_only:
            self.model.grants[key] = False
        else:
            del self.model.grants[key]

    @invariant()
    def both_decide_the_same(self) -> None:
        for who in USERS:
            principal = self.access.principal(who)
            for number in self.model.connections:
                for privilege in ON_CONNECTION:
                    expected = self.model.on_connection(who, privilege, number)
                    assert self.access.can(principal, privilege, "connection", number) == expected
                    may_grant = self.access._now().rights.may_grant(principal, privilege, "connection", number)
                    assert may_grant == self.model.on_connection(who, privilege, number, option=True)
            for number in self.model.stages:
                for privilege in ON_STAGE:
                    expected = self.model.on_stage(who, privilege, number)
                    assert self.access.can(principal, privilege, "stage", number) == expected
            rules = {
                (r.connection_id, r.bucket, r.prefix, frozenset(map(str, r.actions)))
                for r in self.access.rules(principal)
            }
            assert rules == self.model.rules(who)


Histories.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestHistories = Histories.TestCase
