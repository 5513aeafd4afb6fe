"""Who a MySQL client is: the clear password over TLS, checked against the verifier that SCRAM uses.

``caching_sha2_password`` is played with its full authentication only: the client's hash is not looked at, because there
is nothing stored that it could be compared with; the client is asked for the password, which TLS protects. A client
that begins with another plug-in is asked to switch; one that sends the password at once (``mysql_clear_password``) is
taken at its word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.sensitive import Sensitive
from fairlead.server.mysql.messages import AuthData, HandshakeResponse
from fairlead.server.mysql.protocol import CACHING_SHA2, CLEAR

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fairlead.server.mysql.connection import Connection
    from fairlead.server.mysql.messages import Event
    from fairlead.server.passwords import PasswordLogin

_NO_PASSWORD: Final = b""


async def prove(
    core: Connection,
    hello: HandshakeResponse,
    scramble: bytes,
    address: str,
    exchange: Callable[[bytes], Awaitable[Event | None]],
    passwords: PasswordLogin,
) -> bool:
    """Let a client prove who it is.

    Args:
        core: its connection, over TLS.
        hello: what it said of itself.
        scramble: of the greeting.
        address: where it comes from.
        exchange: sends bytes and gives the client's next message, None when it is gone.
        passwords: checks, records and throttles.

    Returns:
        Whether the client is still there.

    Raises:
        InvalidPassword: it failed, for whatever reason.
    """
    response = hello.response
    if hello.plugin == CLEAR:
        core.proved()
    else:
        if hello.plugin != CACHING_SHA2:
            event = await exchange(core.switch(scramble))
            if not isinstance(event, AuthData):
                return False
            response = event.data
        if response.rstrip(b"\0") == _NO_PASSWORD:  # nobody has an empty one, and such a client sends no more
            await passwords.refuse(hello.user, address)
        event = await exchange(core.ask_password())
        if not isinstance(event, AuthData):
            return False
        response = event.data
    await passwords.prove(hello.user, _password(response), address)
    return True


def _password(data: bytes) -> Sensitive:
    """Return the password; bytes that are no text are those of no password."""
    return Sensitive(data.removesuffix(b"\0").decode("utf-8", "surrogateescape"))
