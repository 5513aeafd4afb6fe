from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.access.rules import Action, Rule
from fairlead.egress.door import Alias
from fairlead.egress.grants import route
from fairlead.egress.paths import Place
from fairlead.errors import PermissionDenied

READ, WRITE = frozenset({Action.READ}), frozenset({Action.WRITE})


def rule(connection_id, bucket, prefix, actions=READ):
    return Rule(connection_id, bucket, prefix, actions, f"stage main.public.s{connection_id}")


@pytest.mark.parametrize(
    ("rules", "key", "connection"),
    [
        ([rule(1, "acme", "raw/")], "raw/x", 1),
        ([rule(1, "acme", "")], "raw/x", 1),
        ([rule(1, None, "")], "raw/x", 1),
        ([rule(1, "acme", ""), rule(2, "acme", "raw/")], "raw/x", 2),
        ([rule(1, "acme", "raw/"), rule(2, "acme", "raw/sub/")], "raw/x", 1),
        ([rule(1, None, ""), rule(2, "acme", "")], "raw/x", 2),
        ([rule(1, "acme", "raw/"), rule(1, "acme", "raw/", WRITE)], "raw/x", 1),
        ([rule(1, "acme", ""), rule(1, "acme", "raw/", WRITE)], "raw/x", 1),
    ],
)
def test_the_nearest_rule_leads(rules, key, connection):
    assert route(Place("acme", key), Action.READ, rules, {}).connection_id == connection


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([], "no stage or connection"),
        ([rule(1, "other", "")], "no stage or connection"),
        ([rule(1, "acme", "raw/x/")], "no stage or connection"),
        ([rule(1, "acme", "RAW/")], "no stage or connection"),
        ([rule(1, "acme", "raw/", WRITE)], "READ is not granted through stage main.public.s1"),
        ([rule(1, "acme", "raw/"), rule(2, "acme", "raw/")], "equally well through stage main.public.s1, stage main"),
        ([rule(1, "acme", ""), rule(2, "acme", "raw/", WRITE)], "READ is not granted through stage main.public.s2"),
    ],
)
def test_without_a_rule_that_leads_there_it_is_refused(rules, words):
    with pytest.raises(PermissionDenied, match=words) as caught:
        route(Place("acme", "raw/x"), Action.READ, rules, {})
    assert "s3://acme/raw/x" in caught.value.message


def test_an_alias_is_held_to_its_connection():
    rules = [rule(1, "acme", "raw/"), rule(2, "acme", "raw/")]
    found = route(Place("acme-1a2b", "raw/x"), Action.READ, rules, {"acme-1a2b": Alias(2, "acme")})
    assert (found.connection_id, found.place) == (2, Place("acme", "raw/x"))
    with pytest.raises(PermissionDenied):
        route(Place("acme-1a2b", "raw/x"), Action.READ, rules[:1], {"acme-1a2b": Alias(2, "acme")})


prefixes = st.sampled_from(["", "a/", "a/b/", "b/"])
rules = st.builds(
    rule, st.integers(1, 3), st.sampled_from([None, "acme", "other"]), prefixes, st.frozensets(st.sampled_from(Action))
)


@given(st.lists(rules, max_size=6), st.sampled_from(["x", "a/x", "a/b/x", "ab/x"]), st.sampled_from(Action))
def test_nothing_is_reached_without_a_rule_of_that_connection_that_says_so(given_rules, key, action):
    try:
        found = route(Place("acme", key), action, given_rules, {})
    except PermissionDenied:
        return
    assert any(
        r.connection_id == found.connection_id and r.bucket in (None, "acme") and key.startswith(r.prefix)
        and action in r.actions
        for r in given_rules
    )  # fmt: skip
