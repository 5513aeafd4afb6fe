"""Listings of a store, without what is not to be shown."""

from __future__ import annotations

from urllib.parse import quote_plus
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.egress.listing import without

_HEAD = "<ListBucketResult><Name>b</Name><Prefix></Prefix><NextContinuationToken>x</NextContinuationToken>"


def listed(keys: list[str], prefixes: list[str], *, encoded: bool) -> bytes:
    def spelled(name: str) -> str:
        return escape(quote_plus(name, safe="/") if encoded else name)

    contents = "".join(f"<Contents><Key>{spelled(key)}</Key><Size>1</Size></Contents>" for key in keys)
    common = "".join(f"<CommonPrefixes><Prefix>{spelled(name)}</Prefix></CommonPrefixes>" for name in prefixes)
    return f"{_HEAD}{contents}{common}</ListBucketResult>".encode()


@pytest.mark.parametrize("encoded", [True, False])
def test_hidden_names_are_left_out_and_the_rest_stays_as_it_was(encoded: bool) -> None:
    keys, prefixes = ["wh/t/a.parquet", "raw/ü & x.csv", "wh2/b"], ["wh/", "raw/", "wh2/"]
    data = listed(keys, prefixes, encoded=encoded)
    assert without(data, lambda name: not name.startswith("wh/"), encoded=encoded) == listed(
        keys[1:], prefixes[1:], encoded=encoded
    )
    assert without(data, lambda _: True, encoded=encoded) == data


def test_an_entry_without_a_name_is_not_shown() -> None:
    assert without(b"<Contents><Size>1</Size></Contents>", lambda _: True, encoded=False) == b""


_NAMES = st.lists(st.text("abwh/ +%&<ü", min_size=1, max_size=12), max_size=8)


@given(_NAMES, _NAMES, st.booleans())
def test_exactly_the_hidden_names_go(keys: list[str], prefixes: list[str], encoded: bool) -> None:
    def shown(name: str) -> bool:
        return not name.startswith("wh")

    expected = listed([*filter(shown, keys)], [*filter(shown, prefixes)], encoded=encoded)
    assert without(listed(keys, prefixes, encoded=encoded), shown, encoded=encoded) == expected


@given(st.binary(max_size=200))
def test_any_answer_can_be_read(data: bytes) -> None:
    assert without(data, lambda _: False, encoded=True) == data  # it holds no entry, but by a miracle
