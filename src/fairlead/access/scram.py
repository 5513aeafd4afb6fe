"""SCRAM-SHA-256 (RFC 5802, RFC 7677) as PostgreSQL servers speak it: verifiers, and the server's two messages.

The server stores no password, only a verifier; it learns the password from no exchange. For a user who does not exist,
or has no password, it plays the whole exchange with a made-up salt and refuses at the end, so that neither messages
nor time tell which names exist. No I/O happens here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.access.saslprep import saslprep
from fairlead.errors import InvalidPassword, ProtocolViolation

if TYPE_CHECKING:
    from fairlead.sensitive import Sensitive

MECHANISM: Final = "SCRAM-SHA-256"
MECHANISM_PLUS: Final = "SCRAM-SHA-256-PLUS"
DEFAULT_ITERATIONS: Final = 4096

_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 18
_BINDING: Final = "tls-server-end-point"
_PRINTABLE: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]+")  # printable ASCII without the comma (RFC 5802, section 7)
_VERIFIER: Final = re.compile(r"SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")
# Made anew in every process, for callers who have nothing more lasting: see ``Vault.mock_key``.
_PROCESS_MOCK_KEY: Final = os.urandom(32)


@dataclass(frozen=True, slots=True)
class Verifier:
    """What the server keeps instead of a password."""

    iterations: int
    salt: bytes
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read PostgreSQL's format, ``SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey``.

        Raises:
            ValueError: the text is not of that form.
        """
        match = _VERIFIER.fullmatch(text)
        if match is None:
            message = "not a SCRAM-SHA-256 verifier"
            raise ValueError(message)
        salt, stored_key, server_key = (base64.b64decode(part, validate=True) for part in match.group(2, 3, 4))
        if len(stored_key) != hashlib.sha256().digest_size or len(server_key) != len(stored_key):
            message = "a SCRAM-SHA-256 verifier has keys of 32 bytes"
            raise ValueError(message)
        return cls(int(match[1]), salt, stored_key, server_key)

    def __str__(self) -> str:
        salt, stored, server = (_base64(part) for part in (self.salt, self.stored_key, self.server_key))
        return f"{MECHANISM}${self.iterations}:{salt}${stored}:{server}"


def make_verifier(password: Sensitive, iterations: int = DEFAULT_ITERATIONS, *, salt: bytes | None = None) -> str:
    """Return the verifier of a password.

    Args:
        password: any text; prepared with SASLprep.
        iterations: rounds of PBKDF2.
        salt: random where not given; given only in tests.
    """
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    prepared = saslprep(password.reveal()).encode("utf-8", "surrogatepass")
    salted = hashlib.pbkdf2_hmac("sha256", prepared, salt, iterations)
    stored_key = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    return str(Verifier(iterations, salt, stored_key, _hmac(salted, b"Server Key")))


def check_password(verifier: str | None, user: str, password: Sensitive, mock_key: bytes = _PROCESS_MOCK_KEY) -> bool:
    """Tell whether a password that came in clear is the one of a verifier; takes as long where there is none.

    Args:
        verifier: of the user; None for a user who does not exist or has no password.
        user: the name that was given.
        password: that was given.
        mock_key: as for :class:`ScramServer`.
    """
    found, known = _verifier_of(verifier, user, mock_key)
    given = Verifier.parse(make_verifier(password, found.iterations, salt=found.salt))
    return hmac.compare_digest(given.stored_key, found.stored_key) and known


