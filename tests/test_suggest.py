"""Did you mean."""

from __future__ import annotations

import pytest

from fairlead.suggest import did_you_mean, nearest, nearest_start


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


@pytest.mark.parametrize(
    ("phrase", "known", "expected"),
    [
        ("SASL MECHANISM = 'PLAIN'", ["SASL MECHANISMS", "SASL PASSWORD"], "SASL MECHANISMS"),
        ("regoin us east", ["REGION", "ENDPOINT"], "REGION"),
        ("user name x", ["USER", "USERNAME"], "USER"),
        ("zzzz yyyy", ["REGION"], None),
        ("", ["REGION"], None),
    ],
)
def test_the_first_words_of_a_phrase_may_be_one_known_word(phrase, known, expected):
    assert nearest_start(phrase, known) == expected


def test_the_hint_is_a_question_or_nothing():
    assert did_you_mean("regoin", ("region",)) == "did you mean region?"
    assert did_you_mean("zzzz", ("region",)) is None
