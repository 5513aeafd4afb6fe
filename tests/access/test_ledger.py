"""The ledger: written with the change or before the use, and impossible to change unnoticed."""

from __future__ import annotations

import sqlite3

import pytest

from fairlead.access.chain import GENESIS, Head, StoredRow, row_hash
from fairlead.access.ledger import Ledger, LedgerEvent, UseLedger
from fairlead.catalog.catalog import Catalog
from fairlead.context import Context, Principal
from fairlead.errors import LedgerUnavailable

KEY = b"k" * 32
USE = {
    "connection_id": 7,
    "connection": "main.public.lake",
    "via": "stage main.public.raw",
    "location": "s3://acme/raw/",
}
CONTEXT = Context("session-1", "statement-1", Principal(2, "ann", frozenset({1, 2}), False))


def event(number: int = 0) -> LedgerEvent:
    return LedgerEvent("ddl", "ann", "CREATE CONNECTION", f"connection main.public.c{number}", "s", "t", {"version": 1})


@pytest.fixture
def filled(ledger):
    for number in range(5):
        assert ledger.record(event(number)) == number + 1
    return ledger


def test_rows_are_shown_newest_last_as_they_were_written(filled):
    rows = filled.tail(2)
    assert [row.seq for row in rows] == [4, 5]
    last = rows[-1]
    assert (last.kind, last.principal, last.action) == ("ddl", "ann", "CREATE CONNECTION")
    assert last.object == "connection main.public.c4"
    assert (last.session_id, last.statement_id, last.detail) == ("s", "t", {"version": 1})
    assert last.at.endswith("+00:00")
    assert len({row.hash for row in filled.tail(100)}) == 5
    assert filled.tail(0) == ()


def test_a_whole_chain_verifies(ledger, filled):
    found = filled.verify()
    assert (found.rows, found.ok, found.first_bad, found.reason) == (5, True, None, None)


def test_an_empty_chain_verifies(ledger):
    assert ledger.verify().ok


def test_a_row_stands_or_falls_with_its_change(catalog, ledger):
    def fail() -> None:
        with catalog.write() as tx:
            tx.create_role("joe", login=True)
            ledger.append(tx, event())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ledger.tail(9) == ()
    with catalog.write() as tx:
        tx.create_role("joe", login=True)
        assert ledger.append(tx, event()) == 1
        assert ledger.append(tx, event()) == 2
    assert ledger.verify().rows == 2


def test_a_row_is_no_change_of_the_catalog(catalog, filled):
    before = catalog.epoch
    filled.record(event())
    assert catalog.epoch == before


def test_the_chain_goes_on_after_a_restart(tmp_path, catalog, filled):
    catalog.close()
    again = Catalog.open(tmp_path / "catalog.db")
    ledger = Ledger(again, KEY)
    assert ledger.record(event()) == 6
    assert ledger.verify().rows == 6
    again.close()


def test_every_text_passes_the_scrubber_on_its_way(catalog):
    ledger = Ledger(catalog, KEY, scrub=lambda text: text.replace("hunter2", "<redacted>"))
    ledger.record(LedgerEvent("use", "hunter2", "READ", "s3://hunter2/", detail={"location": "x?k=hunter2", "n": 1}))
    (row,) = ledger.tail(1)
    assert (row.principal, row.object, row.detail) == (
        "<redacted>",
        "s3://<redacted>/",
        {"location": "x?k=<redacted>", "n": 1},
    )
    assert ledger.verify().ok


# --- tampering -------------------------------------------------------------------------------------------------------


def tamper(catalog, *statements: str) -> None:
    """Do what somebody with write access to the file could do; triggers do not stop them."""
    with catalog.read() as snapshot:
        file = snapshot.connection.engine.url.database
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in ("DROP TRIGGER ledger_keeps_rows", "DROP TRIGGER ledger_keeps_values", *statements):
        connection.execute(statement)
    connection.close()


