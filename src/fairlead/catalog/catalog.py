"""The catalog: everything durable that Fairlead knows, in one SQLite file.

SQLite in WAL mode with ``synchronous=FULL``: what a committed block wrote survives a crash at any instant, what an
uncommitted one wrote never happened. Readers see a snapshot and never wait; writers take turns under one lock of the
process and ``BEGIN IMMEDIATE``. ``epoch`` grows with every committed change, so that what is derived from the
catalog can be kept until then.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from fairlead import __version__
from fairlead.catalog import migrations
from fairlead.catalog.backup import FOLDER, back_up
from fairlead.catalog.snapshot import Snapshot
from fairlead.catalog.transaction import Transaction
from fairlead.clock import Clock, SystemClock
from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from sqlite3 import Connection as SqliteConnection

FILE_NAME: Final = "catalog.db"
_SYSTEM_CLOCK: Final = SystemClock()
_PRAGMAS: Final = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What opening an older catalog has done: from which revision to which, and where the copy of the old one is."""

    before: str
    after: str
    backup: Path


class Catalog:
    """One open catalog. Use ``Catalog.open``; safe for use from many threads."""

    def __init__(self, engine: Engine, clock: Clock, upgrade: Upgrade | None = None) -> None:
        self.upgrade = upgrade
        self._engine = engine
        self._clock = clock
        self._writing = threading.Lock()
        self._writer: int | None = None
        self._epoch = 0

    @classmethod
    def open(cls, path: Path, *, clock: Clock = _SYSTEM_CLOCK) -> Self:
        """Open, and create or migrate where needed; an older catalog is backed up before that (``upgrade``).

        Args:
            path: the file, or the existing directory that holds, or will hold, ``catalog.db``.
            clock: gives the times that are stored.

        Raises:
            ConfigurationError: the file is not a catalog, is damaged, was written by a newer Fairlead, or would be
                migrated and cannot be backed up.
        """
        file = path / FILE_NAME if path.is_dir() else path
        _create_private(file)
        engine = _engine(file)
        try:
            upgrade = _bring_up_to_date(engine, file, clock)
        except DatabaseError as error:
            engine.dispose()
            message = f"{file} cannot be read as a catalog: {error.orig}"
            raise ConfigurationError(message, hint="restore it from a backup, or choose another directory") from None
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, clock, upgrade)

    @property
    def epoch(self) -> int:
        """How many changes of objects, roles or grants this process has committed."""
        return self._epoch

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """Open one consistent snapshot; it never waits for writers."""
        with self._engine.connect() as connection:
            yield Snapshot(connection)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the writing transaction: committed at the end of the block, undone when an exception leaves it.

        Raises:
            RuntimeError: the thread is inside such a block already (it would wait for itself for ever).
        """
        if self._writer == threading.get_ident():
            message = "catalog.write() inside catalog.write()"
            raise RuntimeError(message)
        with self._writing:
            self._writer = threading.get_ident()
            try:
                with self._engine.connect() as connection:
                    immediate = connection.execution_options(begin="IMMEDIATE")
                    with immediate.begin():
                        transaction = Transaction(immediate, self._clock)
                        yield transaction
                    self._epoch += transaction.changed
            finally:
                self._writer = None

    def close(self) -> None:
        """Close every connection; the last one moves the log into the file."""
        self._engine.dispose()


def _create_private(file: Path) -> None:
    """Make the file before SQLite does, so that nobody else can read it at any moment; its log takes the same mode."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _engine(file: Path) -> Engine:
    # Blocks that read may nest (a privilege check inside a statement that reads), so a limit could deadlock.
    engine = create_engine(
        f"sqlite:///{file}",
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=-1,
        hide_parameters=True,  # an error of the driver must not carry verifiers and envelopes
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: SqliteConnection, _: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")

    return engine


def _bring_up_to_date(engine: Engine, file: Path, clock: Clock) -> Upgrade | None:
    stored, newest = _revision(engine, file), migrations.REVISIONS[-1]
    if stored == newest:
        return None
    upgrade = None if stored is None else Upgrade(stored, newest, back_up(file, revision=stored, at=clock.now()))
    with engine.connect().execution_options(begin="IMMEDIATE") as connection, connection.begin():
        migrations.migrate(connection)
        _found(connection, clock)
    return upgrade


def _revision(engine: Engine, file: Path) -> str | None:
    """Return the stored revision, None for an empty file."""
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if not tables:
            return None
        if "alembic_version" not in tables:
            message = f"{file} is a database, but not a catalog of Fairlead"
            raise ConfigurationError(message, hint="choose another data directory")
        stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if stored not in migrations.REVISIONS:
        newest = migrations.REVISIONS[-1]
        message = (
            f"{file} was written by a newer Fairlead: it has revision {stored}, "
            f"and this is Fairlead {__version__}, which knows revisions up to {newest}"
        )
        raise ConfigurationError(message, hint=f"start the newer version, or restore a backup from {FOLDER}/")
    return str(stored)


def _found(connection: Connection, clock: Clock) -> None:
    """Put into a new catalog what every catalog has."""
    tx = Transaction(connection, clock)
    if tx.role("public") is None:
        tx.create_role("public", login=False)
    if tx.database("main") is None:
        tx.create_database("main", None)
