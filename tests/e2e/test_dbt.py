"""A small project of dbt, run by dbt itself against a gateway: seed, view, table, incremental model, tests, docs."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.services.requirement import INSTALLED, missing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.gateway import Gateway

DBT = INSTALLED.parent / "dbt" / "bin" / "dbt"

_FILES = {
    "dbt_project.yml": """
        name: shop
        version: "1.0"
        profile: shop
        flags: {send_anonymous_usage_stats: false, use_colors: false}
        models: {shop: {+persist_docs: {relation: true, columns: true}}}
        """,
    "seeds/countries.csv": "id,name\n1,Malta\n2,Chad\n",
    "models/staged.sql": "select id, upper(name) as name from {{ ref('countries') }}",
    "models/facts.sql": """
        {{ config(materialized='table') }}
        select id, name, length(name) as letters from {{ ref('staged') }}
        """,
    "models/grown.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        select id, name from {{ ref('staged') }} {% if is_incremental() %} where id > 1 {% endif %}
        """,
    "models/schema.yml": """
        models:
          - name: facts
            description: "what there is"
            columns:
              - {name: id, description: "its number", data_tests: [unique, not_null]}
        """,
}


@pytest.fixture(scope="module")
def project(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not DBT.is_file():
        missing("dbt is not installed")
    folder = tmp_path_factory.mktemp("dbt")
    for name, text in _FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip()) if lines[0].startswith(" ") else 0
        (folder / name).write_text("\n".join(line[indent:] for line in lines) + "\n")
    host, port = gateway.address
    login = {
        "type": "postgres",
        "host": host,
        "port": port,
        "user": "fairlead",
        "password": gateway.password,
        "dbname": "main",
        "schema": "public",
        "threads": 1,
        "sslmode": "require",
    }
    profile = {"shop": {"target": "dev", "outputs": {"dev": login}}}
    (folder / "profiles.yml").write_text(json.dumps(profile))
    return folder


def dbt(project: Path, *arguments: str) -> str:
    """Run dbt in the project, without any call home, and return what it prints."""
    done = subprocess.run(
        [str(DBT), "--no-use-colors", "--no-version-check", *arguments],
        cwd=project,
        env={
            **os.environ,
            "DBT_PROFILES_DIR": str(project),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_dbt_builds_a_project_and_builds_it_again(gateway: Gateway, project: Path) -> None:
    assert "All checks passed!" in dbt(project, "debug")
    assert "PASS=6 WARN=0 ERROR=0" in dbt(project, "build")
    with gateway.connect() as admin:
        assert admin.execute("SELECT * FROM facts ORDER BY id").fetchall() == [(1, "MALTA", 5), (2, "CHAD", 4)]
        assert admin.execute("SELECT obj_description('facts'::regclass)").fetchall() == [("what there is",)]
        assert admin.execute("SELECT col_description('facts'::regclass, 1)").fetchall() == [("its number",)]
        admin.execute("INSERT INTO countries VALUES (3, 'Peru')")
    assert "PASS=2 WARN=0 ERROR=0" in dbt(project, "build", "--select", "staged", "grown")
    with gateway.connect() as admin:
        assert admin.execute("SELECT * FROM grown ORDER BY id").fetchall() == [(1, "MALTA"), (2, "CHAD"), (3, "PERU")]
    dbt(project, "docs", "generate")
    documented = json.loads((project / "target" / "catalog.json").read_text())
    assert documented["errors"] is None
    facts = documented["nodes"]["model.shop.facts"]
    assert facts["metadata"]["comment"] == "what there is"
    assert [column["type"] for column in facts["columns"].values()] == ["integer", "text", "bigint"]
    assert documented["nodes"]["model.shop.staged"]["metadata"]["type"] == "VIEW"
