"""kill -9 of the writer at random moments: what was acknowledged is there, once; nothing else is there in part."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal

import pytest

from fairlead.engine.lake import files
from fairlead.engine.lake.orphans import collect
from fairlead.errors import FairleadError
from tests.engine.lake.committing import DATABASE, yard
from tests.engine.running import run

CLIENTS = 4


async def client(place, table, number, acknowledged, failed, stop):
    """Commit small and large batches, each with ids of its own, until told to stop."""
    chance = random.Random(number)
    begin = number * 10_000_000
    while not stop.is_set():
        count = chance.choice([1, 3, 150, 2000])
        batch = begin, count
        begin += count
        try:
            await place.commit(place.inserts(table, *batch))
        except FairleadError:
            failed.append(batch)
        else:
            acknowledged.append(batch)


async def killer(place, rounds, chance):
    for _ in range(rounds):
        await asyncio.sleep(chance.uniform(0.02, 0.4))  # the moment is what is varied here; nothing waits for it
        with contextlib.suppress(ProcessLookupError):
            os.kill(await place.writer_pid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("seed", "rounds"), [(0, 4), *(pytest.param(seed, 20, marks=pytest.mark.slow) for seed in range(1, 11))]
)
def test_every_acknowledged_commit_is_there_none_partial_none_twice(tmp_path, seed, rounds):
    async def body():
        async with yard(tmp_path, inlined_rows=50, small_files=3, interval=0.3) as place:
            table = await place.table()
            acknowledged, failed, stop = [], [], asyncio.Event()
            clients = [
                asyncio.create_task(client(place, table, number + 1, acknowledged, failed, stop))
                for number in range(CLIENTS)
            ]
            await killer(place, rounds, random.Random(seed))
            stop.set()
            await asyncio.gather(*clients)
            found = sorted(row[1] for row in await place.look())
            expected = sorted(i for begin, count in acknowledged for i in range(begin, begin + count))
            assert found == expected  # a failed one is really not committed, so nothing else may be there
            assert len(acknowledged) >= CLIENTS  # some got through between the kills
        left = collect(tmp_path, dry_run=False)
        assert all(one.note is None for one in left)
        folder = tmp_path / "lake" / str(DATABASE)
        assert not list(files.orphans(folder / "catalog.sqlite", folder / "files"))
        async with yard(tmp_path) as place:
            assert sorted(row[1] for row in await place.look()) == expected

    run(body())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_a_lake_whose_making_was_cut_off_is_usable(tmp_path, seed):
    async def body():
        async with yard(tmp_path) as place:
            await place.engine.writer()
            opening = asyncio.create_task(place.lake())
            await asyncio.sleep(random.Random(seed).uniform(0, 0.06))
            os.kill(await place.writer_pid(), signal.SIGKILL)
            with contextlib.suppress(FairleadError):
                await opening
        async with yard(tmp_path) as place:
            table = await place.table()
            await place.commit(place.inserts(table, 0, 10))
            assert [name for _, name in (await place.lake()).reader.schemas()] == ["public"]
            assert len(await place.look()) == 10

    run(body())
