"""The proof of a password: SCRAM-SHA-256 over the wire, bound to the TLS channel where the client can.

Whatever goes wrong, the client learns the same: a user who does not exist gets a made-up salt and fails at the same
step as a wrong password. Every failure is recorded, and its answer waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.access.scram import MECHANISM, MECHANISM_PLUS, ScramServer
from fairlead.errors import FairleadError, InvalidPassword, ProtocolViolation
from fairlead.server.pgwire.messages import SaslInitial, SaslResponse, Startup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fairlead.server.pgwire.backend import Backend
    from fairlead.server.pgwire.connection import Connection, Event
    from fairlead.server.pgwire.throttle import LoginThrottle
    from fairlead.server.pgwire.tls import ServerCertificate


class Login:
    """Checks who clients are.

    Args:
        backend: knows the verifiers and keeps the record.
        certificate: what a login over TLS is bound to.
        throttle: says how long a failure waits.
        pause: waits some seconds.
    """

    def __init__(
        self,
        backend: Backend,
        certificate: ServerCertificate,
        throttle: LoginThrottle,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._backend = backend
        self._certificate = certificate
        self._throttle = throttle
        self._pause = pause

    async def prove(
        self,
        core: Connection,
        startup: Startup,
        address: str,
        exchange: Callable[[bytes], Awaitable[Event | None]],
    ) -> bytes | None:
        """Let a client prove its password.

        Args:
            core: its connection, just greeted.
            startup: what it asked for.
            address: where it comes from.
            exchange: sends bytes and gives the client's next message, None when it is gone.

        Returns:
            What to send to the client that has succeeded; None when the client went away.

        Raises:
            InvalidPassword: it failed, for whatever reason.
            ProtocolViolation: its messages are not SASL.
        """
        user = startup.parameters["user"]
        binding = self._certificate.end_point if core.secure else None
        event = await exchange(
            core.offer_sasl(startup, [MECHANISM_PLUS, MECHANISM] if binding is not None else [MECHANISM])
        )
        if not isinstance(event, SaslInitial):
            return None
        try:
            verifier = await self._backend.authenticate_verifier(user)
            scram = ScramServer(
                verifier,
                user=user,
                mechanism=event.mechanism,
                channel_binding=binding,
                mock_key=self._certificate.mock_key,
            )
            proof = await exchange(core.challenge(scram.first(event.data)))
            if not isinstance(proof, SaslResponse):
                return None
            final = core.authenticated(scram.final(proof.data))
        except FairleadError as error:
            await self._backend.login_failed(user, address, error.message)
            await self._pause(self._throttle.failed(address))
            if isinstance(error, ProtocolViolation):
                raise
            raise InvalidPassword(f'password authentication failed for user "{user}"') from None
        self._throttle.succeeded(address)
        return final
