"""The journal of uploads, and the claims on paths."""

from __future__ import annotations

import stat
from dataclasses import replace

import pytest

from fairlead.egress.claims import Claims
from fairlead.egress.journal import Entry, Journal
from fairlead.errors import ObjectInUse, StoreError

ENTRY = Entry(7, "main.public.lake", "https://s3", "acme", "out/k", export="e1", folder="out/")


def test_what_is_written_is_there_after_a_crash(tmp_path):
    first = Journal(tmp_path / "uploads.db")
    written = first.write(ENTRY)
    first.opened(written.id, "upload-1")
    # No close: a killed process does not close.
    (found,) = Journal(tmp_path / "uploads.db").left()
    assert found == replace(written, upload_id="upload-1")


def test_a_line_is_nobody_elses_while_its_statement_runs():
    journal = Journal()
    poked = []
    journal.on_release = lambda: poked.append(1)
    one, two = journal.write(ENTRY), journal.write(ENTRY)
    assert journal.left() == []
    journal.release([two.id])
    assert ([entry.id for entry in journal.left()], poked) == ([two.id], [1])
    journal.forget([one.id, two.id])
    assert journal.left() == []


def test_the_file_is_private(tmp_path):
    Journal(tmp_path / "uploads.db").write(ENTRY)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_journal_that_cannot_be_written_stops_the_upload(tmp_path):
    journal = Journal(tmp_path / "uploads.db")
    journal._db.execute("DROP TABLE uploads")
    with pytest.raises(StoreError, match="the journal of uploads cannot be written"):
        journal.write(ENTRY)


MEETS = [
    # key, other key, whether one is in the way of the other
    ("k", "k", True),
    ("d/", "d/", True),
    ("d/", "d/x", True),
    ("d/", "d/e/", True),
    ("", "k", True),
    ("k", "k2", False),
    ("k", "k/", False),
    ("d/", "d2/", False),
    ("d/e/", "d/f/", False),
]


@pytest.mark.parametrize(("one", "other", "meets"), MEETS)
def test_a_path_is_taken_by_one_export_at_a_time(one, other, meets):
    for first, second in ((one, other), (other, one)):
        claims = Claims()
        claims.take(("s", "b", first))
        claims.take(("other store", "b", second))
        claims.take(("s", "other bucket", second))
        if meets:
            with pytest.raises(ObjectInUse, match='another export writes to "b/'):
                claims.take(("s", "b", second))
            claims.give_back(("s", "b", first))
        claims.take(("s", "b", second))
