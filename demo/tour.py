"""The tour: the main job of Fairlead, played from end to end on real servers, with every outcome checked.

It starts an object store that refuses wrong signatures, fills it with a shop's order lines, starts a gateway, and plays
an administrator and an analyst through psycopg. Exit code 0 means that everything was as told. ``--stay`` leaves store
and gateway running afterwards, until Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import data
import psycopg
from rich.console import Console
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from store import BUCKET, FORBIDDEN_BUCKET, REGION, DemoStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from store import StoreKey

console = Console(width=min(120, Console().width or 120))
_READY = 30.0
_SHOWN_ROWS = 8
Client = psycopg.Connection[tuple[Any, ...]]
QUESTION = """SELECT c.country, count(*) AS lines, sum(o.amount) AS amount
FROM '@raw/orders/*/*/*.parquet' AS o
JOIN @raw/customers.csv AS c USING (customer_id)
WHERE o.year = 2026
GROUP BY c.country
ORDER BY amount DESC
LIMIT 5"""


class NotAsTold(AssertionError):
    """A step of the tour did not come out as it should."""


class Gateway:
    """A gateway in a process of its own."""

    def __init__(self, folder: Path, password: str) -> None:
        self.folder = folder
        self.password = password
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        self._log = (folder / "gateway.log").open("wb")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "fairlead", "serve", "--data", str(folder / "data")),
                *("--pg", "127.0.0.1:0", "--http", "127.0.0.1:0", "--ready-file", str(ready)),
            ],
            env={**os.environ, "FAIRLEAD_ADMIN_PASSWORD": password},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + _READY
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotAsTold(f"the gateway did not start:\n{(folder / 'gateway.log').read_text()[-3000:]}")
            time.sleep(0.02)
        address = json.loads(ready.read_text())["pg"]
        self.host, self.port = address["host"], address["port"]

    def connect(self, user: str, password: str) -> Client:
        """Connect as a user."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=user,
            password=password,
            dbname="main",
            sslmode="require",
            autocommit=True,
        )

    def stop(self) -> None:
        """End the gateway."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class Story:
    """Tells what happens and checks it."""

    def __init__(self) -> None:
        self.secrets: list[str] = []

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        console.print()
        console.print(Rule(f"[bold]{title}", align="left", style="cyan"))

    def say(self, text: str) -> None:
        """Say something."""
        console.print(text, style="italic", highlight=False)

    def run(
        self,
        who: Client,
        sql: str,
        check: Callable[[Sequence[tuple[Any, ...]]], bool] | None = None,
        told: str = "",
        shown: Sequence[str] | None = None,
    ) -> Sequence[tuple[Any, ...]]:
        """Run a statement that must succeed; return its rows.

        Args:
            who: runs it.
            sql: the statement.
            check: says whether its rows are as told.
            told: what was told, for the error.
            shown: which columns to print, all by default.
        """
        self._show(who, sql)
        started = time.perf_counter()
        cursor = who.execute(sql)  # type: ignore[arg-type]  # psycopg wants literal text
        rows = cursor.fetchall() if cursor.description is not None else []
        took = (time.perf_counter() - started) * 1000
        if cursor.description is not None:
            self._rows([column.name for column in cursor.description], rows, shown)
        console.print(f"  [green]{cursor.statusmessage}[/]  [dim]{took:.0f} ms[/]")
        self._no_secret(str(rows))
        if check is not None and not check(rows):
            raise NotAsTold(f"{told or 'unexpected rows'}\n{sql}\n{rows}")
        return rows

    def refused(self, who: Client, sql: str, *states: str) -> None:
        """Run a statement that must be refused with one of the SQLSTATEs."""
        self._show(who, sql)
        try:
            rows = who.execute(sql).fetchall()  # type: ignore[arg-type]  # psycopg wants literal text
        except psycopg.Error as error:
            told = error.diag.message_primary or str(error)
            console.print(f"  [red]refused[/] [dim]{error.sqlstate}[/] {told}", highlight=False)
            if error.diag.message_hint:
                console.print(f"  [dim]hint: {error.diag.message_hint}[/]", highlight=False)
            self._no_secret(f"{error} {error.diag.message_detail}")
            if error.sqlstate not in states:
                raise NotAsTold(f"refused with {error.sqlstate}, expected one of {states}: {error}\n{sql}") from error
        else:
            raise NotAsTold(f"was not refused: {sql}\n{rows}")

    def _show(self, who: Client, sql: str) -> None:
        shown = sql
        for secret in self.secrets:
            shown = shown.replace(secret, "********")
        console.print(f"[bold magenta]{who.info.user}[/][dim]>[/]")
        console.print(Syntax(shown.strip(), "sql", theme="ansi_dark", word_wrap=True, background_color="default"))

    def _rows(self, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], shown: Sequence[str] | None) -> None:
        chosen = [i for i, column in enumerate(columns) if shown is None or column in shown]
        table = Table(*(columns[i] for i in chosen), show_edge=False, header_style="bold", pad_edge=False)
        for row in rows[:_SHOWN_ROWS]:
            table.add_row(*("" if row[i] is None else str(row[i]) for i in chosen))
        console.print(table)
        if len(rows) > _SHOWN_ROWS:
            console.print(f"  [dim]... {len(rows) - _SHOWN_ROWS} more rows[/]")

    def _no_secret(self, text: str) -> None:
        if any(secret in text for secret in self.secrets):
            raise NotAsTold("a secret was shown")


def play(store: DemoStore, gateway: Gateway) -> None:
    """Play the story."""
    story = Story()
    key = store.create_user_key("etl", BUCKET, FORBIDDEN_BUCKET)
    analyst_password = secrets.token_urlsafe(12)
    story.secrets += [key.secret_access_key, analyst_password, gateway.password]
    with gateway.connect("fairlead", gateway.password) as admin:
        connection_once(story, admin, store, key)
        other_spellings(story, admin, store, key)
        stage_and_grant(story, admin, analyst_password)
        with gateway.connect("analyst", analyst_password) as analyst:
            answer = real_question(story, analyst)
            what_is_refused(story, analyst, store)
            rotation(story, admin, analyst, store, answer)
            right_taken_away(story, admin, analyst)
            tables(story, admin, analyst, store)
        ledger(story, admin)


def connection_once(story: Story, admin: Client, store: DemoStore, key: StoreKey) -> None:
    """Chapter 1."""
    story.chapter("1. The administrator creates a connection, once")
    story.say("Its key goes into a secret; no statement gives it back.")
    story.run(admin, f"CREATE SECRET lake_id AS '{key.access_key_id}'")
    story.run(admin, f"CREATE SECRET lake_key AS '{key.secret_access_key}'")
    story.run(
        admin,
        f"""CREATE CONNECTION lake TO AWS (
    ACCESS KEY ID = SECRET lake_id,
    SECRET ACCESS KEY = SECRET lake_key,
    ENDPOINT = '{store.endpoint}',
    REGION = '{REGION}'
)""",
    )
    validated = ("sign_in", "auth")
    story.run(
        admin,
        "VALIDATE CONNECTION lake",
        lambda rows: all(row[1] != "failed" for row in rows) and any(row[0] in validated for row in rows),
        "validation failed",
    )


def other_spellings(story: Story, admin: Client, store: DemoStore, key: StoreKey) -> None:
    """Chapter 2."""
    story.chapter("2. The same in the three other spellings")
    inline = (key.access_key_id, key.secret_access_key)
    story.run(
        admin,
        f"""CREATE LINK lake_link AS S3
    CREDENTIALS '{json.dumps({"aws_access_key_id": inline[0], "aws_secret_access_key": inline[1]})}'
    CONFIG '{json.dumps({"region": REGION, "endpoint_url": store.endpoint})}'
    DESCRIPTION 'the lake, in the spelling of links'""",
    )
    story.run(
        admin,
        f"""CREATE CONNECTION lake_databend STORAGE_TYPE = 's3'
    ACCESS_KEY_ID = '{inline[0]}' SECRET_ACCESS_KEY = '{inline[1]}'
    ENDPOINT_URL = '{store.endpoint}' REGION = '{REGION}'""",
    )
    story.run(
        admin,
        f"""CREATE STORAGE CONNECTION lake_storage TYPE S3
    ACCESS_KEY = '{inline[0]}' SECRET_KEY = '{inline[1]}'
    ENDPOINT = '{store.endpoint}' REGION = '{REGION}'""",
    )
    story.run(admin, "SHOW CONNECTIONS", lambda rows: len(rows) == 4, "four connections")
    for name in ("lake", "lake_link", "lake_databend", "lake_storage"):
        story.run(admin, f"SHOW CREATE CONNECTION {name}", lambda rows: len(rows) == 1)
        story.run(admin, f"VALIDATE CONNECTION {name}", lambda rows: all(row[1] != "failed" for row in rows))


def stage_and_grant(story: Story, admin: Client, analyst_password: str) -> None:
    """Chapter 3."""
    story.chapter("3. A stage, and a grant")
    story.run(admin, f"CREATE STAGE raw URL = 's3://{BUCKET}/raw/' CONNECTION = (CONNECTION_NAME = 'lake')")
    story.run(admin, "LIST @raw/orders/year=2026/", lambda rows: len(rows) == 12)
    story.run(admin, f"CREATE USER analyst PASSWORD '{analyst_password}'")
    story.run(admin, "GRANT READ ON STAGE raw TO analyst")


def real_question(story: Story, analyst: Client) -> Sequence[tuple[Any, ...]]:
    """Chapter 4; return the answer."""
    story.chapter("4. The analyst, who has no right on the connection, asks a real question")
    answer = story.run(analyst, QUESTION, lambda rows: len(rows) == 5 and rows[0][2] > 0)
    story.run(
        analyst,
        "SELECT count(*) FROM '@raw/orders/*/*/*.parquet'",
        lambda rows: rows[0][0] > 1_000_000,
        "more than a million order lines",
    )
    return answer


def what_is_refused(story: Story, analyst: Client, store: DemoStore) -> None:
    """Chapter 5."""
    story.chapter("5. What the analyst cannot do")
    for sql, states in (
        ("SHOW CREATE CONNECTION lake", ("42501",)),
        ("ALTER SECRET lake_key AS 'mine'", ("42501",)),
        (f"SELECT * FROM 's3://{BUCKET}/hr/salaries.csv'", ("42501",)),
        (f"SELECT * FROM 's3://{BUCKET}/raw/../hr/salaries.csv'", ("42501", "22023")),
        ("SELECT * FROM @raw/../hr/salaries.csv", ("42501", "22023")),
        (f"SELECT * FROM 's3://{FORBIDDEN_BUCKET}/plans.csv'", ("42501",)),
        ("SELECT * FROM read_text('/etc/passwd')", ("42501",)),
        (f"SELECT * FROM '{store.endpoint}/{BUCKET}/hr/salaries.csv'", ("42501",)),
        (f"COPY (SELECT 1) TO 's3://{BUCKET}/raw/orders/mine.csv'", ("42501",)),
        ("SELECT * FROM duckdb_secrets()", ("42501",)),
        ("GRANT READ ON STAGE raw TO public", ("42501",)),
    ):
        story.refused(analyst, sql, *states)
    story.say("The same session goes on:")
    story.run(analyst, "SELECT 6 * 7 AS answer", lambda rows: rows == [(42,)])


def rotation(story: Story, admin: Client, analyst: Client, store: DemoStore, answer: Sequence[tuple[Any, ...]]) -> None:
    """Chapter 6; the question has the same answer after it."""
    story.chapter("6. The key is rotated; nobody else notices")
    new = store.rotate_key("etl")
    story.secrets.append(new.secret_access_key)
    story.say("On the store the old key is gone, so the old credential fails ...")
    story.refused(analyst, QUESTION, "28000")
    story.say("... until the administrator tells the secret, once.")
    story.run(admin, f"ALTER SECRET lake_id AS '{new.access_key_id}'")
    story.run(admin, f"ALTER SECRET lake_key AS '{new.secret_access_key}'")
    story.run(analyst, QUESTION, lambda rows: rows == answer, "the same answer through the same stage")


def right_taken_away(story: Story, admin: Client, analyst: Client) -> None:
    """Chapter 7."""
    story.chapter("7. A right taken away ends at once")
    story.run(admin, "REVOKE READ ON STAGE raw FROM analyst")
    story.refused(analyst, "SELECT count(*) FROM @raw/customers.csv", "42501")


def tables(story: Story, admin: Client, analyst: Client, store: DemoStore) -> None:
    """Chapter 8."""
    story.chapter("8. Tables of its own, granted in part, and exported through a link")
    story.run(
        admin,
        """CREATE TABLE sales AS
