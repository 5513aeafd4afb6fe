"""The shared situations in the words of each dialect."""

from __future__ import annotations

import pytest

from fairlead.catalog.records import ObjectRecord
from fairlead.dialects import errors as texts
from fairlead.errors import DependentObjects, DuplicateObject, PermissionDenied, UndefinedObject, WrongObjectType
from tests.dialects.samples import MOMENT

FULL = "main.public.x"


@pytest.mark.parametrize(
    ("kind", "dialect", "noun", "text"),
    [
        ("connection", "native", "CONNECTION", 'connection "main.public.x" already exists'),
        ("connection", "native", "LINK", 'link "main.x" already exists'),
        ("secret", "native", "CONNECTION", 'secret "main.public.x" already exists'),
        ("connection", "materialize", "CONNECTION", 'connection "main.public.x" already exists'),
        ("secret", "materialize", "CONNECTION", "catalog item 'x' already exists"),
        ("connection", "singlestore", "LINK", 'link "main.x" already exists'),
        (
            "connection",
            "databend",
            "CONNECTION",
            "ConnectionAlreadyExists. Code: 2512, Text = Connection 'x' already exists.",
        ),
        ("stage", "databend", "CONNECTION", "StageAlreadyExists. Code: 2502, Text = Stage 'x' already exists."),
        ("connection", "clickzetta", "CONNECTION", "AlreadyExist: connection main.x"),
    ],
)
def test_a_name_that_is_taken(kind, dialect, noun, text):
    error = texts.exists(kind, FULL, dialect, noun=noun)
    assert isinstance(error, DuplicateObject)
    assert error.message == text


@pytest.mark.parametrize(
    ("kind", "dialect", "noun", "text"),
    [
        ("connection", "native", "CONNECTION", 'connection "main.public.x" does not exist'),
        ("stage", "native", "CONNECTION", 'stage "main.public.x" does not exist'),
        ("secret", "materialize", "CONNECTION", "unknown catalog item 'x'"),
        ("connection", "singlestore", "LINK", 'link "main.x" does not exist'),
        (
            "connection",
            "databend",
            "CONNECTION",
            "UnknownConnection. Code: 2510, Text = Connection 'x' does not exist.",
        ),
        ("stage", "databend", "CONNECTION", "UnknownStage. Code: 2501, Text = Stage 'x' does not exist."),
        ("connection", "clickzetta", "CONNECTION", 'connection "main.x" does not exist'),
    ],
)
def test_an_object_that_does_not_exist(kind, dialect, noun, text):
    error = texts.missing(kind, FULL, dialect, noun=noun)
    assert isinstance(error, UndefinedObject)
    assert error.message == text


@pytest.mark.parametrize(
    ("kind", "dialect", "noun", "text"),
    [
        ("connection", "native", "CONNECTION", 'permission denied for connection "main.public.x"'),
        ("connection", "native", "LINK", 'permission denied for link "main.x"'),
        ("secret", "materialize", "CONNECTION", 'permission denied for SECRET "main.public.x"'),
        ("connection", "singlestore", "LINK", 'permission denied for link "main.x"'),
        ("connection", "clickzetta", "CONNECTION", 'permission denied for connection "x"'),
        (
            "connection",
            "databend",
            "CONNECTION",
            (
                "PermissionDenied. Code: 1063, Text = Permission denied: privilege AccessConnection is required on "
                "connection x"
            ),
        ),
    ],
)
def test_a_right_that_is_missing(kind, dialect, noun, text):
    error = texts.denied(kind, FULL, dialect, noun=noun)
    assert isinstance(error, PermissionDenied)
    assert error.message == text
    assert error.hint == f"it does not exist, or you have no right on it; SHOW {kind.upper()}S lists yours"


def _record(kind, name):
    return ObjectRecord(
        id=1,
        kind=kind,
        database="main",
        schema="public",
        name=name,
        owner_id=1,
        comment="",
        enabled=True,
        version=1,
        created_at=MOMENT,
        modified_at=MOMENT,
        database_id=1,
        schema_id=1,
    )


@pytest.mark.parametrize(
    ("dialect", "noun", "seen", "hidden", "text"),
    [
        (
            "native",
            "CONNECTION",
            ("s", "t"),
            0,
            (
                'cannot drop connection "main.public.x": still depended upon by stage "main.public.s", '
                'stage "main.public.t"'
            ),
        ),
        (
            "native",
            "CONNECTION",
            ("s",),
            2,
            'cannot drop connection "main.public.x": still depended upon by stage "main.public.s" and 2 more objects',
        ),
        ("native", "CONNECTION", (), 1, 'cannot drop connection "main.public.x": still depended upon by 1 object'),
        ("materialize", "CONNECTION", ("s",), 0, 'cannot drop connection "x": still depended upon by stage "s"'),
        (
            "singlestore",
            "LINK",
            ("s", "t"),
            0,
            'cannot drop link "main.x": stage "main.s", stage "main.t" depend on it',
        ),
        ("clickzetta", "CONNECTION", ("s",), 0, 'cannot drop connection "x": stage "main.s" depends on it'),
        (
            "databend",
            "CONNECTION",
            ("s", "t"),
            1,
            "IllegalConnection. Code: 2511, Text = Connection 'x' is in use by stage 's', stage 't' and 1 more object.",
        ),
    ],
)
def test_an_object_in_use(dialect, noun, seen, hidden, text):
    dependents = [_record("stage", name) for name in seen]
    error = texts.in_use(_record("connection", "x"), dependents, hidden, dialect, noun=noun)
    assert isinstance(error, DependentObjects)
    assert error.message == text
    assert "CASCADE" in (error.hint or "")


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("singlestore", 'link "main.x" has type S3 and cannot become S3'),
        ("clickzetta", 'connection "main.x" has type S3 and cannot become S3'),
        (
            "databend",
            (
                "IllegalConnection. Code: 2511, Text = Connection 'x' is in use and cannot change its storage type "
                "from s3 to s3."
            ),
        ),
    ],
)
def test_a_change_of_type(dialect, text):
    error = texts.type_change(FULL, "s3", "s3", dialect)
    assert isinstance(error, WrongObjectType)
    assert error.message == text


def test_notices_of_if_exists():
    assert texts.absent("secret", "x") == 'secret "x" does not exist, skipping'
    assert texts.skipping("connection", "c") == 'connection "c" already exists, skipping'


@pytest.mark.parametrize("key", ["sasl.password", "aws_secret_access_key", "role_arn", "ssl.key.pem", "account_key"])
def test_keys_that_belong_into_credentials_are_known(key):
    assert texts.is_secret_key(key)


@pytest.mark.parametrize("key", ["region", "security.protocol", "sasl.mechanism", "suffixes", "kerberos.keytab"])
def test_keys_of_config_are_no_secrets(key):
    assert not texts.is_secret_key(key)
