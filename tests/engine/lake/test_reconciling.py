"""What the catalog learns from a lake at the start."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fairlead.engine.lake import files
from fairlead.engine.lake.metadata import LakeTable, SnapshotInfo
from fairlead.engine.lake.reconciling import Difference, KnownTable, Missing, Moved, reconcile
from tests.engine.lake.committing import DATABASE, yard
from tests.engine.running import run


def table(table_id, name="t", uuid="u"):
    return LakeTable(table_id, f"{uuid}{table_id}", "public", name, f"public/{name}/", (), None)


def known(object_id, table_id, name="t", uuid="u"):
    return KnownTable(object_id, table_id, f"{uuid}{table_id}", "public", name)


def snapshot(number, extra):
    return SnapshotInfo(number, datetime.now(UTC), "ann", None, extra)


NOTHING = Difference((), (), ())


@pytest.mark.parametrize(
    ("tables", "rows", "expected"),
    [
        ([], [], NOTHING),
        ([table(2)], [known(10, 2)], NOTHING),
        ([table(2)], [], Difference((), (), (Missing(table(2), 5),))),
        ([table(3)], [], Difference((), (), (Missing(table(3), None),))),
        ([table(4)], [], Difference((), (), (Missing(table(4), None),))),
        ([], [known(10, 2)], Difference((10,), (), ())),
        ([table(2, "new")], [known(10, 2)], Difference((), (Moved(10, table(2, "new")),), ())),
        ([table(2, uuid="w")], [known(10, 2)], Difference((10,), (), (Missing(table(2, uuid="w"), 5),))),
        ([table(2, "b"), table(3, "a")], [known(10, 2, "a")], None),
    ],
)
def test_the_lake_is_the_truth(tables, rows, expected):
    snapshots = [snapshot(8, '{"owner": 5, "txid": "x"}'), snapshot(9, "no json"), snapshot(10, '{"owner": "x"}')]
    found = reconcile(tables, snapshots, {2: 8, 3: 9, 4: 10}, rows)
    if expected is None:
        expected = Difference((), (Moved(10, tables[0]),), (Missing(tables[1], None),))
    assert found == expected
    assert found.empty == (found == NOTHING)


def test_the_owner_of_a_real_table_is_found_after_others_have_changed_it(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            made = await place.table()
            await place.commit(place.inserts(made, 0, 10))
            await place.lakes.vacuum(DATABASE)
            lake = await place.lake()
            found = reconcile(lake.tables(), lake.reader.snapshots(), files.made_in(lake.catalog), [])
            assert [(one.table.name, one.owner_id) for one in found.created] == [("t", 3)]

    run(body())
