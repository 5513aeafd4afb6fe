"""``fairlead serve``: what it says of itself, and what it refuses to start with."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.catalog.test_upgrade import first_release
from tests.services.gateway import Gateway


def lines(gateway) -> list[dict[str, object]]:
    return [json.loads(line) for line in gateway.log.splitlines() if line.startswith("{")]


def test_it_migrates_an_older_catalog_and_says_so(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    first_release(data / "catalog.db")
    gateway = Gateway(tmp_path)
    try:
        gateway.start()
        with gateway.connect() as admin:
            assert admin.execute("VERIFY LEDGER").fetchone()[1] == "t"
    finally:
        gateway.end()
    (told,) = [line for line in lines(gateway) if line["event"] == "the catalog was migrated"]
    assert told["before"] == "0001"
    assert [str(path) for path in (data / "backups").iterdir()] == [told["backup"]]


def test_a_second_gateway_is_told_who_the_first_is(gateway, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fairlead", "serve", "--data", str(gateway.data), "--pg", "127.0.0.1:0"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={"COLUMNS": "300"},
        check=False,
    )
    assert done.returncode == 2
    assert f"in use by process {gateway.pid}" in done.stderr
    assert "stop that gateway" in done.stderr
    gateway.connect().close()
