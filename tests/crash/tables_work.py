"""Clients that write to native tables until something breaks, and what the tables must hold afterwards.

Every client numbers its writes. It knows which were acknowledged, which were refused, and which were in flight when
something broke: the first must be there, the second must not, the last must be there as a whole or not at all.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import psycopg

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from tests.services.gateway import Gateway

Kind = Literal["single", "bulk", "pair", "count"]
Connection = psycopg.Connection[tuple[Any, ...]]

BULK = 1000  # rows
TABLES = ("singles", "bulks", "lefts", "rights", "counters")
_KINDS: tuple[Kind, ...] = ("single", "bulk", "pair", "count")
_LOST = {"58000", "57P01"}  # a worker or the writer is gone; the gateway is being stopped


@dataclass(slots=True)
class Written:
    """What one client has written.

    Args:
        acknowledged: numbers of the writes that are there for certain, by kind.
        open: writes of which nobody knows yet whether they are there.
        last: the highest number so far.
    """

    acknowledged: dict[Kind, set[int]] = field(default_factory=lambda: {kind: set() for kind in _KINDS})
    open: list[tuple[Kind, int]] = field(default_factory=list)
    last: int = 0

    @property
    def total(self) -> int:
        """How many writes were acknowledged."""
        return sum(map(len, self.acknowledged.values()))


class Client(threading.Thread):
    """Writes until the gateway is gone or it is told to stop.

    Args:
        gateway: running, with the tables made.
        number: of the client; its rows carry it.
        written: what it has written earlier; goes on there.
        chance: chooses the writes.
    """

    def __init__(self, gateway: Gateway, number: int, written: Written, chance: random.Random) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self.number = number
        self.written = written
        self.stopping = threading.Event()
        self.unexpected: str | None = None
        self.acknowledged = 0
        self.conflicts = 0
        self._chance = chance
        self._connection = gateway.connect()
        self._writes: Mapping[Kind, Callable[[int], None]] = {
            "single": self._single,
            "bulk": self._bulk,
            "pair": self._pair,
            "count": self._count,
        }

    def run(self) -> None:
        """Write; the connection is closed in the end."""
        with self._connection:
            while not self.stopping.is_set() and not self._connection.broken and self.unexpected is None:
                self._one()

    def _one(self) -> None:
        kind = self._chance.choice(_KINDS)
        self.written.last += 1
        number = self.written.last
        try:
            self._writes[kind](number)
        except psycopg.errors.SerializationFailure:
            self.conflicts += 1
            if kind != "pair":
                self.unexpected = f"{kind}: a statement of its own met a conflict"
        except psycopg.Error as error:
            self.written.open.append((kind, number))
            if error.sqlstate is not None and error.sqlstate not in _LOST:
                self.unexpected = f"{kind}: {error.sqlstate} {error}"
        else:
            self.written.acknowledged[kind].add(number)
            self.acknowledged += 1

    def _single(self, number: int) -> None:
        self._connection.execute("INSERT INTO singles VALUES (%s, %s)", [self.number, number])

    def _bulk(self, number: int) -> None:
        sql = f"INSERT INTO bulks SELECT {self.number}, {number}, i FROM range({BULK}) t(i)"
        self._connection.execute(sql.encode())

    def _pair(self, number: int) -> None:
        with self._connection.transaction():
            self._connection.execute("INSERT INTO lefts VALUES (%s, %s)", [self.number, number])
            self._connection.execute("UPDATE counters SET pairs = pairs + 1 WHERE client = %s", [self.number])
            self._connection.execute("INSERT INTO rights VALUES (%s, %s)", [self.number, number])

    def _count(self, _: int) -> None:
        self._connection.execute("UPDATE counters SET counts = counts + 1 WHERE client = %s", [self.number])


def make_tables(connection: Connection, clients: int) -> None:
    """Make the tables that the clients write to, with a counter for each of them."""
    connection.execute("CREATE TABLE singles (client INTEGER, n INTEGER)")
    connection.execute("CREATE TABLE bulks (client INTEGER, n INTEGER, i INTEGER)")
    connection.execute("CREATE TABLE lefts (client INTEGER, n INTEGER)")
    connection.execute("CREATE TABLE rights (client INTEGER, n INTEGER)")
    connection.execute("CREATE TABLE counters (client INTEGER, pairs INTEGER, counts INTEGER)")
    connection.execute(f"INSERT INTO counters SELECT i, 0, 0 FROM range({clients}) t(i)".encode())


def settle(connection: Connection, clients: Mapping[int, Written]) -> None:
    """Compare the tables with what the clients know, and let the clients know what became of their open writes.

    Raises:
        AssertionError: a write is lost, was done twice or by half, or is there though it was refused.
    """
    singles = _numbers(connection, "SELECT client, n FROM singles")
    lefts = _numbers(connection, "SELECT client, n FROM lefts")
    rights = _numbers(connection, "SELECT client, n FROM rights")
    assert lefts == rights, f"half of a transaction: {set(lefts) ^ set(rights)}"
    whole = f"count(*) = {BULK} AND count(DISTINCT i) = {BULK}"
    bulks = connection.execute(f"SELECT client, n, {whole} FROM bulks GROUP BY client, n".encode()).fetchall()
    assert all(is_whole for *_, is_whole in bulks), f"part of an insert: {[b for b in bulks if not b[2]]}"
    found = {"single": set(singles), "pair": set(lefts), "bulk": {(client, n) for client, n, _ in bulks}}
    counters = {row[0]: row[1:] for row in connection.execute("SELECT client, pairs, counts FROM counters")}
    assert counters.keys() == clients.keys()
    for client, written in clients.items():
        for kind in ("single", "pair", "bulk"):
            there = {n for one, n in found[kind] if one == client}
            _settle_numbered(client, kind, written, there)  # type: ignore[arg-type]
        pairs, counts = counters[client]
        assert pairs == len(written.acknowledged["pair"]), f"client {client}: an update of a transaction alone"
        _settle_counted(client, written, counts)
        written.open.clear()


def _numbers(connection: Connection, sql: str) -> list[tuple[int, int]]:
    rows: list[tuple[int, int]] = sorted(connection.execute(sql.encode()).fetchall())  # type: ignore[arg-type]
    assert len(rows) == len(set(rows)), f"twice: {sql}"
    return rows


def _settle_numbered(client: int, kind: Kind, written: Written, there: set[int]) -> None:
    acknowledged, possible = written.acknowledged[kind], {n for one, n in written.open if one == kind}
    assert acknowledged <= there, f"client {client}: {kind} {acknowledged - there} acknowledged and lost"
    more = there - acknowledged - possible
    assert not more, f"client {client}: {kind} {more} refused, but there"
    acknowledged |= there


def _settle_counted(client: int, written: Written, counts: int) -> None:
    acknowledged, possible = written.acknowledged["count"], [n for one, n in written.open if one == "count"]
    least = len(acknowledged)
    assert least <= counts <= least + len(possible), f"client {client}: {counts} counts, {least} acknowledged"
    acknowledged |= set(possible[: counts - least])
