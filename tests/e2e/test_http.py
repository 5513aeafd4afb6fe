"""SQL over HTTP, with real clients over TLS: httpx and curl."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from tests.services.http import ARROW, client, figure, lines, rows, sql
from tests.services.requirement import require_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.services.fixtures import StartGateway
    from tests.services.gateway import Gateway

ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b"
WIDE = "SELECT i, i::HUGEINT AS h, 'name ' || i AS s, i % 2 = 0 AS even, [i, NULL] AS l FROM range({}) r(i) ORDER BY i"


@pytest.fixture(scope="module")
def admin(gateway: Gateway) -> Iterator[httpx.Client]:
    with client(gateway) as who:
        yield who


@pytest.fixture(scope="module")
def reader(gateway: Gateway, admin: httpx.Client) -> Iterator[httpx.Client]:
    """A user who may do nothing that is not granted."""
    rows(admin, "CREATE USER reader PASSWORD 'a reader''s own password'")
    with client(gateway, "reader", "a reader's own password") as who:
        yield who


# --- answers ---------------------------------------------------------------------------------------------------------


def test_rows_come_as_lines_of_json(admin: httpx.Client) -> None:
    assert lines(sql(admin, "SELECT 1 AS a, 1.50::DECIMAL(4, 2) AS d, [1, 2] AS l, NULL AS n")) == [
        {
            "columns": [
                {"name": "a", "type": "INTEGER"},
                {"name": "d", "type": "DECIMAL(4,2)"},
                {"name": "l", "type": "INTEGER[]"},
                {"name": "n", "type": "INTEGER"},
            ]
        },
        [1, "1.50", [1, 2], None],
        {"tag": "SELECT 1"},
    ]


def test_rows_come_as_an_arrow_stream(admin: httpx.Client) -> None:
    answer = sql(admin, WIDE.format(100_000), headers=ARROW)
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(answer.content).read_all()
    table.validate(full=True)
    assert table.column("i").to_pylist() == list(range(100_000))
    assert table.slice(99_999).to_pylist() == [
        {"i": 99_999, "h": Decimal(99_999), "s": "name 99999", "even": False, "l": [99_999, None]}
    ]


def test_parameters_of_every_kind_reach_their_places(admin: httpx.Client) -> None:
    query = "SELECT $1 + 1, $2::DATE + 1, $3 = ANY($4), $5->>'k', $6, NOT $7, $8 * 2, 2 = ANY($9)"
    values = (2**40, "2020-02-28", "b", ['a"', "b", None], {"k": "ü"}, None, False, 0.25, [1, 2])
    assert rows(admin, query, *values) == [[2**40 + 1, "2020-02-29", True, "ü", None, True, 0.5, True]]


def test_a_script_gives_one_result_after_the_other(admin: httpx.Client) -> None:
    found = lines(sql(admin, "SELECT 1 AS a; SHOW DATABASES; SELECT 'x' AS b"))
    assert [line["tag"] for line in found if "tag" in line] == ["SELECT 1", "SHOW", "SELECT 1"]
    assert [line for line in found if isinstance(line, list)] == [[1], ["main", None, None], ["x"]]


def test_commands_answer_in_both_forms(admin: httpx.Client) -> None:
    assert rows(admin, "SHOW DATABASES") == [["main", None, None]]
    table = pa.ipc.open_stream(sql(admin, "SHOW DATABASES", headers=ARROW).content).read_all()
    assert table.to_pylist() == [{"name": "main", "data_path": None, "connection": None}]
    made = pa.ipc.open_stream(sql(admin, "CREATE DATABASE made", headers=ARROW).content).read_all()
    assert (made.num_columns, made.schema.metadata) == (0, {b"tag": b"CREATE DATABASE"})
    assert lines(sql(admin, "DROP DATABASE made")) == [{"tag": "DROP DATABASE"}]


def test_tables_are_written_and_read_in_the_database_of_the_request(admin: httpx.Client) -> None:
    rows(admin, "CREATE DATABASE shop")
    rows(admin, "CREATE TABLE t (id BIGINT, price DECIMAL(10, 2)); INSERT INTO t VALUES (1, 1.5)", database="shop")
    assert lines(sql(admin, "INSERT INTO t VALUES ($1, $2)", 2, "20.25", database="shop")) == [{"tag": "INSERT 0 1"}]
    assert rows(admin, "SELECT * FROM t ORDER BY id", database="shop") == [[1, "1.50"], [2, "20.25"]]
    assert sql(admin, "SELECT * FROM t").status_code == 404


def test_dialect_and_settings_hold_for_the_request(admin: httpx.Client) -> None:
    assert rows(admin, "SHOW dialect", dialect="databend") == [["databend"]]
    asked = "SELECT TIMESTAMPTZ '2020-01-01 00:00:00+00'"
    assert rows(admin, asked, settings={"TimeZone": "Asia/Tokyo"}) == [["2020-01-01 09:00:00+09"]]
    assert rows(admin, "SHOW dialect") == [["native"]]


def test_a_million_rows_are_streamed(admin: httpx.Client) -> None:
    with admin.stream("POST", "/v1/sql", json={"sql": WIDE.format(1_000_000)}) as answer:
        count, last = 0, ""
        for line in answer.iter_lines():
            count, before, last = count + 1, last, line
    assert (count, json.loads(last)) == (1_000_002, {"tag": "SELECT 1000000"})
    assert json.loads(before)[0] == 999_999


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status", "sqlstate"),
    [
        ("SELEC 1", 400, "42601"),
        ("SELECT * FROM nowhere", 404, "42P01"),
        ("SELECT nothing FROM range(3)", 404, "42703"),
        ("SELECT 'x'::INTEGER", 400, "22P02"),
        ("SHOW CREATE CONNECTION nowhere", 404, "42704"),
        ("CREATE DATABASE main", 409, "42710"),
        ("SELECT * FROM read_csv('/etc/passwd')", 403, "42501"),
        ("COPY (SELECT 1) TO '/tmp/x'", 400, "22023"),
        ("SET statement_timeout = 200; " + ENDLESS, 408, "57014"),
    ],
)
def test_errors_have_a_status_by_their_sqlstate(text: str, status: int, sqlstate: str, admin: httpx.Client) -> None:
    for headers in ({}, ARROW) if ";" not in text else ({},):
        answer = sql(admin, text, headers=headers)
        assert (answer.status_code, answer.json()["error"]["sqlstate"]) == (status, sqlstate), answer.text


def test_an_error_points_into_the_statement_and_says_what_to_do(admin: httpx.Client) -> None:
    error = sql(admin, "SELECT *\nFROM nowhere").json()["error"]
    assert (error["position"], error["hint"]) == (15, "SHOW TABLES lists those that you may see")


def test_an_error_in_the_middle_is_the_last_line(admin: httpx.Client) -> None:
    query = "SELECT CASE WHEN i = 2900000 THEN 'x' ELSE '1' END::INTEGER FROM range(3000000) r(i)"
    answer = sql(admin, query)
    found = lines(answer)
    assert answer.status_code == 200
    assert found[-1]["error"]["sqlstate"] == "22P02"
    assert len(found) > 50_000


def test_an_arrow_stream_that_fails_in_the_middle_is_cut_off(admin: httpx.Client) -> None:
    import httpx as library  # noqa: PLC0415  # the fixture's annotation is for the type checker only

    query = "SELECT CASE WHEN i = 2900000 THEN 'x' ELSE '1' END::INTEGER FROM range(3000000) r(i)"
    with pytest.raises((library.ReadError, library.RemoteProtocolError)):
        sql(admin, query, headers=ARROW)


def test_rights_are_those_of_the_user(admin: httpx.Client, reader: httpx.Client) -> None:
    rows(admin, "CREATE TABLE secrets_of_admin AS SELECT 1 AS a; CREATE TABLE shared AS SELECT 2 AS a")
    rows(admin, "GRANT SELECT ON shared TO reader")
    assert rows(reader, "SELECT * FROM shared") == [[2]]
    assert sql(reader, "SELECT * FROM secrets_of_admin").status_code == 404
    assert sql(reader, "CREATE USER mine PASSWORD 'x'").json()["error"]["sqlstate"] == "42501"
    rows(admin, "REVOKE SELECT ON shared FROM reader")
    assert sql(reader, "SELECT * FROM shared").status_code == 404


def test_copy_from_the_client_is_refused_with_what_to_use(admin: httpx.Client) -> None:
    rows(admin, "CREATE TABLE loaded (a INTEGER)")
    error = sql(admin, "COPY loaded FROM STDIN").json()["error"]
    assert (error["sqlstate"], error["hint"]) == ("0A000", "use a PostgreSQL client for it")
    assert rows(admin, "SELECT count(*) FROM loaded") == [[0]]


# --- logins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("user", "password"), [("fairlead", "wrong"), ("nobody", "x"), ("", ""), ("reader", "")])
def test_a_wrong_password_is_refused_and_on_record(user: str, password: str, gateway: Gateway) -> None:
    with client(gateway, user, password) as who:
        answer = sql(who, "SELECT 1")
    assert (answer.status_code, answer.json()["error"]["sqlstate"]) == (401, "28P01")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    with gateway.connect() as admin:
        newest = admin.execute("SHOW LEDGER LIMIT 20").fetchall()
    assert any("login.failed" in map(str, row) for row in newest)


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic", "Basic !!!", "Basic Zm9v", "Basic /w=="])
def test_without_credentials_nothing_is_served(header: str, gateway: Gateway) -> None:
    with client(gateway, None) as nobody:
        for path in ("/v1/sql", "/v1/sessions"):
            answer = nobody.post(path, json={"sql": "SELECT 1"}, headers={"Authorization": header} if header else {})
            assert answer.status_code == 401
        assert nobody.delete("/v1/statements/x").status_code == 401


def test_plain_http_gets_no_answer(gateway: Gateway) -> None:
    host, _, port = gateway.http.removeprefix("https://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert plain.recv(1000)[:4] != b"HTTP"
        except ConnectionResetError:
            return


# --- cancelling ------------------------------------------------------------------------------------------------------


class Asked(threading.Thread):
    """A request that is on its way."""

    def __init__(self, gateway: Gateway, text: str, headers: dict[str, str]) -> None:
        super().__init__()
        self._who = client(gateway)
        self._text = text
        self._headers = headers
        self.answer: httpx.Response | None = None
        self.start()

    def run(self) -> None:
        self.answer = sql(self._who, self._text, headers=self._headers)
        self._who.close()


def _cancelled(who: httpx.Client, statement_id: str) -> None:
    """Cancel a statement as soon as it is there."""
    while who.delete(f"/v1/statements/{statement_id}").status_code == 404:
        continue


def test_a_statement_is_cancelled_by_its_id(gateway: Gateway, admin: httpx.Client) -> None:
    asked = Asked(gateway, ENDLESS, {"X-Fairlead-Statement": "my-1"})
    _cancelled(admin, "my-1")
    asked.join(30)
    assert asked.answer is not None
    assert (asked.answer.status_code, asked.answer.json()["error"]["sqlstate"]) == (408, "57014")
    assert admin.delete("/v1/statements/my-1").status_code == 404


def test_nobody_cancels_the_statements_of_others(gateway: Gateway, admin: httpx.Client, reader: httpx.Client) -> None:
    asked = Asked(gateway, ENDLESS, {"X-Fairlead-Statement": "my-2"})
    while figure(gateway, "fairlead_statements_running") == 0:
        continue
    assert sql(admin, "SELECT 1", headers={"X-Fairlead-Statement": "my-2"}).json()["error"]["sqlstate"] == "55006"
    assert reader.delete("/v1/statements/my-2").status_code == 404
    assert asked.is_alive()
    _cancelled(admin, "my-2")
    asked.join(30)
    assert not asked.is_alive()


@pytest.mark.parametrize("text", [ENDLESS, WIDE.format(100_000_000)])
def test_a_client_that_goes_away_ends_its_statement(text: str, gateway: Gateway, admin: httpx.Client) -> None:
    sessions = figure(gateway, "fairlead_sessions")
    context = ssl.create_default_context(cafile=str(gateway.certificate))
    host, _, port = gateway.http.removeprefix("https://").rpartition(":")
    request = admin.build_request("POST", "/v1/sql", json={"sql": text})
    request = next(admin.auth.auth_flow(request))  # type: ignore[union-attr]
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with (
        socket.create_connection((host, int(port)), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall(f"POST /v1/sql HTTP/1.1\r\n{head}\r\n".encode() + request.content)
        while figure(gateway, "fairlead_statements_running") == 0:
            continue
    while figure(gateway, "fairlead_statements_running") > 0:
        continue
    assert figure(gateway, "fairlead_sessions") == sessions


# --- sessions --------------------------------------------------------------------------------------------------------


def test_a_session_keeps_tables_settings_and_transactions(admin: httpx.Client) -> None:
    opened = admin.post("/v1/sessions", json={"dialect": "databend"})
    assert opened.status_code == 201
    inside = {"X-Fairlead-Session": opened.json()["id"]}
    assert rows(admin, "SHOW dialect", headers=inside) == [["databend"]]
    rows(admin, "CREATE TEMP TABLE mine AS SELECT 5 AS a", headers=inside)
    assert rows(admin, "SELECT * FROM mine WHERE a = $1", 5, headers=inside) == [[5]]
    rows(admin, "CREATE TABLE kept (a INTEGER)")
    rows(admin, "BEGIN; INSERT INTO kept VALUES (1)", headers=inside)
    assert rows(admin, "SELECT count(*) FROM kept") == [[0]]
    rows(admin, "COMMIT", headers=inside)
    assert rows(admin, "SELECT count(*) FROM kept") == [[1]]
    assert sql(admin, "SELECT 1", headers=inside, database="main").status_code == 400
    assert admin.delete(opened.headers["location"]).status_code == 204
    assert sql(admin, "SELECT 1", headers=inside).status_code == 404


def test_a_transaction_that_is_left_open_without_a_session_is_rolled_back_and_said_so(admin: httpx.Client) -> None:
    rows(admin, "CREATE TABLE undone (a INTEGER)")
    found = lines(sql(admin, "BEGIN; INSERT INTO undone VALUES (1)"))
    assert "POST /v1/sessions" in found[-1]["notice"]["hint"]
    assert rows(admin, "SELECT count(*) FROM undone") == [[0]]


def test_a_session_belongs_to_its_user(admin: httpx.Client, reader: httpx.Client) -> None:
    inside = {"X-Fairlead-Session": admin.post("/v1/sessions").json()["id"]}
    assert sql(reader, "SELECT 1", headers=inside).status_code == 404
    assert reader.delete(f"/v1/sessions/{inside['X-Fairlead-Session']}").status_code == 404
    assert rows(admin, "SELECT 1", headers=inside) == [[1]]


def test_a_session_runs_one_statement_at_a_time_and_outlives_a_cancel(gateway: Gateway, admin: httpx.Client) -> None:
    inside = {"X-Fairlead-Session": admin.post("/v1/sessions").json()["id"]}
    rows(admin, "CREATE TEMP TABLE stays AS SELECT 7 AS a", headers=inside)
    asked = Asked(gateway, ENDLESS, {**inside, "X-Fairlead-Statement": "long"})
    while figure(gateway, "fairlead_statements_running") == 0:
        continue
    assert sql(admin, "SELECT 1", headers=inside).json()["error"]["sqlstate"] == "55006"
    _cancelled(admin, "long")
    asked.join(30)
    assert rows(admin, "SELECT * FROM stays", headers=inside) == [[7]]


def test_a_session_that_nobody_uses_ends(start_gateway: StartGateway) -> None:
    gateway = start_gateway(env={"FAIRLEAD_HTTP_SESSION_IDLE": "0.2", "FAIRLEAD_WORKER_MAX_SESSIONS": "2"})
    with client(gateway) as who:
        inside = {"X-Fairlead-Session": who.post("/v1/sessions").json()["id"]}
        who.post("/v1/sessions")
        # There is room for no third, until the first two have ended by themselves.
        while who.post("/v1/sessions").status_code != 201:
            continue
        assert sql(who, "SELECT 1", headers=inside).status_code == 404


# --- the listener ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {}, 400),
        (b"[]", {}, 400),
        (b'{"sql": 1}', {}, 400),
        (b'{"sql": "SELECT 1", "parametres": []}', {}, 400),
        (b'{"sql": "SELECT 1"}', {"Content-Type": "text/plain"}, 415),
        (b'{"sql": "SELECT 1"}', {"Accept": "text/html"}, 406),
        (b'{"sql": "SELECT 1"}', {"X-Fairlead-Statement": "a b"}, 400),
        (b'{"sql": "' + b"x" * 2**20 + b'"}', {}, 413),
    ],
)
def test_requests_that_are_none_are_refused(
    content: bytes, headers: dict[str, str], status: int, start_small: Gateway
) -> None:
    with client(start_small) as who:
        answer = who.post("/v1/sql", content=content, headers={"Content-Type": "application/json", **headers})
        assert (answer.status_code, answer.json()["error"]["sqlstate"]) == (status, "08P01"), answer.text


@pytest.fixture(scope="module")
def start_small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    from tests.services.gateway import Gateway as One  # noqa: PLC0415  # the name above is for the type checker only

    env = {"FAIRLEAD_HTTP_BODY_LIMIT_MB": "1", "FAIRLEAD_HTTP_READ_TIMEOUT": "0.5"}
    one = One(tmp_path_factory.mktemp("small"), env=env)
    try:
        yield one.start()
    finally:
        one.end()


@pytest.mark.parametrize("said", [b"", b"GET /health HTT", b"GET /health HTTP/1.1\r\nHost: x\r\nA: "])
def test_a_client_that_does_not_say_what_it_wants_is_cut_off(said: bytes, start_small: Gateway) -> None:
    context = ssl.create_default_context(cafile=str(start_small.certificate))
    host, _, port = start_small.http.removeprefix("https://").rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall(said)
        try:
            assert secure.recv(1000) == b""
        except OSError as error:
            assert not isinstance(error, TimeoutError)  # noqa: PT017  # a reset is a cut, too


def test_a_head_without_end_is_refused(gateway: Gateway) -> None:
    with client(gateway) as who:
        assert who.get("/health", headers={"X": "x" * 2_000_000}).status_code == 400


def test_every_answer_has_the_headers_that_keep_browsers_away(admin: httpx.Client) -> None:
    for answer in (admin.get("/health"), admin.get("/nowhere"), sql(admin, "SELECT 1"), sql(admin, "SELEC")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


def test_curl_gets_lines(gateway: Gateway) -> None:
    curl = str(require_service("curl"))
    done = subprocess.run(
        [
            *(curl, "--silent", "--show-error", "--fail-with-body", "--cacert", str(gateway.certificate)),
            *("--user", f"fairlead:{gateway.password}", "--json", '{"sql": "SELECT $1 AS a", "parameters": [42]}'),
            f"{gateway.http}/v1/sql",
        ],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert [json.loads(line) for line in done.stdout.splitlines()][1:] == [[42], {"tag": "SELECT 1"}], done.stderr


def test_the_listener_can_be_switched_off(start_gateway: StartGateway) -> None:
    gateway = start_gateway(arguments=("--no-http",))
    with pytest.raises(KeyError):
        _ = gateway.http
    with gateway.connect() as who:
        assert who.execute("SELECT 1").fetchone() == (1,)
