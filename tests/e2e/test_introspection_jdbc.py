"""What java.sql.DatabaseMetaData says of a gateway, asked by PostgreSQL's own driver, which many tools stand on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.introspection import make
from tests.services.requirement import INSTALLED, missing

if TYPE_CHECKING:
    from tests.services.gateway import Gateway

SOURCE = Path(__file__).parent / "jdbc" / "Metadata.java"
DRIVER = INSTALLED.parent / "lib" / "postgresql.jar"


@pytest.fixture(scope="module")
def told(gateway: Gateway) -> dict[str, str]:
    """Everything that the metadata tell, by question."""
    if shutil.which("java") is None or not DRIVER.is_file():
        missing("java, or PostgreSQL's JDBC driver, is not installed")
    place = make(gateway)
    host, port = gateway.address
    done = subprocess.run(
        [
            *("java", "-cp", str(DRIVER), str(SOURCE)),
            *(f"jdbc:postgresql://{host}:{port}/{place.database}", "fairlead"),
        ],
        env={**os.environ, "PGPASSWORD": gateway.password},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "FAILED" not in done.stdout, done.stdout
    return {key: value for key, _, value in (line.partition(": ") for line in done.stdout.splitlines())}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("product", "PostgreSQL 16"),
        ("user", "fairlead"),
        ("schema", "public"),
        ("keywords", "true"),
        ("schemas", "fairlead information_schema pg_catalog public sales"),
        (
            "tables",
            "orders/TABLE/what was ordered secrets_of_hr/TABLE/null hidden_view/VIEW/null paid_orders/VIEW/null",
        ),
        ("all tables", "true"),
        ("primary keys", ""),
        ("imported keys", ""),
        ("exported keys", ""),
        ("indexes", ""),
        ("procedures", ""),
        ("functions", ""),
        ("types", "true"),
        ("user types", ""),
    ],
)
def test_jdbcs_metadata_tell(told: dict[str, str], question: str, answer: str) -> None:
    assert told[question] == answer


def test_jdbc_describes_the_columns_of_a_table_and_of_a_result(told: dict[str, str]) -> None:
    columns = dict(part.split("/", 1) for part in told["columns"].replace("free text", "free_text").split(" "))
    assert columns["id"] == "int8/-5/19/0/0/null/null/1"
    assert columns["note"] == "text/12/2147483647/0/1/'none'/free_text/2"
    assert columns["amount"] == "numeric/2/10/2/1/null/null/3"
    assert columns["tags"].startswith("_int4/2003/")
    assert columns["placed"].startswith("timestamptz/93/")
    assert columns["paid"].startswith("bool/-7/")
    assert told["of a result"].startswith("int8 java.math.BigDecimal")


def test_jdbc_tells_who_may_do_what(told: dict[str, str]) -> None:
    entries = told["table privileges"].replace("'", "").split()
    assert {"fairlead/SELECT", "fairlead/DELETE"} <= set(entries)
    assert [entry.endswith("/SELECT") for entry in entries if entry.startswith("reader_")] == [True]
