"""Who may call: a handshake with name and password gives a token, every other call shows one and takes a place.

A call holds one of Arrow's threads until it ends, and a client that reads slowly holds it for long. So there is an
upper bound of calls for all, and a smaller one for each session.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from fairlead.errors import LoginRefused, TooManyConnections
from fairlead.server.flight.sessions import ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fairlead.server.flight.bridge import Bridge
    from fairlead.server.flight.login import Login
    from fairlead.server.flight.sessions import Sessions

_OF_ONE_SESSION: Final = 16
_MORE_CALLS: Final = 64
_BEARER: Final = "bearer "
_APPLICATION: Final = "user-agent"
_DATABASE: Final = "database"


class Gate:
    """Lets calls in; its methods run in the threads of the calls.

    Args:
        login: checks passwords.
        sessions: of those who have logged in.
        bridge: to the gateway's loop.
        max_sessions: how many there may be; there may be some more calls than that.
    """

    def __init__(self, login: Login, sessions: Sessions, bridge: Bridge, max_sessions: int) -> None:
        self._login = login
        self._sessions = sessions
        self._bridge = bridge
        self._max_calls = max_sessions + _MORE_CALLS
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def login(self, headers: Mapping[str, Sequence[str]]) -> str:
        """Check a password and return a new token.

        Raises:
            InvalidPassword: it is wrong.
            LoginRefused: there is none.
            TooManyConnections: there are too many sessions.
        """
        user = self._login.prove(_first(headers, "authorization"))
        parameters = {"application_name": _first(headers, _APPLICATION)}
        if database := _first(headers, _DATABASE):
            parameters["database"] = database
        token = self._bridge.run(self._sessions.admit(user, parameters))
        self._take(token)
        return token

    def enter(self, headers: Mapping[str, Sequence[str]]) -> str:
        """Return the token of a call.

        Raises:
            LoginRefused: there is none, or its session has ended.
            TooManyConnections: the session, or the gateway, has too many calls already.
        """
        header = _first(headers, "authorization")
        if header[: len(_BEARER)].lower() != _BEARER:
            raise LoginRefused("log in first", hint="a handshake with user and password gives a token for all calls")
        token = header[len(_BEARER) :].strip()
        if not self._sessions.known(token):
            raise ended()
        self._take(token)
        return token

    def leave(self, token: str) -> None:
        """Note the end of a call."""
        with self._lock:
            self._calls[token] -= 1
            if self._calls[token] <= 0:
                del self._calls[token]

    def _take(self, token: str) -> None:
        with self._lock:
            if self._calls[token] >= _OF_ONE_SESSION or self._calls.total() >= self._max_calls:
                if not self._calls[token]:
                    del self._calls[token]
                raise TooManyConnections("too many calls at the same time", hint="read results that wait, or try later")
            self._calls[token] += 1


def _first(headers: Mapping[str, Sequence[str]], name: str) -> str:
    """Return a header, empty where there is none; one that comes twice is not what anybody meant."""
    values = headers.get(name, ())
    return values[0] if len(values) == 1 else ""
