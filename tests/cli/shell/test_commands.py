"""Commands with a backslash: what they stand for, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.cli.shell import copying
from fairlead.cli.shell.commands import COMMANDS, statement_of, understood
from fairlead.errors import InvalidParameter, SqlSyntaxError
from fairlead.lang import parse


@pytest.mark.parametrize(
    ("line", "statement"),
    [
        ("\\d", "SHOW TABLES"),
        ("\\d+ t", "DESCRIBE t"),
        ('\\d "odd name";', 'DESCRIBE "odd name"'),
        ("\\d @raw", "DESCRIBE STAGE raw"),
        ("\\dt", "SHOW TABLES"),
        ("\\l", "SHOW DATABASES"),
        ("\\list", "SHOW DATABASES"),
        ("\\des", "SHOW CONNECTIONS"),
        ("\\des lake", "DESCRIBE CONNECTION lake"),
        ("\\ls @raw/2026/", "LIST @raw/2026/"),
        ("\\c sales", "USE sales"),
        ("\\c", None),
        ("\\x", None),
    ],
)
def test_what_they_stand_for(line, statement):
    assert statement_of(*understood(line)) == statement


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.sql or one.bare], ids=lambda one: one.name)
def test_every_statement_is_one_of_the_language(command):
    for argument in ("", "@x" if command.name == "\\ls" else "x"):
        text = statement_of(command, argument)
        assert text is None or len(parse(text)) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("\\dtt", "not a command"),
        ("\\", "not a command"),
        ("\\dt x", "takes no argument"),
        ("\\ls", "needs an argument"),
        ("\\copy", "needs an argument"),
    ],
)
def test_what_is_not_one_is_refused(line, words):
    with pytest.raises(SqlSyntaxError, match=words):
        understood(line)


@pytest.mark.parametrize(
    ("text", "sql", "path", "inward"),
    [
        ("t from 'a.csv' csv header", "COPY t FROM STDIN csv header", "a.csv", True),
        ("t (a, b) from a.csv", "COPY t (a, b) FROM STDIN", "a.csv", True),
        ("t FROM 'it''s here.csv'", "COPY t FROM STDIN", "it's here.csv", True),
        ("(select * from t) to '/x/b.csv' csv", "COPY (select * from t) TO STDOUT csv", "/x/b.csv", False),
        ('"from" to b.csv', 'COPY "from" TO STDOUT', "b.csv", False),
        ("s.t TO b.csv (format csv)", "COPY s.t TO STDOUT (format csv)", "b.csv", False),
    ],
)
def test_copy_is_understood(text, sql, path, inward):
    assert copying.understood(text) == copying.Order(sql, Path(path), inward)


@pytest.mark.parametrize("text", ["t", "t from", "from 'x'", "(select 1 from t", "t from '"])
def test_what_is_no_copy_is_refused(text):
    with pytest.raises(InvalidParameter):
        copying.understood(text)
