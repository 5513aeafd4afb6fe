"""Passwords in clear: the same users, waits and records as a login over PostgreSQL's protocol."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.access.scram import check_password, make_verifier
from fairlead.errors import InvalidPassword
from fairlead.sensitive import Sensitive
from fairlead.server.passwords import PasswordLogin
from fairlead.server.pgwire.throttle import LoginThrottle

MOCK = b"m" * 32


@given(st.text(max_size=20), st.text(max_size=20))
def test_only_the_right_password_fits_a_verifier(password, other):
    verifier = make_verifier(Sensitive(password), 1)
    assert check_password(verifier, "u", Sensitive(password), MOCK)
    if other != password:
        assert check_password(verifier, "u", Sensitive(other), MOCK) == (
            make_verifier(Sensitive(other), 1, salt=b"s") == make_verifier(Sensitive(password), 1, salt=b"s")
        )


@pytest.mark.parametrize("verifier", [None, "", "SCRAM-SHA-256$x", "md5abc"])
def test_without_a_verifier_no_password_fits(verifier):
    assert not check_password(verifier, "u", Sensitive(""), MOCK)
    assert not check_password(verifier, "u", Sensitive("x"), MOCK)


class Backend:
    def __init__(self):
        self.failed = []

    async def authenticate_verifier(self, user):
        return make_verifier(Sensitive("right"), 1) if user == "ada" else None

    async def login_failed(self, user, client, reason):
        self.failed.append((user, client, reason))


def test_failures_are_recorded_and_wait_longer_each_time_until_one_succeeds():
    backend, waits = Backend(), []

    async def pause(seconds):
        waits.append(seconds)

    async def run():
        login = PasswordLogin(backend, LoginThrottle(), MOCK, pause)  # type: ignore[arg-type]
        for user, password in (("ada", "wrong"), ("bob", "right"), ("ada", "")):
            with pytest.raises(InvalidPassword, match="password authentication failed"):
                await login.prove(user, Sensitive(password), "10.0.0.1")
        await login.prove("ada", Sensitive("right"), "10.0.0.1")
        with pytest.raises(InvalidPassword):
            await login.prove("ada", Sensitive("wrong"), "10.0.0.1")

    asyncio.run(run())
    assert waits == [0.2, 0.4, 0.8, 0.2]
    assert [(user, client) for user, client, _ in backend.failed] == [
        ("ada", "10.0.0.1"), ("bob", "10.0.0.1"), ("ada", "10.0.0.1"), ("ada", "10.0.0.1"),
    ]  # fmt: skip