class ScramServer:
    """One exchange, seen from the server: ``first``, then ``final``.

    Args:
        verifier: of the user; None for a user who does not exist or has no password.
        user: the name from the startup message; the one inside the exchange is ignored, as in PostgreSQL.
        mechanism: what the client chose.
        channel_binding: hash of the server's certificate (RFC 5929, tls-server-end-point) where
            SCRAM-SHA-256-PLUS was offered, else None.
        mock_key: makes up the salts of users who do not exist; lasting, so that these do not change either.
        nonce: the server's part of the nonce; random where not given; given only in tests.
    """

    def __init__(
        self,
        verifier: str | None,
        *,
        user: str = "",
        mechanism: str = MECHANISM,
        channel_binding: bytes | None = None,
        mock_key: bytes = _PROCESS_MOCK_KEY,
        nonce: str | None = None,
    ) -> None:
        if mechanism not in (MECHANISM, MECHANISM_PLUS) or (mechanism == MECHANISM_PLUS and channel_binding is None):
            message = "client selected an invalid SASL authentication mechanism"
            raise ProtocolViolation(message)
        self._user = user
        self._verifier, self._known = _verifier_of(verifier, user, mock_key)
        self._plus = mechanism == MECHANISM_PLUS
        self._binding = channel_binding
        self._nonce = _base64(os.urandom(_NONCE_BYTES)) if nonce is None else nonce
        self._header = ""
        self._messages: tuple[str, str] | None = None

    def first(self, client_first: bytes) -> bytes:
        """Answer the client's first message.

        Raises:
            ProtocolViolation: it is not one, or asks for what is not offered.
        """
        if self._messages is not None:
            raise _malformed("a second first message")
        flag, authorization, bare = _split(client_first, 3)
        self._check_binding_flag(flag)
        if authorization:
            raise _malformed("an authorization identity, which is not supported")
        attributes = bare.split(",")
        if bare.startswith("m="):
            raise _malformed("an extension that is not supported")
        _value(attributes, 0, "n")
        client_nonce = _value(attributes, 1, "r")
        if not _PRINTABLE.fullmatch(client_nonce):
            raise _malformed("a nonce with characters that are not printable")
        self._header = f"{flag},{authorization},"
        self._nonce = client_nonce + self._nonce
        salt = _base64(self._verifier.salt)
        server_first = f"r={self._nonce},s={salt},i={self._verifier.iterations}"
        self._messages = (bare, server_first)
        return server_first.encode("ascii")

    def final(self, client_final: bytes) -> bytes:
        """Check the client's proof, and return the server's.

        Raises:
            ProtocolViolation: the message is not a final one of this exchange.
            InvalidPassword: the proof is wrong, or the user has no password or does not exist.
        """
        if self._messages is None:
            raise _malformed("a final message before the first")
        bare, server_first = self._messages
        text = _text(client_final)
        without_proof, separator, proof_text = text.rpartition(",p=")
        attributes = without_proof.split(",")
        if not separator:
            raise _malformed("no proof")
        if not hmac.compare_digest(_decoded(_value(attributes, 0, "c")), self._expected_binding()):
            raise _malformed("a channel binding that does not match")
        if not hmac.compare_digest(_value(attributes, 1, "r").encode(), self._nonce.encode()):
            raise _malformed("a nonce that is not the one of this exchange")
        return self._verify(_decoded(proof_text), f"{bare},{server_first},{without_proof}".encode())

    def _verify(self, proof: bytes, auth_message: bytes) -> bytes:
        signature = _hmac(self._verifier.stored_key, auth_message)
        if len(proof) != len(signature):
            raise _malformed("a proof of another length")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        matches = hmac.compare_digest(hashlib.sha256(client_key).digest(), self._verifier.stored_key)
        if not (matches and self._known):
            message = f'password authentication failed for user "{self._user}"'
            raise InvalidPassword(message)
        return b"v=" + _base64(_hmac(self._verifier.server_key, auth_message)).encode("ascii")

    def _check_binding_flag(self, flag: str) -> None:
        """Refuse what a client that was told the truth would not say (RFC 5802, section 6)."""
        if flag == f"p={_BINDING}" and self._plus:
            return
        if flag.startswith("p="):
            raise _malformed("a channel binding that was not offered")
        if flag not in ("n", "y"):
            raise _malformed("an unknown channel binding flag")
        if self._plus:
            raise _malformed(f"{MECHANISM_PLUS} without channel binding")
        if flag == "y" and self._binding is not None:
            message = "SCRAM channel binding negotiation error"
            detail = "The client supports channel binding and thinks that the server does not, but it was offered"
            raise ProtocolViolation(message, detail=detail, hint="something between client and server changes messages")

    def _expected_binding(self) -> bytes:
        return self._header.encode("ascii") + (self._binding or b"" if self._plus else b"")


def _verifier_of(text: str | None, user: str, mock_key: bytes) -> tuple[Verifier, bool]:
    """Return the user's verifier and True, or one that nothing fits and False."""
    digest = _hmac(mock_key, b"salt:" + user.encode("utf-8", "surrogatepass"))
    mock = Verifier(DEFAULT_ITERATIONS, digest[:_SALT_BYTES], _hmac(mock_key, b"stored"), _hmac(mock_key, b"server"))
    if text is None:
        return mock, False
    try:
        return Verifier.parse(text), True
    except ValueError:
        return mock, False


def _text(message: bytes) -> str:
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed("text that is not UTF-8") from None
    if "\0" in text:
        raise _malformed("a zero byte")
    return text


def _split(message: bytes, count: int) -> list[str]:
    pieces = _text(message).split(",", count - 1)
    if len(pieces) != count:
        raise _malformed("too few attributes")
    return pieces


def _value(attributes: list[str], index: int, name: str) -> str:
    if index >= len(attributes) or not attributes[index].startswith(f"{name}="):
        raise _malformed(f"no attribute '{name}' where one is expected")
    return attributes[index][2:]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("text that is not base64") from None


def _malformed(what: str) -> ProtocolViolation:
    return ProtocolViolation("malformed SCRAM message", detail=f"The client sent {what}.")


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
