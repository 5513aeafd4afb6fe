"""Four systems' names for rights, and what each can be granted on."""

from __future__ import annotations

import pytest

from fairlead.access.privileges import GRANTABLE, OF_OTHERS, ON_ALL_CONNECTIONS, ON_ALL_TABLES, canonical
from fairlead.errors import InvalidParameter, SqlSyntaxError

USE_ALL = ("USAGE CONNECTION", "SHOW CONNECTION")


@pytest.mark.parametrize(
    ("typed", "kind", "ours"),
    [
        # SingleStore
        (("SHOW LINK",), "database", USE_ALL),
        (("SHOW LINK",), "system", USE_ALL),
        (("CREATE LINK", "DROP LINK"), "database", ("CREATE CONNECTION", "DROP CONNECTION")),
        # Databend
        (("CREATE CONNECTION", "ACCESS CONNECTION"), "system", ("CREATE CONNECTION", *USE_ALL)),
        (("ACCESS CONNECTION",), "connection", ("USAGE", "SHOW")),
        (("READ", "WRITE"), "stage", ("READ", "WRITE")),
        # ClickZetta
        (("CREATE CONNECTION",), "database", ("CREATE CONNECTION",)),
        (("READ METADATA",), "connection", ("SHOW",)),
        (("ALTER CONNECTION", "DROP CONNECTION"), "connection", ("ALTER", "DROP")),
        (("USE",), "connection", ("USAGE",)),
        (("READ VOLUME",), "stage", ("READ",)),
        (("WRITE VOLUME", "WRITE"), "stage", ("WRITE",)),
        # Materialize
        (("USAGE",), "connection", ("USAGE",)),
        (("USAGE",), "secret", ("USAGE",)),
        (("CREATE", "USAGE"), "schema", ("CREATE", "USAGE")),
        (("CREATEROLE", "CREATEDB"), "system", ("CREATE DATABASE", "CREATE ROLE")),
        # On all tables the plain word can mean nothing else.
        (("SELECT",), "database", ("SELECT TABLE",)),
        (("INSERT", "SELECT"), "system", ("SELECT TABLE", "INSERT TABLE")),
        (("TRUNCATE", "USAGE"), "schema", ("USAGE", "TRUNCATE TABLE")),
        (("SELECT", "DELETE"), "table", ("SELECT", "DELETE")),
        (("ALL",), "view", ("SELECT",)),
        # Ours
        (("DROP", "USAGE", "DROP"), "connection", ("USAGE", "DROP")),
        (("OUTBOUND",), "system", ("OUTBOUND",)),
        *(((word,), kind, rights) for kind, rights in GRANTABLE.items() for word in ("ALL", "ALL PRIVILEGES")),
        *(((right,), kind, (right,)) for kind, rights in GRANTABLE.items() for right in rights),
    ],
)
def test_every_spelling_has_its_meaning(typed, kind, ours):
    assert canonical(typed, kind) == ours


def test_usage_on_a_database_does_not_give_the_use_of_its_connections():
    assert not {"USAGE CONNECTION", "SHOW CONNECTION"} & set(canonical(("USAGE", "CREATE"), "database"))


@pytest.mark.parametrize(
    ("typed", "kind", "hint"),
    [
        ("SELECT", "connection", "on a connection: USAGE, SHOW, ALTER, DROP, ALL"),
        ("READ", "connection", "on a connection: USAGE, SHOW, ALTER, DROP, ALL"),
        ("USAGE", "stage", "on a stage: READ, WRITE, ALL"),
        ("SHOW", "secret", "on a secret: USAGE, ALL"),
        ("INSERT", "view", "on a view: SELECT, ALL"),
        ("USAGE", "table", "on a table: SELECT, INSERT, UPDATE, DELETE, TRUNCATE, ALL"),
        ("USAGE", "system", "on the system: CREATE CONNECTION, CREATE DATABASE, CREATE ROLE, OUTBOUND, "),
        ("DROP", "database", "on a database: CREATE, USAGE, CREATE CONNECTION, "),
        ("ALL CONNECTIONS", "schema", "on a schema: CREATE, USAGE, "),
    ],
)
def test_what_cannot_be_granted_is_refused_with_what_can(typed, kind, hint):
    with pytest.raises(InvalidParameter) as refused:
        canonical(("ALL", typed), kind)
    assert str(refused.value).startswith(f"{typed} cannot be granted on ")
    assert refused.value.hint.startswith(hint)


@pytest.mark.parametrize("typed", ["CREATE LINK", "SHOW LINK", "DROP LINK"])
@pytest.mark.parametrize("kind", ["connection", "stage", "secret"])
def test_link_privileges_are_for_databases_and_the_system_only(typed, kind):
    with pytest.raises(SqlSyntaxError, match=r"^LINK privileges can be granted on \*\.\* or db\.\* only$") as refused:
        canonical((typed,), kind)
    assert "GRANT USAGE ON LINK" in refused.value.hint


def test_ownership_is_given_by_alter_and_not_by_grant():
    with pytest.raises(InvalidParameter) as refused:
        canonical(("OWNERSHIP",), "connection")
    assert refused.value.hint == "ALTER CONNECTION ... OWNER TO role gives an object to a role"


def test_each_right_on_a_connection_has_a_right_on_all_of_them():
    assert tuple(ON_ALL_CONNECTIONS) == GRANTABLE["connection"]
    for kind in ("system", "database", "schema"):
        assert set(ON_ALL_CONNECTIONS.values()) <= set(GRANTABLE[kind])


def test_each_right_on_a_table_has_a_right_on_all_of_them():
    assert tuple(ON_ALL_TABLES) == GRANTABLE["table"]
    assert {*ON_ALL_TABLES.values(), *ON_ALL_CONNECTIONS.values()} == OF_OTHERS
    for kind in ("system", "database", "schema"):
        assert set(ON_ALL_TABLES.values()) <= set(GRANTABLE[kind])
