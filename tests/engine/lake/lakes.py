"""A real lake in another process, and a locked worker's DuckDB in this one that gets private copies of it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from fairlead.engine.lake import copying
from fairlead.engine.lake.copying import Selection
from fairlead.engine.lake.links import Links
from fairlead.engine.lake.metadata import LakeReader

if TYPE_CHECKING:
    from fairlead.engine.lake.copying import CatalogCopy
    from fairlead.engine.lake.metadata import LakeTable

NAME = "lake"


def extension(name: str) -> str:
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    assert found is not None
    assert found.origin is not None
    (file,) = Path(found.origin).parent.glob(f"extensions/*/{name}.duckdb_extension")
    return str(file)


class Lake:
    """A real lake: ``execute`` writes to it, ``reader`` reads its catalog."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        self.start()
        self.reader = LakeReader(folder / "catalog.sqlite")

    def execute(self, sql: str) -> list[list[str | None]]:
        """Run statements; gives the rows of the last one, as texts."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(sql) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise AssertionError(f"{sql}: {answer['error']}")
        return answer["rows"]

    def table(self, name: str) -> LakeTable:
        (found,) = [table for table in self.reader.tables() if table.name == name]
        return found

    def selection(self, *names: str, **more: Any) -> Selection:
        """Selects tables by name, all their rows."""
        return Selection({self.table(name).table_id: "full" for name in names}, **more)

    def close(self) -> None:
        self.reader.close()
        self.stop()

    def start(self) -> None:
        extensions = [extension(name) for name in ("ducklake", "sqlite_scanner")]
        program = Path(__file__).with_name("lake_writer.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program), str(self.folder), *extensions],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        """End the writer; nothing happens if it has ended."""
        if self._process.poll() is not None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Worker:
    """A locked DuckDB as in a worker, with a folder for links and one to write to."""

    def __init__(self, folder: Path) -> None:
        self.spill = folder / "spill"
        self.folder = folder / "files"
        self.spill.mkdir(parents=True)
        self.folder.mkdir()
        self.links = Links(self.folder)
        self.refreshed = 0
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "threads": "1",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_unsigned_extensions": "true",
                "allow_persistent_secrets": "false",
            },
        )
        for statement in (
            f"LOAD '{extension('ducklake')}'",
            "SET threads = 3",
            "SET TimeZone = 'UTC'",
            f"SET allowed_directories = ['{self.spill}/', '{self.folder}/']",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            self.connection.execute(statement)

    def attach(self, copy: CatalogCopy, lake: Lake, attached: str = NAME) -> list[str]:
        """Link the files and make the private lake; gives the statements that were run."""
        targets = {Path(file).name: lake.files / file for file in copy.files}
        self.links.sync(targets)
        script = copying.attach_script(copy, attached=attached, spill=self.spill, locate=self.locate)
        self.run(script)
        return script

    def refresh(self, old: CatalogCopy, new: CatalogCopy, lake: Lake, attached: str = NAME) -> CatalogCopy:
        """Bring a private lake to a newer copy, in place if that is possible; gives the newer copy."""
        self.links.sync({Path(file).name: lake.files / file for file in new.files})
        script = copying.refresh_script(old, new, attached=attached, locate=self.locate)
        if script is None:
            self.detach(attached)
            self.attach(new, lake, attached)
        else:
            self.refreshed += 1
            self.run(script)
        return new

    def locate(self, file: str) -> str:
        return str(self.folder / Path(file).name)

    def detach(self, attached: str = NAME) -> None:
        self.run(copying.detach_script(attached))

    def run(self, script: list[str]) -> None:
        for statement in script:
            self.connection.execute(statement)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def texts(self, sql: str) -> list[list[str | None]]:
        """Rows as the real lake's process gives them."""
        return [[None if item is None else str(item) for item in row] for row in self.rows(sql)]

    def close(self) -> None:
        self.connection.close()
