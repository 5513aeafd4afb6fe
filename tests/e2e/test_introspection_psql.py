"""psql's commands about what there is, run by the real psql."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.introspection import PASSWORD, make
from tests.services.requirement import missing

if TYPE_CHECKING:
    from tests.e2e.introspection import Place
    from tests.services.gateway import Gateway


@pytest.fixture(scope="module")
def place(gateway: Gateway) -> Place:
    if shutil.which("psql") is None:
        missing("psql is not installed")
    return make(gateway)


def psql(place: Place, *commands: str, reader: bool = False, expect: int = 0) -> str:
    """Run commands in one session of psql, unaligned and without titles, and return what it prints."""
    host, port = place.gateway.address
    user, password = (place.reader, PASSWORD) if reader else ("fairlead", place.gateway.password)
    done = subprocess.run(
        [
            *("psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", str(port), "-U", user),
            *("-d", place.database),
            *(part for command in commands for part in ("-c", command)),
        ],
        env={**os.environ, "PGPASSWORD": password, "PGSSLMODE": "require"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == expect, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (r"\d", ["public|orders|table|fairlead", "public|paid_orders|view|fairlead"]),
        (r"\dt", ["public|orders|table|fairlead", "public|secrets_of_hr|table|fairlead"]),
        (r"\dt sales.*", ["sales|deals|table|fairlead"]),
        (r"\dt *.d*", ["sales|deals|table|fairlead"]),
        (r"\dv", ["public|paid_orders|view|fairlead"]),
        (r"\dt+", ["|what was ordered", "|permanent|ducklake|"]),
        (r"\dn", ["public|fairlead", "sales|fairlead"]),
        (r"\d orders", ["id|bigint||not null|", "note|text|||'none'", "amount|numeric(10,2)|||", "tags|integer[]|||"]),
        (r"\d orders", ["placed|timestamp with time zone|||", "paid|boolean|||"]),
        (r"\d+ orders", ["note|text|||'none'|extended|||free text"]),
        (r"\d sales.deals", ["id|integer|||", "region|text|||"]),
        (r"\d+ paid_orders", ["twice|numeric(18,2)||||main|", "id|bigint||||plain|"]),
        (r"\sv paid_orders", ["CREATE OR REPLACE VIEW public.paid_orders AS\nSELECT id, amount * 2 AS twice FROM"]),
        (r"\l", ["main|fairlead|UTF8|"]),
        (r"\du", ["fairlead|Superuser, Create role, Create DB|"]),
        (r"\df", []),
        (r"\dp orders", ["public|orders|table|fairlead=arwdD/fairlead\nreader_"]),
        (r"\z", ["public|orders|table|fairlead=arwdD/fairlead"]),
        (r"\d fairlead.stages", ["url|text|||", "created_time|timestamp with time zone|||"]),
        (r"\dtS pg_class", ["pg_catalog|pg_class|table|fairlead"]),
        (r"\dT int8", ["pg_catalog|bigint|"]),
        (r"\conninfo", ["You are connected to database"]),
        (r"\dconfig TimeZone", ["TimeZone|UTC"]),
    ],
)
def test_psql_shows(place: Place, command: str, expected: list[str]) -> None:
    shown = psql(place, command)
    assert [part for part in expected if part not in shown] == [], shown


@pytest.mark.parametrize(
    "command",
    [
        *(r"\da", r"\dA", r"\dAc", r"\dAf", r"\dAo", r"\dAp", r"\db", r"\db+", r"\dc", r"\dC", r"\dd", r"\dD", r"\ddp"),
        *(r"\dE", r"\des", r"\des+", r"\det", r"\deu", r"\dew", r"\df+", r"\dF", r"\dFd", r"\dFp", r"\dFt", r"\dg+"),
        *(r"\di", r"\dl", r"\dL", r"\dm", r"\do", r"\dO", r"\dP", r"\drds", r"\dRp", r"\dRs", r"\ds", r"\dT+", r"\dx"),
        *(r"\dX", r"\dy", r"\l+", r"\dn+", r"\dS+", r"\dtvmsE+", r"\dOS+", r"\d *.orders", r"\dp *.*", r"\dTS+"),
    ],
)
def test_every_other_listing_of_psql_is_answered_without_an_error(place: Place, command: str) -> None:
    assert "ERROR" not in psql(place, command)


def test_a_reader_is_shown_what_they_may_read_and_no_other_name(place: Place) -> None:
    listed = psql(place, r"\d *.*", r"\dt+ *.*", r"\dp *.*", r"\dn *", r"\du", r"\dv *.*", reader=True)
    assert "public|orders|" in listed
    assert "paid_orders" in listed
    for hidden in ("secrets_of_hr", "salary", "hidden_view", "deals", "sales"):
        assert hidden not in listed


def test_a_table_made_in_a_block_is_described_in_it_and_gone_after_a_rollback(place: Place) -> None:
    shown = psql(
        place,
        "BEGIN",
        "CREATE TABLE fresh (x INTEGER, y DECIMAL(5,1))",
        "ALTER TABLE orders ADD COLUMN extra DATE",
        r"\d fresh",
        r"\d orders",
        "ROLLBACK",
        r"\dt",
    )
    described, _, after = shown.partition("ROLLBACK")
    assert "y|numeric(5,1)|||" in described
    assert "extra|date|||" in described
    assert "fresh" not in after
    assert "orders" in after


def test_a_temporary_table_is_listed_and_described(place: Place) -> None:
    shown = psql(place, "CREATE TEMP TABLE mine (x UUID)", r"\dt", r"\d mine")
    assert "pg_temp_1|mine|table|fairlead" in shown
    assert "x|uuid|||" in shown


def test_a_renamed_table_and_a_new_right_show_at_once_in_a_session_that_has_looked_before(place: Place) -> None:
    with place.read() as reader:
        names = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        assert reader.execute(names).fetchall() == [("orders",), ("paid_orders",)]
        with place.admin() as admin:
            admin.execute("CREATE TABLE lent (x INTEGER)")
            admin.execute(f"GRANT SELECT ON lent TO {place.reader}")  # type: ignore[call-overload]
            assert reader.execute(names).fetchall() == [("lent",), ("orders",), ("paid_orders",)]
            admin.execute("ALTER TABLE lent RENAME TO given")
            assert reader.execute(names).fetchall() == [("given",), ("orders",), ("paid_orders",)]
            admin.execute("DROP TABLE given")
        assert reader.execute(names).fetchall() == [("orders",), ("paid_orders",)]
