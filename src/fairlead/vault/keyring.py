"""The keys that wrap the data keys of stored secrets: one small file beside the catalog, made at first start.

There is no default key and no way to start without one: a catalog that holds secrets and has lost its keyring is
refused, because a fresh keyring would only hide that the secrets are gone. Several key-encryption keys may be there,
one of them active; an envelope names the one that wrapped it. The seed never changes: keys for other purposes (the
chain of the ledger) are derived from it.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fairlead.errors import ConfigurationError, VaultError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME: Final = "keyring.json"
KEY_BYTES: Final = 32
_FORMAT: Final = 1
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Keyring:
    """Key-encryption keys by id, which of them is active, and the seed of derived keys. Its ``repr`` shows no key."""

    active: str
    keys: Mapping[str, bytes] = field(repr=False)
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Keyring:
        """Return a keyring with one random key."""
        key_id = secrets.token_hex(4)
        return cls(key_id, {key_id: secrets.token_bytes(KEY_BYTES)}, secrets.token_bytes(KEY_BYTES))

    @classmethod
    def load(cls, file: Path) -> Keyring:
        """Read a keyring.

        Raises:
            ConfigurationError: group or others may read the file, or it is not a file.
            VaultError: it is not a keyring.
        """
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode) or mode & _OTHERS:
                message = f"the keyring {file} can be read by others (mode {stat.S_IMODE(mode):04o})"
                raise ConfigurationError(message, hint=f"chmod 600 {file}, and change the secrets if others had access")
            return _parsed(stream.read(), file)

    def save(self, file: Path) -> None:
        """Write the keyring so that after a crash the file is there whole, or not at all."""
        encoded = {key_id: base64.b64encode(key).decode() for key_id, key in self.keys.items()}
        stored = {
            "format": _FORMAT,
            "active": self.active,
            "keys": encoded,
            "seed": base64.b64encode(self.seed).decode(),
        }
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            json.dump(stored, stream, indent=2)
            stream.write("\n")
            stream.flush()
            os.fsync(descriptor)
        draft.replace(file)
        _sync_directory(file.parent)

    def key(self, key_id: str) -> bytes:
        """Return a key-encryption key.

        Raises:
            VaultError: the keyring has none of that id.
        """
        try:
            return self.keys[key_id]
        except KeyError:
            message = "a stored secret was sealed with another keyring"
            raise VaultError(message, hint=f"bring back the {FILE_NAME} that belongs to this catalog") from None

    def derive(self, purpose: str) -> bytes:
        """Return a 32-byte key for another purpose, always the same for the same purpose (HKDF, RFC 5869)."""
        expand = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"fairlead/{purpose}".encode())
        return expand.derive(self.seed)


def open_keyring(data_dir: Path, *, in_use: bool) -> Keyring:
    """Return the keyring of a data directory; a random one is made at first start.

    Args:
        data_dir: where ``keyring.json`` is.
        in_use: the catalog holds something that only its own keyring can open or verify.

    Raises:
        VaultError: the keyring is missing or damaged.
        ConfigurationError: others can read it.
    """
    file = data_dir / FILE_NAME
    try:
        return Keyring.load(file)
    except FileNotFoundError:
        if in_use:
            message = f"the keyring {file} is missing, and the catalog holds values that only it can open"
            raise VaultError(message, hint="bring the file back from its backup") from None
    keyring = Keyring.generate()
    keyring.save(file)
    return keyring


def _parsed(content: bytes, file: Path) -> Keyring:
    try:
        stored: dict[str, Any] = json.loads(content)
        keys = {key_id: base64.b64decode(key, validate=True) for key_id, key in stored["keys"].items()}
        keyring = Keyring(stored["active"], keys, base64.b64decode(stored["seed"], validate=True))
        lengths = {len(key) for key in (*keys.values(), keyring.seed)}
        if stored["format"] == _FORMAT and keyring.active in keys and lengths == {KEY_BYTES}:
            return keyring
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    message = f"{file} is not a keyring that this version can read"
    raise VaultError(message, hint="bring the file back from its backup")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
