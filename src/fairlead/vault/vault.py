"""The vault: turns secrets into envelopes and back, and tells the scrubber about every one that passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from fairlead.errors import VaultError
from fairlead.sensitive import Sensitive
from fairlead.vault import envelope as envelopes
from fairlead.vault.keyring import Keyring, open_keyring
from fairlead.vault.scrubber import Scrubber

if TYPE_CHECKING:
    from pathlib import Path


class Vault:
    """Seals and opens secrets with the keyring of one data directory."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.scrubber = Scrubber()

    @classmethod
    def open(cls, data_dir: Path, *, in_use: bool) -> Self:
        """Open the keyring of a data directory, or make one where nothing was ever sealed.

        Args:
            data_dir: where ``keyring.json`` is.
            in_use: what ``Snapshot.in_use()`` says of the catalog.

        Raises:
            VaultError: the keyring is missing or damaged.
            ConfigurationError: others can read it.
        """
        return cls(open_keyring(data_dir, in_use=in_use))

    def seal(self, value: Sensitive, *, object_id: int, field: str, version: int) -> bytes:
        """Return the envelope of a secret for one place: object, field, version."""
        self.scrubber.learn(value)
        raw = value.reveal().encode("utf-8", "surrogatepass")
        return envelopes.seal(self._keyring, raw, envelopes.Place(object_id, field, version))

    def unseal(self, envelope: bytes, *, object_id: int, field: str, version: int) -> Sensitive:
        """Return the secret of an envelope.

        Raises:
            VaultError: it belongs to another place or keyring, or was changed.
        """
        raw = envelopes.unseal(self._keyring, envelope, envelopes.Place(object_id, field, version))
        try:
            value = Sensitive(raw.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            message = "a stored secret is not a text"
            raise VaultError(message) from None
        self.scrubber.learn(value)
        return value

    def ledger_key(self) -> bytes:
        """Return the 32-byte key of the ledger's chain."""
        return self._keyring.derive("ledger")

    def mock_key(self) -> bytes:
        """Return the 32-byte key that makes up salts for users who do not exist (``access.scram``)."""
        return self._keyring.derive("scram-mock")
