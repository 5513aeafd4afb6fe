"""Nothing but regular files out of a worker's own folder come into the inbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from fairlead.engine.lake.receiving import Receiver, make_folder
from fairlead.errors import WorkerLost

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def spill(tmp_path: Path) -> Path:
    made = tmp_path / "worker" / "spill"
    (made / "lake" / "t").mkdir(parents=True)
    (made / "lake" / "t" / "a.parquet").write_bytes(b"mine")
    (tmp_path / "worker" / "secret.parquet").write_bytes(b"of others")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.parquet").write_bytes(b"of others")
    return made


@pytest.fixture
def receiver(spill: Path, tmp_path: Path) -> Receiver:
    return Receiver(spill, tmp_path / "data" / "inbox")


def test_files_are_moved_under_names_of_our_own(receiver: Receiver, spill: Path, tmp_path: Path) -> None:
    (spill / "b.parquet").write_bytes(b"too")
    moved = [receiver.receive(str(spill / name)) for name in ("lake/t/a.parquet", "b.parquet")]
    assert [path.read_bytes() for path in moved] == [b"mine", b"too"]
    assert {path.parent for path in moved} == {tmp_path / "data" / "inbox"}
    assert not (spill / "b.parquet").exists()


@pytest.mark.parametrize(
    "path",
    [
        "{spill}/../secret.parquet",
        "{spill}/lake/../../secret.parquet",
        "{spill}",
        "{spill}/",
        "{spill}/missing.parquet",
        "{spill}/lake/t/a.parquet/x",
        "{spill}/lake/t/a.par\0quet",
        "{root}/elsewhere/a.parquet",
        "{root}/worker/spill2/a.parquet",
        "lake/t/a.parquet",
        "s3://bucket/a.parquet",
        "",
    ],
)
def test_other_paths_are_refused(receiver: Receiver, spill: Path, tmp_path: Path, path: str) -> None:
    with pytest.raises(WorkerLost):
        receiver.receive(path.format(spill=spill, root=tmp_path))
    assert (tmp_path / "elsewhere" / "a.parquet").exists()
    assert (tmp_path / "worker" / "secret.parquet").exists()


def test_a_link_in_place_of_a_folder_is_not_followed(receiver: Receiver, spill: Path, tmp_path: Path) -> None:
    (spill / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WorkerLost):
        receiver.receive(str(spill / "out" / "a.parquet"))
    assert (tmp_path / "elsewhere" / "a.parquet").read_bytes() == b"of others"


def test_a_link_in_place_of_a_file_does_not_stay(receiver: Receiver, spill: Path, tmp_path: Path) -> None:
    (spill / "x.parquet").symlink_to(tmp_path / "elsewhere" / "a.parquet")
    with pytest.raises(WorkerLost):
        receiver.receive(str(spill / "x.parquet"))
    assert list((tmp_path / "data" / "inbox").iterdir()) == []
    assert (tmp_path / "elsewhere" / "a.parquet").exists()


def test_a_pipe_or_a_folder_is_no_file(receiver: Receiver, spill: Path) -> None:
    os.mkfifo(spill / "pipe.parquet")
    for name in ("pipe.parquet", "lake"):
        with pytest.raises(WorkerLost):
            receiver.receive(str(spill / name))


def test_a_folder_is_made_once(spill: Path) -> None:
    make_folder(spill / "out")
    make_folder(spill / "out")
    assert (spill / "out").is_dir()


@pytest.mark.parametrize("what", ["link", "file"])
def test_what_is_there_in_place_of_a_folder_is_refused(spill: Path, tmp_path: Path, what: str) -> None:
    if what == "link":
        (spill / "out").symlink_to(tmp_path / "elsewhere")
    else:
        (spill / "out").write_bytes(b"")
    with pytest.raises(WorkerLost):
        make_folder(spill / "out")
