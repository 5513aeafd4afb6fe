"""Did you mean."""

from __future__ import annotations

import pytest

from fairlead.suggest import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("regoin", ["region", "endpoint"], "region"),
        ("REGOIN", ["region", "endpoint"], "region"),
        ("SASL MECHANISM", ["SASL MECHANISMS", "SASL PASSWORD"], "SASL MECHANISMS"),
        ("zzzz", ["region", "endpoint"], None),
        ("x" * 10_000, ["region"], None),
        ("region", [], None),
    ],
)
def test_the_nearest_known_word_is_found(word, known, expected):
    assert nearest(word, known) == expected


def test_the_hint_is_a_question_or_nothing():
    assert did_you_mean("regoin", ("region",)) == "did you mean region?"
    assert did_you_mean("zzzz", ("region",)) is None
