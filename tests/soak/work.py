"""What people do all day, as one client of many: look something up, aggregate, insert, mistype, cancel, think.

Each kind of step knows what has to come of it: rows that are compared, or one SQLSTATE. Anything else is reported.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from tests.services.gateway import Gateway

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
ROWS = 100_000  # of the table that is read
_THINKING = (0.5, 2.5)  # seconds between two steps
_CANCEL_AFTER = 0.1  # seconds


@dataclass(slots=True)
class Seen:
    """What all clients have met.

    Args:
        taken: seconds that each step took, by kind.
        wrong: what should not have happened.
        inserted: rows that were acknowledged.
    """

    taken: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    inserted: int = 0

    def quantile(self, share: float) -> float:
        """The seconds within which so large a share of all steps had ended."""
        every = sorted(one for kind in self.taken.values() for one in kind)
        return every[min(int(share * len(every)), len(every) - 1)]


class Client:
    """One client with a session of its own.

    Args:
        gateway: running, with the tables of :func:`prepare`.
        number: of the client.
        chance: chooses its steps.
        seen: where it notes what it meets.
    """

    def __init__(self, gateway: Gateway, number: int, chance: random.Random, seen: Seen) -> None:
        self._gateway = gateway
        self._number = number
        self._chance = chance
        self._seen = seen
        self._steps: tuple[tuple[int, Callable[[Connection], Awaitable[None]]], ...] = (
            (40, self._look_up),
            (15, self._smallest),
            (10, self._aggregate),
            (10, self._show),
            (8, self._read_all),
            (5, self._insert),
            (5, self._mistype),
            (4, self._block),
            (3, self._cancel),
        )

    async def run(self, until: float) -> None:
        """Work until a moment of the monotonic clock."""
        weights, steps = zip(*self._steps, strict=True)
        try:
            async with await self._connect() as connection:
                while time.monotonic() < until:
                    await asyncio.sleep(self._chance.uniform(*_THINKING))  # a person thinks: this is the load itself
                    (step,) = self._chance.choices(steps, weights)
                    began = time.monotonic()
                    await step(connection)
                    self._seen.taken.setdefault(step.__name__, []).append(time.monotonic() - began)
        except (psycopg.Error, AssertionError, pytest.fail.Exception, OSError) as error:
            self._seen.wrong.append(f"client {self._number}: {type(error).__name__}: {error}")

    async def _connect(self) -> Connection:
        host, port = self._gateway.address
        return await psycopg.AsyncConnection.connect(
            host=host,
            port=port,
            user="fairlead",
            password=self._gateway.password,
            dbname="main",
            sslmode="require",
            connect_timeout=120,
            autocommit=True,
        )

    async def _rows(self, connection: Connection, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return await (await connection.execute(sql.encode(), values or None)).fetchall()

    async def _refused(self, connection: Connection, sql: str, sqlstate: str) -> None:
        with pytest.raises(psycopg.Error) as refused:
            await connection.execute(sql.encode())
        assert refused.value.sqlstate == sqlstate, f"{sql}: {refused.value.sqlstate}: {refused.value}"

    async def _smallest(self, connection: Connection) -> None:
        assert await self._rows(connection, "SELECT 1") == [(1,)]

    async def _look_up(self, connection: Connection) -> None:
        wanted = self._chance.randrange(ROWS)
        found = await self._rows(connection, "SELECT id, note FROM things WHERE id = %s", wanted)
        assert found == [(wanted, f"note {wanted}")], found

    async def _aggregate(self, connection: Connection) -> None:
        found = await self._rows(connection, "SELECT id % 4 AS g, count(*) FROM things GROUP BY g ORDER BY g")
        assert found == [(group, ROWS // 4) for group in range(4)], found

    async def _read_all(self, connection: Connection) -> None:
        found = await self._rows(connection, "SELECT id, note, amount FROM things WHERE id < 20000")
        assert len(found) == 20000, len(found)

    async def _show(self, connection: Connection) -> None:
        assert any("things" in row for row in await self._rows(connection, "SHOW TABLES"))
        assert await self._rows(connection, "SHOW CONNECTIONS") == []

    async def _insert(self, connection: Connection) -> None:
        await connection.execute(b"INSERT INTO notes VALUES (%s, 'x')", (self._number,))
        self._seen.inserted += 1

    async def _mistype(self, connection: Connection) -> None:
        await self._refused(connection, "SELECT nothing_of_that_name FROM things", "42703")

    async def _block(self, connection: Connection) -> None:
        await connection.execute(b"BEGIN")
        await connection.execute(b"INSERT INTO notes VALUES (%s, 'taken back')", (self._number,))
        (found,) = await self._rows(connection, "SELECT count(*) FROM notes WHERE note = 'taken back'")
        assert found == (1,), found
        await connection.execute(b"ROLLBACK")

    async def _cancel(self, connection: Connection) -> None:
        """Give up waiting, as people do: the statement would run for minutes."""
        running = asyncio.create_task(
            self._refused(connection, "SELECT count(*) FROM range(100000000000) a(i) WHERE i % 7 = 8", "57014")
        )
        await asyncio.sleep(_CANCEL_AFTER)
        await connection.cancel_safe()
        await running


def prepare(gateway: Gateway) -> None:
    """Make what the clients read and write."""
    with gateway.connect() as connection:
        connection.execute(
            b"CREATE TABLE things AS "
            b"SELECT i::INTEGER AS id, 'note ' || i AS note, (i / 4)::DOUBLE AS amount FROM range(%d) t(i)" % ROWS
        )
        connection.execute(b"CREATE TABLE notes (client INTEGER, note VARCHAR)")
