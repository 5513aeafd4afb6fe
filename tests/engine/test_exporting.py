"""The bytes of an export: what DuckDB writes by our statements, beside a small reference in Python."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.engine.exporting import copy_to_store_sql, data_rows, describe_sql, select_into_sql
from fairlead.engine.planner import Plan
from fairlead.lang import ast, parse
from fairlead.lang.ast import Csv

ROWS = [
    (1, "plain", Decimal("1.50"), datetime.fromisoformat("2026-01-02T03:04:05"), True),
    (2, 'a "quote", a\ttab, a\\back', Decimal("-0.01"), datetime.fromisoformat("1999-12-31T00:00:00"), False),
    (3, "line\nbreak\r\nand NUL\0end", None, None, None),
    (None, None, Decimal("99999999.99"), datetime.fromisoformat("2026-01-02T03:04:05.000600"), True),
    (5, "", Decimal(0), datetime.fromisoformat("2026-01-01T00:00:00"), False),
    (6, "\\N", Decimal(1), datetime.fromisoformat("2026-01-01T00:00:00"), False),
    (7, "emoji \U0001f6a2 and ümlaut", Decimal(1), datetime.fromisoformat("2026-01-01T00:00:00"), False),
]
NUMBERS = (0, 2, 4)


def text_of(value: object) -> str:
    match value:
        case bool():
            return "1" if value else "0"
        case Decimal():
            return f"{value:.2f}"
        case datetime():
            return value.isoformat(" ").rstrip("0") if value.microsecond else value.isoformat(" ")
        case _:
            return str(value)


def reference(rows: list[tuple[object, ...]], csv: Csv, *, header: tuple[str, ...] = ()) -> bytes:
    """MySQL's rules, written down once more: 13.2.13.1 SELECT ... INTO."""

    def field(value: object, at: int) -> str:
        if value is None:
            return csv.escaped + "N" if csv.escaped else "NULL"
        enclosed = csv.enclosed and not (csv.optionally and at in NUMBERS)
        special = {csv.escaped, csv.enclosed if enclosed else csv.terminated[:1], csv.ending[:1], "\0"} - {""}
        written = []
        for char in text_of(value):
            if csv.escaped and char in special:
                written.append(csv.escaped + ("0" if char == "\0" else char))
            else:
                written.append(char)
        return csv.enclosed * bool(enclosed) + "".join(written) + csv.enclosed * bool(enclosed)

    lines = [csv.starting + csv.terminated.join(field(v, at) for at, v in enumerate(row)) + csv.ending for row in rows]
    if header:
        lines.insert(0, csv.starting + csv.terminated.join(field(name, 1) for name in header) + csv.ending)
    return "".join(lines).encode()


@pytest.fixture
def db():
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (i INTEGER, s VARCHAR, d DECIMAL(10,2), w TIMESTAMP, b BOOLEAN)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", ROWS)
        yield connection


def columns_of(db, query):
    return [(row[0], row[1]) for row in db.execute(describe_sql(query)).fetchall()]


def written(db, tmp_path, statement: ast.SelectInto, query="SELECT * FROM t", name="out") -> bytes:
    place = tmp_path / name
    db.execute(select_into_sql(statement, query, columns_of(db, query), str(place), folder=False).sql)
    data = place.read_bytes()
    place.unlink()
    return data


def into(options: str = "") -> ast.SelectInto:
    (statement,) = parse(f"SELECT 1 INTO LINK l 'b/k' {options}")
    assert isinstance(statement, ast.SelectInto)
    return statement


def test_the_defaults_are_tabs_and_backslashes(db, tmp_path):
    data = written(db, tmp_path, into(), "SELECT i, s, b FROM t WHERE i IN (2, 3) ORDER BY i")
    assert data == (b'2\ta "quote", a\\\ttab, a\\\\back\t0\n3\tline\\\nbreak\r\\\nand NUL\\0end\t\\N\n')


