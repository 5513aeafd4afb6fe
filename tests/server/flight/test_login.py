"""Passwords over Flight: what a header says, and what becomes of a wrong one."""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.access.scram import make_verifier
from fairlead.errors import InvalidPassword, LoginRefused
from fairlead.sensitive import Sensitive
from fairlead.server.flight.login import Login, credentials
from fairlead.server.pgwire.throttle import LoginThrottle

if TYPE_CHECKING:
    from collections.abc import Coroutine

VERIFIER = make_verifier(Sensitive("right"), 4096)


def basic(text: str, *, padded: bool = True) -> str:
    encoded = base64.b64encode(text.encode()).decode()
    return f"Basic {encoded if padded else encoded.rstrip('=')}"


class Backend:
    def __init__(self) -> None:
        self.failures: list[tuple[str, str]] = []

    async def authenticate_verifier(self, user: str) -> str | None:
        return VERIFIER if user == "known" else None

    async def login_failed(self, user: str, client: str, reason: str) -> None:
        self.failures.append((user, client))


class Bridge:
    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(work)


def login(backend: Backend, waits: list[float]) -> Login:
    return Login(backend, Bridge(), b"key", LoginThrottle(), pause=waits.append)  # type: ignore[arg-type]


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize(
    ("text", "user", "password"), [("u:p", "u", "p"), ("u:p:q", "u", "p:q"), ("ü:ö", "ü", "ö"), ("user:", "user", "")]
)
def test_user_and_password_are_read(text: str, user: str, password: str, padded: bool) -> None:
    found = credentials(basic(text, padded=padded))
    assert (found[0], found[1].reveal()) == (user, password)


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Bearer abc", basic("nocolon"), basic(":p"), basic("u:\0"), "Basic " + "A" * 9999],
)
def test_what_is_no_login_is_refused(header: str) -> None:
    with pytest.raises(LoginRefused, match="log in with user and password"):
        credentials(header)


@given(st.text(max_size=60))
def test_any_header_is_read_or_refused(header: str) -> None:
    with suppress(LoginRefused):
        credentials(f"Basic {header}")


def test_the_right_password_passes_without_a_wait() -> None:
    backend, waits = Backend(), list[float]()
    assert login(backend, waits).prove(basic("known:right")) == "known"
    assert (backend.failures, waits) == ([], [])


@pytest.mark.parametrize("text", ["known:wrong", "unknown:right", "known:"])
def test_a_wrong_one_is_recorded_and_waits_longer_each_time(text: str) -> None:
    backend, waits = Backend(), list[float]()
    one = login(backend, waits)
    for _ in range(3):
        with pytest.raises(InvalidPassword):
            one.prove(basic(text))
    assert backend.failures == [(text.partition(":")[0], "Flight SQL")] * 3
    assert waits == [0.2, 0.4, 0.8]
