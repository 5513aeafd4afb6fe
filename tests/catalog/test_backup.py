"""An older catalog is copied before it is migrated, and a newer one is left alone."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.catalog import migrations
from fairlead.catalog.backup import back_up
from fairlead.catalog.catalog import Catalog
from fairlead.errors import ConfigurationError
from tests.catalog.test_upgrade import file  # noqa: F401  # a fixture

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def dump(path) -> list[str]:
    with closing(sqlite3.connect(path)) as opened:
        return list(opened.iterdump())


def test_the_copy_holds_everything_and_the_catalog_says_what_was_done(file):  # noqa: F811
    before = dump(file)
    catalog = Catalog.open(file)
    upgrade = catalog.upgrade
    catalog.close()
    assert upgrade is not None
    assert (upgrade.before, upgrade.after) == ("0001", migrations.REVISIONS[-1])
    assert upgrade.backup.parent == file.parent / "backups"
    assert upgrade.backup.name.startswith("catalog-0001-")
    assert dump(upgrade.backup) == before
    assert stat.S_IMODE(upgrade.backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(upgrade.backup.parent.stat().st_mode) == 0o700
    assert [one.name for one in upgrade.backup.parent.iterdir()] == [upgrade.backup.name]


def test_the_copy_is_a_catalog_that_can_be_put_back(file):  # noqa: F811
    catalog = Catalog.open(file)
    catalog.close()
    assert catalog.upgrade is not None
    file.write_bytes(catalog.upgrade.backup.read_bytes())
    again = Catalog.open(file)
    assert again.upgrade is not None
    again.close()


def test_what_stands_only_in_the_log_is_in_the_copy(file):  # noqa: F811
    with closing(sqlite3.connect(file)) as kept:  # an open reader keeps the log from being moved into the file
        assert kept.execute("PRAGMA journal_mode = WAL").fetchall() == [("wal",)]
        kept.execute("SELECT count(*) FROM roles").fetchall()
        with closing(sqlite3.connect(file)) as writer, writer:
            writer.execute("INSERT INTO roles VALUES (9, 'Zoe', 'zoe', 1, 0, 'v', '2026-01-02')")
        assert file.with_name("catalog.db-wal").stat().st_size > 0
        copy = back_up(file, revision="0001", at=NOON)
    assert "Zoe" in "".join(dump(copy))


@pytest.mark.parametrize("fresh", [True, False])
def test_a_new_and_an_up_to_date_catalog_are_not_copied(tmp_path, fresh):
    if not fresh:
        Catalog.open(tmp_path).close()
    catalog = Catalog.open(tmp_path)
    assert catalog.upgrade is None
    catalog.close()
    assert not (tmp_path / "backups").exists()


def test_five_copies_are_kept_and_foreign_files_left_alone(file):  # noqa: F811
    folder = file.parent / "backups"
    folder.mkdir()
    (folder / "mine.db").write_text("")
    made = [back_up(file, revision=f"000{i % 3}", at=NOON + timedelta(hours=i)) for i in range(8)]
    assert {one.name for one in folder.iterdir()} == {"mine.db", *(one.name for one in made[-5:])}


def test_without_a_copy_nothing_is_migrated(file):  # noqa: F811
    (file.parent / "backups").write_text("in the way")
    before = dump(file)
    with pytest.raises(ConfigurationError, match="not migrated, because it could not be backed up"):
        Catalog.open(file)
    assert dump(file) == before


def test_a_newer_catalog_is_refused_with_both_versions_and_left_as_it_is(tmp_path):
    Catalog.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '0999'")
    before = dump(tmp_path / "catalog.db")
    with pytest.raises(ConfigurationError) as caught:
        Catalog.open(tmp_path)
    assert "revision 0999" in caught.value.message
    assert f"up to {migrations.REVISIONS[-1]}" in caught.value.message
    assert "backups/" in str(caught.value.hint)
    assert dump(tmp_path / "catalog.db") == before
    assert not (tmp_path / "backups").exists()
