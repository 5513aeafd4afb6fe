"""Both formats of COPY, from bytes to values: encoders of our own write them, and the engine gives back the same."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.commands.copy_csv import CsvRows
from fairlead.commands.copy_rows import LONGEST_RECORD
from fairlead.commands.copy_sql import Load
from fairlead.commands.copy_text import TextRows
from fairlead.errors import BadCopyData, FairleadError, InvalidEncoding
from fairlead.lang import parse

TEXTS = (("a", "VARCHAR"), ("b", "VARCHAR"))
ONE = TEXTS[:1]


class Loader:
    """Loads data as COPY does, without a gateway."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "data"
        self.instance = duckdb.connect(config={"threads": 2})

    def prepare(self, sql, columns, data, cuts=None):
        (copy,) = parse(sql)
        names = tuple(name for name, _ in columns)
        rows = CsvRows(copy, names) if copy.format == "csv" else TextRows(copy, names)
        readable, at = b"", 0
        while at < len(data):
            size = cuts.randrange(1, 12) if cuts else len(data)
            readable += rows.feed(data[at : at + size])
            at += size
        self.path.write_bytes(readable + rows.finish())
        return Load(copy, columns, str(self.path), rows.row_end), rows

    def rows(self, sql, columns, data, cuts=None):
        load, _ = self.prepare(sql, columns, data, cuts)
        return self.instance.execute(load.select()).fetchall()


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    return Loader(tmp_path_factory.mktemp("copied"))


TEXT = "COPY t FROM STDIN"
CSV = "COPY t FROM STDIN (FORMAT csv)"

# PostgreSQL's manual, COPY, "File Formats".
EXAMPLES = [
    (TEXT, TEXTS, b"1\tx\n\\N\t\n", [("1", "x"), (None, "")]),
    (TEXT, TEXTS, b"\\b\\f\\n\\r\\t\\v\t\\\\N\n", [("\b\f\n\r\t\v", "\\N")]),
    (TEXT, TEXTS, b"\\101\\7\\0601\t\\x41\\x4g\\xg\n", [("A\x0701", "A\x04gxg")]),
    (TEXT, TEXTS, b"\\303\\244\t\\xc3\\xa4\xc3\xb6\\q\\8\n", [("ä", "äöq8")]),
    (TEXT, TEXTS, b"a\\\tb\tc\\\nd\ne\\\\\tf\\\\\n", [("a\tb", "c\nd"), ("e\\", "f\\")]),
    (TEXT, TEXTS, b"a\tb\r\nc\td\r\n\\.\r\nnot read\r\n", [("a", "b"), ("c", "d")]),
    (TEXT, TEXTS, b"a\tb\rc\td\\\re\r", [("a", "b"), ("c", "d\re")]),
    (TEXT, TEXTS, b"a\tb", [("a", "b")]),
    (TEXT, TEXTS, b"a\tb\n\\.", [("a", "b")]),
    (TEXT, TEXTS, b"", []),
    (TEXT, TEXTS, b"\\.\n", []),
    (TEXT, TEXTS, b'"a\t"b"\n', [('"a', '"b"')]),
    (TEXT, ONE, b"a\n\n\\N\n\n", [("a",), ("",), (None,), ("",)]),
    ("COPY t FROM STDIN (NULL '')", TEXTS, b"\t\\N\n", [(None, "N")]),
    ("COPY t FROM STDIN (NULL 'x')", ONE, b"\nx\n\\x\n", [("",), (None,), ("x",)]),
    ("COPY t FROM STDIN (DELIMITER ',')", TEXTS, b"a\\,b,c\\\\\n", [("a,b", "c\\")]),
    ("COPY t FROM STDIN (DELIMITER '@', NULL '?')", TEXTS, b"a@?\n", [("a", None)]),
    ("COPY t FROM STDIN (HEADER)", TEXTS, b"x\ty\tz\na\tb\n", [("a", "b")]),
    ("COPY t FROM STDIN (HEADER match)", TEXTS, b"a\tb\r\n1\t2\r\n", [("1", "2")]),
    (CSV, TEXTS, b'a,"b""x"\n"",\n,""\n"x\ny",2\n', [("a", 'b"x'), ("", None), (None, ""), ("x\ny", "2")]),
    (CSV, TEXTS, b'ab"c,d"e,"x" \n "y",z\n', [("abc,de", "x "), (" y", "z")]),
    (CSV, TEXTS, b' a , b \n"\r","\r\n"\n', [(" a ", " b "), ("\r", "\r\n")]),
    (CSV, TEXTS, b'1,2\r\n"3\n4",5\r\n', [("1", "2"), ("3\n4", "5")]),
    (CSV, TEXTS, b"a,\\.\n\\.,b\n\\.\n", [("a", "\\."), ("\\.", "b")]),
    (CSV, TEXTS, b'a,"\n\\.\n"\n', [("a", "\n\\.\n")]),
    (CSV, ONE, b'a\n\n""\n\nb\n', [("a",), (None,), ("",), (None,), ("b",)]),
    (CSV, TEXTS, b"a,'b'\n#c,d", [("a", "'b'"), ("#c", "d")]),
    ("COPY t FROM STDIN CSV NULL 'x'", ONE, b'a\n\n"x"\nx\n\n', [("a",), ("",), ("x",), (None,), ("",)]),
    ("COPY t FROM STDIN CSV ESCAPE '\\'", TEXTS, b'"a\\"b\\\\c\\nd",e\\x\n', [('a"b\\c\\nd', "e\\x")]),
    ("COPY t FROM STDIN CSV HEADER", TEXTS, b'"a\nb",c\n1,2\n', [("1", "2")]),
    ("COPY t FROM STDIN (FORMAT csv, HEADER match)", TEXTS, b'"a","b"\r1,2\r"x\ny",\r', [("1", "2"), ("x\ny", None)]),
    ("COPY t FROM STDIN CSV FORCE NULL a FORCE NOT NULL b", TEXTS, b'"",\n', [(None, "")]),
    (TEXT, (("a", "BLOB"),), b"\\\\x4142\nab\\\\001\\\\\\\\c\nx\n", [(b"AB",), (b"ab\x01\\c",), (b"x",)]),
    (TEXT, (("a", "INTEGER[]"), ("b", "BOOLEAN")), b"{1,NULL}\tt\n{}\tf\n", [([1, None], True), ([], False)]),
    (TEXT, (("a", "INTEGER"), ("b", "INTEGER")), b"\\x31\t 7 \n", [(1, 7)]),
]


