"""What egress and the rest of the house tell each other: doors, targets, the ledger's part, a statement's account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from datetime import datetime

    from fairlead.connectors.store import S3Target
    from fairlead.context import Context, Principal
    from fairlead.errors import FairleadError
    from fairlead.sensitive import Sensitive


STORE_KIND: Final = "s3"  # the only kind of store that egress can reach


@dataclass(frozen=True, slots=True)
class Alias:
    """A bucket seen through one connection, whatever other connections lead there too."""

    connection_id: int
    bucket: str


@dataclass(frozen=True, slots=True)
class Door:
    """One worker's way out.

    Args:
        key_id: of the dummy key with which the worker signs.
        secret: of the same.
        principal: gives the user with the roles in force now; asked on every request.
        context: gives the context of the statement that runs now.
        aliases: bucket names that stand for a bucket of one connection. May grow at any time.
    """

    key_id: str
    secret: Sensitive
    principal: Callable[[], Principal]
    context: Callable[[], Context]
    aliases: MutableMapping[str, Alias] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """How to reach the store of a connection, secrets opened.

    Args:
        target: endpoint and credential.
        connection: full name, for messages.
        version: changes with any ALTER or rotation of a secret.
    """

    target: S3Target
    connection: str
    version: str


@dataclass(frozen=True, slots=True)
class StatementUse:
    """What a statement did outside.

    Args:
        cause: why it failed, as far as egress knows; None if it did not fail.
        requests: sent to stores.
        bytes_read: of bodies, from stores.
        bytes_written: of bodies, to stores.
    """

    cause: FairleadError | None
    requests: int
    bytes_read: int
    bytes_written: int


@dataclass(frozen=True, slots=True)
class ListedObject:
    """One object of a listing."""

    key: str
    size: int
    etag: str
    last_modified: datetime


class UseLedger(Protocol):
    """The ledger's rows about uses of credentials."""

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
        """Write the row of a use, before anything is sent. Raises LedgerUnavailable."""
        ...

    def finish(self, use_id: int, *, requests: int, bytes_read: int, bytes_written: int, outcome: str) -> None:
        """Write what became of a use. Raises LedgerUnavailable."""
        ...

    def refused(self, context: Context, *, connection: str, action: str, location: str, reason: str) -> None:
        """Write that a request was refused. Raises LedgerUnavailable."""
        ...
