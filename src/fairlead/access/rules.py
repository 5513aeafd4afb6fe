"""What a principal may do to which places of which store: the form in which egress reads rights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final


class Action(StrEnum):
    """What a request to a store does."""

    READ = auto()
    WRITE = auto()
    LIST = auto()
    DELETE = auto()


EVERYTHING: Final = frozenset(Action)
# A reader of a stage sees what there is; a writer may also replace, so writing includes deleting, but not reading.
READING: Final = frozenset({Action.READ, Action.LIST})
WRITING: Final = frozenset({Action.WRITE, Action.LIST, Action.DELETE})


@dataclass(frozen=True, slots=True)
class Rule:
    """This principal may do these actions below this place through this connection.

    Args:
        connection_id: whose credential is used.
        bucket: None means every bucket (USAGE on the connection itself).
        prefix: "" or ends with "/"; a key is below it where ``key.startswith(prefix)``.
        actions: what may be done.
        via: what gives the right, for the ledger and for messages (``stage main.public.raw``).
        connection: full name of the connection.
        closed: (bucket, key prefix) pairs of the same store that it does not reach: where databases keep the files of
            their tables.
    """

    connection_id: int
    bucket: str | None
    prefix: str
    actions: frozenset[Action]
    via: str
    connection: str = ""
    closed: tuple[tuple[str, str], ...] = ()

    def covers(self, bucket: str, key: str) -> bool:
        """Whether a place is below the rule's own, and not closed to it."""
        if self.bucket not in (None, bucket) or not key.startswith(self.prefix):
            return False
        return not any(bucket == closed and key.startswith(prefix) for closed, prefix in self.closed)

    def shows(self, bucket: str, key: str) -> bool:
        """Whether a listing may show a key, or a prefix that keys have in common: not what is closed, or inside it."""
        name = key if key.endswith("/") else f"{key}/"
        return not any(bucket == closed and name.startswith(prefix) for closed, prefix in self.closed)


def place(url: str) -> tuple[str, str] | None:
    """Return (bucket, key prefix) of a stage's URL, None where it is no place in an object store.

    The prefix is closed with "/", so that a stage on ``s3://b/raw`` does not reach ``s3://b/raw-secret/``.
    """
    scheme, separator, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme.lower() != "s3" or not separator or not bucket:
        return None
    return bucket, prefix if not prefix or prefix.endswith("/") else prefix + "/"
