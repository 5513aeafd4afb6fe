"""Errors as HTTP has them: every class of the house has a status, and no text leaves without the scrubber."""

from __future__ import annotations

import json

import pytest

from fairlead import errors
from fairlead.server.http.problems import HttpRefused, body_of, status_of


def kinds():
    found = [errors.FairleadError]
    for kind in found:
        found += kind.__subclasses__()
    return [kind for kind in found if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_error_of_the_house_has_a_status_that_is_an_error(kind):
    assert 400 <= status_of(errors.EngineError("m", sqlstate=kind.sqlstate)) < 600


@pytest.mark.parametrize(
    ("sqlstate", "status"),
    [
        ("42601", 400), ("22P02", 400), ("0A000", 400), ("42804", 400),
        ("28P01", 401), ("42501", 403), ("28000", 403),
        ("42P01", 404), ("42704", 404), ("3D000", 404), ("58P01", 404),
        ("57014", 408), ("42710", 409), ("40001", 409), ("23505", 409), ("25P02", 409), ("55006", 409),
        ("54000", 413), ("53300", 429), ("53200", 503), ("57P01", 503),
        ("XX000", 500), ("58000", 500), ("99999", 500),
    ],
)  # fmt: skip
def test_the_status_follows_the_sqlstate(sqlstate, status):
    assert status_of(errors.EngineError("m", sqlstate=sqlstate)) == status


def test_a_body_says_all_that_the_error_says_scrubbed():
    error = errors.EngineError("a hidden b", sqlstate="42601", hint="h hidden", detail="d hidden", position=7)
    error.context = "c hidden"
    assert json.loads(body_of(error, lambda text: text.replace("hidden", "*"))) == {
        "error": {
            "sqlstate": "42601", "message": "a * b", "hint": "h *", "detail": "d *", "context": "c *", "position": 7,
        }
    }  # fmt: skip


def test_a_refused_request_has_the_status_that_it_names():
    assert status_of(HttpRefused(415, "m")) == 415
