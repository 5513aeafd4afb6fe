"""The means of VALIDATE: each step of reaching a store on its own, so that the first one that fails is seen."""

from __future__ import annotations

import secrets
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fairlead.egress import causes, listing
from fairlead.egress.paths import Place
from fairlead.egress.stores import Request, StoreClient
from fairlead.errors import StoreError

if TYPE_CHECKING:
    from fairlead.connectors.store import S3Target
    from fairlead.egress.dial import Dialler

# Answers that only a request with an accepted signature gets.
_SIGNED_IN = frozenset({"NoSuchBucket", "AccessDenied", "AllAccessDisabled"})


class StoreProbe:
    """Checks under the egress policy.

    Args:
        dialler: makes judged connections.
        timeout: seconds that a store may be silent.
    """

    def __init__(self, dialler: Dialler, timeout: float) -> None:
        self._dialler = dialler
        self._timeout = min(timeout, 30.0)

    def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """Return the judged addresses of a host. Raises DestinationRefused, StoreUnreachable, InvalidParameter."""
        return self._dialler.resolve(host, port)

    def tcp(self, host: str, port: int) -> str:
        """Connect and return the address that answered. Raises as ``resolve``."""
        with self._dialler.tcp(host, port) as sock:
            return str(sock.getpeername()[0])

    def tls(self, host: str, port: int) -> tuple[str, str, datetime]:
        """Shake hands and return protocol version, subject, and expiry of the certificate. Raises as ``resolve``."""
        with self._dialler.tls(host, port) as sock:
            certificate = sock.getpeercert() or {}
            version = sock.version() or "unknown"
        subject = next(
            (value for part in _pairs(certificate.get("subject")) for name, value in part if name == "commonName"), host
        )
        seconds = ssl.cert_time_to_seconds(str(certificate.get("notAfter")))
        return version, subject, datetime.fromtimestamp(seconds, UTC)

    def sign_in(self, target: S3Target) -> str:
        """Ask for a bucket that does not exist: only a store that accepted the signature says so, or denies access.

        Returns:
            The evidence, one sentence.

        Raises:
            StoreRefusedCredential: wrong signature, unknown key, expired token.
            FairleadError: not reachable, another region, or an answer that proves nothing.
        """
        bucket = f"fairlead-check-{secrets.token_hex(12)}"
        client = StoreClient(target, self._dialler, self._timeout)
        try:
            request = Request("GET", Place(bucket, ""), (("list-type", "2"), ("max-keys", "1")))
            with client.send(request) as answer:
                data = answer.document()
        finally:
            client.close()
        code = causes.error_code(data)
        if code is None and b"<ListBucketResult" not in data:
            kind = answer.headers.get("content-type", "no content type")[:100]
            message = f"{target.base_url} answers, but not as an S3 store does (status {answer.status}, {kind})"
            raise StoreError(message, hint="is the endpoint the address of the store's S3 API?")
        if code in _SIGNED_IN or code is None:
            said = code or "with a list"
            return f"the store accepted the signature (it answered {said} for a bucket that does not exist)"
        failure = causes.from_answer(answer.status, answer.headers, data, Place(bucket, ""), "being checked")
        if isinstance(failure.error, StoreError):
            failure.error.detail = f"the store answered {answer.status} {code}"
        raise failure.error

    def list(self, target: S3Target, bucket: str, prefix: str, limit: int) -> int:
        """Return how many objects the first page of a listing has, at most ``limit``. Raises FairleadError."""
        client = StoreClient(target, self._dialler, self._timeout)
        try:
            _, objects = next(listing.pages(client, "being checked", bucket, prefix, page=max(1, min(limit, 1000))))
        finally:
            client.close()
        return len(objects)


def _pairs(subject: object) -> tuple[tuple[tuple[str, str], ...], ...]:
    return subject if isinstance(subject, tuple) else ()
