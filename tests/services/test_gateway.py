"""The gateway fixture gives a gateway that answers, ends when told, and takes its data up again."""

from __future__ import annotations

import psycopg
import pytest


def test_a_gateway_answers_its_administrator_over_tls(gateway):
    with gateway.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert connection.pgconn.ssl_in_use


def test_a_gateway_refuses_a_wrong_password(gateway):
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        gateway.connect(password=gateway.password + "x")


def test_a_gateway_ends_cleanly_when_it_is_told_to(start_gateway):
    assert start_gateway().stop() == 0


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_gateway_takes_up_its_data_again(start_gateway, end):
    one = start_gateway()
    with one.connect() as connection:
        connection.execute("CREATE USER bosun PASSWORD 'a knot is a promise'")
    getattr(one, end)()
    one.restart()
    with one.connect("bosun", "a knot is a promise") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
