"""Reads listings (ListObjectsV2) for the gateway itself: LIST @stage and the checks of a connection."""

from __future__ import annotations

import re
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from fairlead.egress import causes
from fairlead.egress.door import ListedObject
from fairlead.egress.paths import Place
from fairlead.egress.stores import Request
from fairlead.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fairlead.egress.stores import StoreClient

_PAGE: Final = 1000
_CONTENTS = re.compile(r"<Contents>(.*?)</Contents>", re.DOTALL)
_FIELD = re.compile(r"<(Key|Size|ETag|LastModified)>([^<]*)</\1>")
_UPLOAD = re.compile(r"<Upload>(.*?)</Upload>", re.DOTALL)
_UPLOAD_FIELD = re.compile(r"<(Key|UploadId|Initiated)>([^<]*)</\1>")
_ENTRY = re.compile(r"<(Contents|CommonPrefixes)>(.*?)</\1>", re.DOTALL)
_NAME = re.compile(r"<(?:Key|Prefix)>([^<]*)</")
_TOKEN = re.compile(r"<NextContinuationToken>([^<]+)</NextContinuationToken>")


def pages(
    client: StoreClient, connection: str, bucket: str, prefix: str, *, page: int = _PAGE
) -> Iterator[tuple[int, list[ListedObject]]]:
    """Yield each page of a listing with its size in bytes.

    Raises:
        FairleadError: the store cannot be reached or refuses.
    """
    token = ""
    while True:
        query = [("encoding-type", "url"), ("list-type", "2"), ("max-keys", str(page)), ("prefix", prefix)]
        if token:
            query.append(("continuation-token", token))
        with client.send(Request("GET", Place(bucket, ""), tuple(query))) as answer:
            data = answer.document()
        if answer.status != 200 or causes.error_code(data) is not None:  # noqa: PLR2004
            raise causes.from_answer(answer.status, answer.headers, data, Place(bucket, prefix), connection).error
        text = data.decode("utf-8", "replace")
        yield len(data), [_object(block, connection) for block in _CONTENTS.findall(text)]
        found = _TOKEN.search(text)
        if found is None:
            return
        token = unescape(found[1])


def without(data: bytes, shown: Callable[[str], bool], *, encoded: bool) -> bytes:
    """Return a listing without the keys, and the prefixes that keys have in common, that are not to be shown.

    Args:
        data: the store's answer.
        shown: says which names are.
        encoded: whether names are URL-encoded in it.
    """

    def kept(entry: re.Match[str]) -> str:
        found = _NAME.search(entry[2])
        name = "" if found is None else unescape(found[1])
        return entry[0] if found is not None and shown(unquote_plus(name) if encoded else name) else ""

    text = data.decode("utf-8", "surrogateescape")
    return _ENTRY.sub(kept, text).encode("utf-8", "surrogateescape")


def _object(block: str, connection: str) -> ListedObject:
    fields = {name: unescape(value) for name, value in _FIELD.findall(block)}
    try:
        return ListedObject(
            key=unquote_plus(fields["Key"]),
            size=int(fields["Size"]),
            etag=fields.get("ETag", "").strip('"'),
            last_modified=datetime.fromisoformat(fields["LastModified"]),
        )
    except (KeyError, ValueError) as error:
        raise StoreError(f"the store of connection {connection} sent a listing that cannot be read") from error


def uploads(client: StoreClient, connection: str, place: Place) -> Iterator[tuple[str, datetime]]:
    """Yield id and begin of each open upload of one object (ListMultipartUploads).

    Raises:
        FairleadError: the store cannot be reached or refuses.
    """
    query = (("max-uploads", str(_PAGE)), ("prefix", place.key), ("uploads", ""))
    with client.send(Request("GET", Place(place.bucket, ""), query)) as answer:
        data = answer.document()
    if answer.status == 404:  # noqa: PLR2004  # no bucket, so no upload
        return
    if answer.status != 200 or causes.error_code(data) is not None:  # noqa: PLR2004
        raise causes.from_answer(answer.status, answer.headers, data, place, connection).error
    for block in _UPLOAD.findall(data.decode("utf-8", "replace")):
        fields = {name: unescape(value) for name, value in _UPLOAD_FIELD.findall(block)}
        if fields.get("Key") == place.key and "UploadId" in fields and "Initiated" in fields:
            yield fields["UploadId"], datetime.fromisoformat(fields["Initiated"])