@pytest.mark.parametrize(
    "options",
    [
        "",
        "FIELDS TERMINATED BY ','",
        "FIELDS TERMINATED BY ',' ENCLOSED BY '\"'",
        "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' LINES TERMINATED BY '\\r\\n'",
        "FIELDS ENCLOSED BY '\"' ESCAPED BY '\"'",
        "FIELDS ESCAPED BY ''",
        "FIELDS TERMINATED BY '|' ESCAPED BY '|'",
        "FIELDS TERMINATED BY '' ENCLOSED BY ''",
        "FIELDS TERMINATED BY 'longer than four'",
        "FIELDS TERMINATED BY '¦'",
        "FIELDS TERMINATED BY '\U0001f6a2' LINES TERMINATED BY '§'",
        "FIELDS TERMINATED BY '-' LINES TERMINATED BY '0'",
        "FIELDS TERMINATED BY '\\0' LINES TERMINATED BY '\\0'",
        "LINES STARTING BY '>> ' TERMINATED BY ';'",
        "LINES TERMINATED BY ''",
        "FIELDS ENCLOSED BY 'é' ESCAPED BY '^' LINES STARTING BY '\\0'",
        "LINES TERMINATED BY '\\\\'",
    ],
)
@pytest.mark.parametrize("header", [False, True])
def test_lines_are_those_of_the_reference(db, tmp_path, options, header):
    statement = into(options + (" HEADER" if header else ""))
    names = ("i", "s", "d", "w", "b") if header else ()
    assert written(db, tmp_path, statement) == reference(ROWS, statement.csv, header=names)


some = st.text(st.sampled_from("ab,;|\t\n\\\"'N0") | st.characters(exclude_categories=("Cs",)), max_size=6)
one = st.sampled_from(["", '"', "'", "\\", "|", "N", "0", "é"])
csvs = st.builds(
    Csv,
    terminated=st.sampled_from(["\t", ",", "||", "", "\\", "::::::", "N", "\0", "ß"]),
    enclosed=one,
    optionally=st.booleans(),
    escaped=one,
    starting=some,
    ending=st.sampled_from(["\n", "\r\n", "", ";", "|", "\\N", "\0", "ß\n"]),
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.none() | some, min_size=1, max_size=5), csv=csvs, header=st.booleans())
def test_any_text_in_any_form_is_written_as_by_the_reference(tmp_path, texts, csv, header):
    rows = [(at, text) for at, text in enumerate(texts)]
    statement = into()
    statement = ast.SelectInto(query=statement.query, link=statement.link, path="p", csv=csv, header=header)
    with duckdb.connect() as db:
        db.execute("CREATE TABLE t (i INTEGER, s VARCHAR)")
        db.executemany("INSERT INTO t VALUES (?, ?)", rows)
        assert written(db, tmp_path, statement) == reference(rows, csv, header=("i", "s") if header else ())


def test_binary_columns_are_written_as_bytes(db, tmp_path):
    raw = bytes(range(256)) + b"\\\t\n"
    db.execute("CREATE TABLE r AS SELECT ?::BLOB AS a, 'x' AS b", [raw])
    escaped = raw.replace(b"\\", b"\\\\").replace(b"\t", b"\\\t").replace(b"\n", b"\\\n").replace(b"\0", b"\\0")
    assert written(db, tmp_path, into(), "SELECT * FROM r") == escaped + b"\tx\n"


@pytest.mark.parametrize("options", ["", "LINES TERMINATED BY '§'", "FORMAT JSON"])
def test_compression_is_gzip(db, tmp_path, options):
    plain = written(db, tmp_path, into(options))
    packed = written(db, tmp_path, into(options + " WITH COMPRESSION"))
    assert packed != plain
    assert gzip.decompress(packed) == plain


def test_json_is_one_object_a_line(db, tmp_path):
    lines = written(db, tmp_path, into("FORMAT JSON"), "SELECT i, s, b FROM t WHERE i < 4").decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"i": row[0], "s": row[1], "b": row[4]} for row in ROWS if row[0] is not None and row[0] < 4
    ]


