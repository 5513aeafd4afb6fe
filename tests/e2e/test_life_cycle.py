"""How sessions end, and who may begin one: idle limits, limits of a user, client certificates, a gateway that stops."""

from __future__ import annotations

import contextlib
import json
import threading

import psycopg
import pytest

from tests.server.pgwire import raw
from tests.server.pgwire.raw import RawClient, fields


@contextlib.contextmanager
def logged_in(gateway):
    """A client that looks at each message of the server."""
    with RawClient(gateway.address) as client:
        client.start_tls()
        client.login("fairlead", gateway.password, database="main")
        yield client


def last_words(client):
    """Wait for what the server says to a client that says nothing, and for its end."""
    tag, body = client.read()
    assert (tag, client.at_end()) == ("E", True)
    told = fields(body)
    return told["S"], told["C"]


@pytest.mark.parametrize(
    ("setting", "before", "code"),
    [
        ("idle_session_timeout", "SELECT 1", "57P05"),
        ("idle_in_transaction_session_timeout", "BEGIN", "25P03"),
    ],
)
def test_a_session_whose_client_says_nothing_ends(gateway, setting, before, code):
    with logged_in(gateway) as client:
        client.send(raw.query(f"SET {setting} = '100ms'; {before}"))
        client.read_until()
        assert last_words(client) == ("FATAL", code)


def test_time_that_a_statement_takes_is_not_idle(gateway):
    with gateway.connect() as who:
        who.execute("SET idle_session_timeout = '100ms'")
        slow = "SELECT count(*) FROM range(300000000) a(i) WHERE hash(i) % 7 = 3"
        assert who.execute(slow).fetchone() is not None


def test_a_user_has_so_many_sessions_and_a_superuser_any_number(start_gateway):
    gateway = start_gateway(env={"FAIRLEAD_WORKER_MAX_SESSIONS_PER_USER": "2"})
    with gateway.connect() as admin, gateway.connect(), gateway.connect():
        admin.execute("CREATE USER few PASSWORD 'few'")
        with gateway.connect("few", "few"), gateway.connect("FEW", "few") as second:
            with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
                gateway.connect("few", "few")
            second.close()
            admin.execute("SELECT 1")
            for _ in range(50):  # the place is free when the gateway has noticed
                try:
                    gateway.connect("few", "few").close()
                    break
                except psycopg.OperationalError:
                    admin.execute("SELECT count(*) FROM range(1000000)")
            else:
                pytest.fail("the place was not free again")


def test_a_user_has_to_show_a_certificate_with_their_name(start_gateway, authority, other_authority):
    gateway = start_gateway(
        env={"FAIRLEAD_CERTIFICATE_USERS": json.dumps(["ann"])}, arguments=("--client-ca", str(authority.certificate))
    )

    def login(user, leaf=None):
        shown = {} if leaf is None else {"sslcert": str(leaf.certificate), "sslkey": str(leaf.key)}
        with gateway.connect(user, "pw", **shown) as who:
            return who.execute("SELECT current_user").fetchone()

    with gateway.connect() as admin:
        admin.execute("CREATE USER ann PASSWORD 'pw'")
        admin.execute("CREATE USER bob PASSWORD 'pw'")
    ann, bob = (authority.leaf(name, client=True) for name in ("ann", "bob"))
    assert login("ann", ann) == ("ann",)
    assert login("bob") == ("bob",)
    for leaf in (None, bob):
        with pytest.raises(psycopg.OperationalError, match="has to show a TLS certificate"):
            login("ann", leaf)
    with pytest.raises(psycopg.OperationalError):
        login("ann", other_authority.leaf("ann", client=True))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        gateway.connect("ann", "wrong", sslcert=str(ann.certificate), sslkey=str(ann.key))


def test_a_gateway_that_stops_lets_statements_end_and_sends_idle_sessions_away(start_gateway):
    gateway = start_gateway(env={"FAIRLEAD_DRAIN_SECONDS": "60"})
    busy = gateway.connect()
    found = []
    begun = threading.Event()

    def run():
        with busy.cursor().copy("COPY (SELECT i FROM range(30000000) r(i)) TO STDOUT") as source:
            for number, _ in enumerate(source):
                if number == 1000:
                    begun.set()
                    idle_is_gone.wait(30)
            found.append(number)

    idle_is_gone = threading.Event()
    worker = threading.Thread(target=run)
    worker.start()
    assert begun.wait(30)
    codes = []
    with logged_in(gateway) as idle:
        stopping = threading.Thread(target=lambda: codes.append(gateway.stop_within(60)))
        stopping.start()
        assert last_words(idle) == ("FATAL", "57P01")
    with pytest.raises(psycopg.OperationalError):
        gateway.connect()
    idle_is_gone.set()
    worker.join(60)
    stopping.join(60)
    assert (found, codes) == ([29_999_999], [0])


def test_statements_that_do_not_end_in_time_are_ended(start_gateway):
    gateway = start_gateway(env={"FAIRLEAD_DRAIN_SECONDS": "0.2"})
    with gateway.connect() as who:
        who.execute("SELECT 1")
        stopping = threading.Timer(0.5, gateway.stop)
        stopping.start()
        with pytest.raises(psycopg.OperationalError):
            who.execute("SELECT count(*) FROM range(100000000000) a(i) WHERE hash(i) % 7 = 3")
        stopping.join()
