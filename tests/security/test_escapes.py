"""Every known way around the grants is refused, in clear words, and the session goes on.

Run with all layers here and, in ``test_layers.py``, without each layer in turn.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.security.case import LAYERS
from tests.security.corpus import CASES
from tests.security.verdict import judge

if TYPE_CHECKING:
    from tests.security.case import Case
    from tests.security.world import World

# The holes of ENGINE.md 2.2.
_HOLES = {f"E{n}" for n in range(1, 26)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_attack_is_refused_and_the_session_goes_on(case: Case, world: World):
    judge(case, world)


@pytest.mark.parametrize(
    ("id_", "seen"),
    [
        ("file-absolute", "forbidden content in a result"),
        ("file-replacement-scan", "forbidden content in a result"),
        ("http", "a host that the user chose was asked"),
        ("E5-endpoint-plain", "a host that the user chose was asked"),
        ("error-as-a-channel", "forbidden content in an error"),
    ],
)
def test_without_any_layer_the_same_attacks_succeed_and_are_seen(id_: str, seen: str, world_without_layers: World):
    """The control of the suite itself: it is the layers that hold, and the judge sees it when they do not."""
    case = next(case for case in CASES if case.id == id_)
    with pytest.raises(AssertionError, match=seen):
        judge(case, world_without_layers)


def test_the_corpus_has_every_hole_and_many_more():
    named = {case.id: found[0] for case in CASES if (found := re.search(r"\bE\d+", case.id))}
    assert set(named.values()) == _HOLES
    own = [case for case in CASES if case.id not in named]
    assert len(own) >= 60


def test_the_ids_of_cases_are_unique():
    twice = [id_ for id_, count in Counter(case.id for case in CASES).items() if count > 1]
    assert twice == []


def test_every_layer_is_active_where_the_suite_says_so(world: World):
    inactive = [layer for layer in LAYERS if f'"layer": "{layer}"' in world.gateway.log]
    assert inactive == [], f"the machine does not allow {inactive}: the suite proves less here"
