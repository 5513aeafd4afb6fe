"""DataRow messages against a plain reading of the protocol."""

from __future__ import annotations

import struct

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.worker import rows
from fairlead.worker.pgtypes import direct, pg_type


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
    monkeypatch.setattr(rows, "MAX_BLOCK", 100_000)
    assert list(rows.blocks([pa.array(["x" * 90_000])]))
    with pytest.raises(rows.RowTooLarge):
        list(rows.blocks([pa.array(["x" * 100_000])]))


DIRECT = [
    "TINYINT", "UTINYINT", "SMALLINT", "USMALLINT", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT",
    "DECIMAL(4,1)", "DECIMAL(9,2)", "DECIMAL(18,6)", "DECIMAL(38,6)",
]  # fmt: skip


@pytest.mark.parametrize("name", DIRECT)
def test_what_arrow_writes_is_what_duckdb_writes(name):
    assert direct(name)
    with duckdb.connect() as instance:
        instance.execute("SET arrow_lossless_conversion = true")
        caster = instance.cursor()
        limits = "VALUES (0), (1), (NULL), (99), (7)"
        query = f"SELECT v::{name} FROM ({limits} UNION ALL SELECT -1 WHERE '{name}' NOT LIKE 'U%') t(v)"
        expected = [row[0] for row in instance.execute(f"SELECT v::VARCHAR FROM ({query}) t(v)").fetchall()]
        reader = instance.execute(query).to_arrow_reader(100)
        batches = rows.TextRows(caster, [name], {}).pieces(reader.schema, reader)
        assert [value for (column,) in batches for value in column.to_pylist()] == expected


@given(st.decimals(-(10**12), 10**12, places=6, allow_nan=False))
def test_decimals_are_written_alike(value):
    with duckdb.connect() as instance:
        query = f"SELECT {value:f}::DECIMAL(20, 6) AS v"
        expected = instance.execute(f"SELECT v::VARCHAR FROM ({query})").fetchone()[0]
        reader = instance.execute(query).to_arrow_reader(10)
        ((column,),) = rows.TextRows(instance, ["DECIMAL(20,6)"], {}).pieces(reader.schema, reader)
        assert column.to_pylist() == [expected]


def test_decimals_carry_their_modifier():
    assert (pg_type("DECIMAL(12,2)").oid, pg_type("DECIMAL(12,2)").modifier) == (1700, (12 << 16 | 2) + 4)
    assert pg_type("STRUCT(a INTEGER)").oid == 25
