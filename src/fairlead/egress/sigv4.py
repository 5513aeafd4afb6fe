"""AWS Signature Version 4 for S3: verifies what workers sign with their dummy keys, signs what goes to stores.

Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fairlead.sensitive import Sensitive

EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()
MAX_SKEW: Final = 900  # seconds, as S3 allows
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]{4,128})/([0-9]{8})/([a-z0-9-]{1,32})/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]{1,512}), ?Signature=([0-9a-f]{64})"
)
_AMZ_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_REQUIRED = frozenset({"host", "x-amz-content-sha256", "x-amz-date"})


class BadSignature(ValueError):
    """A request is not signed, or not by the key that it names."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the Authorization header of a request says."""

    key_id: str
    date: str
    region: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(headers: Mapping[str, str]) -> Claim:
    """Return who a request says it is from.

    Raises:
        BadSignature: no Authorization header, or one of another form.
    """
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise BadSignature("no Authorization header of AWS4-HMAC-SHA256")
    return Claim(found[1], found[2], found[3], tuple(found[4].split(";")), found[5])


def verify(
    claim: Claim,
    secret: Sensitive,
    *,
    method: str,
    path: str,
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
) -> None:
    """Check a signature in constant time.

    Args:
        claim: the parsed Authorization header.
        secret: of the key that the claim names.
        method: as sent.
        path: the raw path as sent.
        query: the decoded pairs.
        headers: all headers, lower-case names. Those of ``x-amz-*`` must all be signed.

    Raises:
        BadSignature: with the reason.
    """
    signed = claim.signed_headers
    must = _REQUIRED | {name for name in headers if name.startswith("x-amz-")}
    if list(signed) != sorted(set(signed)) or not must <= set(signed) or not set(signed) <= headers.keys():
        raise BadSignature("the signed headers are not those that must be signed")
    stamp = headers["x-amz-date"]
    if not _AMZ_DATE.fullmatch(stamp) or stamp[:8] != claim.date or abs(time.time() - _epoch(stamp)) > MAX_SKEW:
        raise BadSignature("the time of the request is not now")
    canonical = _canonical(
        method, path, query, [(name, headers[name]) for name in signed], headers["x-amz-content-sha256"]
    )
    expected = _signature(secret, stamp, claim.region, canonical)
    if not hmac.compare_digest(expected, claim.signature):
        raise BadSignature("the signature does not match")


def authorization(
    key_id: str,
    secret: Sensitive,
    region: str,
    *,
    method: str,
    path: str,
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
) -> str:
    """Return the Authorization header of a request.

    Args:
        key_id: access key id.
        secret: secret access key.
        region: of the scope.
        method: upper case.
        path: encoded as it will be sent.
        query: decoded pairs.
        headers: those to sign, lower-case names; with x-amz-date and x-amz-content-sha256.
    """
    pairs = sorted(headers.items())
    stamp = headers["x-amz-date"]
    canonical = _canonical(method, path, query, pairs, headers["x-amz-content-sha256"])
    signature = _signature(secret, stamp, region, canonical)
    names = ";".join(name for name, _ in pairs)
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    return f"{_ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"


def now() -> str:
    """Return the present time as x-amz-date."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def encode(text: str, *, slash: str = "") -> str:
    """Percent-encode as AWS does: everything but the unreserved characters."""
    return quote(text, safe="-_.~" + slash)


def encode_query(query: Iterable[tuple[str, str]]) -> str:
    """Return the canonical query string of decoded pairs."""
    return "&".join(f"{name}={value}" for name, value in sorted((encode(n), encode(v)) for n, v in query))


def _canonical(
    method: str,
    path: str,
    query: Sequence[tuple[str, str]],
    headers: Sequence[tuple[str, str]],
    payload_hash: str,
) -> str:
    lines = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in headers)
    names = ";".join(name for name, _ in headers)
    return f"{method}\n{path}\n{encode_query(query)}\n{lines}\n{names}\n{payload_hash}"


def _signature(secret: Sensitive, stamp: str, region: str, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{_ALGORITHM}\n{stamp}\n{stamp[:8]}/{region}/s3/aws4_request\n{digest}"
    return hmac.digest(_signing_key(secret, stamp[:8], region), text.encode(), "sha256").hex()


@lru_cache(maxsize=64)
def _epoch(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise BadSignature("the time of the request is not a time") from error


@lru_cache(maxsize=1024)
def _signing_key(secret: Sensitive, date: str, region: str) -> bytes:
    """Derive the key of one day. Kept, because four HMACs of every request are the same all day."""
    key = f"AWS4{secret.reveal()}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