@pytest.mark.parametrize("cuts", [None, 1, 2], ids=["whole", "cut", "cut otherwise"])
@pytest.mark.parametrize(("sql", "columns", "data", "expected"), EXAMPLES)
def test_data_mean_what_the_manual_says_wherever_they_are_cut(loader, sql, columns, data, expected, cuts):
    assert loader.rows(sql, columns, data, random.Random(cuts) if cuts else None) == expected


values = (
    st.none()
    | st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
    | (st.text(st.sampled_from(list("\\\t\n\r,\"'|N.bnx014aä \b\v;")), max_size=10))
)
tables = st.integers(1, 3).flatmap(lambda count: st.lists(st.tuples(*[values] * count), max_size=12))
seeds = st.integers(0, 2**32)


def encoded_as_text(rows, delimiter, newline, style: random.Random) -> bytes:
    """Write PostgreSQL's text format; what may be written in several ways is, at random."""
    names = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v"}

    def character(one: str) -> bytes:
        raw = one.encode()
        ways = [b"".join(b"\\%03o" % byte for byte in raw), b"".join(b"\\x%02x" % byte for byte in raw)]
        if one in names:
            ways.append(b"\\" + names[one].encode())
        if one not in "bfnrtvxN.01234567\r\n" or one == "\\":
            ways.append(b"\\" + raw)
        if one not in ("\\", "\n", "\r", delimiter):
            ways += [raw] * 20
        return style.choice(ways)

    def field(value) -> bytes:
        return b"\\N" if value is None else b"".join(map(character, value))

    return b"".join(delimiter.encode().join(map(field, row)) + newline for row in rows)


