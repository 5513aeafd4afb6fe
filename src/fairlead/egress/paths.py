"""What a request for an object store asks for: bucket, key and query, accepted only in plain form.

Refuse, never repair: whatever two readers of a path could understand differently (dot segments, encoded slashes,
backslashes, empty segments, control characters) is not normalised but refused, in the raw and in the decoded path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_KEY: Final = 1024  # bytes, as S3 allows
_RAW = re.compile(r"[\x21-\x7e]+")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HIDDEN = re.compile(r"%(?:2[eEfF]|5[cC]|00)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class BadPath(ValueError):
    """A path that is not accepted, with the reason."""


@dataclass(frozen=True, slots=True)
class Place:
    """A decoded path: ``key`` is empty for the bucket itself."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a request line, not judged yet.

    Args:
        path: the raw path as sent, for the signature.
        query: the decoded pairs, in order.
    """

    path: str
    query: tuple[tuple[str, str], ...]


def parse_target(raw: str) -> Target:
    """Split the target of a request line, origin form.

    Raises:
        BadPath: with the reason.
    """
    if not _RAW.fullmatch(raw) or "#" in raw:
        raise BadPath("the path holds characters that must be percent-encoded")
    path, mark, query = raw.partition("?")
    return Target(path, _query(query) if mark else ())


def parse_path(path: str) -> Place:
    """Return what a raw path means.

    Raises:
        BadPath: with the reason.
    """
    if not path.startswith("/"):
        raise BadPath("the path does not start with a slash")
    _check_segments(path[1:])
    bucket, _, key = path[1:].partition("/")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise BadPath("the name of the bucket is not one")
    key = _decode(key)
    check_key(key)
    return Place(bucket, key)


def check_key(key: str) -> None:
    """Check a decoded key or prefix.

    Raises:
        BadPath: with the reason.
    """
    _check_segments(key)
    if len(key.encode()) > MAX_KEY:
        raise BadPath(f"the key is longer than {MAX_KEY} bytes")


def _check_segments(key: str) -> None:
    if _CONTROL.search(key):
        raise BadPath("the path holds a control character")
    if "\\" in key:
        raise BadPath("the path holds a backslash")
    if _HIDDEN.search(key):
        raise BadPath("the path holds an encoded dot, slash or backslash")
    if key.startswith("/") or "//" in key:
        raise BadPath("the path holds an empty segment")
    if any(segment in (".", "..") for segment in key.split("/")):
        raise BadPath("the path holds a '.' or '..' segment")


def _decode(text: str) -> str:
    if _BAD_PERCENT.search(text):
        raise BadPath("the path holds a broken percent-encoding")
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadPath("the path is not UTF-8") from error


def _query(text: str) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for piece in text.split("&"):
        # The engine's client sends a blank as "+" and signs it as "%20"; a plus sign arrives as "%2B".
        name, _, value = piece.replace("+", "%20").partition("=")
        pairs.append((_decode(name), _decode(value)))
    if len({name for name, _ in pairs}) != len(pairs):
        raise BadPath("a parameter of the query occurs twice")
    return tuple(pairs)
