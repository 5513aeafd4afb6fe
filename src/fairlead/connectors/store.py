"""How egress reaches an object store: what a connector says after its options have been resolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from fairlead.sensitive import Sensitive


_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def store_named(destination: str) -> str:
    """Return what two destinations have in common that lead to the same buckets: host and port, however spelled.

    All of AWS is one store, because names of buckets are unique in it.

    Args:
        destination: URL of a store; one that cannot be read stands for itself.
    """
    try:
        parts = urlsplit(destination.strip().lower())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return destination
    if not host:
        return destination
    for domain in ("amazonaws.com", "amazonaws.com.cn"):
        if host.endswith(f".{domain}"):
            return domain
    named = "localhost" if host in _LOOPBACK else host
    return f"{named}:{port or (80 if parts.scheme == 'http' else 443)}"


@dataclass(frozen=True, slots=True)
class S3Target:
    """A store that speaks the S3 API.

    Args:
        endpoint: ``https://host[:port]``; None = AWS's own for the region.
        region: what requests are signed for.
        access_key_id: None together with the secret = anonymous (unsigned).
        secret_access_key: None together with the key id = anonymous (unsigned).
        session_token: of a temporary credential.
        path_style: whether the bucket is in the path, not in the host name.
    """

    endpoint: str | None
    region: str
    access_key_id: Sensitive | None
    secret_access_key: Sensitive | None
    session_token: Sensitive | None
    path_style: bool

    @property
    def base_url(self) -> str:
        """``scheme://host[:port]`` of the service, AWS's own for the region where no endpoint is set."""
        if self.endpoint is not None:
            return self.endpoint
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return f"https://s3.{self.region}.{domain}"
