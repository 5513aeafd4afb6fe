"""LIKE over names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.dialects.names import like

_FEW = st.text("ab%_", max_size=8)


@given(name=st.text("ab", max_size=8), pattern=_FEW)
def test_like_agrees_with_the_expression_that_it_stands_for(name: str, pattern: str) -> None:
    expression = "".join("." if c == "_" else ".*" if c == "%" else c for c in pattern)
    assert like(name, pattern) == (re.fullmatch(expression, name) is not None)


@pytest.mark.parametrize(
    ("name", "pattern", "fits"), [("Lake", "la%", True), ("lake", "LAKE", True), ("x", None, True)]
)
def test_like_ignores_case_and_none_fits_all(name: str, pattern: str | None, fits: bool) -> None:
    assert like(name, pattern) is fits


def test_a_pattern_of_many_wildcards_does_not_take_for_ever() -> None:
    assert not like("x" * 255, "%x" * 120 + "y")
