"""Canonical texts of values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.connectors.values import canonical


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", "AsIs ", "AsIs "),
        ("boolean", "TRUE", "true"),
        ("boolean", " False ", "false"),
        ("integer", "16", "16"),
        ("number", "1.5", "1.5"),
        ("list", "a, b ,,c", '["a", "b", "c"]'),
        ("list", '["a", "b"]', '["a", "b"]'),
        ("region", "eu-west-1", "eu-west-1"),
        ("region", "auto", "auto"),
        ("endpoint", "minio.example:9000", "https://minio.example:9000"),
        ("endpoint", "HTTP://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("endpoint", "https://H.example/", "https://h.example"),
        ("endpoint", "https://[::1]:9000", "https://[::1]:9000"),
        ("endpoint", "a_b.example:1", "https://a_b.example:1"),
    ],
)
def test_a_value_has_one_canonical_text(kind, text, expected):
    assert canonical(kind, text) == expected
    assert canonical(kind, expected) == expected


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("boolean", "yes"),
        ("boolean", "1"),
        ("integer", "1.5"),
        ("integer", "0"),
        ("number", "-1"),
        ("number", "1e3"),
        ("list", "[1, "),
        ("region", "evil.example/"),
        ("region", "a b"),
        ("region", "-x"),
        ("endpoint", "ftp://h"),
        ("endpoint", "http://u:p@h"),
        ("endpoint", "u@h"),
        ("endpoint", "http://h/path"),
        ("endpoint", "http://h?x=1"),
        ("endpoint", "http://h#f"),
        ("endpoint", "http:///x"),
        ("endpoint", "http://h:0"),
        ("endpoint", "http://h:99999"),
        ("endpoint", "http://h:port"),
        ("endpoint", "http://h\r\nX: y"),
        ("endpoint", "http://h o"),
        ("endpoint", "http://h\\@other"),
    ],
)
def test_a_wrong_value_is_refused_without_being_repeated(kind, text):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the text is the caller's business
        canonical(kind, text)
    assert text not in str(caught.value)


@given(st.text(min_size=1, max_size=40))
def test_an_accepted_endpoint_names_one_host_and_stays_as_it_is(text):
    try:
        endpoint = canonical("endpoint", text)
    except ValueError:
        return
    scheme, _, rest = endpoint.partition("://")
    assert scheme in ("http", "https")
    assert not set(rest) & set("/?#@\\ \r\n\t")
    assert canonical("endpoint", endpoint) == endpoint
