"""One data directory, one gateway."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from fairlead.catalog.datadir import lock_data_directory
from fairlead.errors import ConfigurationError

_HOLDER = """
import sys
from pathlib import Path
from fairlead.catalog.datadir import lock_data_directory
with lock_data_directory(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_the_directory_is_made_and_made_private(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    for path in (tmp_path / "new" / "data", tmp_path / "open"):
        with lock_data_directory(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
            assert stat.S_IMODE((path / "fairlead.lock").stat().st_mode) == 0o600


def test_a_second_holder_is_told_who_the_first_is_and_a_kill_ends_the_lock(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(ConfigurationError, match=f"in use by process {holder.pid}$"), lock_data_directory(tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with lock_data_directory(tmp_path):
        assert (tmp_path / "fairlead.lock").read_text() == f"{os.getpid()}\n"


def test_the_lock_ends_with_its_block(tmp_path):
    for _ in range(2):
        with lock_data_directory(tmp_path):
            pass


def test_the_lock_does_not_pass_to_programs_that_are_started(tmp_path):
    with lock_data_directory(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        with lock_data_directory(tmp_path):
            pass
    finally:
        child.communicate()


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"), lock_data_directory(tmp_path / "file"):
        pass
