"""Around every request: security headers on every answer, errors as JSON, and no exception that gets out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fairlead.errors import FairleadError
from fairlead.server.http.problems import HttpRefused, body_of, internal, status_of
from fairlead.server.http.protocol import ABORT
from fairlead.server.http.sql import CutOff

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No page is served here, and nothing that is served may be kept, framed, guessed at or read by pages of others.
_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_OVER_TLS: Final = ((b"strict-transport-security", b"max-age=31536000"),)
_HTTP_ERRORS: Final = {404: "there is nothing at this path", 405: "the path is not asked in this way"}


class Shield:
    """An ASGI application around another.

    Args:
        app: serves.
        scrub: takes secrets out of a text.
    """

    def __init__(self, app: ASGIApp, scrub: Callable[[str], str]) -> None:
        self._app = app
        self._scrub = scrub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope["app"] = self  # so that Starlette's router raises its errors instead of answering them
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                own = _HEADERS + (_OVER_TLS if scope["scheme"] == "https" else ())
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except (CutOff, ClientDisconnect):
            scope["state"][ABORT]()
        except Exception as error:  # noqa: BLE001  # nothing that a client does may end the listener
            if begun:
                if not isinstance(error, FairleadError):
                    internal(error)
                scope["state"][ABORT]()
            else:
                await self._refuse(error, sending)

    async def _refuse(self, error: Exception, send: Send) -> None:
        told = _told(error)
        body = body_of(told, self._scrub)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if isinstance(told, HttpRefused):
            headers += [(name.lower().encode(), value.encode()) for name, value in told.headers.items()]
        await send({"type": "http.response.start", "status": status_of(told), "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _told(error: Exception) -> FairleadError:
    if isinstance(error, FairleadError):
        return error
    if isinstance(error, HTTPException):
        message = _HTTP_ERRORS.get(error.status_code, "the request is refused")
        return HttpRefused(error.status_code, message, headers=dict(error.headers or {}))
    return internal(error)
