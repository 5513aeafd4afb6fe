"""Killed at any instant, the catalog has every acknowledged change whole, and its ledger verifies."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fairlead.access.ledger import Ledger
from fairlead.catalog.catalog import Catalog

if TYPE_CHECKING:
    from pathlib import Path

_KEY = b"k" * 32

# Each round is one transaction over several tables, with its ledger row; its number is printed once it is committed.
_WRITER = """
import sys, threading
from pathlib import Path
from fairlead.access.ledger import Ledger, LedgerEvent
from fairlead.catalog.catalog import Catalog

catalog = Catalog.open(Path(sys.argv[1]))
ledger = Ledger(catalog, b"k" * 32)
say = threading.Lock()

def work(writer):
    start = int(sys.argv[2])
    for number in range(start, 1000000):
        name = f"w{writer}_{number}"
        with catalog.write() as tx:
            lake = tx.create_object("connection", "main", "public", name, owner_id=1, definition={"n": number})
            stage = tx.create_object("stage", "main", "public", name, owner_id=1, definition={}, references=[lake.id])
            tx.put_sealed(lake.id, "key", 1, name.encode() * 50)
            tx.add_grant(grantee_id=1, privilege="READ", object_kind="stage", object_id=stage.id, grantor_id=1)
            if number % 3 == 0:
                tx.drop_object(stage.id)
                tx.drop_object(lake.id)
            ledger.append(tx, LedgerEvent("ddl", "crash", "ROUND", name))
        with say:
            print(name, flush=True)

for writer in range(2):
    threading.Thread(target=work, args=(writer,)).start()
"""


def run_and_kill(directory: Path, start: int, rounds: int) -> list[str]:
    """Run the writer until it has acknowledged so many rounds, kill it, and return all that it acknowledged."""
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(directory), str(start)], stdout=subprocess.PIPE, text=True
    )
    try:
        acknowledged = [writer.stdout.readline().strip() for _ in range(rounds)]
    finally:
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate()
    assert writer.returncode == -signal.SIGKILL
    # A line may be cut off by the kill; the number before the cut is not an acknowledgement.
    whole = rest[: rest.rfind("\n") + 1].split()
    return [name for name in [*acknowledged, *whole] if name]


def check(directory: Path, acknowledged: list[str]) -> None:
    catalog = Catalog.open(directory)
    ledger = Ledger(catalog, _KEY)
    try:
        assert ledger.verify().ok, ledger.verify()
        recorded = {row.object for row in ledger.tail(1_000_000)}
        assert set(acknowledged) <= recorded
        with catalog.read() as snapshot:
            lakes = {o.name: o for o in snapshot.objects("connection")}
            stages = {o.name: o for o in snapshot.objects("stage")}
            granted = {g.object_id for g in snapshot.grants(object_kind="stage")}
            expected = {name for name in recorded if int(name.split("_")[1]) % 3}
            # No part of a round is there without the others, and nothing is there without its ledger row.
            assert set(lakes) == set(stages) == expected
            assert granted == {stage.id for stage in stages.values()}
            for name, lake in lakes.items():
                assert snapshot.sealed(lake.id, "key").envelope == name.encode() * 50
    finally:
        catalog.close()


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_every_acknowledged_change_survives_kill_9_whole(tmp_path, kills):
    chance = random.Random(kills)
    acknowledged: list[str] = []
    for number in range(kills):
        acknowledged += run_and_kill(tmp_path, number * 1_000, chance.randint(0, 60))
        check(tmp_path, acknowledged)
    assert len(acknowledged) > kills
