"""Objects that come into being at the end of a statement, all of them, or not at all.

The worker's uploads are taken to the store as they come, under their real names, but what would complete them is held
back: the engine completes an upload also when its query fails, and a worker may be gone before it could say that it
has finished. An object that is sent as a whole becomes an upload of one part. ``delivery.py`` completes them.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.egress.paths import Place
from fairlead.errors import PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.egress.claims import Path
    from fairlead.egress.stores import StoreClient

MANIFEST: Final = "_manifest.json"
PART: Final = "part-"


@dataclass(eq=False, slots=True)
class Upload:
    """A multipart upload that has not ended.

    Args:
        client: reaches the store.
        connection_id: through which connection.
        asked: the object as the worker calls it.
        place: the object as it is.
        upload_id: the store's.
        entry: its line in the journal.
        sizes: bytes of each part by its number.
        parts: the document that completes it, None while the worker has not asked for that.
    """

    client: StoreClient
    connection_id: int
    asked: Place
    place: Place
    upload_id: str
    entry: int
    sizes: dict[str, int] = field(default_factory=dict)
    parts: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes so far."""
        return sum(self.sizes.values())


@dataclass(frozen=True, slots=True)
class Target:
    """Where an export goes.

    Args:
        connection_id: through which connection.
        connection: its full name.
        store: where it leads, as text; one store has one.
        bucket: real name.
        key: of the one object; empty or with a final slash: a folder of ``part-00000...`` and a manifest.
        overwrite: whether what is there may be replaced.
        suffix: of the objects in a folder, ``.csv.gz``.
    """

    connection_id: int
    connection: str
    store: str
    bucket: str
    key: str
    overwrite: bool = False
    suffix: str = ""

    @property
    def folder(self) -> str | None:
        """The prefix, None for one object."""
        return self.key if not self.key or self.key.endswith("/") else None

    @property
    def path(self) -> Path:
        """What an export claims."""
        return self.store, self.bucket, self.key

    @property
    def manifest(self) -> Place:
        """The object that lists the others; only for a folder."""
        return Place(self.bucket, self.key + MANIFEST)

    @property
    def asked(self) -> Place:
        """What the worker is told to write, a folder without the final slash."""
        return Place(self.bucket, self.key if self.folder is None else f"{self.key}{PART}")

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"


class Shipment:
    """What one statement sends.

    Args:
        target: of an export; None for a COPY, whose objects have the names that the user wrote.
    """

    def __init__(self, target: Target | None = None) -> None:
        self.id = secrets.token_hex(8)
        self.target = target
        self.delivering = threading.Lock()  # held while objects are completed, so that nobody aborts them meanwhile
        self.release: Callable[[], None] = lambda: None  # called when the statement has ended
        self.first = 0  # number of the first part
        self._names: dict[Place, Place] = {}
        self._lock = threading.Lock()

    def name(self, asked: Place) -> Place:
        """Return the real name of an object that the worker begins.

        Raises:
            PermissionDenied: it is none that this export writes.
        """
        target = self.target
        if target is None:
            return asked
        inside = asked == target.asked if target.folder is None else asked.key.startswith(f"{target.asked.key}/")
        if asked.bucket != target.bucket or not inside:
            message = f"permission denied for {asked}: this statement writes to {target} only"
            raise PermissionDenied(message)
        if target.folder is None:
            return asked
        with self._lock:
            if asked not in self._names:
                number = self.first + len(self._names)
                self._names[asked] = Place(target.bucket, f"{target.key}{PART}{number:05d}{target.suffix}")
            return self._names[asked]
