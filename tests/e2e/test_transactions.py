"""Transactions on native tables, through psycopg, against a model in memory: snapshot isolation and nothing less.

Three clients work at random; after every step each of them must see what the model says, and be told what the model
says. Steps of several clients at once must have the effect of some order of them. ``FAIRLEAD_TEST_EXAMPLES`` sets how
many histories the long run takes.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.e2e import tables_model as model
from tests.e2e import tables_statements as made
from tests.e2e.tables_model import Outcome, Statement, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.services.gateway import Gateway

_CLIENTS = ("ann", "bob", "eve")
_TABLES = ("t0", "t1", "t2")
_ROWS_OF_ALL = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 9),
            "a": st.none() | st.integers(0, 9),
            "b": st.none() | st.sampled_from(["x", "y", "z"]),
        }
    ),
    min_size=1,
    max_size=3,
)
_MORE_THAN_ARE_INLINED = 120  # rows; fewer stay in the catalog of the lake
_serial = itertools.count(1).__next__


# --- statements at random --------------------------------------------------------------------------------------------

clients = st.sampled_from(_CLIENTS)
tables = st.sampled_from(["t0", "t0", "t1", "t1", "t2"])  # the last is mostly not there
small = st.integers(1, 9)
conditions = small.flatmap(lambda n: st.sampled_from(made.conditions(n)))
assignments = small.flatmap(lambda n: st.sampled_from(made.assignments(n)))
unique_rows = _ROWS_OF_ALL.map(lambda rows: list({row["id"]: row for row in rows}.values()))
extra_columns = st.sampled_from(["c", "d"])

additions = st.one_of(
    st.builds(made.insert, tables, _ROWS_OF_ALL),
    st.builds(made.copy, tables, _ROWS_OF_ALL),
    st.builds(made.insert_many, tables, small, st.just(_MORE_THAN_ARE_INLINED)),
)
changes = st.one_of(
    st.builds(made.update, tables, assignments, conditions),
    st.builds(made.update, tables, assignments, conditions),
    st.builds(made.delete, tables, conditions),
    st.builds(made.truncate, tables),
)
others = st.one_of(
    st.builds(made.insert_select, tables, tables, conditions, small),
    st.builds(made.merge, tables, unique_rows, removes=st.booleans()),
    st.builds(made.fail_in_the_middle, tables),
)
structure = st.one_of(
    st.builds(made.create, tables),
    st.builds(made.create_as, tables, tables, conditions),
    st.builds(made.drop, tables),
    st.permutations(_TABLES).map(lambda names: made.rename(names[0], names[1])),
    st.builds(made.add_column, tables, extra_columns, st.none() | st.integers(0, 9)),
    st.builds(lambda name, pair: made.rename_column(name, *pair), tables, st.permutations(["c", "d"])),
    st.builds(made.drop_column, tables, extra_columns),
)
statements = st.one_of(additions, changes, others, structure)


def _of_one_table(name: str) -> st.SearchStrategy[Statement]:
    """Return statements about one table, most of which touch some row."""
    one, every = st.just(name), made.conditions(1)[0]
    return st.one_of(
        st.builds(made.insert, one, _ROWS_OF_ALL),
        st.builds(made.update, one, assignments, st.just(every) | conditions),
        st.builds(made.update, one, assignments, st.just(every) | conditions),
        st.builds(made.delete, one, conditions),
        st.builds(made.insert_select, one, one, conditions, small),
        st.builds(made.merge, one, unique_rows, removes=st.booleans()),
        st.builds(made.add_column, one, extra_columns, st.integers(0, 9)),
        st.builds(made.drop, one),
    )


class Histories(RuleBasedStateMachine):
    """Three clients on a database of their own, beside the model."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._gateway = gateway
        self._database = f"h{_serial()}"
        self.world = World()
        self.past: list[tuple[int, Mapping[str, model.Table]]] = []
        self.connections: dict[str, psycopg.Connection[tuple[Any, ...]]] = {}

    @initialize(rows=_ROWS_OF_ALL)
    def begin(self, rows):
        """Make the database, its clients and two tables; the third name is free."""
        with self._gateway.connect() as admin:
            admin.execute(f"CREATE DATABASE {self._database}")
        for client in _CLIENTS:
            self.connections[client] = self._stack.enter_context(closing(self._gateway.connect(dbname=self._database)))
        for name in _TABLES[:2]:
            self._act("ann", made.create(name))
            self._act("ann", made.insert(name, rows))

    def teardown(self):
        self._stack.close()

    # --- what clients do ---------------------------------------------------------------------------------------------

    @rule(client=clients, statement=statements)
    def run_a_statement(self, client, statement):
        self._act(client, statement)

    @rule(client=clients, statement=additions | changes)
    def change_rows(self, client, statement):
        self._act(client, statement)

    @rule(client=clients)
    def begin_a_block(self, client):
        if client not in self.world.blocks:
            self._act(client, "BEGIN")

    @precondition(lambda self: self.world.blocks)
    @rule(data=st.data(), action=st.sampled_from(["COMMIT", "COMMIT", "COMMIT", "ROLLBACK"]))
    def end_a_block(self, data, action):
        self._act(data.draw(st.sampled_from(sorted(self.world.blocks))), action)

    @rule(
        order=st.permutations(_CLIENTS),
        name=st.sampled_from(_TABLES[:2]),
        bystanders=st.lists(st.sampled_from(["before", "between"]), max_size=1),
        data=st.data(),
    )
    def overlap(self, order, name, bystanders, data):
        """Two blocks that begin before either ends, on one table, and perhaps a statement of a third client."""
        if self.world.blocks.keys() & set(order[:2]):
            return
        for client in order[:2]:
            self._act(client, "BEGIN")
            for _ in range(data.draw(st.integers(1, 2))):
                self._act(client, data.draw(_of_one_table(name), label=client))
        for moment, client in zip(("before", "between"), order[:2], strict=True):
            if moment in bystanders:
                self._act(order[2], data.draw(_of_one_table(name), label=order[2]))
            self._act(client, "COMMIT")

    @rule(data=st.data())
    def do_all_at_once(self, data):
        """Every client acts at the same moment: the outcome is that of the same actions in some order."""
        actions = {client: self._possible(data, client) for client in _CLIENTS}
        actions = {client: action for client, action in actions.items() if action is not None}
        note(f"at once: {actions}")
        with ThreadPoolExecutor(len(_CLIENTS)) as pool:
            waiting = {client: pool.submit(self._send, client, action) for client, action in actions.items()}
            told = {client: one.result(60) for client, one in waiting.items()}
        possible = [self._in_order(order, actions) for order in itertools.permutations(actions)]
        possible = [
            world for world, outcomes in possible if all(_agree(outcomes[client], told[client]) for client in actions)
        ]
        assert possible, f"no order explains what the clients are told: {told}"
        self.world = possible[0]  # the same blocks are open in all of them
        looking = next((client for client in _CLIENTS if client not in self.world.blocks), None)
        if looking is None:
            return
        seen = self._look(looking, {name for world in possible for name in world.state.tables})
        explaining = [world for world in possible if _shown(world.state.tables) == seen]
        assert explaining, f"no order explains {seen}; possible were {[_shown(w.state.tables) for w in possible]}"
        self.world = explaining[0]

    def _possible(self, data: st.DataObject, client: str) -> Statement | str | None:
        """Choose what a client does beside others: what reads nothing but rows of its own table, or a COMMIT.

        The rest may have other outcomes than any order of the same, by the nature of snapshots.
        """
        block = self.world.blocks.get(client)
        if block is None:
            return data.draw(additions | changes, label=client)
        return "COMMIT" if block.base is not None else None

    def _in_order(self, order: tuple[str, ...], actions: Mapping[str, Statement | str]):
        world, outcomes = self.world, {}
        for client in order:
            world, outcomes[client] = world.act(client, actions[client])
        return world, outcomes

    # --- what changes nothing ----------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.blocks) < len(_CLIENTS))
    @rule()
    def tidy_up(self):
        client = next(client for client in _CLIENTS if client not in self.world.blocks)
        self.connections[client].execute("VACUUM")

    @rule()
    def remember(self):
        self.past.append((self._version(), self.world.state.tables))

    @precondition(lambda self: self.past and len(self.world.blocks) < len(_CLIENTS))
    @rule(data=st.data())
    def travel_in_time(self, data):
        version, then = data.draw(st.sampled_from(self.past))
        client = next(client for client in _CLIENTS if client not in self.world.blocks)
        now = self.world.state.tables
        for name in sorted(now):
            if name in then and then[name].id == now[name].id:
                found = _rows(self.connections[client], f"{name} AT (VERSION => {version})")
                assert found == then[name].shown(), f"{name} at {version}"

    def _version(self) -> int:
        """Return the number of the newest snapshot; no statement tells it."""
        lakes = self._gateway.data.glob("lake/*/catalog.sqlite")
        newest = max(lakes, key=lambda catalog: int(catalog.parent.name))  # that of this history's database
        with closing(sqlite3.connect(f"file:{newest}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()
            return version

    # --- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def everyone_sees_what_the_model_says(self):
        for client in self.connections:
            expected = self.world.view(client)
            if expected is not None:
                seen = self._look(client, expected)
                assert seen == _shown(expected), f"{client} sees {seen} instead of {_shown(expected)}"

    def _look(self, client: str, names: Iterable[str]) -> Mapping[str, Any]:
        """Return the rows of those of some tables that a client sees, all with one statement if they are all there."""
        connection, names = self.connections[client], sorted(names)
        try:
            return _rows_of_all(connection, names)
        except psycopg.errors.UndefinedTable:
            if client in self.world.blocks:
                raise
        found = {}
        for name in names:
            with suppress(psycopg.errors.UndefinedTable):
                found[name] = _rows(connection, name)
        return found

    # --- both sides --------------------------------------------------------------------------------------------------

    def _act(self, client: str, action: Statement | str) -> None:
        world, expected = self.world.act(client, action)
        told = self._send(client, action)
        assert _agree(expected, told), f"{client}: {action}: told {told} instead of {expected}"
        self.world = world
        block = world.blocks.get(client)
        if block is not None and block.failed:
            assert self._send(client, made.truncate("t0")).sqlstate == model.ABORTED

    def _send(self, client: str, action: Statement | str) -> Outcome:
        connection = self.connections[client]
        try:
            if isinstance(action, str):
                connection.execute(action.encode())
                return Outcome()
            with connection.cursor() as cursor:
                if action.data is None:
                    return Outcome(count=cursor.execute(action.sql.encode()).rowcount)
                with cursor.copy(action.sql.encode()) as copy:
                    copy.write(action.data)
                return Outcome(count=cursor.rowcount)
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise
            return Outcome(error.sqlstate, text=str(error))


def _agree(expected: Outcome, told: Outcome) -> bool:
    return expected.sqlstate == told.sqlstate and expected.count in {None, told.count}


def _shown(tables_: Mapping[str, model.Table]) -> dict[str, Any]:
    return {name: table.shown() for name, table in tables_.items()}


def _rows(connection: psycopg.Connection[tuple[Any, ...]], source: str) -> Counter[tuple[tuple[str, Any], ...]]:
    cursor = connection.execute(f"SELECT * FROM {source}".encode())
    names = [column.name for column in cursor.description or ()]
    return Counter(tuple(zip(names, row, strict=True)) for row in cursor)


def _rows_of_all(connection: psycopg.Connection[tuple[Any, ...]], names: list[str]) -> dict[str, Any]:
    if not names:
        return {}
    parts = ", ".join(f"(SELECT CAST(to_json(list(x)) AS VARCHAR) FROM {name} AS x)" for name in names)
    (texts,) = connection.execute(f"SELECT {parts}".encode()).fetchall()
    rows = ([] if text is None else json.loads(text) for text in texts)
    return {name: Counter(tuple(row.items()) for row in each) for name, each in zip(names, rows, strict=True)}


def _run(gateway: Gateway, *, examples: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: Histories(gateway),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # To shrink a history against a real gateway takes longer than to read it.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            print_blob=True,
        ),
    )


def test_every_client_sees_what_a_model_of_snapshots_says(gateway: Gateway):
    _run(gateway, examples=6, steps=15)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_client_sees_what_a_model_of_snapshots_says_in_long_histories(gateway: Gateway):
    _run(gateway, examples=int(os.environ.get("FAIRLEAD_TEST_EXAMPLES", "200")), steps=50)


# --- several clients at the same moment -------------------------------------------------------------------------------


@pytest.fixture
def database(gateway: Gateway) -> str:
    """A database of the test's own."""
    name = f"d{_serial()}"
    with gateway.connect() as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    return name


def _together(work: Any, count: int) -> list[Any]:
    """Run ``work(number)`` in so many threads, begun at the same moment; raise what one of them raised."""
    start = threading.Barrier(count)

    def one(number: int) -> Any:
        start.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [future.result(240) for future in [pool.submit(one, number) for number in range(count)]]


@pytest.mark.parametrize("each", [12, pytest.param(50, marks=pytest.mark.slow)])
def test_no_update_is_lost_and_no_statement_of_its_own_fails_for_a_conflict(gateway: Gateway, database: str, each: int):
    with gateway.connect(dbname=database) as admin:
        admin.execute("CREATE TABLE counter (n INTEGER)")
        admin.execute("INSERT INTO counter VALUES (0)")

    def count(_: int) -> None:
        with gateway.connect(dbname=database) as client:
            for _ in range(each):
                assert client.execute("UPDATE counter SET n = n + 1").rowcount == 1

    _together(count, 4)
    with gateway.connect(dbname=database) as admin:
        assert admin.execute("SELECT n FROM counter").fetchall() == [(4 * each,)]


@pytest.mark.parametrize("each", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_amounts_move_between_accounts_and_every_read_has_the_same_total(gateway: Gateway, database: str, each: int):
    accounts, total = 5, 500
    with gateway.connect(dbname=database) as admin:
        admin.execute("CREATE TABLE accounts (id INTEGER, amount INTEGER)")
        admin.execute(f"INSERT INTO accounts SELECT i, {total // accounts} FROM range({accounts}) t(i)".encode())
        admin.execute("CREATE TABLE moves (source INTEGER, target INTEGER, amount INTEGER)")

    def move(number: int) -> int:
        chance, conflicts = random.Random(number), 0
        with gateway.connect(dbname=database) as client:
            for _ in range(each):
                source, target = chance.sample(range(accounts), 2)
                while not _moved(client, source, target, chance.randrange(1, 30)):
                    conflicts += 1
        return conflicts

    def watch(_: int) -> int:
        with gateway.connect(dbname=database) as client:
            for _ in range(2 * each):
                assert client.execute("SELECT sum(amount) FROM accounts").fetchone() == (total,)
                with client.transaction():
                    first = client.execute("SELECT * FROM accounts ORDER BY id").fetchall()
                    assert sum(amount for _, amount in first) == total
                    assert client.execute("SELECT * FROM accounts ORDER BY id").fetchall() == first, "not repeatable"
        return 0

    _together(lambda number: watch(number) if number == 4 else move(number), 5)
    with gateway.connect(dbname=database) as admin:
        assert admin.execute("SELECT sum(amount), count(*) FROM accounts").fetchone() == (total, accounts)
        assert admin.execute("SELECT count(*) FROM moves").fetchone() == (4 * each,), "one row for each transaction"
        expected = dict.fromkeys(range(accounts), total // accounts)
        for source, target, amount in admin.execute("SELECT * FROM moves"):
            expected[source] -= amount
            expected[target] += amount
        assert dict(admin.execute("SELECT id, amount FROM accounts").fetchall()) == expected  # type: ignore[arg-type]


def _moved(client: psycopg.Connection[tuple[Any, ...]], source: int, target: int, amount: int) -> bool:
    """Move an amount in one transaction; False where somebody else was first."""
    try:
        with client.transaction():
            (available,) = client.execute("SELECT amount FROM accounts WHERE id = %s", [source]).fetchone() or (0,)
            client.execute("UPDATE accounts SET amount = %s WHERE id = %s", [available - amount, source])
            client.execute("UPDATE accounts SET amount = amount + %s WHERE id = %s", [amount, target])
            client.execute("INSERT INTO moves VALUES (%s, %s, %s)", [source, target, amount])
    except psycopg.errors.SerializationFailure:
        return False
    return True


def test_rows_that_many_clients_append_at_once_are_all_there(gateway: Gateway, database: str):
    with gateway.connect(dbname=database) as admin:
        admin.execute("CREATE TABLE log (client INTEGER, n INTEGER)")

    def append(number: int) -> None:
        with gateway.connect(dbname=database) as client:
            for n in range(20):
                client.execute("INSERT INTO log VALUES (%s, %s)", [number, n])

    _together(append, 4)
    with gateway.connect(dbname=database) as admin:
        rows = admin.execute("SELECT client, n FROM log").fetchall()
    assert sorted(rows) == [(client, n) for client in range(4) for n in range(20)]


# --- the model itself -------------------------------------------------------------------------------------------------


def _history(*steps: tuple[str, Statement | str]) -> tuple[World, list[str | None]]:
    world, told = World(), []
    for client, action in steps:
        world, outcome = world.act(client, action)
        told.append(outcome.sqlstate)
    return world, told


_ROW: dict[str, model.Value] = {"id": 1, "a": 1, "b": "x"}
_ALL, _GROW = made.conditions(1)[0], made.assignments(1)[0]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (made.update("t0", _GROW, _ALL), made.update("t0", _GROW, _ALL), "40001"),
        (made.delete("t0", _ALL), made.update("t0", _GROW, _ALL), "40001"),
        (made.add_column("t0", "c", 7), made.insert("t0", [_ROW]), "40001"),
        (made.drop("t0"), made.insert("t0", [_ROW]), "40001"),
        (made.create("t1"), made.create("t1"), "42P07"),
        (made.insert("t0", [_ROW]), made.update("t0", _GROW, _ALL), None),
        (made.update("t0", _GROW, _ALL), made.insert("t0", [_ROW]), None),
        (made.update("t0", _GROW, made.conditions(5)[1]), made.update("t0", _GROW, _ALL), None),
    ],
    ids=repr,
)
def test_the_model_lets_the_first_committer_win(first: Statement, second: Statement, told: str | None):
    """The control: a model that allowed everything would prove nothing."""
    world, outcomes = _history(
        *(("ann", made.create("t0")), ("ann", made.insert("t0", [_ROW]))),
        *(("ann", "BEGIN"), ("bob", "BEGIN"), ("ann", first), ("bob", second), ("ann", "COMMIT"), ("bob", "COMMIT")),
    )
    assert outcomes == [None] * 7 + [told]
    assert not world.blocks
