"""Values of a script's rows, without a worker around them."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.worker import script
from fairlead.worker.control import Stopped

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(plain)
def test_what_json_has_stays_what_it_is(one):
    assert script.value(one) == one
    assert json.loads(json.dumps(script.value(one))) == one


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (b"\x00\xff", "00ff"),
        ((1, (b"\x01",)), [1, ["01"]]),
        (decimal.Decimal("1.50"), "1.50"),
        (dt.date(2020, 2, 29), "2020-02-29"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_everything_else_becomes_text(one, expected):
    assert script.value(one) == expected


def test_a_script_stops_between_two_statements():
    asked = iter([None, Stopped()])

    def checkpoint():
        if (reason := next(asked)) is not None:
            raise reason

    with duckdb.connect() as instance:
        with pytest.raises(Stopped):
            script.run(instance, ["CREATE TABLE first (i INT)", "CREATE TABLE second (i INT)"], checkpoint)
        assert instance.execute("SHOW TABLES").fetchall() == [("first",)]
