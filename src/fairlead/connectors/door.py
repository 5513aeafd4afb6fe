"""What a check may do to the outside; egress implements it, so that no connector opens a socket by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from fairlead.connectors.store import S3Target


class Door(Protocol):
    """The only way out. Every method raises ``FairleadError`` subclasses that say what was wrong."""

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host, judged by the egress policy."""
        ...

    def tcp(self, host: str, port: int) -> str:
        """Connect, and return the address that answered."""
        ...

    def tls(self, host: str, port: int) -> tuple[str, str, datetime]:
        """Shake hands, and return protocol version, subject and expiry of the certificate."""
        ...

    def sign_in(self, target: S3Target) -> str:
        """Present the credential, and return the evidence that it was accepted."""
        ...

    def list(self, target: S3Target, bucket: str, prefix: str, limit: int) -> int:
        """Return how many objects the first page of a listing holds, at most ``limit``."""
        ...