SELECT c.country, o.year, sum(o.amount) AS amount
FROM '@raw/orders/*/*/*.parquet' AS o JOIN @raw/customers.csv AS c USING (customer_id)
GROUP BY ALL""",
    )
    story.run(admin, "GRANT SELECT (country, amount) ON sales WHERE year = 2026 TO analyst")
    story.run(admin, "GRANT SHOW LINK ON main.* TO 'analyst'")
    story.say("The analyst's process has the granted rows and columns, and no file of the table:")
    story.run(analyst, "SELECT * FROM sales ORDER BY amount DESC", lambda rows: len(rows[0]) == 2, "two columns")
    story.refused(analyst, "SELECT year FROM sales", "42703")
    story.refused(analyst, "UPDATE sales SET amount = 0", "42501")
    story.run(analyst, f"SELECT * FROM sales INTO LINK lake '{BUCKET}/out/sales.csv' FIELDS TERMINATED BY ',' HEADER")
    lines = store.client().get_object(Bucket=BUCKET, Key="out/sales.csv")["Body"].read().decode().splitlines()
    console.print(f"  [dim]{BUCKET}/out/sales.csv: {lines[0]}, and {len(lines) - 1} lines[/]")
    if lines[0] != "country,amount":
        raise NotAsTold(f"another header than the two columns: {lines[0]}")
    story.say("A transaction is all or nothing, over rows and columns:")
    changes = ("DELETE FROM sales WHERE year < 2026", "ALTER TABLE sales ADD COLUMN checked BOOLEAN")
    for sql in ("BEGIN", *changes, "COMMIT"):
        story.run(admin, sql)
    story.run(admin, "SELECT count(*) AS rows, count(DISTINCT year) AS years FROM sales", lambda rows: rows[0][1] == 1)


def ledger(story: Story, admin: Client) -> None:
    """Chapter 9."""
    story.chapter("9. The ledger has it all, and holds")
    story.run(
        admin,
        "SHOW LEDGER LIMIT 12",
        lambda rows: (
            any(row[2] == "use" and row[3] == "analyst" for row in rows) and any(row[2] == "refused" for row in rows)
        ),
        "uses and refusals are in the ledger",
        ("seq", "kind", "principal", "action", "object"),
    )
    story.run(admin, "VERIFY LEDGER", lambda rows: rows[0][1] in ("t", True))


def main() -> int:
    """Play the tour and return the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stay", action="store_true", help="leave store and gateway running until Ctrl-C")
    stay = arguments.parse_args().stay
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fairlead-demo-") as temporary:
        folder = Path(temporary)
        console.print("[bold]Fairlead, the tour[/]: a shop's order lines on an object store that checks signatures")
        with console.status("writing the data set"):
            rows = data.write(folder / "files")
        store = DemoStore(folder / "store.log")
        gateway: Gateway | None = None
        try:
            with console.status("starting the object store and uploading"):
                store.start()
                objects, size = store.upload(folder / "files")
            console.print(
                f"{rows['order_lines']:,} order lines, {rows['customers']:,} customers: "
                f"{objects} objects, {size / 1e6:.0f} MB"
            )
            gateway = Gateway(folder, secrets.token_urlsafe(12))
            play(store, gateway)
            _farewell(gateway, started, stay=stay)
        except (NotAsTold, psycopg.Error) as error:
            console.print(f"\n[bold red]not as told[/]: {error}", highlight=False)
            console.print((folder / "gateway.log").read_text()[-3000:] if gateway else "", style="dim", markup=False)
            return 1
        finally:
            if gateway is not None:
                gateway.stop()
            store.stop()
    return 0


def _farewell(gateway: Gateway, started: float, *, stay: bool) -> None:
    console.print()
    console.print(Rule("[bold green]everything was as told", style="green"))
    console.print(f"{time.monotonic() - started:.0f} s in all.")
    if not stay:
        console.print("To keep store and gateway running on the same data:  [bold]make demo STAY=1[/]")
        console.print("It prints the psql command to connect with.")
        return
    console.print(f"superuser [bold]fairlead[/], password [bold]{gateway.password}[/]")
    console.print(f'[bold]psql "postgresql://fairlead@{gateway.host}:{gateway.port}/main?sslmode=require"[/]')
    console.print("Ctrl-C ends it.")
    ended = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()


if __name__ == "__main__":
    sys.exit(main())
