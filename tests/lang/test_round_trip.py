"""Every statement comes back from its own text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lang import ast, parse, render
from fairlead.sensitive import MASK

from . import strategies


def all_kinds(base=ast.Statement):
    for kind in base.__subclasses__():
        yield kind
        yield from all_kinds(kind)


def test_every_kind_of_statement_has_a_strategy():
    kinds = {kind.__name__ for kind in all_kinds() if kind.__module__ == ast.__name__}
    # SecretValue is a part, data statements have their own tests, empty ones are never returned.
    covered = {kind.__name__ for kind in strategies.BY_KIND} | {"SecretValue", "DataStatement", "Empty"}
    assert kinds - covered == set()


@pytest.mark.parametrize("kind", list(strategies.BY_KIND), ids=lambda kind: kind.__name__)
def test_a_rendered_statement_parses_to_itself(kind):
    @given(strategies.BY_KIND[kind])
    def check(statement):
        text = render(statement, secrets="reveal")
        assert parse(text) == [statement], text

    check()


@given(st.lists(strategies.statements, min_size=2, max_size=4))
def test_a_script_of_rendered_statements_parses_to_them(statements):
    script = ";\n-- a comment; with a semicolon\n".join(render(s, secrets="reveal") for s in statements)
    assert parse(script + ";") == statements


DIALECT_KINDS = {
    "materialize": [ast.AlterSecret, ast.DropRole, ast.CreateDatabase, ast.GrantRole, ast.ListStage],
    "singlestore": [ast.AlterSecret, ast.CreateRole, ast.Grant, ast.GrantRole, ast.SetVariable, ast.ListStage],
    "databend": [ast.AlterSecret, ast.CreateRole, ast.Grant, ast.Use, ast.SetVariable, ast.ListStage],
    "clickzetta": [ast.AlterSecret, ast.CreateRole, ast.Revoke, ast.Use, ast.SetVariable, ast.ListStage],
}


@pytest.mark.parametrize("dialect", DIALECT_KINDS)
def test_text_rendered_for_a_dialect_parses_in_that_dialect(dialect):
    @given(st.one_of(*(strategies.BY_KIND[kind] for kind in DIALECT_KINDS[dialect])))
    def check(statement):
        text = render(statement, dialect, secrets="reveal")
        assert parse(text, dialect) == [statement], text

    check()


CANARY = "c4n4ry-sEcReT"


@pytest.mark.parametrize(
    "text",
    [
        f"CREATE SECRET s AS '{CANARY}'",
        f"ALTER SECRET s AS '{CANARY}'",
        f"CREATE CONNECTION c TO AWS (ACCESS KEY ID = '{CANARY}', SESSION TOKEN = 'x' || SECRET s)",
        f"CREATE CONNECTION c STORAGE_TYPE = 's3' SECRET_ACCESS_KEY = '{CANARY}'",
        f"CREATE STORAGE CONNECTION c TYPE S3 ACCESS_KEY = '{CANARY}' LIST_OF = ['{CANARY}']",
        f"CREATE CONNECTION c TYPE S3 PROPERTIES ('ACCESS_KEY' = '{CANARY}')",
        f'CREATE LINK l AS S3 CREDENTIALS \'{{"k": "{CANARY}"}}\' CONFIG \'{{"k": "{CANARY}"}}\'',
        f"ALTER LINK l SET CREDENTIALS ::k = '{CANARY}'",
        f'ALTER LINK l SET CONFIG \'{{"k": "{CANARY}"}}\'',
        f"ALTER CONNECTION c SET (PASSWORD = '{CANARY}')",
        f"CREATE STAGE s URL = 's3://b/' CONNECTION = (SECRET_ACCESS_KEY = '{CANARY}')",
        f"CREATE USER u PASSWORD '{CANARY}'",
        f"ALTER USER u PASSWORD '{CANARY}'",
        f"SELECT * FROM 's3://b/x' (CONNECTION => (SECRET_ACCESS_KEY = '{CANARY}'))",
    ],
)
def test_a_masked_rendering_shows_no_credential(text):
    (statement,) = parse(text)
    assert CANARY in render(statement, secrets="reveal")
    masked = render(statement)
    assert CANARY not in masked
    assert MASK in masked
    assert CANARY not in repr(statement)