def encoded_as_csv(rows, delimiter, quote, escape, newline, style: random.Random) -> bytes:
    """Write CSV; fields that need no quotes have them at random, or in the middle."""
    special = {delimiter, quote, "\n", "\r"}

    def quoted(text: str) -> str:
        for one in {escape, quote}:
            text = text.replace(one, "\0" + one)
        return quote + text.replace("\0", escape) + quote

    def field(value) -> str:
        if value is None:
            return ""
        if value == "" or special & set(value):
            return quoted(value)
        at = style.randrange(len(value) + 1)
        bare = value if value != "\\." else quoted(value)
        return style.choice([bare, quoted(value), value[:at] + quoted(value[at:])])

    return "".join(delimiter.join(map(field, row)) + newline for row in rows).encode()


def loaded(loader, sql, rows, data, seed):
    columns = [(f"f{n}", "VARCHAR") for n in range(len(rows[0]) if rows else 1)]
    return loader.rows(sql, columns, data, random.Random(seed))


@settings(max_examples=150)
@given(tables, st.sampled_from("\t,|;"), st.sampled_from([b"\n", b"\r\n", b"\r"]), seeds)
def test_random_rows_come_through_the_text_format(loader, rows, delimiter, newline, seed):
    data = encoded_as_text(rows, delimiter, newline, random.Random(seed))
    assert loaded(loader, f"COPY t FROM STDIN (DELIMITER E'{delimiter}')", rows, data, seed) == rows


@settings(max_examples=150)
@given(tables, st.sampled_from(",|\t"), st.sampled_from("\"'"), st.booleans(), st.sampled_from(["n", "r", "rn"]), seeds)
def test_random_rows_come_through_csv(loader, rows, delimiter, quote, own_escape, newline, seed):
    escape = "\\" if own_escape else quote
    end = {"n": "\n", "r": "\r", "rn": "\r\n"}[newline]
    data = encoded_as_csv(rows, delimiter, quote, escape, end, random.Random(seed))
    options = f"FORMAT csv, DELIMITER E'{delimiter}', QUOTE '{quote * (1 + (quote == chr(39)))}'"
    options += f", ESCAPE '{escape * (1 + (escape == chr(39)))}'"
    assert loaded(loader, f"COPY t FROM STDIN ({options})", rows, data, seed) == rows


REFUSED = [
    (TEXT, TEXTS, b"a\tb\n\n", "22P04", 'missing data for column "b"', 'line 2: ""'),
    (TEXT, TEXTS, b"a\tb\nc\rd\te\n", "22P04", "literal carriage return found", "line 2"),
    (TEXT, TEXTS, b"a\tb\r\nx\ty\nc\td\r\n", "22P04", "literal newline found", "line 2"),
    (TEXT, TEXTS, b"a\tb\rc\nd\te\r", "22P04", "literal newline found", "line 2"),
    (TEXT, TEXTS, b"a\tb\n\0\tc\n", "22021", "0x00", "line 2"),
    ("COPY t FROM STDIN (HEADER match)", TEXTS, b"a\tc\n", "22P04", 'got "c", expected "b"', "line 1"),
    ("COPY t FROM STDIN (HEADER match)", TEXTS, b"a\n", "22P04", "got 1, expected 2", "line 1"),
    ("COPY t FROM STDIN (HEADER)", TEXTS, b"a\tb\n1\t2\n\n", "22P04", "missing data", "line 3"),
    (CSV, TEXTS, b'a,b\n"c,d\n', "22P04", "unterminated CSV quoted field", "line 3"),
    (CSV, TEXTS, b'a,"b\n"\n\nc,d\n', "22P04", 'missing data for column "b"', "line 3"),
    (CSV, TEXTS, b'a,"b\r"\nc,d\re,f\n', "22P04", "unquoted carriage return", "line 2"),
    (CSV, TEXTS, b'a,b\r\nc,"\n"\nd\r\n', "22P04", "unquoted newline", "line 2"),
]


@pytest.mark.parametrize("cuts", [None, 1], ids=["whole", "cut"])
@pytest.mark.parametrize(("sql", "columns", "data", "sqlstate", "words", "where"), REFUSED)
def test_what_cannot_be_right_is_refused_with_its_line(loader, sql, columns, data, sqlstate, words, where, cuts):
    with pytest.raises((BadCopyData, InvalidEncoding), match=re.escape(words)) as refused:
        loader.prepare(sql, columns, data, random.Random(cuts) if cuts else None)
    assert refused.value.sqlstate == sqlstate
    assert refused.value.context.startswith(f"COPY t, {where}")


