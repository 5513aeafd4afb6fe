"""What the search for planted secrets looks for: marks at both ends of every canary, in each form of an encoder.

Every canary begins with one random mark and ends with another, so one search finds all of them, whole or cut, and the
number between the marks says which statement leaked. Real credentials of the store are looked for as a whole.
"""

from __future__ import annotations

import base64
import json
import secrets
import string
from dataclasses import dataclass, field
from urllib.parse import quote

_LETTERS = string.ascii_letters + string.digits
_CONTEXT = 40
_ENOUGH = 200  # findings in one piece of data


def forms(text: str) -> dict[str, bytes]:
    """Return a text in plain, hex, base64 (at three offsets in a longer text), URL, JSON, SQL and UTF-16 form."""
    raw = text.encode()
    found = {
        "plain": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "url": quote(text, safe="").encode(),
        "json": json.dumps(text)[1:-1].encode(),
        "sql": text.replace("'", "''").encode(),
        "utf-16": text.encode("utf-16-le"),
    }
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        inside = whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        found[f"base64+{shift}"] = inside
        found[f"base64url+{shift}"] = inside.replace(b"+", b"-").replace(b"/", b"_")
    return found


def _mark() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


@dataclass(slots=True)
class Needles:
    """The marks of one run, and the real secrets beside them."""

    head: str = field(default_factory=_mark)
    tail: str = field(default_factory=_mark)
    real: list[str] = field(default_factory=list)
    _count: int = 0
    _sources: dict[str, str] = field(default_factory=dict)
    _forms: list[tuple[str, bytes]] = field(default_factory=list)

    def canary(self, source: str = "") -> str:
        """Return a new secret: two marks, a number, and characters that every encoder writes in its own way."""
        self._count += 1
        self._sources[f"{self._count:03d}"] = source
        return f'{self.head}{self._count:03d}+/=% "é&<{self.tail}'

    def plain_canary(self, source: str = "") -> str:
        """Return one that can stand as a name, a number's place or a URL's part: letters and digits only."""
        self._count += 1
        self._sources[f"{self._count:03d}"] = source
        return f"{self.head}{self._count:03d}{self.tail}"

    def search(self, data: bytes) -> list[str]:
        """Return what was found, each with its form and surroundings."""
        if not self._forms:
            known: set[bytes] = set()
            for text in (self.head, self.tail, *self.real):
                for form, needle in forms(text).items():
                    if needle not in known:
                        known.add(needle)
                        self._forms.append((form, needle))
        found = []
        for form, needle in self._forms:
            at = -1
            while (at := data.find(needle, at + 1)) >= 0 and len(found) < _ENOUGH:
                around = data[max(0, at - _CONTEXT) : at + len(needle) + _CONTEXT]
                found.append(f"{form}: {around!r} {self._source(around)}")
        return found

    def _source(self, data: bytes) -> str:
        """Return the statement that a plain canary in ``data`` was planted with."""
        at = data.find(self.head.encode())
        number = data[at + len(self.head) : at + len(self.head) + 3].decode(errors="replace") if at >= 0 else ""
        return f"from {self._sources[number]!r}" if number in self._sources else ""

    def know(self, *texts: str) -> None:
        """Look for these too."""
        self.real += texts
        self._forms.clear()
