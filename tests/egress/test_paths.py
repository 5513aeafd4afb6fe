from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.egress.paths import BadPath, Place, parse_path, parse_target
from fairlead.egress.sigv4 import encode


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("/acme", Place("acme", "")),
        ("/acme/", Place("acme", "")),
        ("/acme/raw/x.parquet", Place("acme", "raw/x.parquet")),
        ("/acme/raw/", Place("acme", "raw/")),
        ("/acme/raw/a%20b%2Bc%3Dd.csv", Place("acme", "raw/a b+c=d.csv")),
        ("/acme/raw/%C3%BC.csv", Place("acme", "raw/ü.csv")),
        ("/acme/raw/year=2024/...x", Place("acme", "raw/year=2024/...x")),
        ("/acme/raw/.hidden/..x/x..", Place("acme", "raw/.hidden/..x/x..")),
        ("/acme/raw/100%25", Place("acme", "raw/100%")),
    ],
)
def test_a_plain_path_is_read_as_bucket_and_key(raw, place):
    assert parse_path(raw) == place


TRICKS = [
    "/acme/raw/../other/x", "/acme/raw/./x", "/acme/..", "/acme/.", "/acme/raw/..", "/acme/../b/x", "/../acme/x",
    "/acme/raw/%2e%2e/other", "/acme/raw/%2E%2e/other", "/acme/raw/.%2e/other", "/acme/raw/%2e/x",
    "/acme/raw%2f..%2fother", "/acme/raw%2Fx", "/acme%2fraw/x", "/acme/raw/%5c..%5cother", "/acme/raw/..%5Cother",
    "/acme/raw/..\\other", "/acme/raw//x", "//acme/raw/x", "/acme//raw/x", "/", "//", "", "acme/raw/x",
    "/acme/raw/%252e%252e/other", "/acme/raw/%252f", "/acme/raw/%255c", "/acme/raw/%00x", "/acme/raw/%0d%0aHost:x",
    "/acme/raw/%7f", "/acme/raw/%C2%85", "/acme/raw/%E2%80%A8", "/acme/raw/%ff%fe", "/acme/raw/%c0%ae%c0%ae/x",
    "/acme/raw/%zz", "/acme/raw/%2", "/acme/raw/%", "/a..b/x", "/.acme/x", "/-acme/x", "/ac%6De/x", "/acme:80/x",
    "/acme@evil/x", "/" + "a" * 300 + "/x", "/acme/" + "k" * 1025,
]  # fmt: skip


@pytest.mark.parametrize("raw", TRICKS)
def test_a_path_that_two_readers_could_read_differently_is_refused(raw):
    with pytest.raises(BadPath):
        parse_path(raw)


@pytest.mark.parametrize("raw", ["/acme/x y", "/acme/x#y", "/acme/\x00", "/acme/é", "/acme/x\r\n"])
def test_a_target_with_characters_that_must_be_encoded_is_refused(raw):
    with pytest.raises(BadPath):
        parse_target(raw)


@pytest.mark.parametrize("query", ["a=1&a=2", "a=%zz", "a=%ff"])
def test_a_query_that_is_not_plain_is_refused(query):
    with pytest.raises(BadPath):
        parse_target(f"/acme/x?{query}")


def test_a_plus_in_a_query_is_a_blank_as_the_engines_client_sends_it():
    assert parse_target("/acme?prefix=a+b%20c%2Bd").query == (("prefix", "a b c+d"),)


segments = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FFF, exclude_categories=("Cc", "Cs")), min_size=1)


@given(st.lists(segments, min_size=1, max_size=5))
def test_an_accepted_key_survives_encoding_and_keeps_its_segments(parts):
    key = "/".join(parts)
    try:
        place = parse_path("/acme/" + encode(key, slash="/"))
    except BadPath:
        refused = {".", ".."} & set(key.split("/")) or any(
            mark in key.lower() for mark in ("//", "\\", "%2e", "%2f", "%5c", "%00", "\u2028", "\u2029")
        )
        assert refused or key.startswith("/") or len(key.encode()) > 1024 or "\ufeff" in key
    else:
        assert place.key == key


@given(st.lists(st.sampled_from(["..", ".", "%2e", "%2E.", "%2f", "%5c", "\\", "/", "raw", "x", "%25", "a%20b"])))
def test_whatever_is_accepted_stays_where_every_reader_sees_it(parts):
    raw = "/acme/raw/" + "/".join(parts)
    try:
        place = parse_path(raw)
    except BadPath:
        return
    assert place.bucket == "acme"
    assert place.key.startswith("raw/")
    assert not {"..", "."} & set(place.key.split("/"))
    assert "\\" not in place.key
    assert "//" not in place.key


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text):
    with suppress(BadPath):
        parse_path(parse_target(text).path)
