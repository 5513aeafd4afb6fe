"""Where statements end, whatever stands in their quotes and comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.cli.shell.reading import cut, is_complete
from fairlead.cli.shell.shell import _lines

CUT = [
    ("", (), ""),
    ("  ;; ", (), ""),
    ("select 1;", ("select 1",), ""),
    ("select 1", (), "select 1"),
    ("select 1; select 2", ("select 1",), "select 2"),
    ("select ';'; -- done; really\n", ("select ';'",), "-- done; really"),
    ("select 'a;b", (), "select 'a;b"),
    ('select ";"', (), 'select ";"'),
    ("select $$;$$;", ("select $$;$$",), ""),
    ("select /* ; */ 1;", ("select /* ; */ 1",), ""),
    ("select /* ;", (), "select /* ;"),
    ("CREATE SECRET s AS 'a;b';", ("CREATE SECRET s AS 'a;b'",), ""),
    ("begin;\nselect 1\n;commit;", ("begin", "select 1", "commit"), ""),
]


@pytest.mark.parametrize(("text", "statements", "rest"), CUT)
def test_statements_are_cut_at_semicolons_outside_quotes(text, statements, rest):
    assert cut(text) == (statements, rest)


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", True),
        ("\\d t", True),
        ("\\copy (select 1", True),
        ("select 1", False),
        ("select 1;", True),
        ("select 1;\n-- and", False),
        ("select '\n;", False),
        ("select 1; select 2", False),
    ],
)
def test_enter_runs_what_is_complete(text, complete):
    assert is_complete(text) is complete


@given(
    st.lists(
        st.sampled_from(["select 1", "select ';'", "show all", "values (1, 'x''y')", "select $a$;$a$"]), max_size=5
    )
)
def test_what_is_joined_is_cut_again(statements):
    assert cut(";\n".join([*statements, ""])).statements == tuple(statements)


@given(st.text(alphabet="a1;'\"$/*-\\\n e", max_size=40))
def test_any_text_can_be_cut(text):
    found = cut(text)
    assert all(piece.strip() for piece in found.statements)
    assert isinstance(is_complete(text), bool)
    assert isinstance(_lines(text, "native"), list)


def test_commands_stand_on_lines_of_their_own_between_statements():
    text = "select 1;\n\\d t\n  \\x on\nselect '\n\\d\n';\n\\q"
    assert _lines(text, "native") == ["select 1", "\\d t", "\\x on", "select '\n\\d\n'", "\\q"]
