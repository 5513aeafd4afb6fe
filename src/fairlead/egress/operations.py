"""The part of the S3 API that workers may use: each request is one of ten operations, or it is refused.

Source: Amazon S3 API Reference. Every query parameter and every ``x-amz-*`` header must be known to the operation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from fairlead.access.rules import Action
from fairlead.egress.paths import BadPath, Place, check_key

if TYPE_CHECKING:
    from fairlead.egress.http1 import RequestHead
    from fairlead.egress.paths import Target

MAX_DOCUMENT: Final = 1024 * 1024  # bytes of the list of parts that completes an upload
MAX_BODY: Final = 5 * 1024**3  # bytes of one PUT, as S3 allows
_RANGE = re.compile(r"bytes=(?:[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"[1-9][0-9]{0,4}")
_KNOWN_AMZ: Final = frozenset({"x-amz-date", "x-amz-content-sha256"})
_LISTING: Final = frozenset({"list-type", "prefix", "delimiter", "continuation-token", "max-keys", "encoding-type"})


class Unsupported(ValueError):
    """A request that is not one of the operations, with the reason."""


class Operation(Enum):
    """What a request asks for."""

    GET = auto()
    HEAD = auto()
    LIST = auto()
    PUT = auto()
    CREATE_UPLOAD = auto()
    UPLOAD_PART = auto()
    COMPLETE_UPLOAD = auto()
    ABORT_UPLOAD = auto()
    DELETE = auto()


ACTIONS: Final = {
    Operation.GET: Action.READ,
    Operation.HEAD: Action.READ,
    Operation.LIST: Action.LIST,
    Operation.DELETE: Action.DELETE,
    Operation.PUT: Action.WRITE,
    Operation.CREATE_UPLOAD: Action.WRITE,
    Operation.UPLOAD_PART: Action.WRITE,
    Operation.COMPLETE_UPLOAD: Action.WRITE,
    Operation.ABORT_UPLOAD: Action.WRITE,
}

# Method, names of the query, whether there is a key.
_TABLE: Final = {
    ("GET", frozenset(), True): Operation.GET,
    ("HEAD", frozenset(), True): Operation.HEAD,
    ("PUT", frozenset(), True): Operation.PUT,
    ("DELETE", frozenset(), True): Operation.DELETE,
    ("POST", frozenset({"uploads"}), True): Operation.CREATE_UPLOAD,
    ("PUT", frozenset({"partNumber", "uploadId"}), True): Operation.UPLOAD_PART,
    ("POST", frozenset({"uploadId"}), True): Operation.COMPLETE_UPLOAD,
    ("DELETE", frozenset({"uploadId"}), True): Operation.ABORT_UPLOAD,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One operation at one place.

    Args:
        operation: what.
        place: where; the key of a listing is its prefix.
        query: decoded pairs for the store.
        range: of a GET, as sent.
        content_type: of a body.
        length: of the body, bytes.
        payload_hash: SHA-256 of the body as the worker signed it; the store checks the body against it.
        upload_id: of a multipart upload.
    """

    operation: Operation
    place: Place
    query: tuple[tuple[str, str], ...]
    range: str | None
    content_type: str | None
    length: int
    payload_hash: str
    upload_id: str | None

    @property
    def action(self) -> Action:
        """What right it needs."""
        return ACTIONS[self.operation]


def classify(head: RequestHead, place: Place, target: Target) -> Call:
    """Return what a request asks for.

    Raises:
        Unsupported: not one of the operations.
        BadPath: the prefix of a listing is not a plain path.
    """
    query = dict(target.query)
    names = frozenset(query)
    _check_headers(head)
    if head.method == "GET" and not place.key and query.get("list-type") == "2" and names <= _LISTING:
        operation = Operation.LIST
        place = Place(place.bucket, _prefix(query))
    else:
        found = _TABLE.get((head.method, names, bool(place.key)))
        if found is None:
            shown = f"{head.method} with {', '.join(sorted(names))}" if names else head.method
            raise Unsupported(f"{shown} is not offered here")
        operation = found
    _check_body(operation, head)
    if operation is Operation.UPLOAD_PART and not _PART.fullmatch(query["partNumber"]):
        raise Unsupported("partNumber is not a number from 1 to 10000")
    if operation is Operation.CREATE_UPLOAD and query["uploads"]:
        raise Unsupported("uploads takes no value")
    return Call(
        operation=operation,
        place=place,
        query=target.query,
        range=head.headers.get("range"),
        content_type=head.headers.get("content-type"),
        length=head.length,
        payload_hash=head.headers["x-amz-content-sha256"],
        upload_id=query.get("uploadId"),
    )


def _check_headers(head: RequestHead) -> None:
    for name in head.headers:
        if name.startswith("x-amz-") and name not in _KNOWN_AMZ:
            raise Unsupported(f"the header {name} is not offered here")
        if name.startswith("if-") or name in ("expect", "upgrade", "content-encoding", "te", "trailer"):
            raise Unsupported(f"the header {name} is not offered here")
    if not _SHA256.fullmatch(head.headers.get("x-amz-content-sha256", "")):
        raise Unsupported("x-amz-content-sha256 must be the SHA-256 of the body")
    wanted = head.headers.get("range")
    if wanted is not None and (head.method != "GET" or not _RANGE.fullmatch(wanted)):
        raise Unsupported("only one range of bytes of a GET is offered")


def _check_body(operation: Operation, head: RequestHead) -> None:
    if operation in (Operation.PUT, Operation.UPLOAD_PART):
        if "content-length" not in head.headers:
            raise Unsupported("a body needs Content-Length")
        limit = MAX_BODY
    elif operation is Operation.COMPLETE_UPLOAD:
        limit = MAX_DOCUMENT
    else:
        limit = 0
    if head.length > limit:
        raise Unsupported(f"the body is larger than {limit} bytes")


def _prefix(query: dict[str, str]) -> str:
    """Return the checked prefix of a listing; the other parameters must be plain too."""
    if query.get("encoding-type", "url") != "url":
        raise Unsupported("encoding-type must be url")
    if not re.fullmatch(r"[0-9]{1,4}", query.get("max-keys", "1000")):
        raise Unsupported("max-keys must be a number up to 1000")
    if query.get("delimiter", "/") not in ("", "/"):
        raise Unsupported("the delimiter must be a slash")
    prefix = query.get("prefix", "")
    try:
        check_key(prefix)
    except BadPath as error:
        raise BadPath(f"prefix of a listing: {error}") from error
    return prefix
