"""Snapshot isolation in memory: what native tables must hold after any history of several clients' statements.

A transaction reads the tables as they were at its first data statement, and its own changes. At the commit the model
compares what the transaction has made of them with what it began with: tables whose rows it updated or removed, or
whose shape it changed, must be untouched by others since then (first committer wins, table by table); rows that were
only added are put beside whatever is there.

Rows and columns have identities of their own, so that a row that was changed and changed back has been changed, and a
column that was added after a row shows its default there.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = int | str | None
_fresh = itertools.count(1).__next__

SERIALIZATION, DUPLICATE_TABLE, NO_TABLE, NO_COLUMN = "40001", "42P07", "42P01", "42703"
CONVERSION, DUPLICATE_COLUMN, ABORTED = "22P02", "42701", "25P02"


class Fails(Exception):
    """The statement has to fail; nothing is changed.

    Args:
        sqlstate: with which it has to fail.
    """

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@dataclass(frozen=True, slots=True)
class Column:
    """A column; the same after it was renamed."""

    name: str
    type: str
    default: Value = None
    id: int = field(default_factory=_fresh)


@dataclass(frozen=True, slots=True)
class Row:
    """Values by the id of the column; each change of the row makes a new version."""

    values: Mapping[int, Value]
    version: int = field(default_factory=_fresh)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns in order and its rows by an id of their own."""

    name: str
    columns: tuple[Column, ...]
    rows: Mapping[int, Row] = field(default_factory=dict)
    id: int = field(default_factory=_fresh)

    def named(self, row: Row) -> dict[str, Value]:
        """Return a row's values by the name of the column, in the order of the columns."""
        return {column.name: row.values.get(column.id, column.default) for column in self.columns}

    def shown(self) -> Counter[tuple[tuple[str, Value], ...]]:
        """Return what a SELECT of everything gives, in no order."""
        return Counter(tuple(self.named(row).items()) for row in self.rows.values())

    def with_rows(self, added: list[dict[str, Value]]) -> Table:
        """Return the table with rows given by column name."""
        new = {
            _fresh(): Row({column.id: values.get(column.name, column.default) for column in self.columns})
            for values in added
        }
        return replace(self, rows={**self.rows, **new})


