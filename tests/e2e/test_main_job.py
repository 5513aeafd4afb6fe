"""The main job: an analyst queries files on a real store through a connection that they have no right on."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.e2e.conftest import ANALYST_PASSWORD
from tests.services.lake import ORDERS
from tests.services.requirement import require_service

if TYPE_CHECKING:
    from tests.services.gateway import Gateway
    from tests.services.lake import Lake

Client = psycopg.Connection[tuple[Any, ...]]
SPELLINGS = ("materialize", "singlestore", "databend", "clickzetta")


def test_analyst_joins_parquet_and_csv_through_a_stage(analyst: Client) -> None:
    rows = analyst.execute(
        """SELECT c.country, count(*), sum(o.amount) FROM @raw/orders/*/*.parquet AS o
           JOIN @raw/customers.csv AS c USING (customer_id) GROUP BY ALL ORDER BY 1"""
    ).fetchall()
    assert [row[0] for row in rows] == ["DE", "FR", "NL"]
    assert sum(row[1] for row in rows) == 2 * ORDERS


def test_hive_partitions_and_file_names_read_as_the_user_knows_them(analyst: Client, lake: Lake) -> None:
    rows = analyst.execute(
        "SELECT DISTINCT month, filename FROM read_parquet('@raw/orders/*/*.parquet', filename=true) ORDER BY 1"
    ).fetchall()
    assert rows == [
        (1, f"s3://{lake.bucket}/raw/orders/month=1/a.parquet"),
        (2, f"s3://{lake.bucket}/raw/orders/month=2/a.parquet"),
    ]


def test_a_url_that_a_grant_covers_can_be_written_as_it_is(analyst: Client, lake: Lake) -> None:
    assert analyst.execute(f"SELECT count(*) FROM 's3://{lake.bucket}/raw/customers.csv'").fetchone() == (50,)


def test_parameters_reach_the_statement(analyst: Client) -> None:
    row = analyst.execute("SELECT count(*) FROM @raw/customers.csv WHERE country = %s", ("DE",)).fetchone()
    assert row == (17,)


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("SHOW CREATE CONNECTION lake", "42501"),
        ("DESC CONNECTION lake", "42501"),
        ("ALTER SECRET lake_key AS 'mine'", "42501"),
        ("DROP CONNECTION lake", "42501"),
        ("VALIDATE CONNECTION lake", "42501"),
        ("CREATE STAGE mine URL = 's3://x/' CONNECTION = (CONNECTION_NAME = 'lake')", "42501"),
        ("SELECT * FROM 's3://{bucket}/hr/salaries.csv'", "42501"),
        ("SELECT * FROM 's3://{bucket}/raw2/near.csv'", "42501"),
        ("SELECT * FROM 's3://{bucket}/raw/../hr/salaries.csv'", "42501"),
        ("SELECT * FROM 's3://{bucket}/*/*.csv'", "42501"),
        ("SELECT * FROM 's3://{other}/plans.csv'", "42501"),
        ("SELECT * FROM read_text('/etc/passwd')", "42501"),
        ("SELECT * FROM '{endpoint}/{bucket}/hr/salaries.csv'", "42501"),
        ("COPY (SELECT 1) TO 's3://{bucket}/raw/x.csv'", "42501"),
        ("COPY (SELECT 1) TO '@raw/x.csv'", "42501"),
        ("SELECT * FROM @raw/missing.parquet", "58P01"),
        ("GRANT READ ON STAGE raw TO public", "42501"),
    ],
)
def test_analyst_is_refused_with_a_clear_error(analyst: Client, lake: Lake, sql: str, state: str) -> None:
    text = sql.format(bucket=lake.bucket, other=lake.other_bucket, endpoint=lake.store.endpoint)
    with pytest.raises(psycopg.Error) as caught:
        analyst.execute(text).fetchall()
    assert caught.value.sqlstate == state, str(caught.value)
    assert "forbidden" not in str(caught.value)
    assert lake.store.key.secret_access_key not in str(caught.value)
    assert analyst.execute("SELECT 6 * 7").fetchone() == (42,)


