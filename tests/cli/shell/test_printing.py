"""Tables, CSV and JSON lines; and values that cannot steer the terminal."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fairlead.cli.shell.printing import CsvPrinter, JsonPrinter, TablePrinter, shown
from fairlead.cli.shell.running import Columns, Done, Rows

TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))


def result(names, types, *chunks, tag="SELECT"):
    return [Columns(tuple(names), tuple(types)), *map(Rows, chunks), Done(tag)]


def table(*chunks, names=("id", "name"), types=(23, 25), width=60, **options) -> str:
    out = io.StringIO()
    TablePrinter(Console(file=out, width=width), **options).show(result(names, types, *chunks))
    return out.getvalue()


def test_a_table_shows_null_and_the_number_of_rows():
    shown_ = table([("1", "x"), ("20", None)])
    assert "│  1 │ x    │" in shown_
    assert "│ 20 │ NULL │" in shown_
    assert "(2 rows)" in shown_
    assert "(1 row)" in table([("1", "x")])
    assert "(0 rows)" in table()


def test_a_table_that_is_too_wide_gets_a_line_for_each_value():
    rows = [("1", "x" * 100), ("2", "y")]
    assert "-[ RECORD 2 ]" in table(rows)
    assert "name | " + "x" * 100 in table(rows)
    assert "RECORD" not in table(rows, expanded="off")
    assert "x" * 100 in table(rows, expanded="off")
    assert "-[ RECORD 1 ]" in table([("1", "x")], expanded="on")


def test_no_more_rows_are_kept_than_are_shown_and_all_are_counted():
    chunks = [[(str(n), "x")] * 10 for n in range(10)]
    shown_ = table(*chunks, limit=15)
    assert shown_.count("│ x ") == 15
    assert "(15 of 100 rows are shown" in shown_


def test_a_command_shows_its_tag():
    out = io.StringIO()
    assert TablePrinter(Console(file=out)).show([Done("CREATE TABLE")]) == "CREATE TABLE"
    assert out.getvalue() == "CREATE TABLE\n"


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_csv_is_read_back_as_it_was(rows):
    out = io.StringIO(newline="")
    CsvPrinter(out).show(result(["a", "b,c"], [25, 25], rows))
    head, *lines = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert head == ["a", "b,c"]
    expected = [["" if value is None else value for value in row] for row in rows]
    assert [line or [""] for line in lines] == expected


def test_csv_tells_null_from_an_empty_text():
    out = io.StringIO()
    CsvPrinter(out).show(result(["a", "b"], [25, 25], [(None, ""), ("x", 'q"')]))
    assert out.getvalue() == 'a,b\n,""\nx,"q"""\n'


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_json_is_read_back_as_it_was(rows):
    out = io.StringIO()
    JsonPrinter(out).show(result(["a", 'b"'], [25, 25], rows))
    lines = [line for line in out.getvalue().split("\n") if line]
    assert [tuple(json.loads(line).values()) for line in lines] == rows


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (20, "9007199254740993", 9007199254740993),
        (701, "1.5e+20", 1.5e20),
        (701, "NaN", "NaN"),
        (701, "Infinity", "Infinity"),
        (1700, "0.10", 0.1),
        (16, "t", True),
        (16, "f", False),
        (114, '{"a": [1]}', {"a": [1]}),
        (25, "12", "12"),
        (1082, "2026-01-02", "2026-01-02"),
    ],
)
def test_json_has_numbers_booleans_and_documents_as_such(type_, text, value):
    out = io.StringIO()
    JsonPrinter(out).show(result(["x"], [type_], [(text,)]))
    assert json.loads(out.getvalue()) == {"x": value}


@given(st.text(max_size=30))
def test_no_control_character_reaches_the_terminal(text):
    safe = shown(text)
    assert not [c for c in safe if (c < " " and c not in "\t\n") or "\x7f" <= c <= "\x9f"]


def test_values_and_names_cannot_steer_the_terminal_and_are_no_markup():
    shown_ = table([("1", "\x1b]0;owned\x07"), ("2", "[red]x[/]")], names=("\x1b[2J", "[b]n"))
    assert "\x1b" not in shown_
    assert "\\x1b]0;owned\\x07" in shown_
    assert "[red]x[/]" in shown_
    assert "[b]n" in shown_
