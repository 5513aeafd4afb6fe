"""DataRow messages against a plain reading of the protocol."""

from __future__ import annotations

import math
import struct

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.worker import joining, rows
from fairlead.worker.pgtypes import pg_type
from tests.worker.datarows import Encoded, split


def message(values):
    """One DataRow as the manual describes it, value by value."""
    body = struct.pack("!h", len(values))
    for value in values:
        raw = None if value is None else value.encode()
        body += struct.pack("!i", -1) if raw is None else struct.pack("!i", len(raw)) + raw
    return b"D" + struct.pack("!i", len(body) + 4) + body


cells = st.one_of(st.none(), st.text(max_size=20))


@given(st.integers(1, 5).flatmap(lambda width: st.lists(st.tuples(*[cells] * width), min_size=1, max_size=40)))
def test_blocks_are_the_messages_of_their_rows(table):
    columns = [pa.array([row[number] for row in table], pa.string()) for number in range(len(table[0]))]
    blocks = list(rows.blocks(columns))
    assert b"".join(bytes(block) for block, _ in blocks) == b"".join(message(row) for row in table)
    assert sum(count for _, count in blocks) == len(table)


@given(st.lists(cells, min_size=3, max_size=40), st.integers(0, 2))
def test_a_slice_of_a_batch_is_sent_without_its_neighbours(values, skipped):
    column = pa.array(values, pa.string())[skipped:]
    sent = b"".join(bytes(block) for block, _ in rows.blocks([column, column]))
    assert sent == b"".join(message((value, value)) for value in values[skipped:])


def test_no_rows_make_no_block():
    assert list(rows.blocks([pa.array([], pa.string())])) == []


def test_a_batch_of_long_values_is_cut_into_blocks():
    columns = [pa.array(["x" * 1_000_000] * 20, pa.string())]
    blocks = list(rows.blocks(columns))
    assert len(blocks) > 1
    assert sum(count for _, count in blocks) == 20
    assert max(len(block) for block, _ in blocks) <= 5_000_000


def test_a_row_above_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(joining, "MAX_BLOCK", 100_000)
    assert list(rows.blocks([pa.array(["x" * 90_000])]))
    with pytest.raises(rows.RowTooLarge):
        list(rows.blocks([pa.array(["x" * 100_000])]))


@given(st.decimals(-(10**12), 10**12, places=6, allow_nan=False))
def test_decimals_are_written_alike(value):
    assert Encoded(f"SELECT {value:f}::DECIMAL(20, 6)").rows == [(f"{value:.6f}".encode(),)]


columns_of_cells = st.integers(1, 40).flatmap(
    lambda height: st.lists(
        st.one_of(
            st.lists(cells, min_size=height, max_size=height).map(lambda column: pa.array(column, pa.string())),
            *[
                st.lists(
                    st.one_of(kept, st.binary(min_size=width, max_size=width)), min_size=height, max_size=height
                ).map(lambda column, width=width: pa.array(column, pa.binary(width)))
                for width in (1, 2, 4, 6, 8, 12, 16)
                for kept in (st.none(), st.just(bytes(width)))
            ],
        ),
        min_size=1,
        max_size=6,
    )
)


@given(columns_of_cells, st.integers(0, 5))
def test_cells_of_any_width_are_joined_in_their_places(columns, skipped):
    columns = [column[skipped:] for column in columns]
    expected = list(zip(*(column.to_pylist() for column in columns), strict=True))
    for some in (columns, [pa.concat_arrays([column] * 40) for column in columns]):
        data = b"".join(bytes(block) for block, _ in rows.blocks(some))
        found = [tuple(None if value is None else value for value in row) for row in split(data)]
        times = len(some[0]) // max(len(columns[0]), 1)
        assert (
            found
            == [tuple(value.encode() if isinstance(value, str) else value for value in row) for row in expected] * times
        )


@given(st.lists(st.floats(width=64), min_size=1, max_size=60))
def test_floats_read_back_as_themselves(values):
    listed = ", ".join(f"('{value!r}'::DOUBLE)" for value in values)
    texts = [row[0].decode() for row in Encoded(f"SELECT v FROM (VALUES {listed}) t(v)").rows]
    assert [struct.pack("d", float(text)) for text in texts if text != "NaN"] == [
        struct.pack("d", value) for value in values if not math.isnan(value)
    ]
    exponents = [int(text.partition("e")[2]) for text in texts if "e" in text]
    assert all(exponent < -4 or exponent >= 15 for exponent in exponents)


def test_bucket_names_are_the_real_ones_in_texts_of_both_formats_and_in_lists():
    query = "SELECT 's3://alias/a' AS t, ['s3://alias/b', NULL] AS l, {'a': 's3://alias/c'} AS s FROM range(100)"
    for formats in ((0,), (1,)):
        found = Encoded(query, formats, {"alias": "bucket"})
        assert all(b"alias" not in value and b"s3://bucket/" in value for row in found.rows for value in row)


def test_as_many_formats_as_columns_are_needed():
    with pytest.raises(rows.BadFormats, match="3 result formats but query has 2 columns"):
        Encoded("SELECT 1, 2", (0, 1, 1))
    assert Encoded("SELECT 1, 2", (0, 1)).rows == [(b"1", b"\0\0\0\2")]


def test_lists_are_announced_as_arrays_and_what_has_no_array_type_as_text():
    assert (pg_type("INTEGER[]").oid, pg_type("VARCHAR[]").oid, pg_type("FLOAT[3]").oid) == (1007, 1009, 1021)
    assert pg_type("DECIMAL(9,2)[]").oid == 1231
    assert {pg_type(name).oid for name in ("INTEGER[][]", "MAP(INTEGER, INTEGER)", "STRUCT(a INTEGER)")} == {25}
    assert pg_type("STRUCT(a INTEGER[])[]").oid == 1009


def test_decimals_carry_their_modifier():
    assert (pg_type("DECIMAL(12,2)").oid, pg_type("DECIMAL(12,2)").modifier) == (1700, (12 << 16 | 2) + 4)
    assert pg_type("STRUCT(a INTEGER)").oid == 25
