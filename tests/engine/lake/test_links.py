"""A worker's folder has links to exactly the files that are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.engine.lake.links import Links
from fairlead.errors import LakeMoved

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    real, links = tmp_path / "real", tmp_path / "links"
    real.mkdir()
    links.mkdir()
    for name in ("a", "b", "c"):
        (real / name).write_text(name)
    return real, links


def test_links_are_made_kept_and_removed(folders: tuple[Path, Path]) -> None:
    real, folder = folders
    links = Links(folder)
    for wanted in (["a", "b"], ["a", "b"], ["b", "c"], [], ["a"]):
        links.sync({name: real / name for name in wanted})
        assert sorted(path.name for path in folder.iterdir()) == wanted
        assert all((folder / name).samefile(real / name) for name in wanted)
    links.clear()
    assert not list(folder.iterdir())


def test_a_linked_file_outlives_its_removal_from_the_lake(folders: tuple[Path, Path]) -> None:
    real, folder = folders
    links = Links(folder)
    links.sync({"a": real / "a"})
    (real / "a").unlink()
    links.sync({"a": real / "a"})
    assert (folder / "a").read_text() == "a"


def test_a_file_that_vanished_asks_for_another_try_and_revoked_links_are_gone(folders: tuple[Path, Path]) -> None:
    real, folder = folders
    links = Links(folder)
    links.sync({"a": real / "a"})
    (real / "b").unlink()
    with pytest.raises(LakeMoved) as raised:
        links.sync({"b": real / "b", "c": real / "c"})
    assert raised.value.sqlstate == "40001"
    assert not (folder / "a").exists()
    links.sync({"c": real / "c"})
    assert [path.name for path in folder.iterdir()] == ["c"]


def test_a_name_that_has_another_target_is_linked_anew(folders: tuple[Path, Path]) -> None:
    real, folder = folders
    links = Links(folder)
    links.sync({"x": real / "a"})
    links.sync({"x": real / "b"})
    assert (folder / "x").read_text() == "b"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(folders: tuple[Path, Path], name: str) -> None:
    real, folder = folders
    with pytest.raises(ValueError, match="not the name of a file"):
        Links(folder).sync({name: real / "a"})
    assert not list(folder.iterdir())


def test_a_file_of_somebody_else_is_neither_replaced_nor_removed(folders: tuple[Path, Path]) -> None:
    real, folder = folders
    (folder / "a").write_text("mine")
    links = Links(folder)
    with pytest.raises(ValueError, match="taken"):
        links.sync({"a": real / "a"})
    links.clear()
    assert (folder / "a").read_text() == "mine"
