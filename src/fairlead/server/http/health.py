"""Alive, and ready: what probes and load balancers ask. Anybody may, so the answers tell nothing but fixed words."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from fairlead.server.gateway import Gateway
    from fairlead.server.http.service import Service

_CHECK_SECONDS: Final = 5.0
_KEEP_SECONDS: Final = 1.0  # an answer is good for so long: anybody may ask, as often as they like
_LEAST_FREE: Final = 64 * 2**20  # bytes
_UNAVAILABLE: Final = 503


class Health:
    """Answers probes.

    Args:
        service: says whether the gateway is about to stop.
        gateway: what is asked about.
    """

    def __init__(self, service: Service, gateway: Gateway) -> None:
        self._service = service
        self._gateway = gateway
        self._known: list[str] = []
        self._until = 0.0

    async def alive(self, request: Request) -> Response:  # noqa: ARG002  # Starlette's signature
        """Say that the event loop turns."""
        return JSONResponse({"status": "ok"})

    async def ready(self, request: Request) -> Response:  # noqa: ARG002  # Starlette's signature
        """Say whether statements would be served now, and if not, why."""
        if time.monotonic() > self._until:
            self._known = await self._missing()
            self._until = time.monotonic() + _KEEP_SECONDS
        if reasons := [*(["draining"] if self._service.draining else []), *self._known]:
            return JSONResponse({"status": "unavailable", "reasons": reasons}, status_code=_UNAVAILABLE)
        return JSONResponse({"status": "ok"})

    async def _missing(self) -> list[str]:
        reasons = [] if self._gateway.has_workers() else ["workers"]
        slow: dict[str, Callable[[], object]] = {
            "catalog": self._read_catalog,
            "ledger": self._gateway.house.ledger.check_writable,
            "disk": self._require_space,
        }
        results = await asyncio.gather(*map(self._passes, slow.values()))
        return reasons + [name for name, passes in zip(slow, results, strict=True) if not passes]

    async def _passes(self, check: Callable[[], object]) -> bool:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await asyncio.to_thread(check)
        except Exception:  # noqa: BLE001  # whatever it is, the answer is no
            return False
        return True

    def _read_catalog(self) -> None:
        with self._gateway.house.catalog.read() as snapshot:
            snapshot.in_use()

    def _require_space(self) -> None:
        found = os.statvfs(self._gateway.settings.data)
        if found.f_bavail * found.f_frsize < _LEAST_FREE:
            raise OSError("the disk is full")
