"""Opening a catalog: made private, migrated whole, refused when it is not ours or too new."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from fairlead.catalog import migrations, tables
from fairlead.catalog.catalog import Catalog
from fairlead.errors import ConfigurationError


@pytest.fixture
def file(tmp_path):
    Catalog.open(tmp_path / "catalog.db").close()
    return tmp_path / "catalog.db"


def test_a_directory_means_the_catalog_in_it(tmp_path):
    Catalog.open(tmp_path).close()
    assert (tmp_path / "catalog.db").exists()


def test_the_file_and_its_log_are_private(tmp_path):
    catalog = Catalog.open(tmp_path / "new" / "catalog.db")
    with catalog.write() as tx:
        tx.create_role("joe", login=True)
    modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in (tmp_path / "new").iterdir()}
    assert modes == dict.fromkeys(("catalog.db", "catalog.db-wal", "catalog.db-shm"), 0o600)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    catalog.close()


def test_every_connection_is_durable_and_checks_references(tmp_path):
    catalog = Catalog.open(tmp_path)
    with catalog.read() as one, catalog.read() as two:
        for snapshot in (one, two):
            pragma = {
                name: snapshot.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            }
            assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    catalog.close()


@pytest.mark.filterwarnings("ignore:autogenerate skipping", "ignore:Skipped unsupported reflection")
def test_the_migrations_make_what_the_tables_say(file):
    catalog = Catalog.open(file)
    with catalog.read() as snapshot:
        context = MigrationContext.configure(snapshot.connection)
        assert compare_metadata(context, tables.metadata) == []
    catalog.close()


def test_the_list_of_revisions_is_what_alembic_finds(file):
    config = Config()
    config.set_main_option("script_location", str(migrations.__path__[0]))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == migrations.REVISIONS


def test_an_up_to_date_catalog_opens_fast_and_without_alembic(file):
    program = f"""
import sys, time
from pathlib import Path
from fairlead.catalog.catalog import Catalog
began = time.perf_counter()
Catalog.open(Path({str(file)!r})).close()
took = time.perf_counter() - began
assert not any(name.split(".")[0] == "alembic" for name in sys.modules), "alembic was imported"
print(took)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert float(done.stdout) < 0.3


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("fairlead.catalog.catalog._found", fail)
        with pytest.raises(ZeroDivisionError):
            Catalog.open(tmp_path / "catalog.db")
    with sqlite3.connect(tmp_path / "catalog.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
    Catalog.open(tmp_path / "catalog.db").close()


def change(file, statement):
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_newer_schema_is_refused(file):
    change(file, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="written by a newer Fairlead"):
        Catalog.open(file)


def test_another_database_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "other.db"
    change(file, "CREATE TABLE notes (t TEXT)")
    before = file.read_bytes()
    with pytest.raises(ConfigurationError, match="not a catalog"):
        Catalog.open(file)
    assert file.read_bytes()[100:] == before[100:]


def test_a_file_that_is_no_database_is_refused(tmp_path):
    file = tmp_path / "catalog.db"
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConfigurationError, match="cannot be read as a catalog"):
        Catalog.open(file)


def test_what_was_written_is_there_after_opening_again(file):
    first = Catalog.open(file)
    with first.write() as tx:
        lake = tx.create_object("connection", "main", "public", "lake", owner_id=1, definition={"a": [1, None, "ü"]})
    first.close()
    began = time.perf_counter()
    second = Catalog.open(file)
    assert time.perf_counter() - began < 0.3
    with second.read() as snapshot:
        assert snapshot.find("connection", "main", "lake") == lake
        assert snapshot.definition(lake.id) == {"a": [1, None, "ü"]}
    second.close()