def test_plain_changes_are_refused_by_the_database_itself(catalog, filled):
    with catalog.read() as snapshot:
        connection = sqlite3.connect(snapshot.connection.engine.url.database)
    for statement in ("DELETE FROM ledger", "UPDATE ledger SET principal = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


COLUMNS = ("at", "kind", "principal", "session_id", "statement_id", "action", "object", "detail", "hash")
COPY = (
    "INSERT INTO ledger (seq, at, kind, principal, session_id, statement_id, action, object, detail, hash) "
    "SELECT {}, at, kind, principal, session_id, statement_id, action, object, detail, hash FROM ledger WHERE seq = {}"
)


@pytest.mark.parametrize(
    ("statements", "first_bad", "reason"),
    [
        *(((f"UPDATE ledger SET {c} = '{{}}' WHERE seq = 3",), 3, "changed") for c in COLUMNS),
        (("DELETE FROM ledger WHERE seq = 3",), 3, "row 3 is missing"),
        (("DELETE FROM ledger WHERE seq = 1",), 1, "row 1 is missing"),
        (("DELETE FROM ledger WHERE seq = 5",), 5, "newest 1 row(s) are missing"),
        (("DELETE FROM ledger WHERE seq > 2",), 3, "newest 3 row(s) are missing"),
        (("DELETE FROM ledger",), 1, "newest 5 row(s) are missing"),
        # The newest rows cut off, and the head made to fit as well as one can without the key.
        (
            (
                "DELETE FROM ledger WHERE seq > 2",
                "UPDATE ledger_head SET count = 2, hash = (SELECT hash FROM ledger WHERE seq = 2)",
            ),
            None,
            "head was changed",
        ),
        (("UPDATE ledger_head SET seal = hash",), None, "head was changed"),
        (("UPDATE ledger_head SET hash = seal",), None, "head was changed"),
        (("UPDATE ledger_head SET count = 6",), None, "head was changed"),
        (("DELETE FROM ledger_head",), None, "head is missing"),
        (("DELETE FROM ledger", "DELETE FROM ledger_head"), None, "head is missing"),
        # Two rows exchanged; a row removed and the rest moved up; a row put in; a row put on top.
        (
            (
                "UPDATE ledger SET seq = 99 WHERE seq = 2",
                "UPDATE ledger SET seq = 2 WHERE seq = 3",
                "UPDATE ledger SET seq = 3 WHERE seq = 99",
            ),
            2,
            "changed, moved or inserted",
        ),
        (
            ("DELETE FROM ledger WHERE seq = 2", "UPDATE ledger SET seq = seq - 1 WHERE seq > 2"),
            2,
            "changed, moved or inserted",
        ),
        (
            (
                "UPDATE ledger SET seq = -seq - 1 WHERE seq >= 3",
                "UPDATE ledger SET seq = -seq WHERE seq < 0",
                COPY.format(3, 2),
            ),
            3,
            "changed, moved or inserted",
        ),
        ((COPY.format(6, 5),), 6, "changed, moved or inserted"),
        ((COPY.format(0, 1),), 1, "missing"),
    ],
)
def test_whatever_is_done_to_the_file_is_found(catalog, filled, statements, first_bad, reason):
    tamper(catalog, *statements)
    found = filled.verify()
    assert not found.ok
    assert found.first_bad == first_bad
    assert reason in found.reason


def test_a_row_that_was_added_with_the_key_but_never_counted_is_found(catalog, filled):
    row = StoredRow(6, "2026-01-01T00:00:00+00:00", "ddl", "x", "", "", "A", "o", "{}")
    forged = row_hash(KEY, filled.tail(1)[0].hash, row)
    tamper(catalog, f"INSERT INTO ledger VALUES (6, '{row.at}', 'ddl', 'x', '', '', 'A', 'o', '{{}}', '{forged}')")
    assert filled.verify().reason == "there are rows that nobody counted"


@pytest.mark.parametrize("statement", ["UPDATE ledger_head SET count = 2", "DELETE FROM ledger_head"])
def test_nothing_is_written_over_a_head_that_was_changed(catalog, filled, statement):
    tamper(catalog, statement)
    with pytest.raises(LedgerUnavailable, match="changed from outside"):
        filled.record(event())

    def change() -> None:
        with catalog.write() as tx:
            tx.create_role("joe", login=True)
            filled.append(tx, event())

    with pytest.raises(LedgerUnavailable):
        change()
    with catalog.read() as snapshot:
        assert snapshot.role("joe") is None


def test_a_ledger_that_was_emptied_does_not_begin_again_where_users_are(catalog, filled):
    with catalog.write() as tx:
        tx.create_role("joe", login=True)
    tamper(catalog, "DELETE FROM ledger", "DELETE FROM ledger_head")
    again = Ledger(catalog, KEY)
    assert again.verify().reason == "the head is missing"
    with pytest.raises(LedgerUnavailable):
        again.record(event())


def test_another_key_verifies_nothing_and_writes_nothing(catalog, filled):
    other = Ledger(catalog, b"x" * 32)
    assert not other.verify().ok
    with pytest.raises(LedgerUnavailable):
        other.record(event())


def test_the_forms_that_are_hashed_are_unambiguous():
    row = StoredRow(1, "t", "k", "a", "bc", "", "", "", "{}")
    other = StoredRow(1, "t", "k", "ab", "c", "", "", "", "{}")
    assert row.canonical() != other.canonical()
    assert row_hash(KEY, GENESIS, row) != row_hash(KEY, "1" * 64, row)
    assert Head.sealed(KEY, 1, "23").seal != Head.sealed(KEY, 12, "3").seal


# --- fail closed -----------------------------------------------------------------------------------------------------


def test_a_ledger_that_cannot_be_written_says_so(catalog, filled):
    with catalog.read() as snapshot:
        blocker = sqlite3.connect(snapshot.connection.engine.url.database, isolation_level=None)
    blocker.execute("CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    with pytest.raises(LedgerUnavailable, match="disk is full"):
        filled.record(event())
    with pytest.raises(LedgerUnavailable, match="disk is full"):
        UseLedger(filled).begin(CONTEXT, version="1", action="READ", **USE)
    blocker.execute("DROP TRIGGER full")
    blocker.close()
    assert filled.record(event()) == 6


def test_a_ledger_whose_catalog_is_broken_says_so(catalog, filled, monkeypatch):
    def broken():
        raise OSError

    monkeypatch.setattr(catalog, "write", broken)
    with pytest.raises(LedgerUnavailable, match="OSError"):
        filled.record(event())


# --- uses ------------------------------------------------------------------------------------------------------------


def test_a_use_is_on_record_before_it_happens_and_again_when_it_ends(ledger):
    uses = UseLedger(ledger)
    number = uses.begin(CONTEXT, version="7.1", action="READ", **USE)
    assert [row.kind for row in ledger.tail(9)] == ["use"]
    uses.finish(number, requests=3, bytes_read=1000, bytes_written=0, outcome="ok")
    where = {name: USE[name] for name in ("connection", "location")}
    uses.refused(CONTEXT, action="WRITE", reason="no right", **where)
    begun, ended, refused = ledger.tail(9)
    assert {(r.principal, r.session_id, r.statement_id) for r in ledger.tail(9)} == {
        ("ann", "session-1", "statement-1")
    }
    assert (begun.action, begun.object) == (ended.action, ended.object) == ("READ", "connection main.public.lake")
    facts = {name: USE[name] for name in ("connection_id", "via", "location")}
    assert begun.detail == {**facts, "version": "7.1"}
    assert ended.kind == "use.end"
    assert ended.detail == {"use": number, "requests": 3, "bytes_read": 1000, "bytes_written": 0, "outcome": "ok"}
    assert (refused.kind, refused.action, refused.detail["reason"]) == ("refused", "WRITE", "no right")


def test_a_refusal_without_a_connection_names_the_location(ledger):
    UseLedger(ledger).refused(CONTEXT, connection="", action="READ", location="s3://x/y", reason="nothing covers it")
    assert ledger.tail(1)[0].object == "s3://x/y"
