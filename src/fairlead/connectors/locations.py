"""URLs of objects: ``s3://bucket/key`` accepted only in plain form, so that nobody reads one URL in two ways."""

from __future__ import annotations

import re
from typing import Final

from fairlead.errors import InvalidParameter

_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_ENCODED: Final = re.compile(r"%(?:2[ef]|5c|00)", re.IGNORECASE)
_WILDCARD: Final = re.compile(r"[*\[\]{}]")


def parse_url(url: str, *, wildcards: bool = False) -> tuple[str, str]:
    """Split the URL of an object, or of a folder of objects.

    Args:
        url: ``s3://bucket/key``; the scheme ignores case, bucket and key do not.
        wildcards: whether ``*`` and ``[...]`` may stand in the key.

    Returns:
        Bucket and key; the key is empty for the bucket itself and has no leading slash.

    Raises:
        InvalidParameter: another scheme, no bucket, dot segments, control characters, a query, wildcards in the bucket.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() != "s3":
        message = "expected a URL of the form s3://bucket/path"
        raise InvalidParameter(message)
    if _CONTROL.search(rest) or "\\" in rest or _ENCODED.search(rest):
        message = "the URL holds a control character, a backslash, or an encoded dot or slash"
        raise InvalidParameter(message)
    if "?" in rest:
        message = "the URL holds a '?': options of the store come from the connection, never from the URL"
        raise InvalidParameter(message, hint="to match any one character, use [...] or *")
    bucket, _, key = rest.partition("/")
    _check_bucket(bucket)
    _check_key(key, wildcards=wildcards)
    return bucket, key


def _check_bucket(bucket: str) -> None:
    if not bucket:
        message = "the URL names no bucket"
        raise InvalidParameter(message, hint="write s3://bucket/path")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        message = "the name of the bucket may hold letters, digits, dots, dashes and underscores, and no wildcard"
        raise InvalidParameter(message)


def _check_key(key: str, *, wildcards: bool) -> None:
    if any(segment in (".", "..") for segment in key.split("/")):
        message = "path traversal is not allowed: the URL holds a '.' or '..' segment"
        raise InvalidParameter(message)
    if key.startswith("/") or "//" in key:
        message = "the URL holds an empty path segment"
        raise InvalidParameter(message)
    if not wildcards and _WILDCARD.search(key):
        message = "the URL of a place holds no wildcards"
        raise InvalidParameter(message, hint="put the wildcard into the query: '@stage/2026/*.parquet'")