def test_a_row_without_end_is_refused_before_it_fills_the_memory(loader):
    del loader
    rows = TextRows(parse(TEXT)[0], ("a",))
    for _ in range(LONGEST_RECORD // 2**20):
        rows.feed(b"x" * 2**20)
    with pytest.raises(BadCopyData, match="longer than 16 MiB") as refused:
        rows.feed(b"x")
    assert refused.value.sqlstate == "54000"


def test_the_longest_row_that_is_taken_can_be_read(loader):
    long = b"x" * (LONGEST_RECORD - 2)
    assert loader.instance.execute("SET memory_limit = '512MB'")
    load, _ = loader.prepare(TEXT, ONE, b"a\n" + long + b"\nb\n")
    found = loader.instance.execute(f"SELECT length(a) FROM ({load.select()}) AS t(a)").fetchall()
    assert found == [(1,), (len(long),), (1,)]


@pytest.mark.parametrize("sql", [TEXT, CSV])
def test_the_first_value_that_is_not_of_its_type_is_found(loader, sql):
    columns = (("a", "INTEGER"), ("b", "DATE"))
    end = "\t" if sql == TEXT else ","
    data = "".join(f"{n}{end}2020-01-0{n % 9 + 1}\n" for n in range(5000)) + f"7{end}soon\nx{end}never\n"
    load, _ = loader.prepare(sql, columns, data.encode())
    with pytest.raises(duckdb.Error):
        loader.instance.execute(load.select()).fetchall()
    assert loader.instance.execute(load.first_fault()).fetchall() == [(5001, 1, "soon")]


def test_lines_are_counted_inside_of_quotes_too(loader):
    load, rows = loader.prepare("COPY t FROM STDIN CSV HEADER", TEXTS, b'"h\nh",i\n"a\n\nb",c\nd,e\nf,g\n')
    data = Path(load.path).read_bytes()
    assert [rows.header_lines + rows.lines_before(data, record) + 1 for record in (1, 2, 3)] == [3, 6, 7]


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(st.sampled_from(list('\\.\n\r\t,"aN0x')), max_size=60).map(str.encode), seeds)
@pytest.mark.parametrize("sql", [TEXT, CSV, "COPY t FROM STDIN (FORMAT csv, ESCAPE '\\', HEADER match)"])
def test_any_bytes_are_taken_or_refused_alike_wherever_they_are_cut(sql, data, seed):
    def outcome(cuts):
        (copy,) = parse(sql)
        rows = CsvRows(copy, ("a", "b")) if copy.format == "csv" else TextRows(copy, ("a", "b"))
        out, at = b"", 0
        try:
            while at < len(data):
                size = cuts.randrange(1, 7) if cuts else len(data)
                out += rows.feed(data[at : at + size])
                at += size
            return out + rows.finish()
        except FairleadError as error:
            return error.sqlstate

    assert outcome(random.Random(seed)) == outcome(None)


@pytest.mark.parametrize(
    "unit",
    [b'"\n', b'a,"b\n', b'",\n"', b"\\\n", b"\\\\", b"\\" * 65537 + b"\n", b'\\"\n', b'"a\n"b\n'],
    ids=range(8),
)
@pytest.mark.parametrize("sql", [TEXT, CSV, "COPY t FROM STDIN CSV ESCAPE '\\'"])
def test_no_data_make_the_reading_slow(sql, unit):
    """Two mebibytes of what a careless search would go over again and again."""
    (copy,) = parse(sql)
    rows = CsvRows(copy, ("a",)) if copy.format == "csv" else TextRows(copy, ("a",))
    data = unit * (2**21 // len(unit))

    def check():
        try:
            rows.feed(data[: 2**20])
            rows.feed(data[2**20 :])
            rows.finish()
        except BadCopyData:
            return

    begun = time.process_time()
    check()
    assert time.process_time() - begun < 5
