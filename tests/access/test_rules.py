"""The place that a stage's URL means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.access.rules import EVERYTHING, Rule, place


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://acme/raw/", ("acme", "raw/")),
        ("s3://acme/raw/2026/", ("acme", "raw/2026/")),
        ("s3://acme/raw", ("acme", "raw/")),
        ("s3://acme/", ("acme", "")),
        ("s3://acme", ("acme", "")),
        ("S3://acme/a b/ü/", ("acme", "a b/ü/")),
        ("s3:///raw/", None),
        ("s3:acme/raw/", None),
        ("https://acme/raw/", None),
        ("acme/raw/", None),
        ("", None),
    ],
)
def test_a_url_is_bucket_and_closed_prefix_or_nothing(url, expected):
    assert place(url) == expected


@given(st.text(max_size=30))
def test_a_prefix_never_reaches_a_neighbour_whose_name_only_begins_the_same(path):
    found = place(f"s3://bucket/{path}")
    assert found is not None
    _, prefix = found
    assert prefix == "" or prefix.endswith("/")
    assert not path or not f"{path.rstrip('/')}-secret/key".startswith(prefix)


@pytest.mark.parametrize(
    ("key", "covered", "shown"),
    [
        ("wh/public/t/a.parquet", False, False),
        ("wh/", False, False),
        ("wh", True, False),
        ("wh2/a", True, True),
        ("a", True, True),
        ("", True, True),
    ],
)
def test_what_is_closed_is_neither_reached_nor_shown(key, covered, shown):
    rule = Rule(1, None, "", EVERYTHING, "connection c", closed=(("acme", "wh/"),))
    assert (rule.covers("acme", key), rule.shows("acme", key)) == (covered, shown)
    assert rule.covers("other", key)
    assert rule.shows("other", key)
