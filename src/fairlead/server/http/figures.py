"""``GET /metrics``: for this machine, and for whoever has the token."""

from __future__ import annotations

import asyncio
import hmac
from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.responses import Response

from fairlead.server.http.problems import HttpRefused
from fairlead.server.http.service import address_of
from fairlead.server.telemetry.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from starlette.requests import Request

    from fairlead.config import HttpSettings
    from fairlead.server.telemetry.metrics import Metrics


class Figures:
    """Answers Prometheus.

    Args:
        metrics: of the gateway.
        settings: of the listener.
    """

    def __init__(self, metrics: Metrics, settings: HttpSettings) -> None:
        self._metrics = metrics
        self._settings = settings

    async def page(self, request: Request) -> Response:
        """Return all figures."""
        if not (self._is_near(request) or self._has_token(request)):
            raise HttpRefused(
                401,
                "metrics are for this machine, and for whoever has the token",
                hint="set FAIRLEAD_HTTP_METRICS_TOKEN, and send it as Authorization: Bearer",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return Response(await asyncio.to_thread(self._metrics.page), headers={"content-type": CONTENT_TYPE})

    def _is_near(self, request: Request) -> bool:
        # Without TLS the listener stands behind a proxy on this machine, and everybody comes from here.
        if not self._settings.tls:
            return False
        try:
            return ip_address(address_of(request)).is_loopback
        except ValueError:
            return False

    def _has_token(self, request: Request) -> bool:
        wanted = self._settings.metrics_token
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if wanted is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode(), wanted.get_secret_value().encode())
