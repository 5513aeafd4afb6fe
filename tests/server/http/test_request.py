"""The body of a request for SQL: what is not strictly one is refused, whatever it is."""

from __future__ import annotations

import json
from contextlib import suppress

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.engine.api import ARROW, JSON_LINES, Parameter
from fairlead.server.http.problems import HttpRefused
from fairlead.server.http.request import encoding_of, read_session, read_sql
from fairlead.worker import parameters as worker_parameters


def body(**fields):
    return json.dumps(fields).encode()


def test_a_request_is_read():
    wanted = read_sql(
        body(sql="SELECT $1", parameters=[1], database="d", dialect="native", settings={"TimeZone": "UTC"})
    )
    assert (wanted.sql, wanted.parameters) == ("SELECT $1", (Parameter(b"1", 20, binary=False),))
    assert (wanted.session.database, dict(wanted.session.settings)) == ("d", {"dialect": "native", "TimeZone": "UTC"})
    assert wanted.names_session
    assert not read_sql(body(sql="SELECT 1")).names_session
    assert read_session(b"").database is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        body(),
        body(sql=None),
        body(sql=["SELECT 1"]),
        body(sql="SELECT 1", extra=1),
        body(sql="SELECT 1", parameters={}),
        body(sql="SELECT 1", parameters=[1] * 40_000),
        body(sql="SELECT 1", database=1),
        body(sql="SELECT 1", dialect=[]),
        body(sql="SELECT 1", settings=[]),
        body(sql="SELECT 1", settings={"a": 1}),
        body(sql="SELECT \0"),
        b'{"sql": "SELECT 1", "sql": "SELECT 2"}',
        b'{"sql": "SELECT $1", "parameters": [NaN]}',
        b'{"sql": "SELECT $1", "parameters": [1e999999999999]}'.replace(b"1e999999999999", b"-Infinity"),
        b'{"sql": "\\ud800"}',
        b'{"sql": "SELECT 1", "parameters": ' + b"[" * 100_000,
        b'{"sql": "SELECT 1", "parameters": [' + b"1" * 10_000 + b"]}",
    ],
)
def test_what_is_not_a_request_is_refused(data):
    with pytest.raises(HttpRefused) as caught:
        read_sql(data)
    assert caught.value.status == 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@given(st.binary(max_size=300) | st.builds(lambda value: json.dumps(value).encode(), json_values))
def test_any_bytes_are_refused_or_read(data):
    for read in (read_sql, read_session):
        with suppress(HttpRefused):
            read(data)


@given(
    st.fixed_dictionaries(
        {"sql": st.text(max_size=20)},
        optional={
            "parameters": st.lists(json_values, max_size=5),
            "database": st.none() | st.text(max_size=5),
            "dialect": st.none() | st.text(max_size=5),
            "settings": st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
        },
    )
)
def test_a_request_of_the_right_shape_is_read_or_refused_for_its_numbers_and_characters(fields):
    try:
        wanted = read_sql(json.dumps(fields).encode())
    except HttpRefused as error:
        text = json.dumps(fields)
        assert "\\u0000" in text or "NaN" in text or "Infinity" in text or "\\ud" in text, error.message  # noqa: PT017
        return
    assert wanted.sql == fields["sql"]
    assert len(wanted.parameters) == len(fields.get("parameters", []))


scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10),
)


def bound(value):
    """Return what the engine makes of a parameter, as JSON again."""
    (parameter,) = read_sql(body(sql="SELECT $1", parameters=[value])).parameters
    with duckdb.connect() as instance:
        given_value = worker_parameters.value(parameter.value, parameter.type_oid, binary=False)
        return instance.execute("SELECT $1", [given_value]).fetchone()[0]


@given(scalars)
def test_a_value_reaches_the_engine_as_itself(value):
    assert bound(value) == value


@given(
    st.sampled_from([st.integers(-5, 5), st.booleans(), st.text("a\"\\{},' ", max_size=4)]).flatmap(
        lambda one: st.lists(st.none() | one, min_size=1, max_size=5)
    )
)
def test_a_list_of_one_kind_reaches_the_engine_as_a_list(values):
    if any(value is not None for value in values):
        assert bound(values) == values


@pytest.mark.parametrize("value", [{"a": [1, None]}, [1, "a"], [], [[1]], [None], [2**70]])
def test_everything_else_reaches_the_engine_as_json(value):
    assert json.loads(bound(value)) == value


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("", JSON_LINES),
        ("*/*", JSON_LINES),
        ("application/x-ndjson", JSON_LINES),
        ("text/html, application/json;q=0.9", JSON_LINES),
        ("application/vnd.apache.arrow.stream", ARROW),
        ("Application/Vnd.Apache.Arrow.Stream; q=1, */*", ARROW),
    ],
)
def test_the_form_follows_what_the_client_accepts(accept, encoding):
    assert encoding_of(accept) == encoding


def test_a_form_that_there_is_not_is_refused():
    with pytest.raises(HttpRefused) as caught:
        encoding_of("text/html, image/png")
    assert caught.value.status == 406