def test_analyst_sees_neither_secret_nor_connection(analyst: Client) -> None:
    assert analyst.execute("SHOW SECRETS").fetchall() == []
    assert analyst.execute("SHOW CONNECTIONS").fetchall() == []
    assert [row[0] for row in analyst.execute("SHOW STAGES").fetchall()] == ["raw"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_reads_the_same_rows(admin: Client, lake: Lake, spelling: str) -> None:
    admin.execute(lake.connection_sql(spelling, f"c_{spelling}"))
    admin.execute(
        f"CREATE STAGE s_{spelling} URL = 's3://{lake.bucket}/raw/' CONNECTION = (CONNECTION_NAME = 'c_{spelling}')"
    )
    assert admin.execute(f"SELECT count(*) FROM @s_{spelling}/customers.csv").fetchone() == (50,)
    steps = admin.execute(f"VALIDATE CONNECTION c_{spelling}").fetchall()
    assert all(step[1] != "failed" for step in steps), steps


def test_validate_says_that_a_key_is_wrong(admin: Client, lake: Lake) -> None:
    wrong = lake.store.key.with_wrong_secret()
    admin.execute(
        f"""CREATE CONNECTION wrong STORAGE_TYPE = 's3' ACCESS_KEY_ID = '{wrong.access_key_id}'
            SECRET_ACCESS_KEY = '{wrong.secret_access_key}' ENDPOINT_URL = '{lake.store.endpoint}'"""
    )
    steps = admin.execute("VALIDATE CONNECTION wrong").fetchall()
    failed = [step for step in steps if step[1] == "failed"]
    assert len(failed) == 1
    assert wrong.secret_access_key not in str(steps)
    admin.execute(f"CREATE STAGE wrong URL = 's3://{lake.bucket}/raw/' CONNECTION = (CONNECTION_NAME = 'wrong')")
    with pytest.raises(psycopg.Error) as caught:
        admin.execute("SELECT * FROM @wrong/customers.csv")
    assert caught.value.sqlstate == "28000", str(caught.value)


def test_rotated_secrets_and_revoked_grants_reach_running_sessions(gateway: Gateway, admin: Client, lake: Lake) -> None:
    query = "SELECT count(*) FROM @raw/customers.csv"
    with gateway.connect("analyst", ANALYST_PASSWORD) as analyst:
        assert analyst.execute(query).fetchone() == (50,)
        admin.execute("ALTER SECRET lake_key AS 'no longer the right one'")
        with pytest.raises(psycopg.Error) as caught:
            analyst.execute(query)
        assert caught.value.sqlstate == "28000", str(caught.value)
        admin.execute(f"ALTER SECRET lake_key AS '{lake.store.key.secret_access_key}'")
        assert analyst.execute(query).fetchone() == (50,)
        admin.execute("REVOKE READ ON STAGE raw FROM analyst")
        with pytest.raises(psycopg.Error) as caught:
            analyst.execute(query)
        assert caught.value.sqlstate == "42501", str(caught.value)
        admin.execute("GRANT READ ON STAGE raw TO analyst")
        assert analyst.execute(query).fetchone() == (50,)


def test_a_writer_writes_and_reads_back_only_with_both_rights(gateway: Gateway, admin: Client, lake: Lake) -> None:
    admin.execute(f"CREATE STAGE outbox URL = 's3://{lake.bucket}/out/' CONNECTION = (CONNECTION_NAME = 'lake')")
    admin.execute("CREATE USER writer PASSWORD 'writer password'")
    admin.execute("GRANT WRITE ON STAGE outbox TO writer")
    with gateway.connect("writer", "writer password") as writer:
        writer.execute("COPY (SELECT i FROM range(100000) t(i)) TO '@outbox/numbers.parquet' (FORMAT parquet)")
        with pytest.raises(psycopg.Error) as caught:
            writer.execute("SELECT count(*) FROM @outbox/numbers.parquet")
        assert caught.value.sqlstate == "42501", str(caught.value)
        admin.execute("GRANT READ ON STAGE outbox TO writer")
        assert writer.execute("SELECT sum(i) FROM @outbox/numbers.parquet").fetchone() == (4999950000,)
    assert lake.store.keys(lake.bucket, "out/") == ["out/numbers.parquet"]


def test_the_ledger_names_every_use_before_it_happened(admin: Client, analyst: Client) -> None:
    analyst.execute("SELECT count(*) FROM @raw/customers.csv")
    rows = admin.execute("SHOW LEDGER LIMIT 50").fetchall()
    uses = [row for row in rows if row[2] == "use" and row[3] == "analyst"]
    assert uses
    assert "main.public.lake" in uses[-1][5]
    assert admin.execute("VERIFY LEDGER").fetchone()[1] == "t"


def test_psql_joins_files_too(gateway: Gateway, admin: Client) -> None:
    del admin
    psql = require_service("psql")
    host, port = gateway.address
    done = subprocess.run(
        [str(psql), f"postgresql://analyst@{host}:{port}/main?sslmode=require", "-X", "-A", "-t"],
        input="SELECT count(*) FROM @raw/customers.csv;\nSELECT 1 AS a, 'x' AS b;\n\\q\n",
        env={"PGPASSWORD": ANALYST_PASSWORD, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["50", "1|x"], done.stderr


def test_the_time_zone_of_the_connection_string_is_in_force(gateway: Gateway, admin: Client) -> None:
    del admin
    with gateway.connect(options="-c timezone=Asia/Tokyo") as client:
        row = client.execute("SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' ::VARCHAR").fetchone()
        assert row == ("2026-01-01 09:00:00+09",)


def test_a_column_may_have_the_name_of_a_function(analyst: Client) -> None:
    query = "SELECT database_size, storage_info FROM (SELECT 1 AS database_size, 2 AS storage_info)"
    assert analyst.execute(query).fetchone() == (1, 2)


@pytest.mark.parametrize("place", ["'@folder/'", "'@folder'", "'@folder/sub/'"])
def test_copy_to_a_folder_is_refused(admin: Client, lake: Lake, place: str) -> None:
    admin.execute(
        f"CREATE OR REPLACE STAGE folder URL = 's3://{lake.bucket}/f/' CONNECTION = (CONNECTION_NAME = 'lake')"
    )
    with pytest.raises(psycopg.Error) as caught:
        admin.execute(f"COPY (SELECT 1) TO {place} (FORMAT parquet)")
    assert caught.value.sqlstate == "22023", str(caught.value)
    assert lake.store.keys(lake.bucket, "f/") == []


def test_a_session_of_a_dropped_user_does_not_become_somebody_elses(gateway: Gateway, admin: Client) -> None:
    admin.execute("CREATE USER ghost PASSWORD 'pass word'")
    with gateway.connect("ghost", "pass word") as ghost:
        assert ghost.execute("SELECT 1").fetchone() == (1,)
        admin.execute("DROP USER ghost")
        admin.execute("CREATE USER ghost PASSWORD 'pass word'")
        with pytest.raises(psycopg.Error) as caught:
            ghost.execute("SELECT 1")
        assert caught.value.sqlstate == "42501"
    admin.execute("DROP USER ghost")


@pytest.mark.parametrize(
    ("sql", "state", "words"),
    [
        ("SELECT * FROM @raw/orders", "22023", "no file ending"),
        ("SELECT * FROM @rwa/customers.csv", "42501", "SHOW STAGES"),
        ("COPY INTO t FROM @raw/customers.csv", "0A000", "INSERT INTO"),
    ],
)
def test_a_slip_is_told_with_what_to_do(analyst: Client, sql: str, state: str, words: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        analyst.execute(sql)
    assert caught.value.sqlstate == state
    assert words in f"{caught.value} {caught.value.diag.message_hint}"
