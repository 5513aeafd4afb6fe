"""COPY table FROM a stage: the engine's own COPY, with the format of the stage and the rights of the caller."""

from __future__ import annotations

import pytest
from psycopg import errors


@pytest.fixture
def table(admin):
    admin.execute("CREATE OR REPLACE TEMP TABLE t (a INTEGER, b VARCHAR)")
    return admin


def rows(who):
    return who.execute("SELECT * FROM t ORDER BY a").fetchall()


@pytest.fixture(scope="module")
def files(admin):
    """Three files on the stage, and stages that say how such files are to be read."""
    query = "SELECT * FROM (VALUES (1, '007'), (2, NULL)) AS v (a, b)"
    admin.execute(f"COPY ({query}) TO '@raw/copied/one.parquet' (FORMAT parquet)")
    admin.execute(f"COPY ({query}) TO '@raw/copied/two.csv' (FORMAT csv, HEADER true)")
    admin.execute(f"COPY ({query}) TO '@raw/bars/one.csv' (FORMAT csv, HEADER false, DELIMITER '|', NULLSTR 'none')")
    options = "FILE_FORMAT = (TYPE = CSV FIELD_DELIMITER = '|' SKIP_HEADER = 0 NULL_DISPLAY = 'none')"
    where = admin.execute("DESC STAGE raw").fetchall()
    url = next(value for _, *values in where for value in values if str(value).startswith("s3://"))
    admin.execute(f"CREATE STAGE bars URL = '{url}bars/' CONNECTION = (CONNECTION_NAME = 'lake') {options}")
    return url


EXPECTED = [(1, "007"), (2, None)]


@pytest.mark.parametrize(
    "place",
    [
        "@raw/copied/one.parquet",
        "'@raw/copied/one.parquet' (FORMAT parquet)",
        "@raw/copied/two.csv (HEADER true)",
        "'@raw/copied/*.parquet'",
        "@bars/one.csv",
        "@bars",
        "@bars/one.csv (FORMAT csv, DELIMITER '|', HEADER false, NULLSTR 'none')",
        "'{url}copied/one.parquet'",
        "'{url}copied/two.csv' (CONNECTION => (CONNECTION_NAME = 'lake')) (FORMAT csv, HEADER true)",
    ],
)
def test_a_place_is_read_with_its_format(table, files, place):
    cursor = table.execute(f"COPY t FROM {place.format(url=files)}")
    assert cursor.statusmessage == "COPY 2"
    assert rows(table) == EXPECTED


def test_columns_may_be_named(table, files):
    del files
    table.execute("COPY (SELECT 'x' AS b, 3 AS a) TO '@raw/copied/turned.csv' (FORMAT csv, HEADER true)")
    table.execute("COPY t (b, a) FROM @raw/copied/turned.csv (HEADER true)")
    assert rows(table) == [(3, "x")]


def test_several_named_files_go_through_insert(table, files):
    del files
    with pytest.raises(errors.FeatureNotSupported, match="one file"):
        table.execute("COPY t FROM @raw (FILES => ('copied/one.parquet', 'copied/one.parquet'))")


def test_a_faulty_file_loads_nothing(table, files):
    del files
    table.execute("COPY (SELECT 'x' AS a, 'y' AS b) TO '@raw/copied/faulty.csv' (FORMAT csv, HEADER true)")
    with pytest.raises(errors.InvalidTextRepresentation):
        table.execute("COPY t FROM @raw/copied/faulty.csv (HEADER true)")
    assert rows(table) == []


def test_a_stage_that_one_may_not_read_is_refused(analyst, files):
    del files
    analyst.execute("CREATE TEMP TABLE t (a INTEGER, b VARCHAR)")
    assert analyst.execute("COPY t FROM @raw/copied/one.parquet").statusmessage == "COPY 2"
    with pytest.raises(errors.InsufficientPrivilege):
        analyst.execute("COPY t FROM @bars/one.csv")


def test_a_file_of_this_machine_is_refused(table):
    with pytest.raises(errors.InvalidParameterValue):
        table.execute("COPY t FROM '/etc/passwd'")
