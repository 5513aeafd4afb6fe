"""Names and texts survive the way into SQL, and no two lakes of a worker have one name."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.engine.lake import names
from fairlead.errors import InvalidName

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
AWKWARD = st.sampled_from(["main", "MAIN_", "memory", "temp", "system", "x", "__ducklake_metadata_x", "_", "__"])
NAMES = st.builds("{}{}".format, AWKWARD, st.sampled_from(["", "_", "__"])) | TEXTS.filter(bool)


@pytest.mark.parametrize(
    ("database", "attached"),
    [
        ("main", "main_"),
        ("Main", "Main_"),
        ("main_", "main__"),
        ("temp", "temp_"),
        ("system", "system_"),
        ("memory", "memory_"),
        ("sales", "sales"),
        ("__ducklake_metadata_sales", "___ducklake_metadata_sales"),
    ],
)
def test_reserved_names_are_attached_under_others(database: str, attached: str) -> None:
    assert names.attached_name(database) == attached


@given(NAMES, NAMES)
def test_no_two_databases_are_attached_under_one_name(one: str, other: str) -> None:
    if one.lower() != other.lower():
        assert names.attached_name(one).lower() != names.attached_name(other).lower()
        assert names.attached_name(one).lower() != names.metadata_name(names.attached_name(other)).lower()


@given(st.lists(TEXTS | st.integers(-(2**63), 2**63 - 1) | st.binary() | st.none(), min_size=1))
def test_values_survive(values: list[object]) -> None:
    with duckdb.connect() as connection:
        row = connection.execute("SELECT " + ", ".join(map(names.value, values))).fetchone()
    assert list(row or ()) == values


@given(TEXTS.filter(lambda text: text and "\0" not in text))
def test_identifiers_survive(name: str) -> None:
    with duckdb.connect() as connection:
        described = connection.execute(f"SELECT 1 AS {names.quote(name)}").description
    assert described[0][0] == name


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_names_that_sql_cannot_write_are_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        names.quote(name)
