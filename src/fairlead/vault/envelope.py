"""How one secret lies in the catalog: a versioned envelope that opens only at its own place.

Every value has its own random data key, wrapped by a key of the keyring, so that re-keying rewrites wrappers and not
values. Both layers are AES-256-GCM and authenticate the same place (object id, field, version) and the header: an
envelope that is copied to another object, field or version does not open.

Layout: version (1) | length of key id (1) | key id | nonce (12) | wrapped data key (48) | nonce (12) | ciphertext.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairlead.errors import VaultError

if TYPE_CHECKING:
    from fairlead.vault.keyring import Keyring

_VERSION: Final = 1
_NONCE: Final = 12
_TAG: Final = 16
_DATA_KEY: Final = 32
_WRAPPED: Final = _DATA_KEY + _TAG


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value belongs."""

    object_id: int
    field: str
    version: int

    def bound(self, layer: str, header: bytes) -> bytes:
        """Return the associated data of a layer: unambiguous, because JSON quotes the field."""
        place = json.dumps([layer, self.object_id, self.field, self.version], separators=(",", ":"))
        return header + place.encode("ascii")


def seal(keyring: Keyring, value: bytes, place: Place) -> bytes:
    """Return the envelope of a value for one place."""
    key_id = keyring.active.encode("ascii")
    header = bytes((_VERSION, len(key_id))) + key_id
    data_key = os.urandom(_DATA_KEY)
    wrap_nonce, nonce = os.urandom(_NONCE), os.urandom(_NONCE)
    wrapped = AESGCM(keyring.key(keyring.active)).encrypt(wrap_nonce, data_key, place.bound("key", header))
    ciphertext = AESGCM(data_key).encrypt(nonce, value, place.bound("value", header))
    return header + wrap_nonce + wrapped + nonce + ciphertext


def unseal(keyring: Keyring, envelope: bytes, place: Place) -> bytes:
    """Return the value of an envelope.

    Raises:
        VaultError: it belongs to another place or keyring, or was changed; the text does not say which.
    """
    header, wrap_nonce, wrapped, nonce, ciphertext = _split(envelope)
    key = keyring.key(header[2:].decode("ascii", "replace"))
    try:
        data_key = AESGCM(key).decrypt(wrap_nonce, wrapped, place.bound("key", header))
        return AESGCM(data_key).decrypt(nonce, ciphertext, place.bound("value", header))
    except InvalidTag:
        raise _unreadable() from None


def _split(envelope: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    if len(envelope) < 2 or envelope[0] != _VERSION:  # noqa: PLR2004  # version and length, one byte each
        raise _unreadable()
    ends = [2 + envelope[1]]
    for size in (_NONCE, _WRAPPED, _NONCE):
        ends.append(ends[-1] + size)
    if len(envelope) < ends[-1] + _TAG:
        raise _unreadable()
    pieces = [envelope[start:end] for start, end in zip([0, *ends], [*ends, len(envelope)], strict=True)]
    return pieces[0], pieces[1], pieces[2], pieces[3], pieces[4]


def _unreadable() -> VaultError:
    message = "a stored secret cannot be opened: it was changed, or moved from another place"
    return VaultError(message, hint="give the secret again (ALTER SECRET, ALTER CONNECTION), or restore the catalog")
