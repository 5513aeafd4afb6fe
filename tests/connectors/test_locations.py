"""URLs of objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.connectors.locations import parse_url
from fairlead.errors import InvalidParameter


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://acme", ("acme", "")),
        ("s3://acme/", ("acme", "")),
        ("S3://Acme/Raw/x.csv", ("Acme", "Raw/x.csv")),
        ("s3://acme/raw/", ("acme", "raw/")),
        ("s3://a.b-c_d/k=1/é x", ("a.b-c_d", "k=1/é x")),
        ("s3://acme/a..b/...", ("acme", "a..b/...")),
        ("s3://acme/100%25", ("acme", "100%25")),
    ],
)
def test_a_plain_url_is_split(url, expected):
    assert parse_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme/raw",
        "/etc/passwd",
        "file:///etc/passwd",
        "gs://acme/x",
        "s3:/acme/x",
        "s3://",
        "s3:///x",
        "s3://*/x",
        "s3://a[bc]/x",
        "s3://a..b/x",
        "s3://-a/x",
        "s3://u:p@acme/x",
        "s3://acme:9000/x",
        "s3://acme/..",
        "s3://acme/a/../b",
        "s3://acme/./b",
        "s3://acme//b",
        "s3://acme/a//b",
        "s3://acme/a\\..\\b",
        "s3://acme/%2e%2e/b",
        "s3://acme/a%2Fb",
        "s3://acme/a%00",
        "s3://acme/a\nb",
        "s3://acme/a\x00",
        "s3://acme/a?s3_endpoint=evil.example",
        "s3://acme?s3_endpoint=evil.example",
        "s3://acme/a?x&s3_access_key_id=y",
    ],
)
@pytest.mark.parametrize("wildcards", [False, True])
def test_a_url_that_can_be_read_in_two_ways_is_refused(url, wildcards):
    with pytest.raises(InvalidParameter):
        parse_url(url, wildcards=wildcards)


@pytest.mark.parametrize("key", ["*.parquet", "**/x.csv", "a[0-9].csv", "{a,b}.csv"])
def test_wildcards_stand_only_where_they_may(key):
    assert parse_url(f"s3://acme/{key}", wildcards=True) == ("acme", key)
    with pytest.raises(InvalidParameter):
        parse_url(f"s3://acme/{key}")


@given(st.text(max_size=60), st.booleans())
def test_what_is_accepted_never_leaves_its_bucket(rest, wildcards):
    try:
        bucket, key = parse_url(f"s3://{rest}", wildcards=wildcards)
    except InvalidParameter:
        return
    assert f"{bucket}/{key}".startswith(rest) or f"{bucket}/{key}" == rest
    assert "/" not in bucket
    assert not {".", "..", ""} & set(key.split("/")[:-1])
