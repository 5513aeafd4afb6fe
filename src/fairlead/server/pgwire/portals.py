"""Row limits of Execute: how far into a block of rows a portal has been read.

The worker encodes rows in blocks, and a limit may fall into the middle of one. The rest is kept here, and goes out
first at the next Execute of the portal.
"""

from __future__ import annotations

import struct

_length = struct.Struct("!I").unpack_from


class Leftovers:
    """The rows that a limit has cut off, by portal."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[bytes, int]] = {}

    def keep(self, portal: str, data: bytes, count: int) -> None:
        """Keep rows for the portal's next Execute."""
        if count:
            self._rows[portal] = data, count

    def take(self, portal: str) -> tuple[bytes, int]:
        """Return the portal's rows and their number, and forget them."""
        return self._rows.pop(portal, (b"", 0))

    def clear(self) -> None:
        """Forget the rows of all portals."""
        self._rows.clear()


def split_rows(data: bytes, count: int) -> tuple[bytes, bytes]:
    """Split a block of DataRow messages behind the first ``count`` of them."""
    at = 0
    for _ in range(count):
        at += 1 + int(_length(data, at + 1)[0])
    return data[:at], data[at:]
