"""Appends of several clients as one change set."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairlead.engine.lake.changes import ChangeSet, RowChanges, SchemaCreated, TableRef
from fairlead.engine.lake.grouping import only_appends, together

T, U, NEW = TableRef("public", "t", 2), TableRef("public", "u", 3), TableRef("public", "n")


def appends(table, name, count, base=4, columns=("a",)):
    return ChangeSet(1, base, rows=(RowChanges(table, inserted=count, inserts=(Path(name),), columns=columns),))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (appends(T, "a", 1), True),
        (appends(NEW, "a", 1), False),
        (ChangeSet(1, 4, rows=(RowChanges(T, updated=1, updates=Path("u")),)), False),
        (ChangeSet(1, 4, rows=(RowChanges(T, deleted=1, deletes=Path("d")),)), False),
        (ChangeSet(1, 4, structure=(SchemaCreated("s"),)), False),
        (ChangeSet(1, 4, structure=(SchemaCreated("s"),), rows=appends(T, "a", 1).rows), False),
    ],
)
def test_only_appends_are_grouped(changes, expected):
    assert only_appends(changes) is expected


def test_rows_of_one_table_become_one_change_in_the_order_of_the_clients():
    one = together([appends(T, "a", 1), appends(U, "b", 2), appends(T, "c", 3, base=9)])
    assert one == ChangeSet(
        1,
        9,
        rows=(
            RowChanges(T, inserted=4, inserts=(Path("a"), Path("c")), columns=("a",)),
            RowChanges(U, inserted=2, inserts=(Path("b"),), columns=("a",)),
        ),
    )


def test_one_change_set_stays_as_it_is_and_other_columns_are_not_mixed():
    single = appends(T, "a", 1)
    assert together([single]) is single
    assert len(together([single, appends(T, "b", 1, columns=("a", "b"))]).rows) == 2
