"""Native tables of a world: a few granted ones, and forbidden ones whose rows, names and comments hold the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

_MANY = 400  # rows: more than a lake keeps in its catalog, so that there is a file


def planted(token: str, analyst: str) -> Iterator[str]:
    """Give the administrator's statements, in order."""
    rows = f"SELECT range::INTEGER AS a, '{token}' AS b FROM range({_MANY})"
    fair = f"SELECT range::INTEGER AS a, 'granted' AS b FROM range({_MANY})"
    yield f"CREATE TABLE granted_t AS {fair}"
    yield "INSERT INTO granted_t VALUES (-1, 'granted')"
    yield f"CREATE TABLE secret_t AS {rows}"
    yield f"INSERT INTO secret_t VALUES (-1, '{token}')"
    yield f"COMMENT ON TABLE secret_t IS '{token}'"
    yield f'CREATE TABLE "named_{token}" ("col_{token}" INTEGER)'
    yield "CREATE SCHEMA hr"
    yield f"CREATE TABLE hr.salaries AS {rows}"
    yield "CREATE DATABASE vaultdb"
    yield f"CREATE TABLE vaultdb.plans AS {rows}"
    yield f"CREATE TABLE narrow_t AS SELECT a, b, CASE WHEN a < 0 THEN 'EU' ELSE 'US' END AS region FROM ({rows})"
    yield "INSERT INTO narrow_t VALUES (-5, 'granted', 'EU')"
    yield f"GRANT SELECT (a, region) ON narrow_t WHERE region = 'EU' TO {analyst}"
    yield f"CREATE TABLE drop_box AS {rows}"
    yield f"INSERT INTO drop_box VALUES (-1, '{token}')"
    yield f"GRANT INSERT ON drop_box TO {analyst}"
    yield "CREATE VIEW safe_v AS SELECT a FROM secret_t WHERE a < 3"
    yield f"GRANT SELECT ON VIEW safe_v TO {analyst}"
    yield "CREATE VIEW secret_v AS SELECT * FROM secret_t"
    yield f"CREATE TABLE reborn AS {rows}"
    yield "DROP TABLE reborn"
    yield f"CREATE TABLE reborn AS {fair}"
    yield f"GRANT SELECT ON granted_t, reborn TO {analyst}"
    yield f"CREATE TABLE lent_t AS {rows}"
    yield "CREATE SCHEMA own"
    yield f"GRANT CREATE, USAGE ON SCHEMA own TO {analyst}"
    yield "CREATE TABLE own.fair AS SELECT 1 AS a"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON own.fair TO {analyst}"


def plant(admin: psycopg.Connection[Any], data: Path, token: str, analyst: str) -> dict[str, str]:
    """Make the tables, and return the paths and numbers that attacks name."""
    for sql in planted(token, analyst):
        admin.execute(sql.encode())
    admin.execute(b"SELECT count(*) FROM secret_t")  # so that its files are linked for the administrator's session
    lake = data / "lake"
    catalog = next(path for path in lake.glob("*/catalog.sqlite") if list(path.parent.glob("files/**/secret_t/*")))
    secret_file = next(catalog.parent.glob("files/**/secret_t/*.parquet"))
    others = next(path.parent for path in data.glob("spill/**/files/*.parquet"))
    return {
        "lake": str(catalog.parent),
        "lake_catalog": str(catalog),
        "secret_file": str(secret_file),
        "granted_file": str(next(catalog.parent.glob("files/**/granted_t/*.parquet"))),
        "other_files": str(others),
    }


def fingerprint(data: Path) -> Iterator[tuple[str, str]]:
    """Give each data file of every lake with what tells its content, without reading it."""
    for path in sorted(data.glob("lake/*/files/**/*.parquet")):
        status = path.stat()
        yield str(path), f"{status.st_size} {status.st_mtime_ns}"
