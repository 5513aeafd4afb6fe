"""The proof of a password over Flight: HTTP Basic at the handshake, checked against the SCRAM verifier.

Flight shows a login neither the address of the client nor TLS's channel, so failures are counted by user name: only
the answer to a wrong password waits, so nobody can be locked out by others. The wait costs one of the server's threads,
of which logins may hold a few.
Source: RFC 7617; arrow.apache.org, "Flight RPC", section "Authentication".
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from typing import TYPE_CHECKING, Final

from fairlead.access.scram import check_password
from fairlead.errors import InvalidPassword, LoginRefused, TooManyConnections
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.server.flight.bridge import Bridge
    from fairlead.server.pgwire.backend import Backend
    from fairlead.server.pgwire.throttle import LoginThrottle

_AT_ONCE: Final = 32
_LONGEST: Final = 4096  # characters of the header
_FROM: Final = "Flight SQL"


class Login:
    """Checks who clients are.

    Args:
        backend: knows the verifiers and keeps the record.
        bridge: to the gateway's loop.
        mock_key: makes the salts of users that do not exist.
        throttle: says how long a failure waits; one for all listeners.
        pause: waits some seconds, in the thread of the call.
    """

    def __init__(
        self,
        backend: Backend,
        bridge: Bridge,
        mock_key: bytes,
        throttle: LoginThrottle,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._backend = backend
        self._bridge = bridge
        self._mock_key = mock_key
        self._throttle = throttle
        self._pause = pause
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def prove(self, header: str) -> str:
        """Return the user whose name and password are in an ``authorization`` header.

        Raises:
            InvalidPassword: they do not belong together, for whatever reason.
            LoginRefused: the header is something else.
            TooManyConnections: too many log in at this moment.
        """
        user, password = credentials(header)
        if not self._places.acquire(blocking=False):
            raise TooManyConnections("too many clients log in at the same time", hint="try again in a moment")
        try:
            self._check(user, password)
        finally:
            self._places.release()
        return user

    def _check(self, user: str, password: Sensitive) -> None:
        verifier = self._bridge.run(self._backend.authenticate_verifier(user))
        if check_password(verifier, user, password, self._mock_key):
            self._throttle.succeeded(_key(user))
            return
        failure = InvalidPassword(f'password authentication failed for user "{user}"')
        self._bridge.run(self._backend.login_failed(user, _FROM, failure.message))
        self._pause(self._throttle.failed(_key(user)))
        raise failure


def _key(user: str) -> str:
    """Return what failures are counted by; no address of a client looks like it."""
    return f"flight {user}"


def credentials(header: str) -> tuple[str, Sensitive]:
    """Return user and password of a Basic header; clients in Go leave the padding of base64 away.

    Raises:
        LoginRefused: it is none.
    """
    scheme, _, encoded = header.strip().partition(" ")
    raw = _decoded(encoded.strip().rstrip("=")) if scheme.lower() == "basic" else ""
    user, colon, password = raw.partition(":")
    if not colon or not user or "\0" in raw:
        raise LoginRefused(
            "log in with user and password", hint="the handshake takes an authorization header of the scheme Basic"
        )
    return user, Sensitive(password)


def _decoded(encoded: str) -> str:
    """Return the text behind base64 without padding, empty where it is none."""
    if len(encoded) > _LONGEST:
        return ""
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
