"""The arithmetic of the ledger: what a row's hash covers, and what the head's seal covers. No I/O.

Each row's hash is an HMAC over the hash before it and the row in canonical JSON, so a row cannot be changed, moved,
inserted or removed without the key. The head holds the number of rows and the newest hash under a seal of its own, so
that the newest rows cannot be cut off either. What this cannot show: the whole file put back to an older state.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import Final

GENESIS: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it stands in the table; ``detail`` is JSON text and ``at`` ISO 8601 text, hashed as they are."""

    seq: int
    at: str
    kind: str
    principal: str
    session_id: str
    statement_id: str
    action: str
    object: str
    detail: str

    def canonical(self) -> bytes:
        """Return the one byte form of the row."""
        values = (
            self.seq,
            self.at,
            self.kind,
            self.principal,
            self.session_id,
            self.statement_id,
            self.action,
            self.object,
            self.detail,
        )
        return json.dumps(values, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True, slots=True)
class Head:
    """Number of rows, hash of the newest, seal over both."""

    count: int
    hash: str
    seal: str

    @classmethod
    def sealed(cls, key: bytes, count: int, newest: str) -> Head:
        """Return a head with its seal."""
        return cls(count, newest, _mac(key, f"head:{count}:{newest}".encode("ascii")))

    def holds(self, key: bytes) -> bool:
        """Say whether the seal is right."""
        return hmac.compare_digest(self.seal.encode(), self.sealed(key, self.count, self.hash).seal.encode())


def row_hash(key: bytes, before: str, row: StoredRow) -> str:
    """Return the hash of a row, given the hash of the one before it."""
    return _mac(key, b"row:" + before.encode("ascii") + b":" + row.canonical())


def _mac(key: bytes, message: bytes) -> str:
    return hmac.digest(key, message, "sha256").hex()
