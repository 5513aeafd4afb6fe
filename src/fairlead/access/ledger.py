"""The ledger: every change and every use of a credential, one row each, append-only and chained (``chain.py``).

A row of a change is written in the change's own transaction: either both are there or none. A row of a use is
committed before the credential is touched; where it cannot be written, ``LedgerUnavailable`` says so and the credential
is not used. Rows never hold a secret.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import insert, select, update

from fairlead.access.chain import GENESIS, Head, StoredRow, row_hash
from fairlead.catalog import tables as t
from fairlead.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Row

    from fairlead.catalog.catalog import Catalog
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.catalog.transaction import Transaction
    from fairlead.context import Context

EventKind = Literal["ddl", "use", "use.end", "refused", "login", "login.failed"]

_ROW: Final = (
    t.ledger.c.seq,
    t.ledger.c.at,
    t.ledger.c.kind,
    t.ledger.c.principal,
    t.ledger.c.session_id,
    t.ledger.c.statement_id,
    t.ledger.c.action,
    t.ledger.c.object,
    t.ledger.c.detail,
)
_HEAD: Final = select(t.ledger_head.c.count, t.ledger_head.c.hash, t.ledger_head.c.seal)


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """What happened. ``object`` names it with its kind; ``detail`` has plain facts, never a secret."""

    kind: str
    principal: str
    action: str
    object: str
    session_id: str = ""
    statement_id: str = ""
    detail: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row for people. ``at`` is ISO 8601 in UTC, ``hash`` hexadecimal."""

    seq: int
    at: str
    kind: str
    principal: str
    session_id: str
    statement_id: str
    action: str
    object: str
    detail: Mapping[str, str | int]
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk along the chain found. ``first_bad`` is the number of the first row that is wrong or missing."""

    rows: int
    ok: bool
    first_bad: int | None
    reason: str | None


class Ledger:
    """Writes, shows and verifies the ledger of one catalog.

    Args:
        catalog: where the rows are.
        key: 32 bytes, ``Vault.ledger_key()``.
        scrub: passes over every text of a row before it is written, as a second net; ``Scrubber.scrub``.
    """

    def __init__(self, catalog: Catalog, key: bytes, *, scrub: Callable[[str], str] | None = None) -> None:
        self._catalog = catalog
        self._key = key
        self._scrub = scrub
        self._begin_chain()

    def append(self, tx: Transaction, event: LedgerEvent) -> int:
        """Write a row inside a transaction, which it then stands or falls with; return its number.

        Raises:
            LedgerUnavailable: it cannot be written, or what is there was tampered with.
        """
        with _fail_closed():
            return self._append(tx, event)

    def record(self, event: LedgerEvent) -> int:
        """Write a row in a transaction of its own; return its number once it is on disk.

        Raises:
            LedgerUnavailable: it cannot be written, for whatever reason.
        """
        with _fail_closed(), self._catalog.write() as tx:
            return self._append(tx, event)

    def check_writable(self) -> None:
        """Take the turn of a writer and give it back, without a row.

        Raises:
            LedgerUnavailable: no row could be written now.
        """
        with _fail_closed(), self._catalog.write() as tx:
            self._require_head(tx)

    def rows(self) -> int:
        """Return how many rows there are."""
        with self._catalog.read() as snapshot:
            head = _head(snapshot)
        return 0 if head is None else head.count

    def tail(self, limit: int) -> tuple[LedgerRow, ...]:
        """Return the newest rows, newest last."""
        query = select(*_ROW, t.ledger.c.hash).order_by(t.ledger.c.seq.desc()).limit(limit)
        with self._catalog.read() as snapshot:
            newest = snapshot.connection.execute(query).all()
        return tuple(_row(row) for row in reversed(newest))

    def verify(self) -> Verification:
        """Walk the whole chain, oldest row first, in one snapshot."""
        with self._catalog.read() as snapshot:
            head = _head(snapshot)
            if head is None or not head.holds(self._key):
                reason = "the head is missing" if head is None else "the head was changed, or is of another keyring"
                return Verification(0, ok=False, first_bad=None, reason=reason)
            return self._walk(snapshot, head)

    def _walk(self, snapshot: Snapshot, head: Head) -> Verification:
        before, count = GENESIS, 0
        rows = snapshot.connection.execution_options(yield_per=1000).execute(
            select(*_ROW, t.ledger.c.hash).order_by(t.ledger.c.seq)
        )
        for row in rows:
            expected = count + 1
            if row.seq != expected:
                return Verification(count, ok=False, first_bad=expected, reason=f"row {expected} is missing")
            if row_hash(self._key, before, StoredRow(*row[:-1])) != row.hash:
                reason = f"row {expected} was changed, moved or inserted"
                return Verification(count, ok=False, first_bad=expected, reason=reason)
            before, count = row.hash, expected
        if count < head.count:
            reason = f"the newest {head.count - count} row(s) are missing"
            return Verification(count, ok=False, first_bad=count + 1, reason=reason)
        if (count, before) != (head.count, head.hash):
            return Verification(count, ok=False, first_bad=head.count + 1, reason="there are rows that nobody counted")
        return Verification(count, ok=True, first_bad=None, reason=None)

    def _append(self, tx: Transaction, event: LedgerEvent) -> int:
        head = self._require_head(tx)
        event = self._scrubbed(event)
        row = StoredRow(
            seq=head.count + 1,
            at=tx.clock.now().isoformat(timespec="microseconds"),
            kind=event.kind,
            principal=event.principal,
            session_id=event.session_id,
            statement_id=event.statement_id,
            action=event.action,
            object=event.object,
            detail=json.dumps(dict(event.detail), sort_keys=True, separators=(",", ":")),
        )
        newest = row_hash(self._key, head.hash, row)
        values = dict(zip((column.name for column in _ROW), astuple(row), strict=True))
        tx.connection.execute(insert(t.ledger).values(**values, hash=newest))
        moved = Head.sealed(self._key, row.seq, newest)
        tx.connection.execute(update(t.ledger_head).values(count=moved.count, hash=moved.hash, seal=moved.seal))
        return row.seq

    def _require_head(self, tx: Transaction) -> Head:
        head = _head(tx)
        if head is None or not head.holds(self._key):
            message = "the ledger was changed from outside, so nothing is written to it any more"
            raise LedgerUnavailable(message, hint="VERIFY LEDGER shows where; restore the catalog from a backup")
        return head

    def _scrubbed(self, event: LedgerEvent) -> LedgerEvent:
        if self._scrub is None:
            return event
        detail = {name: self._scrub(v) if isinstance(v, str) else v for name, v in event.detail.items()}
        return replace(
            event,
            principal=self._scrub(event.principal),
            object=self._scrub(event.object),
            detail=detail,
        )

    def _begin_chain(self) -> None:
        """Put a head into a catalog that has none, which is only right while nobody could have used it yet."""
        with self._catalog.read() as snapshot:
            if _head(snapshot) is not None or any(role.login for role in snapshot.roles()):
                return
        with _fail_closed(), self._catalog.write() as tx:
            if _head(tx) is None:
                head = Head.sealed(self._key, 0, GENESIS)
                values = {"id": 1, "count": head.count, "hash": head.hash, "seal": head.seal}
                tx.connection.execute(insert(t.ledger_head).values(values))


class UseLedger:
    """The ledger's rows about uses of credentials, as egress writes them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._open: dict[int, LedgerEvent] = {}

    def begin(
        self,
        context: Context,
        *,
        connection_id: int,
        connection: str,
        via: str,
        version: str,
        action: str,
        location: str,
    ) -> int:
        """Write that a credential is about to be used; return the number of the row.

        Raises:
            LedgerUnavailable: it could not be written, so the credential must not be used.
        """
        detail: dict[str, str | int] = {
            "connection_id": connection_id,
            "via": via,
            "version": version,
            "location": location,
        }
        event = _event(context, "use", action, f"connection {connection}", detail)
        use_id = self._ledger.record(event)
        self._open[use_id] = event
        return use_id

    def finish(self, use_id: int, *, requests: int, bytes_read: int, bytes_written: int, outcome: str) -> None:
        """Write what became of a use.

        Raises:
            LedgerUnavailable: it could not be written; the use itself stays on record.
        """
        begun = self._open.pop(use_id)
        detail: dict[str, str | int] = {
            "use": use_id,
            "requests": requests,
            "bytes_read": bytes_read,
            "bytes_written": bytes_written,
            "outcome": outcome,
        }
        self._ledger.record(replace(begun, kind="use.end", detail=detail))

    def refused(self, context: Context, *, connection: str, action: str, location: str, reason: str) -> None:
        """Write that a request was refused.

        Raises:
            LedgerUnavailable: it could not be written.
        """
        subject = f"connection {connection}" if connection else location
        self._ledger.record(_event(context, "refused", action, subject, {"location": location, "reason": reason}))


def _event(
    context: Context, kind: EventKind, action: str, subject: str, detail: Mapping[str, str | int]
) -> LedgerEvent:
    return LedgerEvent(
        kind=kind,
        principal=context.principal.user_name,
        action=action,
        object=subject,
        session_id=context.session_id,
        statement_id=context.statement_id,
        detail=detail,
    )


def _head(snapshot: Snapshot) -> Head | None:
    row = snapshot.connection.execute(_HEAD).first()
    return None if row is None else Head(*row)


def _row(row: Row[Any]) -> LedgerRow:
    values = row._asdict()
    return LedgerRow(**{**values, "detail": json.loads(values["detail"])})


@contextmanager
def _fail_closed() -> Iterator[None]:
    """Turn every failure to write into the one error that means "do not use the credential"."""
    try:
        yield
    except LedgerUnavailable:
        raise
    except Exception as error:  # noqa: BLE001  # fail closed: no kind of failure may let a use go unrecorded
        raise _unavailable(error) from None


def _unavailable(error: Exception) -> LedgerUnavailable:
    reason = str(getattr(error, "orig", None) or type(error).__name__)
    message = f"the ledger cannot be written: {reason}"
    return LedgerUnavailable(message, hint="see that the disk has room and is writable")
