"""A DuckDB without any of our layers, in a process of its own: the controls of the corpus run here.

Nothing is downloaded: extensions are not installed by themselves, and httpfs comes from its wheel.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb_extension_httpfs

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRAM = """
import json, os, sys
import duckdb

def run(statements, extension):
    connection = duckdb.connect(config={
        "autoinstall_known_extensions": False, "autoload_known_extensions": False, "allow_unsigned_extensions": True})
    connection.execute(f"LOAD '{extension}'")
    rows = None
    for statement in statements:
        rows = connection.execute(statement).fetchall()
    return repr(rows)

for line in sys.stdin:
    order = json.loads(line)
    try:
        answer = {"rows": run(order["statements"], order["extension"])}
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What DuckDB said: rows as text, or an error."""

    rows: str | None
    error: str | None


class BareEngine:
    """Runs each control in a fresh instance; a process that an instance takes with it is replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def run(self, statements: Sequence[str]) -> Answer:
        """Run statements in turn and return what the last one gave."""
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=self._folder,
                env={"HOME": str(self._folder)},
            )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"statements": list(statements), "extension": _httpfs()}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            return Answer(None, f"the process ended with {process.wait()}")
        answer = json.loads(line)
        return Answer(answer.get("rows"), answer.get("error"))

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def _httpfs() -> str:
    return str(next(Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")))
