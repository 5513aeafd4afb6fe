"""Every value that a table can hold arrives as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.engine.lake.carrying import AS_TEXT, NOT_STORED, carried_types, types
from fairlead.engine.lake.columntypes import PLAIN, Field
from fairlead.errors import NotSupported
from tests.engine.lake.transacting import RealLake, transact

if TYPE_CHECKING:
    from pathlib import Path

# DuckLake writes inlined rows as literals, among them integers of 38 digits at most.
VALUES = {
    "BOOLEAN": ("true", "false"),
    "TINYINT": ("-128", "127"),
    "SMALLINT": ("-32768", "32767"),
    "INTEGER": ("-2147483648", "2147483647"),
    "BIGINT": ("-9223372036854775808", "9223372036854775807"),
    "HUGEINT": (f"-{'9' * 38}", f"{'9' * 38}", str(2**53 + 1)),
    "UTINYINT": ("0", "255"),
    "USMALLINT": ("65535",),
    "UINTEGER": ("4294967295",),
    "UBIGINT": ("18446744073709551615",),
    "UHUGEINT": (f"{'9' * 38}",),
    "FLOAT": ("'nan'", "'-inf'", "0.1", "-0.0"),
    "DOUBLE": ("'nan'", "'inf'", "0.1", "1e300", "5e-324"),
    "DECIMAL(4,1)": ("-999.9",),
    "DECIMAL(38,3)": ("99999999999999999999999999999999999.123",),
    "VARCHAR": ("''", "'a' || chr(0) || 'ü😀'", "'NULL'"),
    "BLOB": ("'\\x00\\xFF'", "''"),
    "DATE": ("'infinity'", "'-infinity'", "'0044-03-15 (BC)'", "'9999-12-31'"),
    "TIME": ("'00:00:00'", "'23:59:59.999999'", "'24:00:00'"),
    "TIMETZ": ("'23:59:59.999999+15:59:59'", "'01:02:03-08'"),
    "TIMESTAMP": ("'infinity'", "'290000-01-01 00:00:00.000001'", "'0044-03-15 (BC) 01:02:03'"),
    "TIMESTAMP_S": ("'infinity'", "'2020-01-01 00:00:01'"),
    "TIMESTAMP_MS": ("'infinity'", "'2020-01-01 00:00:01.123'"),
    "TIMESTAMP_NS": ("'infinity'", "'2020-01-01 00:00:01.123456789'"),
    "TIMESTAMPTZ": ("'-infinity'", "'2020-01-01 00:00:01.123456+05'"),
    "INTERVAL": (
        "'1 month 2 days 3.456789 seconds'",
        "'-1 month'",
        "INTERVAL '1 month' + INTERVAL '-2 days' + INTERVAL '-0.000001 second'",
    ),
    "UUID": ("'01a1feb1-0e9b-7413-a1e2-9c1c519f444f'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"),
    "JSON": ("'{\"a\": [1, null]}'", "'null'"),
    "INTEGER[]": ("[1, NULL, 3]", "[]"),
    "VARCHAR[][]": ("[['a', NULL], NULL, []]",),
    "HUGEINT[]": ("[99999999999999999999999999999999999999, NULL]", "[]"),
    'STRUCT("A b" TIMETZ, i INTERVAL)': (
        "{'A b': '01:02:03-08', 'i': INTERVAL '-1 month'}",
        "{'A b': NULL, 'i': NULL}",
    ),
    "MAP(VARCHAR, STRUCT(x HUGEINT, y DATE))": (
        "MAP {'it''s, {k}': {'x': 99999999999999999999999999999999999999, 'y': '2020-01-01'}, '': NULL}",
        "MAP {}",
    ),
    "STRUCT(s VARCHAR, i INTERVAL)[]": (
        "[{'s': 'it''s, \"q\" [x] {y} \\\\', 'i': '1 day'}, {'s': '', 'i': NULL}, NULL]",
    ),
    "JSON[]": ("['{\"a\": 1}', NULL]",),
    "BLOB[]": ("['\\x00\\xFF'::BLOB]",),
}


def test_all_types_are_tried() -> None:
    assert {name for type_, name in PLAIN.items() if type_ not in NOT_STORED} <= VALUES.keys()


@pytest.mark.parametrize("type_", VALUES)
def test_a_value_arrives_as_it_was(tmp_path: Path, type_: str) -> None:
    expressions = ("NULL", *(f"({value})::{type_}" for value in VALUES[type_]))
    rows = ", ".join(f"({i}, {expression})" for i, expression in enumerate(expressions))
    lake = RealLake(tmp_path / "real")
    lake.run(
        f"CREATE TABLE updated (i INTEGER, x {type_})",
        f"INSERT INTO updated SELECT range, NULL FROM range({len(expressions)})",
    )
    transact(
        lake,
        tmp_path / "worker",
        f"CREATE TABLE inserted (i INTEGER, x {type_})",
        f"INSERT INTO inserted VALUES {rows}",
        *(f"UPDATE updated SET x = {expression} WHERE i = {i}" for i, expression in enumerate(expressions)),
    )
    lake.run(f"CREATE TEMP TABLE expected (i INTEGER, x {type_})", f"INSERT INTO expected VALUES {rows}")
    for table in ("inserted", "updated"):
        differs = "e.x IS DISTINCT FROM t.x OR e.x::VARCHAR IS DISTINCT FROM t.x::VARCHAR"
        question = f"SELECT e.i FROM expected e JOIN lake.public.{table} t USING (i) WHERE {differs}"
        assert lake.rows(question) == []
        assert lake.rows(f"SELECT count(*) FROM lake.public.{table}") == [(len(expressions),)]


def test_types_that_parquet_loses_go_as_text() -> None:
    for type_ in PLAIN.keys() - NOT_STORED:
        carried = carried_types([Field(1, "x", type_, None)])
        assert (carried == {1: "VARCHAR"}) == (type_ in AS_TEXT | {"varchar"})


def test_parts_go_as_text_inside_of_what_they_are_a_part_of() -> None:
    fields = [Field(1, "s", "struct", None), Field(2, "h", "int128", 1), Field(3, "i", "int32", 1)]
    assert types(fields) == {1: 'STRUCT("h" HUGEINT, "i" INTEGER)'}
    assert carried_types(fields) == {1: 'STRUCT("h" VARCHAR, "i" INTEGER)'}


@pytest.mark.parametrize(
    "type_", ["", "enum", "INTEGER; DROP TABLE t", "decimal(999,1)", "varchar)", "struct", "unknown"]
)
def test_an_unknown_type_is_refused(type_: str) -> None:
    with pytest.raises(NotSupported):
        types([Field(1, "x", type_, None)])


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(NotSupported, match="nested more than"):
        types([Field(i, "x", "list", i - 1 if i else None) for i in range(100)])
    with pytest.raises(NotSupported, match="nested more than"):
        types([Field(1, "x", "list", 2), Field(2, "y", "list", 1)])
