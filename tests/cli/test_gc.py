"""``fairlead gc``: removes what crashes have left, and nothing else."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from fairlead.catalog.catalog import Catalog
from fairlead.catalog.datadir import lock_data_directory
from fairlead.cli import main
from fairlead.cli.main import app
from tests.engine.lake.committing import DATABASE, yard
from tests.engine.running import run

NAME = "ducklake-00000000-0000-7000-8000-000000000000"


def gc(data, *more):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["gc", "--data", str(data), *more])
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture(autouse=True)
def a_wide_terminal(monkeypatch):
    """Long paths would fold the table."""
    monkeypatch.setattr(main._out, "_width", 500)


def snapshot_of(folder):
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


@pytest.fixture
def data(tmp_path):
    """A data directory with a lake, and everything that a crash can leave."""

    async def body():
        async with yard(tmp_path, grace=3600) as place:
            table = await place.table()
            for number in range(3):
                await place.commit(place.inserts(table, number * 1000, 200))
            await place.lakes.vacuum(DATABASE)  # leaves files that are scheduled for deletion

    run(body())
    Catalog.open(tmp_path).close()
    return tmp_path


@pytest.fixture
def left(data):
    folder = data / "lake" / str(DATABASE) / "files" / "public" / "t"
    made = [
        folder / f"{NAME}.parquet",
        folder / f"{NAME}-delete.parquet",
        data / "lake" / "inbox" / "ab" / "rows.parquet",
        data / "lake" / "dropped-9-ab" / "files" / "x.parquet",
        data / "spill" / "1-ab" / "worker-x" / "spilled",
    ]
    for file in made:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"12345")
    return made


def test_a_dry_run_says_what_it_would_remove_and_removes_nothing(data, left):
    before = snapshot_of(data)
    code, output = gc(data, "--dry-run")
    assert code == 0
    assert "25 bytes in 5 files can be freed" in output
    assert f"orphan data files │ lake/{DATABASE}" in output
    assert snapshot_of(data) >= before


def test_it_removes_what_is_left_and_keeps_what_the_metadata_name(data, left):
    foreign = left[0].with_name("mine.parquet")
    foreign.write_bytes(b"1")
    kept = {file for file in left[0].parent.glob("*.parquet") if file not in left}
    code, output = gc(data)
    assert code == 0
    assert "25 bytes in 5 files were freed" in output
    assert not any(file.exists() for file in left)
    assert set(left[0].parent.glob("*.parquet")) == kept
    assert len(kept) == 5
    assert gc(data) == (0, "0 bytes in 0 files were freed")

    async def body():
        async with yard(data) as place:
            assert len(await place.look()) == 600
            for snapshot in (await place.kept())[3:]:
                assert await place.look(at=snapshot)

    run(body())


def test_a_lake_whose_metadata_cannot_be_read_loses_nothing(data, left):
    (data / "lake" / str(DATABASE) / "catalog.sqlite").write_bytes(b"no database at all, and long enough to be read")
    code, output = gc(data)
    assert code == 0
    assert "cannot be read" in output
    assert left[0].exists()


def test_under_a_running_gateway_it_refuses_and_says_what_to_do(data, left):
    with lock_data_directory(data):
        code, output = gc(data)
    assert code == 2
    assert "in use by process" in output
    assert "VACUUM" in output
    assert all(file.exists() for file in left)


def test_a_folder_without_a_catalog_is_refused(tmp_path):
    code, output = gc(tmp_path)
    assert code == 2
    assert "no catalog" in output
    assert not list(tmp_path.iterdir())
