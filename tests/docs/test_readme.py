"""The README's session runs as it is printed, on a real store; only its placeholders are filled in."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.services.requirement import require_service

if TYPE_CHECKING:
    from tests.services.gateway import Gateway
    from tests.services.lake import Lake

ROOT = Path(__file__).resolve().parents[2]
_EXAMPLE = re.compile(r"<!-- example: ([\w-]+) -->\n```sql\n(.*?)```", re.DOTALL)


def examples(page: str = "README.md") -> dict[str, str]:
    """Return the SQL of a page by the name above it."""
    return dict(_EXAMPLE.findall((ROOT / page).read_text(encoding="utf-8")))


def statements(text: str, lake: Lake) -> list[str]:
    """Return the statements of an example, placeholders filled in."""
    filled = (
        text.replace("AKIAEXAMPLE", lake.store.key.access_key_id)
        .replace("NEW-EXAMPLE-SECRET", lake.store.key.secret_access_key)
        .replace("EXAMPLE-SECRET", lake.store.key.secret_access_key)
        .replace("http://127.0.0.1:9000", lake.store.endpoint)
        .replace("s3://acme/", f"s3://{lake.bucket}/")
        .replace("'acme/", f"'{lake.bucket}/")
    )
    return [part for part in (re.sub(r"--[^\n]*", "", p).strip() for p in filled.split(";")) if part]


def test_every_sql_block_of_the_readme_is_an_example() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("```sql") == len(examples()) == 7


def test_the_first_session_of_the_readme_runs(gateway: Gateway, lake: Lake) -> None:
    shown = examples()
    with gateway.connect() as admin:
        for statement in statements(shown["admin"], lake):
            admin.execute(statement)  # type: ignore[arg-type]
        with gateway.connect("analyst", "correct horse battery staple") as analyst:
            for statement in statements(shown["analyst"], lake):
                rows: list[Any] = analyst.execute(statement).fetchall()  # type: ignore[arg-type]
                assert [row[0] for row in rows] == sorted({"DE", "FR", "NL"}, key=[r[0] for r in rows].index)
            _runs_in_psql(gateway, shown["analyst"], lake)
            for statement in statements(shown["refused"], lake):
                with pytest.raises(psycopg.Error) as caught:
                    analyst.execute(statement).fetchall()  # type: ignore[arg-type]
                assert caught.value.sqlstate == "42501", f"{statement}: {caught.value}"
        for statement in statements(shown["spellings"], lake) + statements(shown["rotate"], lake):
            admin.execute(statement)  # type: ignore[arg-type]
        assert len(admin.execute("SHOW CONNECTIONS").fetchall()) == 4
        for statement in statements(shown["tables"], lake):
            admin.execute(statement)  # type: ignore[arg-type]
        with gateway.connect("analyst", "correct horse battery staple") as analyst:
            read, export = statements(shown["tables-analyst"], lake)
            assert len(analyst.execute(read).fetchall()) == 3  # type: ignore[arg-type]
            assert analyst.execute(export).statusmessage == "SELECT 3"  # type: ignore[arg-type]
        assert admin.execute("SELECT count(*) FROM @raw/customers.csv").fetchone() == (50,)


def _runs_in_psql(gateway: Gateway, example: str, lake: Lake) -> None:
    """Feed an example to psql as it is printed: psql reads comments and quotes by its own rules."""
    host, port = gateway.address
    done = subprocess.run(
        [str(require_service("psql")), f"postgresql://analyst@{host}:{port}/main?sslmode=require", "-X", "-A", "-t"],
        input=example.replace("s3://acme/", f"s3://{lake.bucket}/"),
        env={"PGPASSWORD": "correct horse battery staple", "PATH": os.environ["PATH"], "PSQL_HISTORY": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert sorted(line.split("|")[0] for line in done.stdout.split()) == ["DE", "FR", "NL"], done.stderr


def test_the_examples_of_the_page_on_tables_run(gateway: Gateway, lake: Lake) -> None:
    shown = examples("docs/tables.md")
    with gateway.connect() as admin:
        admin.execute("CREATE DATABASE tables")
    with gateway.connect(dbname="tables") as admin:
        for statement in statements(shown["tables"], lake):
            admin.execute(statement.replace("USER analyst", "USER reader").replace("TO analyst", "TO reader"))  # type: ignore[arg-type]
    with gateway.connect("reader", "correct horse battery staple", dbname="tables") as reader:
        answers = [reader.execute(s).fetchall() for s in statements(shown["tables-analyst"], lake)]  # type: ignore[arg-type]
    assert [[tuple(map(str, row)) for row in rows] for rows in answers] == [
        [("EU", "81.00"), ("US", "20.00")],
        [("1", "21.00"), ("3", "60.00")],
        [("2", "US")],
    ]
