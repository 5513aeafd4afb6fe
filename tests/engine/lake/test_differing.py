"""Renames, whatever chains and circles they make."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fairlead.engine.lake.differing import renames

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])


@given(
    st.permutations(["a", "b", "c", "d", "e", "f"]), st.permutations(["a", "b", "c", "d", "e", "f"]), st.integers(0, 6)
)
def test_each_thing_gets_its_new_name_and_no_name_is_given_twice(old: list[str], new: list[str], count: int) -> None:
    pairs = dict(enumerate(zip(old[:count], new[:count], strict=True)))
    now = {key: was for key, (was, _) in pairs.items()}
    for key, before, after in renames(pairs):
        assert now[key] == before
        assert after not in now.values()
        now[key] = after
    assert now == {key: wanted for key, (_, wanted) in pairs.items()}


def test_what_keeps_its_name_is_left_alone() -> None:
    assert list(renames({1: ("a", "a"), 2: ("b", "c")})) == [(2, "b", "c")]


def test_another_case_is_another_name() -> None:
    assert list(renames({1: ("a", "A")})) == [(1, "a", "A")]
