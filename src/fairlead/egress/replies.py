"""What the store proxy says to workers: status lines, the few headers that httpfs reads, S3 error documents."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

# Exactly what the store says, so that HEAD, GET and LIST agree with each other.
_OBJECT_HEADERS: Final = ("content-length", "content-range", "content-type", "etag", "last-modified", "accept-ranges")


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return status line and headers."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {_reason(status)}\r\n{lines}\r\n".encode("latin-1")


def object_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those headers of a store's answer that describe the object."""
    return {name: headers[name] for name in _OBJECT_HEADERS if name in headers}


def document(status: int, xml: bytes, *, bodyless: bool = False, close: bool = False) -> bytes:
    """Return a whole answer.

    Args:
        status: HTTP status.
        xml: the document.
        bodyless: whether the request was a HEAD.
        close: whether the connection ends with it.
    """
    headers = {"content-type": "application/xml", "content-length": "0" if bodyless else str(len(xml))}
    if close:
        headers["connection"] = "close"
    return head(status, headers) + (b"" if bodyless else xml)


def error(code: str, message: str) -> bytes:
    """Return an error document. Source: Amazon S3 API Reference, "Error responses"."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error>"
    ).encode()


def upload_opened(bucket: str, key: str, upload_id: str) -> bytes:
    """Return the document that opens a multipart upload."""
    return _result("InitiateMultipartUploadResult", {"Bucket": bucket, "Key": key, "UploadId": upload_id})


def upload_completed(bucket: str, key: str, etag: str) -> bytes:
    """Return the document that completes a multipart upload."""
    return _result("CompleteMultipartUploadResult", {"Bucket": bucket, "Key": key, "ETag": f'"{etag}"'})


def _result(name: str, fields: Mapping[str, str]) -> bytes:
    inner = "".join(f"<{field}>{escape(value)}</{field}>" for field, value in fields.items())
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{namespace}">{inner}</{name}>'.encode()


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"
