"""Canonical texts: every way to write a value has one stored form, so that equal contents make equal connections."""

from __future__ import annotations

import json
import re
from typing import Final, Literal
from urllib.parse import urlsplit

Kind = Literal["text", "boolean", "integer", "number", "list", "endpoint", "region"]

_REGION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_HOST: Final = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_BOOLEANS: Final = {"true": "true", "false": "false"}


def canonical(kind: Kind, text: str) -> str:
    """Return the canonical text of a value.

    Args:
        kind: of the option.
        text: as typed, not empty.

    Raises:
        ValueError: with the reason, which never holds the value.
    """
    match kind:
        case "boolean":
            return _boolean(text)
        case "integer" | "number":
            return _number(kind, text)
        case "endpoint":
            return _endpoint(text)
        case "region":
            return _region(text)
        case "list":
            return _list(text)
        case "text":
            return text


def _boolean(text: str) -> str:
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        message = "expected true or false"
        raise ValueError(message) from None


def _number(kind: Kind, text: str) -> str:
    plain = text.strip()
    if not _NUMBER.fullmatch(plain) or (kind == "integer" and "." in plain) or float(plain) <= 0:
        message = f"expected a positive {kind}"
        raise ValueError(message)
    return plain


def _region(text: str) -> str:
    # A region becomes a label of a host name: nothing else may fit.
    if not _REGION.fullmatch(text):
        message = "expected the name of a region: letters, digits, dashes"
        raise ValueError(message)
    return text


def _list(text: str) -> str:
    """Return a list as JSON; a plain text is a comma list."""
    items = json.loads(text) if text.startswith("[") else text.split(",")
    return json.dumps([str(item).strip() for item in items if str(item).strip()])


def _endpoint(text: str) -> str:
    """Return ``scheme://host[:port]``; without a scheme https is meant."""
    reason = "expected http://host[:port] or https://host[:port]"
    whole = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError:
        raise ValueError(reason) from None
    if parts.username is not None or parts.password is not None or "@" in whole:
        message = "a URL must not hold a user or a password"
        raise ValueError(message)
    host = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc.removesuffix(":")
    bad = _CONTROL.search(whole) or parts.path not in ("", "/") or "?" in whole or "#" in whole
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or bad or port == 0:
        raise ValueError(reason)
    return f"{parts.scheme}://{host.lower()}" + (f":{port}" if port is not None else "")
