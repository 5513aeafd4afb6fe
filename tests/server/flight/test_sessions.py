"""Tokens and the sessions behind them: how many, how long, and whose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.errors import InvalidCatalogName, LoginRefused, TooManyConnections
from fairlead.server.flight.session import Turn
from fairlead.server.flight.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping


class Opened:
    """A session that does nothing."""

    async def cancel(self) -> None:
        """Do nothing."""


class Gateway:
    def __init__(self) -> None:
        self.opened: list[tuple[str, str | None, str]] = []
        self.closed = 0

    async def open_session(
        self, *, user: str, database: str | None, parameters: Mapping[str, str], client: str
    ) -> Opened:
        if database == "missing":
            raise InvalidCatalogName("there is no such database")
        self.opened.append((user, database, client))
        return Opened()

    async def close_session(self, session: Any) -> None:
        self.closed += 1


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def sessions(gateway: Gateway, clock: Clock | None = None) -> Sessions:
    return Sessions(gateway, 3, 60.0, clock or Clock())  # type: ignore[arg-type]


def test_a_session_is_opened_once_by_its_first_call() -> None:
    async def story() -> None:
        gateway = Gateway()
        some = sessions(gateway)
        token = await some.admit("u", {"database": "d"})
        assert gateway.opened == []
        found = await asyncio.gather(*(some.session(token, "ipv4:1.2.3.4:5") for _ in range(5)))
        assert len({id(one) for one in found}) == 1
        assert gateway.opened == [("u", "d", "ipv4:1.2.3.4:5")]

    asyncio.run(story())


def test_tokens_are_different_and_only_they_open_a_session() -> None:
    async def story() -> None:
        some = sessions(Gateway())
        one, other = await some.admit("u", {}), await some.admit("u", {})
        assert len({one, other}) == 2
        assert await some.session(one, "") is not await some.session(other, "")
        for wrong in ("", one + "x", one[:-1], one.upper()):
            assert not some.known(wrong)
            with pytest.raises(LoginRefused):
                await some.session(wrong, "")

    asyncio.run(story())


def test_there_is_a_limit() -> None:
    async def story() -> None:
        some = sessions(Gateway())
        tokens = [await some.admit("u", {}) for _ in range(3)]
        with pytest.raises(TooManyConnections):
            await some.admit("u", {})
        await some.close(tokens[0])
        await some.admit("u", {})

    asyncio.run(story())


def test_a_silent_session_ends_and_a_busy_one_does_not() -> None:
    async def story() -> None:
        gateway, clock = Gateway(), Clock()
        some = sessions(gateway, clock)
        silent, busy, unused = [await some.admit("u", {}) for _ in range(3)]
        await some.session(silent, "")
        session = await some.session(busy, "")
        async with session._taking(Turn()):
            clock.now = 59.0
            await some.expire_now()
            assert len(some) == 3
            clock.now = 61.0
            await some.expire_now()
            assert [some.known(token) for token in (silent, busy, unused)] == [False, True, False]
        clock.now = 100.0
        await some.expire_now()
        assert some.known(busy)  # it was used at 61
        assert gateway.closed == 1
        with pytest.raises(LoginRefused):
            await some.session(silent, "")

    asyncio.run(story())


def test_a_session_that_cannot_be_opened_leaves_no_token_behind() -> None:
    async def story() -> None:
        some = sessions(Gateway())
        token = await some.admit("u", {"database": "missing"})
        with pytest.raises(InvalidCatalogName):
            await some.session(token, "")
        assert not some.known(token)

    asyncio.run(story())


def test_the_end_ends_all() -> None:
    async def story() -> None:
        gateway = Gateway()
        some = sessions(gateway)
        for _ in range(2):
            await some.session(await some.admit("u", {}), "")
        await some.stop()
        assert gateway.closed == 2
        assert len(some) == 0

    asyncio.run(story())
