"""Connections: created alike in four spellings, shown without secrets, changed in place, safe from being taken over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from fairlead.errors import (
    DependentObjects,
    DuplicateObject,
    FairleadError,
    InvalidParameter,
    NotSupported,
    PermissionDenied,
    StoreUnreachable,
    UndefinedObject,
    WrongObjectType,
)

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

SECRET = "pl4nted/secret+value"
SPELLINGS = {
    "materialize": f"""CREATE SECRET k AS '{SECRET}';
        CREATE CONNECTION c TO AWS (ACCESS KEY ID = 'AKIA1', SECRET ACCESS KEY = SECRET k,
        ENDPOINT = 'https://minio.example:9000', REGION = 'eu-west-1')""",
    "singlestore": f"""CREATE LINK c AS S3
        CREDENTIALS '{{"aws_access_key_id": "AKIA1", "aws_secret_access_key": "{SECRET}"}}'
        CONFIG '{{"region": "eu-west-1", "endpoint_url": "https://minio.example:9000"}}'""",
    "databend": f"""CREATE CONNECTION c STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AKIA1' SECRET_ACCESS_KEY = '{SECRET}'
        ENDPOINT_URL = 'https://minio.example:9000' REGION = 'eu-west-1'""",
    "clickzetta": f"""CREATE STORAGE CONNECTION c TYPE S3 ACCESS_KEY = 'AKIA1' SECRET_KEY = '{SECRET}'
        ENDPOINT = 'https://minio.example:9000' REGION = 'eu-west-1'""",
}


def resolved(desk: Desk, name: str = "c") -> dict[str, str]:
    """Return the options of a connection with its secrets opened."""
    with desk.gateway.house.catalog.read() as snapshot:
        connection = snapshot.find("connection", "main", name)
        assert connection is not None
    options = desk.gateway.house.resolver.options(connection.id)
    return {key: value if isinstance(value, str) else value.reveal() for key, value in options.items()}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_makes_the_same_object(desk: Desk, spelling: str) -> None:
    desk.outputs(SPELLINGS[spelling])
    found = {key: value for key, value in resolved(desk).items() if value}
    assert found["access_key_id"] == "AKIA1"
    assert found["secret_access_key"] == SECRET
    assert found["region"] == "eu-west-1"
    assert found["endpoint"] == "https://minio.example:9000"
    desk.outputs("DROP CONNECTION c; " + SPELLINGS["databend"])
    assert found == {key: value for key, value in resolved(desk).items() if value}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_show_create_is_in_its_own_spelling_without_secrets_and_runs_again(desk: Desk, spelling: str) -> None:
    desk.outputs(SPELLINGS[spelling])
    before = resolved(desk)
    text = desk.rows("SHOW CREATE CONNECTION c")[0][-1]
    assert text is not None
    assert SECRET not in text
    mark = {"materialize": "TO AWS", "singlestore": "LINK", "databend": "STORAGE_TYPE", "clickzetta": "TYPE S3"}
    assert mark[spelling] in text
    again = text if "OR REPLACE" in text else text.replace("CREATE ", "CREATE OR REPLACE ", 1)
    desk.outputs(again)
    assert resolved(desk) == before
    desk.outputs("DROP CONNECTION c")
    if spelling != "materialize":
        with pytest.raises(FairleadError, match=r"no stored credential|does not exist"):
            desk.outputs(text)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_listing_shows_a_secret(desk: Desk, spelling: str) -> None:
    desk.outputs(SPELLINGS[spelling])
    for shown in ("SHOW CONNECTIONS", "SHOW LINKS", "DESC CONNECTION c", "SHOW SECRETS", "SHOW LEDGER"):
        for dialect in ("native", "materialize", "singlestore", "databend", "clickzetta"):
            try:
                found = desk.rows(f"SET dialect = '{dialect}'; {shown}")
            except FairleadError as error:
                found = [(str(error),)]
            assert SECRET not in json.dumps(found)
        desk.outputs("SET dialect = 'native'")


def test_a_connection_needs_the_right_to_create(desk: Desk) -> None:
    desk.outputs("CREATE USER u PASSWORD 'pass word'")
    with pytest.raises(PermissionDenied):
        desk.outputs(SPELLINGS["databend"], "u")
    desk.outputs("GRANT CREATE CONNECTION ON DATABASE main TO u")
    desk.outputs(SPELLINGS["databend"], "u")
    assert [row[0] for row in desk.rows("SHOW CONNECTIONS", "u")] == ["c"]


def test_a_secret_needs_usage_to_be_named(desk: Desk) -> None:
    desk.outputs("CREATE SECRET k AS 'abcdef'; CREATE USER u PASSWORD 'pass word'")
    desk.outputs("GRANT CREATE CONNECTION ON DATABASE main TO u")
    statement = "CREATE CONNECTION c TO AWS (ACCESS KEY ID = 'A', SECRET ACCESS KEY = SECRET k)"
    with pytest.raises(PermissionDenied):
        desk.outputs(statement, "u")
    desk.outputs("GRANT USAGE ON SECRET k TO u")
    desk.outputs(statement, "u")


def test_or_replace_cannot_take_over_somebody_elses_connection(desk: Desk) -> None:
    desk.outputs(SPELLINGS["databend"] + "; CREATE USER u PASSWORD 'pass word'")
    desk.outputs("GRANT CREATE CONNECTION ON DATABASE main TO u; GRANT USAGE ON CONNECTION c TO u")
    with pytest.raises(PermissionDenied):
        desk.outputs(SPELLINGS["databend"].replace("CREATE", "CREATE OR REPLACE", 1), "u")


def test_a_holder_of_alter_cannot_point_the_stored_credential_elsewhere(desk: Desk) -> None:
    desk.outputs(SPELLINGS["databend"] + "; CREATE USER u PASSWORD 'pass word'; GRANT ALTER ON CONNECTION c TO u")
    with pytest.raises(PermissionDenied, match="another destination"):
        desk.outputs("ALTER CONNECTION c SET (ENDPOINT_URL = 'https://evil.example')", "u")
    desk.outputs("ALTER CONNECTION c SET (REGION = 'us-west-2')", "u")
    assert resolved(desk)["endpoint"] == "https://minio.example:9000"


def test_alter_reaches_the_next_use_and_makes_a_version(desk: Desk) -> None:
    desk.outputs(SPELLINGS["materialize"])
    desk.outputs("ALTER SECRET k AS 'rotated value'")
    assert resolved(desk)["secret_access_key"] == "rotated value"
    desk.outputs("ALTER CONNECTION c SET (REGION = 'ap-south-1')")
    assert resolved(desk)["region"] == "ap-south-1"
    version = dict(desk.rows("DESC CONNECTION c"))["version"]
    assert version == "2"


def test_drop_is_refused_while_a_stage_or_connection_depends(desk: Desk) -> None:
    desk.outputs(SPELLINGS["materialize"])
    desk.outputs("CREATE STAGE s URL = 's3://b/p/' CONNECTION = (CONNECTION_NAME = 'c')")
    with pytest.raises(DependentObjects, match="s"):
        desk.outputs("DROP CONNECTION c")
    with pytest.raises(DependentObjects, match="c"):
        desk.outputs("DROP SECRET k")
    assert desk.rows("SHOW DEPENDENTS OF CONNECTION c") == [("stage", "main.public.s")]
    assert any("cascades" in notice for notice in desk.notices("DROP SECRET k CASCADE"))
    assert desk.rows("SHOW STAGES") == []


@pytest.mark.parametrize(
    ("statement", "error", "words"),
    [
        ("CREATE CONNECTION c STORAGE_TYPE = 's3' COLOUR = 'red'", InvalidParameter, "colour"),
        ('CREATE LINK c AS S3 CREDENTIALS \'{"aws_acess_key_id": "x"}\'', InvalidParameter, "aws_access_key_id"),
        ('CREATE LINK c AS S3 CONFIG \'{"aws_secret_access_key": "x"}\'', InvalidParameter, "CREDENTIALS"),
        ("CREATE CONNECTION c TO AWS (ACCESS KEY ID = 'x')", InvalidParameter, "must specify both"),
        ("CREATE CONNECTION c TO AWS (REGION = 'x')", InvalidParameter, "must specify either"),
        ("CREATE STORAGE CONNECTION c TYPE S3 ACCESS_KEY = 'x'", InvalidParameter, "SECRET_KEY|REGION|ACCESS"),
        ("CREATE CONNECTION c STORAGE_TYPE = 's3' SECRET_ACCESS_KEY = '<redacted>'", InvalidParameter, "mask"),
        ("CREATE CONNECTION c STORAGE_TYPE = 'floppy'", InvalidParameter, "floppy"),
        ("ALTER CONNECTION nope SET (REGION = 'x')", UndefinedObject, "nope"),
        ("DROP CONNECTION nope", UndefinedObject, "nope"),
        (
            "CREATE STAGE s URL = 's3://b/data' CONNECTION = (CONNECTION_NAME = 'taken')",
            InvalidParameter,
            "end with '/'",
        ),
        (
            "CREATE STAGE s URL = 'gcs://b/' CONNECTION = (CONNECTION_NAME = 'taken')",
            InvalidParameter,
            "protocol|scheme",
        ),
        ("CREATE STAGE s URL = 's3://b/../c/' CONNECTION = (CONNECTION_NAME = 'taken')", InvalidParameter, "[.][.]"),
        ("CREATE STAGE s URL = 's3://b/'", InvalidParameter, "CONNECTION_NAME"),
        ("CREATE STAGE s", NotSupported, "URL"),
        ("CREATE LINK main.taken AS S3", DuplicateObject, "taken"),
    ],
)
def test_bad_definitions_are_refused_and_nothing_is_stored(
    desk: Desk, statement: str, error: type[FairleadError], words: str
) -> None:
    desk.outputs(SPELLINGS["databend"].replace("CONNECTION c ", "CONNECTION taken ", 1))
    with pytest.raises(error, match=words) as caught:
        desk.outputs(statement)
    assert SECRET not in f"{caught.value} {caught.value.hint} {caught.value.detail}"
    assert [row[0] for row in desk.rows("SHOW CONNECTIONS")] == ["taken"]


def test_names_keep_their_case_and_are_found_in_any(desk: Desk) -> None:
    desk.outputs(SPELLINGS["databend"].replace("CONNECTION c ", "CONNECTION Lake ", 1))
    assert desk.rows("SHOW CONNECTIONS")[0][0] == "Lake"
    desk.outputs("DESC CONNECTION LAKE; DROP CONNECTION lake")


def test_missing_and_forbidden_connections_look_alike_to_those_without_rights(desk: Desk) -> None:
    desk.outputs(SPELLINGS["databend"] + "; CREATE USER u PASSWORD 'pass word'")
    texts = []
    for name in ("c", "d"):
        with pytest.raises(PermissionDenied) as caught:
            desk.outputs(f"DESC CONNECTION {name}", "u")
        texts.append(str(caught.value).replace(f".{name}", ".x"))
    assert texts[0] == texts[1]


def test_a_link_lives_in_its_database_and_show_link_covers_all_of_them(desk: Desk) -> None:
    desk.outputs("CREATE DATABASE productdb; CREATE USER user1 PASSWORD 'pass word'")
    for link, text in (("demouser_S3", "Product list"), ("demouser2_S3", "Brand list")):
        desk.outputs(f"CREATE LINK productdb.{link} AS S3 CREDENTIALS '{{}}' CONFIG '{{}}' DESCRIPTION '{text}'")
    with pytest.raises(PermissionDenied):
        desk.rows("SHOW LINKS ON productdb", "user1")
    desk.outputs("GRANT SHOW LINK ON productdb.* TO 'user1'")
    assert [row[:3] for row in desk.rows("SHOW LINKS ON productdb", "user1")] == [
        ("demouser_S3", "S3", "Product list"),
        ("demouser2_S3", "S3", "Brand list"),
    ]
    with pytest.raises(PermissionDenied):
        desk.outputs("DROP LINK productdb.demouser_S3", "user1")
    desk.outputs("REVOKE SHOW LINK ON productdb.* FROM 'user1'")
    with pytest.raises(PermissionDenied):
        desk.rows("SHOW LINKS ON productdb", "user1")


def test_only_the_strict_clickzetta_dialect_shares_a_connection_with_everybody(desk: Desk) -> None:
    desk.outputs("CREATE USER u PASSWORD 'pass word';" + SPELLINGS["clickzetta"])
    assert desk.rows("SHOW CONNECTIONS", "u") == []
    desk.outputs("DROP CONNECTION c; SET dialect = 'clickzetta'")
    assert any("every user" in notice for notice in desk.notices(SPELLINGS["clickzetta"]))
    assert [row[0] for row in desk.rows("SHOW CONNECTIONS", "u")] == ["c"]
    desk.outputs("SET dialect = 'native'; REVOKE USAGE ON CONNECTION c FROM public")
    assert desk.rows("SHOW CONNECTIONS", "u") == []


def test_or_replace_with_another_type_of_link_is_refused(desk: Desk) -> None:
    desk.outputs(SPELLINGS["singlestore"])
    with pytest.raises((WrongObjectType, InvalidParameter, NotSupported)):
        desk.outputs("CREATE OR REPLACE LINK c AS KAFKA CONFIG '{}'")
    assert resolved(desk)["secret_access_key"] == SECRET


@pytest.mark.parametrize("ask", ["WITH (VALIDATE = true)", "setting"])
def test_a_connection_that_is_to_be_validated_and_fails_leaves_nothing_behind(desk: Desk, ask: str) -> None:
    desk.outputs("CREATE SECRET k AS 'abcdefgh'")
    statement = """CREATE CONNECTION c TO AWS (ACCESS KEY ID = 'A', SECRET ACCESS KEY = SECRET k,
        ENDPOINT = 'http://127.0.0.1:9')"""
    if ask == "setting":
        desk.outputs("SET validate_connections = on")
    with pytest.raises(StoreUnreachable, match="tcp failed"):
        desk.outputs(statement + ("" if ask == "setting" else " " + ask))
    assert desk.rows("SHOW CONNECTIONS") == []
    desk.outputs(statement + " WITH (VALIDATE = false)")
    with pytest.raises(StoreUnreachable, match="tcp failed"):
        desk.outputs("ALTER CONNECTION c SET (REGION = 'x') WITH (VALIDATE = true)")
    assert "region" not in resolved(desk) or resolved(desk)["region"] != "x"


def test_replacing_from_show_create_keeps_the_comment(desk: Desk) -> None:
    desk.outputs(SPELLINGS["databend"] + "; COMMENT ON CONNECTION c IS 'the lake'")
    text = desk.rows("SHOW CREATE CONNECTION c")[0][-1]
    desk.outputs(str(text))
    assert dict(desk.rows("DESC CONNECTION c"))["comment"] == "the lake"
