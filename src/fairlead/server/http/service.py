"""What all requests of one HTTP listener share, and what is done before each is served: who sends it, and what."""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.errors import AdminShutdown, InvalidPassword
from fairlead.sensitive import Sensitive
from fairlead.server.http.problems import HttpRefused, Unauthorized

if TYPE_CHECKING:
    from starlette.requests import Request

    from fairlead.config import HttpSettings
    from fairlead.server.http.running import RunningStatements
    from fairlead.server.http.sessions import Sessions
    from fairlead.server.passwords import PasswordLogin
    from fairlead.server.pgwire.backend import Backend

_JSON: Final = "application/json"


@dataclass(slots=True)
class Service:
    """What all requests share.

    Args:
        backend: the gateway.
        settings: of the listener.
        login: checks passwords.
        sessions: of all clients.
        running: their statements.
        draining: whether the gateway is about to stop.
    """

    backend: Backend
    settings: HttpSettings
    login: PasswordLogin
    sessions: Sessions
    running: RunningStatements
    draining: bool = False

    def admit(self) -> None:
        """Take new work only while the gateway stays.

        Raises:
            AdminShutdown: it is about to stop.
        """
        if self.draining:
            raise AdminShutdown("the gateway is about to stop", hint="try again in a moment")

    async def user(self, request: Request) -> str:
        """Return who has proved to be the user, by HTTP Basic (RFC 7617).

        Raises:
            Unauthorized: nobody has.
        """
        credentials = _basic(request.headers.get("authorization", ""))
        if credentials is None:
            raise Unauthorized("this needs a user and a password", hint="use HTTP Basic")
        name, password = credentials
        try:
            await self.login.prove(name, password, address_of(request))
        except InvalidPassword as error:
            raise Unauthorized(error.message) from None
        return name

    async def body(self, request: Request) -> bytes:
        """Return the body of a request.

        Raises:
            HttpRefused: it is no JSON, too large, or comes too slowly.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("", _JSON):
            raise HttpRefused(415, "the body must be JSON", hint=f"send Content-Type: {_JSON}")
        limit = self.settings.body_limit_mb * 2**20
        parts: list[bytes] = []
        size = 0
        stream = request.stream()
        while True:
            try:
                async with asyncio.timeout(self.settings.read_timeout):
                    part = await anext(stream, None)
            except TimeoutError:
                raise HttpRefused(408, "the body came too slowly", headers={"Connection": "close"}) from None
            if part is None:
                break
            size += len(part)
            if size > limit:
                allowed = self.settings.body_limit_mb
                raise HttpRefused(413, f"a body may have {allowed} MiB", headers={"Connection": "close"})
            parts.append(part)
        body = b"".join(parts)
        if body and not kind:
            raise HttpRefused(415, "the body must be JSON", hint=f"send Content-Type: {_JSON}")
        return body


def address_of(request: Request) -> str:
    """Return where a client comes from; what a proxy says about that is not believed."""
    return request.client.host if request.client is not None else "local"


def _basic(header: str) -> tuple[str, Sensitive] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, Sensitive(password)) if colon and "\0" not in name else None
