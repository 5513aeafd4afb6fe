"""The folder that a worker and the gateway share: what each may do in it, with each layer missing."""

from __future__ import annotations

import pytest

from fairlead.engine.zygote import extension_files
from fairlead.errors import FairleadError
from tests.engine.running import ended, events, rows, run, started
from tests.services.requirement import missing

VARIANTS = [{}, {"landlock": "off"}, {"fence": "off"}, {"limits": "off"}]


@pytest.fixture
def owned(tmp_path):
    """A data file of a table, as it lies in a lake: for everyone to read and for nobody to write."""
    file = tmp_path / "owned.csv"
    file.write_text("i\n41\n42\n")
    file.chmod(0o444)
    return file


def holds(engine, name):
    return next(layer.active for layer in engine.layers() if layer.name == name)


def test_a_worker_has_a_folder_to_write_and_one_to_read(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            folder = session.folder
            assert folder.spill.parent == folder.files.parent
            assert folder.spill.parent.parent.parent == tmp_path / "spill"
            parts = [folder.spill.parent, folder.spill, folder.spill / "lake", folder.spill / "out", folder.files]
            assert all(part.is_dir() and part.stat().st_mode & 0o777 == 0o700 for part in parts)
            await events(session, f"COPY (SELECT 1 AS i) TO '{folder.spill}/out/a.parquet'")
            assert (folder.spill / "out" / "a.parquet").stat().st_size
            assert await rows(session, f"FROM '{folder.spill}/out/a.parquet'") == [("1",)]
            neighbour = await engine.session()
            assert neighbour.folder != folder
            with pytest.raises(FairleadError):
                await rows(neighbour, f"FROM '{folder.spill}/out/a.parquet'")

    run(work())


def test_without_spilling_there_is_no_folder_and_no_file(tmp_path):
    async def work():
        async with started(tmp_path, spill_limit_mb=0) as (engine, _):
            session = await engine.session()
            assert session.folder is None
            with pytest.raises(FairleadError):
                await events(session, f"COPY (SELECT 1) TO '{tmp_path}/x.csv'")
            assert await session.script(["SELECT 1"]) == [[[1]]]

    run(work())


@pytest.mark.parametrize("off", VARIANTS, ids=lambda off: next(iter(off), "all layers"))
def test_what_the_gateway_links_into_the_folder_can_be_read_and_not_be_changed(tmp_path, owned, off):
    attempts = [
        "COPY (SELECT 'junk') TO '{files}/owned.csv'",
        "COPY (SELECT 'junk') TO '{files}/owned.csv' (USE_TMP_FILE false)",
        "COPY (SELECT 'junk') TO '{files}/owned.csv' (FORMAT parquet, USE_TMP_FILE false)",
        "COPY (SELECT 'junk') TO '{files}' (FORMAT csv, PER_THREAD_OUTPUT, OVERWRITE_OR_IGNORE)",
        "ATTACH '{files}/new.db' AS made",
    ]

    async def work():
        async with started(tmp_path, layers=off) as (engine, _):
            session = await engine.session()
            files = session.folder.files
            for attempt in attempts:
                link = files / "owned.csv"
                link.unlink(missing_ok=True)
                link.hardlink_to(owned)
                assert await rows(session, f"SELECT sum(i) FROM '{files}/owned.csv'") == [("83",)]
                try:
                    await session.script([attempt.format(files=files)])
                except FairleadError:
                    changed = False
                else:
                    changed = True
                # Without Landlock the worker may replace its own link; what the link led to is out of its reach.
                assert owned.read_text() == "i\n41\n42\n", attempt
                if holds(engine, "landlock"):
                    assert not changed, attempt
                    assert [file.name for file in files.iterdir()] == ["owned.csv"], attempt
                await session.script(["DETACH DATABASE IF EXISTS made"])

    run(work())
    assert owned.read_text() == "i\n41\n42\n"
    assert owned.stat().st_nlink == 1


def test_without_landlock_a_file_that_nobody_may_write_cannot_be_truncated(tmp_path, owned):
    async def work():
        async with started(tmp_path, layers={"landlock": "off"}) as (engine, _):
            session = await engine.session()
            control, locked = session.folder.files / "control.csv", session.folder.files / "owned.csv"
            control.write_text("i\n41\n42\n")
            locked.hardlink_to(owned)
            # The control: it is the file's mode that refuses.
            await session.script([f"COPY (SELECT 'junk') TO '{control}' (USE_TMP_FILE false)"])
            assert "junk" in control.read_text()
            with pytest.raises(FairleadError, match="Permission denied"):
                await session.script([f"COPY (SELECT 'junk') TO '{locked}' (USE_TMP_FILE false)"])
            assert locked.read_text() == "i\n41\n42\n"

    run(work())


def test_the_end_of_a_worker_removes_its_folder_and_follows_nothing(tmp_path, owned):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")

    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            first = session.folder
            (first.files / "linked.csv").hardlink_to(owned)
            (first.files / "symbolic").symlink_to(outside)
            (first.spill / "lake" / "symbolic").symlink_to(outside)
            await ended(session)
            assert await rows(session, "SELECT 1") == [("1",)]
            assert session.folder != first
            assert session.folder.files.is_dir()
        assert list((tmp_path / "spill").iterdir()) == []

    run(work())
    assert owned.read_text() == "i\n41\n42\n"
    assert (outside / "kept.txt").read_text() == "kept"


def test_linked_files_do_not_count_as_spilled(tmp_path):
    large = tmp_path / "large.bin"
    large.write_bytes(b"x" * 5_000_000)

    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            (session.folder.files / "large.bin").hardlink_to(large)
            assert session.worker.spilled_bytes() == 0
            (session.folder.spill / "lake" / "own.bin").write_bytes(b"x" * 8192)
            assert session.worker.spilled_bytes() == 8192

    run(work())


@pytest.mark.parametrize("off", [{}, {"landlock": "off"}, {"fence": "off"}], ids=lambda off: next(iter(off), "all"))
def test_a_session_cannot_load_what_reads_sqlite_files(tmp_path, off):
    file = extension_files()["sqlite_scanner"]

    async def work():
        async with started(tmp_path, layers=off) as (engine, _):
            if "fence" in off and not holds(engine, "landlock"):
                missing("only the fence is left here", "it needs a kernel with Landlock")
            session = await engine.session()
            for attempt in (f"LOAD '{file}'", "LOAD sqlite_scanner", "ATTACH ':memory:' AS s (TYPE sqlite)"):
                with pytest.raises(FairleadError):
                    await session.script([attempt])
            counted = "SELECT count(*) > 0 FROM duckdb_functions() WHERE function_name = "
            known = [f"{counted} '{name}'" for name in ("ducklake_snapshots", "sqlite_scan")]
            assert await session.script(known) == [[[True]], [[False]]]
            assert await (await engine.writer()).script(known) == [[[True]], [[True]]]

    run(work())