@dataclass(frozen=True, slots=True)
class State:
    """What is committed.

    Args:
        tables: by name.
        commits: how many there were.
        changed: by table id the number of the commit that last did more to it than add rows.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    commits: int = 0
    changed: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Difference:
    """What a transaction has made of one table that it began with."""

    before: Table
    after: Table | None  # None: dropped

    @property
    def shape(self) -> bool:
        return self.after is None or (self.after.name, self.after.columns) != (self.before.name, self.before.columns)

    @property
    def touched(self) -> set[int]:
        """Rows that were there before and are other ones now, or gone."""
        after = self.after.rows if self.after is not None else {}
        return {key for key, row in self.before.rows.items() if after.get(key) != row}

    @property
    def rows(self) -> bool:
        return self.after is not None and self.after.rows != self.before.rows

    @property
    def exclusive(self) -> bool:
        """Whether it did more than add rows."""
        return self.shape or (self.after is not None and bool(self.touched))

    def onto(self, now: Table) -> Table:
        """Return the table as it is now with what the transaction did to it."""
        assert self.after is not None
        kept = {key: row for key, row in now.rows.items() if key not in self.touched}
        own = {key: row for key, row in self.after.rows.items() if self.before.rows.get(key) != row}
        shape = self.after if self.shape else now
        return replace(now, name=shape.name, columns=shape.columns, rows={**kept, **own})


def commit(state: State, base: State, after: Mapping[str, Table]) -> State:
    """Return what is committed after a transaction.

    Args:
        state: what is committed now.
        base: what was committed when the transaction began.
        after: the tables as the transaction sees them at its end.

    Raises:
        Fails: 40001 when somebody else was first, 42P07 when a new name is taken.
    """
    began, ends = ({table.id: table for table in tables.values()} for tables in (base.tables, after))
    now = {table.id: table for table in state.tables.values()}
    differences = [_Difference(table, ends.get(table_id)) for table_id, table in began.items()]
    differences = [one for one in differences if one.shape or one.rows]
    created = [table for table_id, table in ends.items() if table_id not in began]
    if not differences and not created:
        return state
    for one in differences:
        current = now.get(one.before.id)
        if one.exclusive and (current is None or state.changed.get(one.before.id, 0) > base.commits):
            raise Fails(SERIALIZATION)
        if one.rows and (current is None or (current.name, current.columns) != (one.before.name, one.before.columns)):
            raise Fails(SERIALIZATION)
    for one in differences:
        current = now.pop(one.before.id)
        if one.after is not None:
            now[one.before.id] = one.onto(current)
    now |= {table.id: table for table in created}
    tables = {table.name: table for table in now.values()}
    if len(tables) < len(now):
        raise Fails(DUPLICATE_TABLE)
    number = state.commits + 1
    exclusive = {one.before.id: number for one in differences if one.exclusive}
    return State(tables, number, {**state.changed, **exclusive})


# --- sessions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction block.

    Args:
        base: what was committed at its first data statement, None before that.
        tables: as it sees them.
        failed: a statement of it has failed, so that only its end is left.
    """

    base: State | None = None
    tables: Mapping[str, Table] = field(default_factory=dict)
    failed: bool = False

    def gone(self, state: State) -> set[str]:
        """Return the names, as the block began with them, of tables that others have dropped since then."""
        assert self.base is not None
        there = {table.id for table in state.tables.values()}
        return {name for name, table in self.base.tables.items() if table.id not in there}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client is told: the SQLSTATE of an error, else the number of rows, where the command tells one."""

    sqlstate: str | None = None
    count: int | None = None
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class World:
    """What is committed, and the open transaction blocks by client."""

    state: State = field(default_factory=State)
    blocks: Mapping[str, Transaction] = field(default_factory=dict)

    def view(self, client: str) -> Mapping[str, Table] | None:
        """Return the tables that a client sees; None where a look would change what it sees later, or fail."""
        block = self.blocks.get(client)
        if block is None:
            return self.state.tables
        if block.failed or block.base is None:
            return None
        gone = block.gone(self.state)
        return {name: table for name, table in block.tables.items() if name not in gone}

    def act(self, client: str, action: Statement | str) -> tuple[World, Outcome]:
        """Return the world after a client's action: a statement, ``BEGIN``, ``COMMIT`` or ``ROLLBACK``."""
        block = self.blocks.get(client)
        rest = {other: one for other, one in self.blocks.items() if other != client}
        if isinstance(action, Statement):
            if block is None:
                return self._alone(action)
            after, outcome = _inside(block, action, self.state)
            return replace(self, blocks={**rest, client: after}), outcome
        if action == "BEGIN":
            assert block is None
            return replace(self, blocks={**rest, client: Transaction()}), Outcome()
        assert block is not None
        if action == "ROLLBACK" or block.failed or block.base is None:
            return World(self.state, rest), Outcome()
        try:
            return World(commit(self.state, block.base, block.tables), rest), Outcome()
        except Fails as failure:
            return World(self.state, rest), Outcome(failure.sqlstate)

    def _alone(self, statement: Statement) -> tuple[World, Outcome]:
        try:
            after, count = statement.apply(self.state.tables)
        except Fails as failure:
            return self, Outcome(failure.sqlstate)
        return replace(self, state=commit(self.state, self.state, after)), Outcome(count=count)


def _inside(block: Transaction, statement: Statement, state: State) -> tuple[Transaction, Outcome]:
    if block.failed:
        return block, Outcome(ABORTED)
    if block.base is None:
        block = Transaction(state, state.tables)
    if block.gone(state) & statement.names:
        return replace(block, failed=True), Outcome(SERIALIZATION)
    try:
        after, count = statement.apply(block.tables)
    except Fails as failure:
        return replace(block, failed=True), Outcome(failure.sqlstate)
    return replace(block, tables=after), Outcome(count=count)


# --- statements ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and what it means.

    Args:
        sql: as a client sends it.
        apply: from the tables that a client sees to those that it sees afterwards and the number of rows that the
            command's tag gives, None = it gives none.
        data: for COPY FROM STDIN.
    """

    sql: str
    apply: Callable[[Mapping[str, Table]], tuple[Mapping[str, Table], int | None]]
    data: str | None = None

    @property
    def names(self) -> set[str]:
        """All words of it, names of tables among them."""
        return set(re.findall(r"\w+", self.sql))

    def __repr__(self) -> str:
        return self.sql


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL and in Python."""

    sql: str
    holds: Callable[[Mapping[str, Value]], bool]

    def __repr__(self) -> str:
        return self.sql


@dataclass(frozen=True, slots=True)
class Assignment:
    """One column's new value, computed from the row as it was, in SQL and in Python."""

    column: str
    sql: str
    value: Callable[[Mapping[str, Value]], Value]

    def __repr__(self) -> str:
        return f"{self.column} = {self.sql}"
