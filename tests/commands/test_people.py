"""Users, roles and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.errors import (
    DependentObjects,
    DuplicateObject,
    InvalidParameter,
    PermissionDenied,
    SqlSyntaxError,
    UndefinedObject,
)

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

_CONNECTION = "CREATE CONNECTION c STORAGE_TYPE = 's3'"


def test_rights_come_through_roles_and_end_with_them(desk: Desk) -> None:
    desk.outputs(f"{_CONNECTION}; CREATE ROLE readers; CREATE USER u PASSWORD 'pass word'")
    desk.outputs("GRANT USAGE ON CONNECTION c TO readers; GRANT readers TO u")
    assert [row[0] for row in desk.rows("SHOW CONNECTIONS", "u")] == ["c"]
    desk.outputs("REVOKE readers FROM u")
    assert desk.rows("SHOW CONNECTIONS", "u") == []


def test_only_those_with_the_right_may_grant(desk: Desk) -> None:
    desk.outputs(f"{_CONNECTION}; CREATE USER u PASSWORD 'pass word'; CREATE USER v PASSWORD 'pass word'")
    desk.outputs("GRANT USAGE ON CONNECTION c TO u")
    with pytest.raises(PermissionDenied):
        desk.outputs("GRANT USAGE ON CONNECTION c TO v", "u")
    desk.outputs("GRANT USAGE ON CONNECTION c TO u WITH GRANT OPTION")
    desk.outputs("GRANT USAGE ON CONNECTION c TO v", "u")
    assert [row[0] for row in desk.rows("SHOW CONNECTIONS", "v")] == ["c"]


def test_a_user_cannot_make_themself_superuser(desk: Desk) -> None:
    desk.outputs("CREATE USER u PASSWORD 'pass word'; GRANT CREATE ROLE ON SYSTEM TO u")
    for statement in ("ALTER USER u SUPERUSER", "CREATE USER w SUPERUSER", "GRANT fairlead TO u", "DROP USER fairlead"):
        with pytest.raises(PermissionDenied):
            desk.outputs(statement, "u")
    desk.outputs("ALTER USER u PASSWORD 'a new one'", "u")


def test_the_last_superuser_stays_one(desk: Desk) -> None:
    with pytest.raises(DependentObjects, match="last superuser"):
        desk.outputs("ALTER USER fairlead NOSUPERUSER")
    desk.outputs("CREATE USER deputy PASSWORD 'pass word' SUPERUSER; ALTER USER fairlead NOSUPERUSER")
    with pytest.raises(DependentObjects, match="last superuser"):
        desk.outputs("ALTER USER deputy NOSUPERUSER", "deputy")


def test_a_grant_does_not_survive_drop_and_create(desk: Desk) -> None:
    desk.outputs(f"{_CONNECTION}; CREATE USER u PASSWORD 'pass word'; GRANT USAGE ON CONNECTION c TO u")
    desk.outputs(f"DROP CONNECTION c; {_CONNECTION}")
    assert desk.rows("SHOW CONNECTIONS", "u") == []


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("CREATE USER fairlead PASSWORD 'x y z'", DuplicateObject),
        ("CREATE USER u PASSWORD ''", InvalidParameter),
        ("GRANT USAGE ON CONNECTION c TO nobody", UndefinedObject),
        ("GRANT FLY ON CONNECTION c TO public", SqlSyntaxError),
        ("GRANT READ ON CONNECTION c TO public", InvalidParameter),
        ("GRANT a TO b; GRANT b TO a", InvalidParameter),
        ("DROP ROLE public", DependentObjects),
    ],
)
def test_bad_statements_about_people_are_refused(desk: Desk, statement: str, error: type[Exception]) -> None:
    desk.outputs(f"{_CONNECTION}; CREATE ROLE a; CREATE ROLE b")
    with pytest.raises(error):
        desk.outputs(statement)


def test_show_grants_prints_statements(desk: Desk) -> None:
    desk.outputs(f"{_CONNECTION}; CREATE USER u PASSWORD 'pass word'; GRANT USAGE ON CONNECTION c TO u")
    assert any("USAGE" in str(row) and "main.public.c" in str(row) for row in desk.rows("SHOW GRANTS FOR u"))
    assert desk.rows("SHOW GRANTS", "u") == [*desk.rows("SHOW GRANTS FOR public"), *desk.rows("SHOW GRANTS FOR u")]


def test_a_refused_statement_is_on_record_without_its_text(desk: Desk) -> None:
    desk.outputs(f"{_CONNECTION}; CREATE USER u PASSWORD 'pass word'")
    for statement in ("DROP CONNECTION hunter2", "SELECT * FROM @hunter2/x.csv"):
        with pytest.raises(PermissionDenied):
            desk.outputs(statement, "u")
    rows = [row for row in desk.rows("SHOW LEDGER") if row[2] == "refused"]
    assert [(row[3], row[4]) for row in rows] == [("u", "DROP OBJECTS"), ("u", "SELECT")]
    assert "hunter2" not in str(rows)


def test_an_empty_secret_is_refused(desk: Desk) -> None:
    desk.outputs("CREATE SECRET k AS 'abcdefgh'")
    for statement in ("CREATE SECRET e AS ''", "ALTER SECRET k AS ''"):
        with pytest.raises(InvalidParameter, match="empty"):
            desk.outputs(statement)


def test_what_show_grants_prints_can_be_run_again(desk: Desk) -> None:
    desk.outputs(f"{_CONNECTION}; CREATE SECRET k AS 'abcdefgh'; CREATE USER u PASSWORD 'pass word'")
    desk.outputs("CREATE STAGE s URL = 's3://b/' CONNECTION = (CONNECTION_NAME = 'c')")
    desk.outputs(
        "GRANT SHOW LINK ON main.* TO u; GRANT CREATE CONNECTION ON DATABASE main TO u;GRANT CREATE ROLE ON SYSTEM TO u"
    )
    desk.outputs(
        "GRANT USAGE, ALTER ON CONNECTION c TO u; GRANT USAGE ON SECRET k TO u; GRANT READ, WRITE ON STAGE s TO u"
    )
    columns = desk.columns("SHOW GRANTS FOR u")
    statements = [str(row[columns.index("statement")]) for row in desk.rows("SHOW GRANTS FOR u")]
    assert len(statements) == 9
    for statement in statements:
        desk.outputs(statement)
    assert len(desk.rows("SHOW GRANTS FOR u")) == 9
