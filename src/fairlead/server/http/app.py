"""Which path is served by what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from fairlead.server.http.figures import Figures
from fairlead.server.http.health import Health
from fairlead.server.http.problems import HttpRefused
from fairlead.server.http.request import read_session
from fairlead.server.http.service import address_of
from fairlead.server.http.shield import Shield
from fairlead.server.http.sql import SqlEndpoint

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from fairlead.server.gateway import Gateway
    from fairlead.server.http.service import Service
    from fairlead.server.telemetry.metrics import Metrics


def application(service: Service, gateway: Gateway, metrics: Metrics) -> ASGIApp:
    """Return the whole of what is served.

    Args:
        service: what all requests share.
        gateway: whose health is told.
        metrics: its figures.
    """
    health = Health(service, gateway)
    routes = [
        Route("/health", health.alive),
        Route("/ready", health.ready),
        Route("/metrics", Figures(metrics, service.settings).page),
        Route("/v1/sql", SqlEndpoint(service), methods=["POST"]),
        Route("/v1/statements/{id}", _Statements(service).cancel, methods=["DELETE"]),
        Route("/v1/sessions", _Sessions(service).open, methods=["POST"]),
        Route("/v1/sessions/{id}", _Sessions(service).end, methods=["DELETE"]),
    ]
    return Shield(Router(routes, redirect_slashes=False), service.backend.scrub)


class _Statements:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def cancel(self, request: Request) -> Response:
        """End a statement of one's own, and answer when it has ended."""
        user = await self._service.user(request)
        if not await self._service.running.cancel(user.casefold(), request.path_params["id"]):
            raise HttpRefused(404, "you have no statement of this id that runs")
        return Response(status_code=204)


class _Sessions:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def open(self, request: Request) -> Response:
        """Open a session that stays."""
        service = self._service
        service.admit()
        user = await service.user(request)
        wanted = read_session(await service.body(request))
        session_id = await service.sessions.keep(user, wanted, address_of(request))
        answer = {"id": session_id, "idle_seconds": service.settings.session_idle}
        return JSONResponse(answer, status_code=201, headers={"Location": f"/v1/sessions/{session_id}"})

    async def end(self, request: Request) -> Response:
        """End a session."""
        user = await self._service.user(request)
        await self._service.sessions.end(user.casefold(), request.path_params["id"])
        return Response(status_code=204)
