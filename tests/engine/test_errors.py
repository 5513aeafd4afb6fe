"""Reports of a worker as errors of the house."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.engine.errors import mapped, refusal
from fairlead.errors import EngineError, FairleadError, OutOfMemory, PermissionDenied, QueryCanceled


def report(kind, name="BinderException", **fields):
    return {"kind": name, "message": f"{kind} Error: " + json.dumps(fields)}


CASES = [
    (report("Parser", exception_message="syntax error", position="0"), EngineError, "42601", 1),
    (report("Binder", exception_message="m", error_subtype="COLUMN_NOT_FOUND"), EngineError, "42703", None),
    (report("Binder", exception_message='Referenced table "x" not found!'), EngineError, "42P01", None),
    (report("Catalog", exception_message="x", type="Table"), EngineError, "42P01", None),
    (report("Catalog", exception_message="x", type="Scalar Function"), EngineError, "42883", None),
    (report("Catalog", exception_message='Table with name "t" already exists!'), EngineError, "42P07", None),
    (report("Constraint", exception_message="NOT NULL constraint failed"), EngineError, "23502", None),
    (report("Constraint", exception_message="duplicate key"), EngineError, "23505", None),
    (report("HTTP", exception_message="404"), EngineError, "58030", None),
    (report("Not implemented", exception_message="x"), EngineError, "0A000", None),
    (report("Out of Memory", exception_message="could not allocate"), OutOfMemory, "53200", None),
    ({"kind": "MemoryError", "message": ""}, OutOfMemory, "53200", None),
    ({"kind": "ArrowMemoryError", "message": "malloc of size 64 failed"}, OutOfMemory, "53200", None),
    ({"kind": "InterruptException", "message": "INTERRUPT Error: Interrupted!"}, QueryCanceled, "57014", None),
    ({"kind": "BadParameter", "message": "parameter $1: not a value"}, EngineError, "22P02", None),
    (
        {"kind": "OSError", "message": json.dumps({"exception_type": "Conversion", "exception_message": "m"})},
        EngineError, "22P02", None,
    ),
    ({"kind": "OSError", "message": "anything else"}, EngineError, "XX000", None),
    ({}, EngineError, "XX000", None),
    (
        report("Permission", exception_message='file "x" - file system operations are disabled by configuration'),
        PermissionDenied, "42501", None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("given_report", "kind", "sqlstate", "position"), CASES)
def test_a_report_becomes_the_error_of_its_kind(given_report, kind, sqlstate, position):
    error = refusal(given_report, "SELECT 1")
    assert type(error) is kind
    assert (error.sqlstate, error.position) == (sqlstate, position)


@pytest.mark.parametrize(
    ("said", "told", "hint"),
    [
        (
            "PRIMARY KEY/UNIQUE constraints are not supported in DuckLake",
            "PRIMARY KEY and UNIQUE are not offered",
            "MERGE",
        ),
        ("Failed to convert DuckDB type to DuckLake - unsupported type ENUM('a')", "the type ENUM('a')", "VARCHAR"),
        (
            'Table with name x does not exist!\nDid you mean "pg_enum"?',
            "Table with name x does not exist!",
            "SHOW TABLES",
        ),
        ('Table with name x does not exist!\nDid you mean "memory.fairlead_rows_1_5.x"?', "exist!", "SHOW TABLES"),
        ('Table with name x does not exist!\nDid you mean "y"?', 'Did you mean "y"?', "SHOW TABLES"),
        ("No snapshot found at version 9", "No snapshot found at version 9", "SHOW SNAPSHOTS"),
    ],
)
def test_words_of_the_engine_are_told_in_words_of_the_house(said, told, hint):
    error = refusal(report("Catalog", exception_message=said, type="Table"), "SELECT 1")
    assert told in error.message
    assert hint in error.hint
    assert not any(word in error.message for word in ("DuckLake", "pg_", "fairlead_"))


def test_other_words_stay_as_they_are():
    error = refusal(report("Binder", exception_message="anything else"), "SELECT 1")
    assert (error.message, error.hint) == ("anything else", None)


def test_a_position_counts_characters_where_the_engine_counts_bytes():
    sql = "SELECT 'äöü', x"
    offset = str(len("SELECT 'äöü', ".encode()))
    assert refusal(report("Binder", exception_message="m", position=offset), sql).position == sql.index("x") + 1


@pytest.mark.parametrize("position", ["-1", "99999", "1e3", "9" * 10_000, "x"])
def test_an_impossible_position_is_none(position):
    assert refusal(report("Binder", exception_message="m", position=position), "SELECT 1").position is None


@given(st.text(max_size=200), st.text(max_size=30))
def test_any_report_becomes_an_error_of_bounded_size(message, kind):
    for text in (message, f"Binder Error: {message}", "Binder Error: {" + message, "[" * 5000 + message):
        error = refusal({"kind": kind, "message": text * 100}, "SELECT 1")
        assert isinstance(error, FairleadError)
        assert len(error.message) <= 8000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTP GET to 'http://127.0.0.1:4711/lake/a/b.csv'", "HTTP GET to 's3://lake/a/b.csv'"),
        ("'s3://lake-7f3a/a' and 's3://lake-7f3a-b/a'", "'s3://lake/a' and 's3://lake-7f3a-b/a'"),
        ("http://127.0.0.1:4711/lake-7f3a/x", "s3://lake/x"),
        ("http://127.0.0.1:47110/lake/x", "http://127.0.0.1:47110/lake/x"),
        ("glob s3://lake-7f3a", "glob s3://lake"),
    ],
)
def test_addresses_of_the_proxy_and_aliases_are_mapped_back(text, expected):
    assert mapped(text, port=4711, aliases={"lake-7f3a": "lake"}) == expected
