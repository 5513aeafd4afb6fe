"""Logins by a password that comes in clear over TLS, for protocols that cannot do SCRAM: HTTP Basic and its like.

The same users, verifiers, waits and rows of the ledger as a login over PostgreSQL's protocol: whatever goes wrong, the
client learns the same, after a wait that grows with every failure.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from fairlead.access.scram import check_password
from fairlead.errors import InvalidPassword

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fairlead.sensitive import Sensitive
    from fairlead.server.pgwire.backend import Backend
    from fairlead.server.pgwire.throttle import LoginThrottle

_AT_A_TIME: Final = 2  # the check costs milliseconds of a core on purpose


class PasswordLogin:
    """Checks who clients are.

    Args:
        backend: knows the verifiers and keeps the record.
        throttle: says how long a failure waits; one for all listeners.
        mock_key: makes up the verifiers of users that do not exist.
        pause: waits some seconds.
    """

    def __init__(
        self,
        backend: Backend,
        throttle: LoginThrottle,
        mock_key: bytes,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._backend = backend
        self._throttle = throttle
        self._mock_key = mock_key
        self._pause = pause
        self._turn = asyncio.Semaphore(_AT_A_TIME)

    async def prove(self, user: str, password: Sensitive, address: str) -> None:
        """Check a password.

        Args:
            user: the name that was given.
            password: that was given.
            address: where the client comes from.

        Raises:
            InvalidPassword: the login failed, for whatever reason; the failure is recorded, and the wait is over.
        """
        if await self._matches(user, password):
            self._throttle.succeeded(address)
        else:
            await self.refuse(user, address)

    async def refuse(self, user: str, address: str) -> None:
        """Refuse a login: record it, wait, raise.

        Raises:
            InvalidPassword: always.
        """
        message = f'password authentication failed for user "{user}"'
        await self._backend.login_failed(user, address, message)
        await self._pause(self._throttle.failed(address))
        raise InvalidPassword(message)

    async def _matches(self, user: str, password: Sensitive) -> bool:
        verifier = await self._backend.authenticate_verifier(user)
        async with self._turn:
            return await asyncio.to_thread(check_password, verifier, user, password, self._mock_key)
