"""Connections for the tests of this room: one content in four spellings, and records around them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fairlead.dialects import definition as meaning
from fairlead.dialects.infos import ConnectionInfo, StageInfo
from fairlead.lang import ast, parse

if TYPE_CHECKING:
    from fairlead.context import Dialect

MOMENT = datetime(2025, 5, 11, 9, 36, 51, 548000, tzinfo=UTC)
SPELLINGS = ("materialize", "singlestore", "databend", "clickzetta")

# The same content: key id, referenced secret, region, endpoint.
SAME = {
    "materialize": (
        "CREATE CONNECTION lake TO AWS (ACCESS KEY ID = 'AKIAIOSFODNN7', SECRET ACCESS KEY = SECRET k, "
        "REGION = 'eu-west-1', ENDPOINT = 'minio.example:9000', PATH STYLE = false)"
    ),
    "singlestore": (
        'CREATE LINK lake AS S3 CREDENTIALS \'{"aws_access_key_id":"AKIAIOSFODNN7",'
        '"aws_secret_access_key":{"secret":"k"}}\' CONFIG \'{"region":"eu-west-1",'
        '"endpoint_url":"https://MINIO.example:9000/","s3_force_path_style":"false"}\''
    ),
    "databend": (
        "CREATE CONNECTION lake STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AKIAIOSFODNN7' SECRET_ACCESS_KEY = SECRET k "
        "REGION = 'eu-west-1' ENDPOINT_URL = 'minio.example:9000' ENABLE_VIRTUAL_HOST_STYLE = TRUE"
    ),
    "clickzetta": (
        "CREATE STORAGE CONNECTION lake TYPE s3 ACCESS_KEY = 'AKIAIOSFODNN7' SECRET_KEY = SECRET k "
        "REGION = 'eu-west-1' ENDPOINT = 'minio.example:9000' PATH_STYLE = false"
    ),
}

# The same with an inline secret, where the spelling takes one.
INLINE = {
    "singlestore": (
        'CREATE LINK lake AS S3 CREDENTIALS \'{"aws_access_key_id":"AKIAIOSFODNN7",'
        '"aws_secret_access_key":"hunter-two-hunter"}\' CONFIG \'{"region": "eu-west-1"}\''
    ),
    "databend": (
        "CREATE CONNECTION lake STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AKIAIOSFODNN7' "
        "SECRET_ACCESS_KEY = 'hunter-two-hunter' REGION = 'eu-west-1'"
    ),
    "clickzetta": (
        "CREATE STORAGE CONNECTION lake TYPE S3 ACCESS_KEY = 'AKIAIOSFODNN7' SECRET_KEY = 'hunter-two-hunter' "
        "REGION = 'eu-west-1'"
    ),
}


def define(text: str, dialect: Dialect = "native") -> meaning.Definition:
    """Return the definition that a statement makes."""
    (statement,) = parse(text, dialect)
    assert isinstance(statement, ast.CreateConnection)
    return meaning.define(statement, dialect)


def edit(current: meaning.Definition, text: str, dialect: Dialect = "native") -> meaning.Definition:
    """Return a definition as an ALTER changes it."""
    (statement,) = parse(text, dialect)
    assert isinstance(statement, ast.AlterConnection)
    return meaning.edit(current, statement, dialect)


def stored(definition: meaning.Definition) -> meaning.Definition:
    """Return a definition as it comes back from the catalog: secrets sealed, references by full name."""
    names = meaning.secret_names(definition)
    full = [name if len(name.parts) > 1 else ast.Name(("main", "public", *name.parts)) for name in names]
    return meaning.from_json(meaning.to_json(definition, names.index), full.__getitem__)


def info(definition: meaning.Definition, *, comment: str = "", name: str = "lake") -> ConnectionInfo:
    """Return a connection with this definition."""
    return ConnectionInfo(
        name=name,
        database="main",
        schema="public",
        owner="fairlead",
        comment=comment,
        enabled=True,
        version=3,
        created=MOMENT,
        modified=MOMENT,
        definition=definition,
    )


def stage(definition: meaning.Definition, **changes: object) -> StageInfo:
    """Return a stage on a connection with this definition."""
    values: dict[str, object] = {
        "name": "raw",
        "database": "main",
        "schema": "public",
        "url": "s3://acme/raw/",
        "file_format": {},
        "connection": "main.public.lake",
        "connection_name": "lake",
        "connection_definition": definition,
        "owner": "fairlead",
        "created": MOMENT,
        "comment": "",
    }
    return StageInfo(**(values | changes))