EXACT = [
    # what a query gives, what Parquet holds of it
    ("sum(i)", "DECIMAL(38,0)"),
    ("[170141183460469231::HUGEINT]", "DECIMAL(38,0)[]"),
    ("{'hugeint': 1::HUGEINT, 'b': 2}", "STRUCT(hugeint DECIMAL(38,0), b INTEGER)"),
    ("MAP {1: 2::UHUGEINT}", "MAP(INTEGER, DECIMAL(38,0))"),
    ("INTERVAL '1 day 1 microsecond'", "VARCHAR"),
    ("union_value(a := 1)", "VARCHAR"),
    ("TIMESTAMP_NS '2026-01-01 00:00:00.123456789'", "TIMESTAMP_NS"),
    ("'a'::ENUM('a', 'HUGEINT')", "VARCHAR"),
    ("123456789012345678901234567890::BIGNUM", "VARCHAR"),
]


@pytest.mark.parametrize(("expression", "kind"), EXACT)
def test_parquet_holds_every_type_exactly(db, tmp_path, expression, kind):
    query = f"SELECT {expression} AS a, {expression} AS a FROM t"
    place = str(tmp_path / "x.parquet")
    db.execute(select_into_sql(into("FORMAT PARQUET"), query, columns_of(db, query), place, folder=False).sql)
    read = db.execute(f"SELECT CAST(a AS VARCHAR), typeof(a) FROM '{place}'").fetchall()
    expected = db.execute(f"SELECT CAST({expression} AS VARCHAR) FROM t").fetchall()
    assert read == [(text, kind) for (text,) in expected]


def test_a_folder_is_told_file_by_file(db, tmp_path):
    place = tmp_path / "f"
    query = "SELECT * FROM range(300000)"
    made = select_into_sql(into("FORMAT PARQUET"), query, columns_of(db, query), str(place), folder=True)
    assert made.counted
    told = db.execute(made.sql).fetchall()
    assert sorted(row[0] for row in told) == sorted(str(path) for path in place.iterdir())
    assert sum(row[1] for row in told) == 300000


def copy_statement(options=""):
    (statement,) = parse(f"COPY (SELECT 1) TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'csv'{options})")
    assert isinstance(statement, ast.CopyToStore)
    return statement


def test_copy_writes_csv_as_postgresql_does(db, tmp_path):
    query = "SELECT i, s, b FROM t WHERE i IN (2, 3, 5) ORDER BY i"
    db.execute(copy_to_store_sql(copy_statement(), query, columns_of(db, query), str(tmp_path / "o")).sql)
    (file,) = (tmp_path / "o").iterdir()
    assert file.read_bytes() == (b'2,"a ""quote"", a\ttab, a\\back",f\n3,"line\nbreak\r\nand NUL\0end",\n5,"",f\n')


def test_copy_splits_files_by_size(db, tmp_path):
    query = "SELECT i, md5(i::VARCHAR) AS m FROM range(1500000) t(i)"
    statement = copy_statement(", MAX FILE SIZE = '16MB'")
    db.execute(copy_to_store_sql(statement, query, columns_of(db, query), str(tmp_path / "o")).sql)
    sizes = [path.stat().st_size for path in (tmp_path / "o").iterdir()]
    assert len(sizes) > 2
    assert max(sizes) < 20 * 1024 * 1024


def test_a_position_leads_to_where_the_query_was_typed():
    query = Plan("SELECT 's3://alias/x', nope", "SELECT", 10, ((7, 14, 7, 8),))
    made = select_into_sql(into(), query.sql, [("a", "INTEGER")], "s3://b/k", folder=False)
    plan = made.plan(query)
    assert plan.sql[made.start :].startswith(query.sql)
    for at in (1, 9, 25):
        assert plan.typed_position(at + made.start) == query.typed_position(at)


def test_rows_of_the_wire_are_read():
    block = b"D\0\0\0\x13\0\2\0\0\0\1a\xff\xff\xff\xff" + b"D\0\0\0\x0e\0\1\0\0\0\4\xf0\x9f\x9a\xa2"
    assert data_rows(block) == [["a", None], ["\U0001f6a2"]]
