"""The extension files: their signatures are checked, and a file that changed afterwards is not loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from fairlead.engine.zygote import extension_files
from fairlead.worker import duck
from fairlead.worker.extensions import LOADED, check_signatures


@pytest.fixture
def copied(tmp_path):
    """The three files, where a test may change them."""
    return {name: shutil.copy(path, tmp_path) for name, path in extension_files().items()}


def instance():
    return duckdb.connect(":memory:", config=duck.configuration(unsigned=True))


def test_every_extension_that_a_role_loads_is_shipped_and_signed(copied):
    checked = check_signatures(copied, duck.configuration(unsigned=False))
    assert set(checked) == {name for names in LOADED.values() for name in names}
    assert "sqlite_scanner" not in LOADED["session"]
    with instance() as opened:
        for name in LOADED["writer"]:
            checked[name].load(opened)
        assert opened.execute("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'sqlite_scan'").fetchall()


@pytest.mark.parametrize("name", ["httpfs", "ducklake", "sqlite_scanner"])
def test_a_forged_file_is_not_accepted(copied, name):
    file = Path(copied[name])
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)
    with pytest.raises(duckdb.Error):
        check_signatures(copied, duck.configuration(unsigned=False))


def test_a_file_that_changed_after_the_check_is_not_loaded(copied):
    checked = check_signatures({"ducklake": copied["ducklake"]}, duck.configuration(unsigned=False))["ducklake"]
    file = Path(checked.path)
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    with instance() as opened, pytest.raises(OSError, match="not the one that was checked"):
        checked.load(opened)
