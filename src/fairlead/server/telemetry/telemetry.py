"""Which observers a gateway has: metrics where somebody can ask for them, traces where somebody takes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fairlead.observer import NOBODY, Observer, Observers
from fairlead.server.telemetry import tracing

if TYPE_CHECKING:
    from fairlead.config import Settings
    from fairlead.server.gateway import Gateway
    from fairlead.server.telemetry.metrics import Metrics


class Telemetry:
    """The observers of one gateway.

    Args:
        settings: of the gateway.

    Raises:
        ConfigurationError: traces are wanted, but cannot be made.
    """

    def __init__(self, settings: Settings) -> None:
        self.metrics: Metrics | None = None
        self._tracing = tracing.Tracing() if tracing.wanted() else None
        if settings.http:
            from fairlead.server.telemetry.metrics import Metrics  # noqa: PLC0415  # not imported where nobody asks

            self.metrics = Metrics()
        found: list[Observer] = [one for one in (self.metrics, self._tracing) if one is not None]
        self.observer: Observer = Observers(*found) if found else NOBODY

    def attach(self, gateway: Gateway) -> None:
        """Begin to count what there is in a gateway that has started."""
        if self.metrics is not None:
            self.metrics.attach(gateway)

    async def stop(self) -> None:
        """Send what is left."""
        if self.metrics is not None:
            await self.metrics.stop()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.stop)
