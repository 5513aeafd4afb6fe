"""SHOW and DESC: columns, rows and masks, natively and in the strict dialects."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from fairlead.dialects import tables
from fairlead.dialects.shape import instant
from tests.dialects.samples import INLINE, MOMENT, SAME, SPELLINGS, define, info, stage, stored

LAKE = info(stored(define(SAME["databend"])), comment="the lake")
TIME = "2025-05-11 09:36:51.548"
ISO = "2025-05-11T09:36:51.548Z"


@pytest.mark.parametrize(
    ("dialect", "columns", "row"),
    [
        (
            "native",
            ("name", "category", "type", "enabled", "created_time", "owner", "database", "schema", "comment"),
            ("lake", "STORAGE", "S3", "ENABLED", TIME, "fairlead", "main", "public", "the lake"),
        ),
        ("materialize", ("name", "type", "comment"), ("lake", "aws", "the lake")),
        (
            "clickzetta",
            ("name", "category", "type", "enabled", "created_time"),
            ("lake", "STORAGE", "S3", "ENABLED", TIME),
        ),
        (
            "databend",
            ("name", "storage_type", "storage_params"),
            (
                "lake",
                "s3",
                (
                    "access_key_id=AK***N7 enable_virtual_host_style=*** endpoint_url=ht***00 region=eu***-1 "
                    "secret_access_key=***"
                ),
            ),
        ),
    ],
)
def test_show_connections(dialect, columns, row):
    assert tables.show_connections([LAKE], dialect) == tables.Table(columns, [row])


def test_databend_sorts_by_name_and_others_keep_the_order():
    infos = [replace(LAKE, name=name) for name in ("b", "a")]
    assert [row[0] for row in tables.show_connections(infos, "databend").rows] == ["a", "b"]
    assert [row[0] for row in tables.show_connections(infos, "native").rows] == ["b", "a"]


def test_show_links_gives_the_rows_of_the_vendor_document():
    credentials = 'CREDENTIALS \'{"aws_access_key_id":"a","aws_secret_access_key":"b"}\''
    first = define(f"CREATE LINK l AS S3 {credentials} CONFIG '{{\"region\": \"us-east-1\"}}' DESCRIPTION 'x'")
    second = define(f"CREATE LINK l AS S3 {credentials}")
    shown = tables.show_links(
        [
            info(first, name="demouser_S3", comment="Product list"),
            info(second, name="demouser2_S3", comment="Brand list"),
        ]
    )
    assert shown.columns == ("Link", "Type", "Description", "Config")
    assert shown.rows == [
        ("demouser_S3", "S3", "Product list", '{"region":"us-east-1"}'),
        ("demouser2_S3", "S3", "Brand list", "{}"),
    ]


@pytest.mark.parametrize("spelling", ["materialize", "databend", "clickzetta"])
def test_show_links_lists_the_connections_of_other_spellings(spelling):
    ((name, kind, _, config),) = tables.show_links([info(define(SAME[spelling]))]).rows
    assert (name, kind) == ("lake", "S3")
    assert json.loads(config or "") == {
        "region": "eu-west-1",
        "endpoint_url": "https://minio.example:9000",
        "s3_force_path_style": False,
    }


def test_a_customer_key_is_redacted_in_config():
    text = (
        'CREATE LINK l AS S3 CONFIG \'{"x-amz-server-side-encryption-customer-algorithm":"AES256",'
        '"x-amz-server-side-encryption-customer-key":"hunter","x-amz-server-side-encryption-customer-key-MD5":"m"}\''
    )
    ((_, _, _, config),) = tables.show_links([info(stored(define(text)))]).rows
    assert json.loads(config or "")["x-amz-server-side-encryption-customer-key"] == "<redacted>"


def test_native_desc_is_one_fact_per_row_and_equal_for_the_four_spellings():
    shown = [tables.describe_connection(info(stored(define(SAME[s]))), "native") for s in SPELLINGS]
    assert shown[0].columns == ("info_name", "info_value")
    assert shown[0].rows == [
        ("name", "lake"),
        ("category", "STORAGE"),
        ("type", "S3"),
        ("enabled", "ENABLED"),
        ("owner", "fairlead"),
        ("created_time", ISO),
        ("last_modified_time", ISO),
        ("comment", ""),
        ("version", "3"),
        ("access_key_id", "AKIAIOSFODNN7"),
        ("secret_access_key", "SECRET main.public.k"),
        ("region", "eu-west-1"),
        ("endpoint", "https://minio.example:9000"),
        ("path_style", "false"),
    ]
    assert all(one == shown[0] for one in shown)


@pytest.mark.parametrize("spelling", INLINE)
def test_native_desc_redacts_inline_secrets(spelling):
    rows = dict(tables.describe_connection(info(stored(define(INLINE[spelling]))), "native").rows)
    assert rows["secret_access_key"] == "<redacted>"


def test_native_desc_extended_says_where_the_credential_goes():
    rows = dict(tables.describe_connection(LAKE, "native", extended=True).rows)
    assert rows["destination"] == "https://minio.example:9000"
    assert rows["spelling"] == "databend"


def test_clickzetta_desc_masks_the_key_id_and_leaves_secrets_out():
    made = define(
        "CREATE STORAGE CONNECTION c TYPE S3 ACCESS_KEY='LTAI5tMmABCDEFGH' SECRET_KEY='hunter' ENDPOINT='oss.example'"
    )
    shown = tables.describe_connection(info(stored(made)), "clickzetta")
    assert shown.rows == [
        ("name", "lake"),
        ("type", "S3"),
        ("enabled", "ENABLED"),
        ("creator", "fairlead"),
        ("created_time", ISO),
        ("last_modified_time", ISO),
        ("ACCESS_ID", "LTAI5t**************"),
        ("ENDPOINT", "https://oss.example"),
    ]


def test_clickzetta_desc_hides_a_short_key_id_and_shows_the_external_id_last():
    short = define("CREATE STORAGE CONNECTION c TYPE S3 ACCESS_KEY='short' SECRET_KEY='s' REGION='r'")
    assert ("ACCESS_ID", "*" * 14) in tables.describe_connection(info(short), "clickzetta").rows
    role = define("CREATE STORAGE CONNECTION c TYPE S3 ROLE_ARN='arn' REGION='r' COMMENT 'x'")
    rows = tables.describe_connection(info(role, comment="x"), "clickzetta").rows
    assert [name for name, _ in rows][-4:] == ["comment", "REGION", "ROLE_ARN", "EXTERNAL_ID"]


def test_clickzetta_desc_extended_has_the_order_of_the_second_page():
    rows = tables.describe_connection(LAKE, "clickzetta", extended=True).rows
    assert [name for name, _ in rows] == [
        *("name", "creator", "created_time", "last_modified_time", "comment", "properties", "type", "enabled"),
        *("ACCESS_ID", "REGION", "ENDPOINT", "PATH_STYLE", "category", "owner", "version"),
    ]


@pytest.mark.parametrize("length", [1, 4, 5, 200])
def test_databend_masks_secrets_without_telling_their_length(length):
    secret = "h" * length
    made = define(f"CREATE CONNECTION c STORAGE_TYPE='s3' ACCESS_KEY_ID='a' SECRET_ACCESS_KEY='{secret}' REGION='auto'")
    ((name, kind, params),) = tables.describe_connection(info(made), "databend").rows
    assert (name, kind) == ("lake", "s3")
    assert params == "access_key_id=*** region=*** secret_access_key=***"


@pytest.mark.parametrize(
    ("noun", "dialect", "columns", "name"),
    [
        ("CONNECTION", "native", ("name", "create_sql"), "main.public.lake"),
        ("CONNECTION", "materialize", ("name", "create_sql"), "main.public.lake"),
        ("CONNECTION", "clickzetta", ("name", "create_sql"), "lake"),
        ("LINK", "native", ("Link Name", "Create Link"), "lake"),
        ("LINK", "singlestore", ("Link Name", "Create Link"), "lake"),
    ],
)
def test_show_create_has_two_columns(noun, dialect, columns, name):
    assert tables.show_create(LAKE, "text", noun, dialect) == tables.Table(columns, [(name, "text")])


def test_show_secrets_has_names_and_comments():
    secret = tables.SecretInfo("k", "main", "public", "fairlead", "of the lake", 2, MOMENT, MOMENT)
    assert tables.show_secrets([secret], "materialize") == tables.Table(("name", "comment"), [("k", "of the lake")])
    native = tables.show_secrets([secret], "native")
    assert native.columns[:2] == ("name", "comment")
    assert native.rows[0][:6] == ("k", "of the lake", "fairlead", "main", "public", "2")


def test_a_stage_has_the_13_columns_with_the_connection_as_it_is_now():
    definition = stored(define(SAME["databend"]))
    shown = tables.describe_stage(stage(definition, file_format={"TYPE": "CSV"}, comment="hi"))
    row = dict(zip(shown.columns, shown.rows[0], strict=True))
    assert list(row) == [
        *("name", "stage_type", "storage_type", "url", "endpoint", "has_credentials", "has_encryption_key"),
        *("storage_params", "file_format_options", "creator", "created_on", "comment", "owner"),
    ]
    params = json.loads(row.pop("storage_params") or "")
    assert row == {
        "name": "raw",
        "stage_type": "External",
        "storage_type": "s3",
        "url": "s3://acme/raw/",
        "endpoint": "https://minio.example:9000",
        "has_credentials": "true",
        "has_encryption_key": "false",
        "file_format_options": '{"TYPE":"CSV"}',
        "creator": "fairlead",
        "created_on": "2025-05-11 09:36:51.548000",
        "comment": "hi",
        "owner": "fairlead",
    }
    assert params == {
        "type": "s3",
        "bucket": "acme",
        "root": "/raw/",
        "region": "eu-west-1",
        "endpoint_url": "https://minio.example:9000",
        "role_arn": "",
        "storage_class": "",
        "network_config": "",
        "access_key_id": "AK***N7",
        "secret_access_key": "***",
        "security_token": "",
        "master_key": "",
        "external_id": "",
        "enable_virtual_host_style": True,
        "connection_name": "lake",
    }


def test_an_anonymous_stage_has_no_credentials():
    shown = tables.show_stages([stage(define("CREATE CONNECTION c STORAGE_TYPE='s3'"))])
    row = dict(zip(shown.columns, shown.rows[0], strict=True))
    assert (row["endpoint"], row["has_credentials"]) == (None, "false")


GRANT = tables.GrantInfo("USAGE", "connection", "main.public.lake", "analyst", True, "fairlead", True, MOMENT)


@pytest.mark.parametrize(
    ("dialect", "columns", "row"),
    [
        (
            "native",
            ("grantee", "privilege", "object_type", "object", "grantor", "grant_option", "created_time", "statement"),
            (
                *("analyst", "USAGE", "connection", "main.public.lake", "fairlead", "yes"),
                "2025-05-11 09:36:51.548000",
                "GRANT USAGE ON CONNECTION main.public.lake TO analyst WITH GRANT OPTION",
            ),
        ),
        (
            "singlestore",
            ("Grants",),
            ("GRANT USAGE ON CONNECTION main.public.lake TO analyst WITH GRANT OPTION",),
        ),
        (
            "databend",
            ("privileges", "object_name", "object_id", "grant_to", "name", "grants"),
            (
                *("USAGE", "main.public.lake", None, "USER", "analyst"),
                "GRANT USAGE ON CONNECTION main.public.lake TO analyst WITH GRANT OPTION",
            ),
        ),
        (
            "clickzetta",
            (
                *("granted_type", "privilege", "conditions", "granted_on", "object_name", "granted_to"),
                *("grantee_name", "grantor_name", "grant_option", "granted_time"),
            ),
            (
                *("PRIVILEGE", "USAGE", "", "CONNECTION", "main.public.lake", "USER", "analyst", "fairlead", "true"),
                TIME,
            ),
        ),
    ],
)
def test_show_grants(dialect, columns, row):
    assert tables.show_grants([GRANT], dialect) == tables.Table(columns, [row])


def test_a_grant_on_the_whole_gateway_names_the_system():
    everywhere = replace(GRANT, object_kind="system", object_name="", grant_option=False, privilege="CREATE CONNECTION")
    assert tables.show_grants([everywhere], "native").rows[0][-1] == "GRANT CREATE CONNECTION ON SYSTEM TO analyst"


def test_instants_are_shown_in_utc():
    berlin = datetime(2025, 5, 11, 11, 36, 51, 548000, tzinfo=timezone(timedelta(hours=2)))
    assert instant(berlin, digits=3) == TIME
    assert instant(berlin, iso=True, digits=3) == ISO
    assert instant(berlin.astimezone(timezone.utc).replace(tzinfo=None)) == "2025-05-11 09:36:51.548000"  # noqa: UP017
