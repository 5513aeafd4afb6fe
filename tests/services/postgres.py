"""A real PostgreSQL, which says what the bytes of a value are: for tests of formats, and the bench's other side.

It wants no root: started by root, it runs as the user ``postgres``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from tests.services.process import Process, free_port
from tests.services.requirement import missing

if TYPE_CHECKING:
    from tests.services.certificates import Leaf

_PROGRAMS = (Path("/usr/lib/postgresql/15/bin"), Path("/usr/lib/postgresql/16/bin"), Path("/usr/lib/postgresql/17/bin"))
_OWNER = "postgres"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs, None where there is none."""
    found = next((folder for folder in _PROGRAMS if (folder / "postgres").is_file()), None)
    installed = shutil.which("postgres")
    return found or (Path(installed).parent if installed else None)


def require_postgres() -> Path:
    """Return the folder of the server's programs; without it the test is skipped, or fails where it is required."""
    found = programs()
    if found is None:
        missing("the PostgreSQL server is not installed", "to bring it: apt-get install postgresql-15")
    return found


class Postgres:
    """One server on a free port, with trust on the loopback address: nothing secret is in it.

    Args:
        programs: folder of its programs.
        folder: holds its data.
        leaf: its certificate, None = it speaks no TLS.
    """

    def __init__(self, programs: Path, folder: Path, leaf: Leaf | None = None) -> None:
        self._leaf = leaf
        self.port = free_port()
        self._data = folder / "data"
        self._programs = programs
        as_owner: list[str] = []
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_OWNER)
            # Its data lie in a folder of its own: those above belong to root alone.
            self._data = Path(f"/var/tmp/fairlead-postgres-{self.port}")  # removed at the end
            self._data.mkdir(mode=0o700)
            os.chown(self._data, owner.pw_uid, owner.pw_gid)
            as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        self._as_owner = as_owner
        settings = ("listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", "fsync=off",
                    f"ssl={'off' if leaf is None else 'on'}")  # fmt: skip
        self._process = Process(
            [*as_owner, str(programs / "postgres"), "-D", str(self._data), *(f"-c{one}" for one in settings)],
            log=folder / "postgres.log",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            cwd=Path("/"),
        )

    def start(self) -> Postgres:
        """Make its data and start it."""
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "admin", "--auth=trust", "-E", "UTF8"]
        made = subprocess.run(  # our own command
            [*self._as_owner, *command, "--no-sync"],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
        assert made.returncode == 0, made.stderr
        if self._leaf is not None:
            for name, source in (("server.crt", self._leaf.certificate), ("server.key", self._leaf.key)):
                target = self._data / name
                target.write_bytes(source.read_bytes())
                target.chmod(0o600)
                owner = self._data.stat()
                os.chown(target, owner.st_uid, owner.st_gid)
        self._process.start(self._answers)
        return self

    def end(self) -> None:
        """End it, and remove its data."""
        with suppress(AssertionError):
            self._process.stop()
        self._process.end_group()
        shutil.rmtree(self._data, ignore_errors=True)

    def connect(self, **options: Any) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection of the administrator."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="admin", dbname="postgres", autocommit=True, **options
        )

    def _answers(self) -> bool:
        try:
            with self.connect() as connection:
                return connection.execute("SELECT 1").fetchone() is not None
        except psycopg.OperationalError:
            return False
