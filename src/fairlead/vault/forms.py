"""The shapes in which a secret may turn up in a text: as it is, and as common encoders print it."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Shorter secrets are not looked for in free text: they would turn up in ordinary words everywhere.
SHORTEST: Final = 8
# One line of a key file is as good as a part of the key; shorter lines are not worth false alarms.
_SHORTEST_LINE: Final = 16


def forms(secret: str) -> frozenset[str]:
    """Return every form of a secret that is replaced in texts; none for one that is too short."""
    if len(secret) < SHORTEST:
        return frozenset()
    raw = secret.encode("utf-8", "surrogatepass")
    found = {*_written(secret, raw), *_encoded(raw), *_lines(secret)}
    return frozenset(form for form in found if len(form) >= SHORTEST)


def _written(secret: str, raw: bytes) -> Iterator[str]:
    """Yield the secret and what quoting turns it into: SQL, JSON, Python, HTML and XML, URLs."""
    yield secret
    yield secret.replace("'", "''")
    yield secret.replace("'", "\\'")
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield text.replace("/", "\\/")
    yield repr(secret)[1:-1]
    yield repr(raw)[2:-1]
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    yield from _url(raw)


def _url(raw: bytes) -> Iterator[str]:
    """Yield URL-encoded forms; some encoders write the hex digits in lower case."""
    for encoded in (
        urllib.parse.quote(raw, safe=""),
        urllib.parse.quote(raw, safe="/"),
        urllib.parse.quote_plus(raw, safe=""),
        urllib.parse.quote(raw, safe="-_.~!*'()"),
    ):
        yield encoded
        yield _lower_escapes(encoded)


def _lower_escapes(text: str) -> str:
    first, *rest = text.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _encoded(raw: bytes) -> Iterator[str]:
    """Yield hex and base64; the latter also as it stands inside the encoding of something longer."""
    yield raw.hex()
    yield raw.hex().upper()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode("ascii")
        yield whole
        yield from _url(whole.encode("ascii"))
        for shift in range(3):
            yield _inside(encode(b"\0" * shift + raw).decode("ascii"), shift, len(raw))


def _inside(encoded: str, shift: int, length: int) -> str:
    """Return the characters that depend on the secret alone, whatever stands before and after it."""
    first = -(-shift * 8 // 6)
    end = (shift + length) * 8 // 6
    return encoded[first:end]


def _lines(secret: str) -> Iterator[str]:
    """Yield the lines of a key file, its public header and footer aside."""
    lines = secret.replace("\\n", "\n").splitlines()
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _SHORTEST_LINE and not line.startswith("-----"))
