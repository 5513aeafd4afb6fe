"""The engine: starts the fork server, says which layers hold, gives out sessions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlead.engine.api import LayerStatus, WorkerCounts
from fairlead.engine.pool import Pool
from fairlead.engine.watch import watch
from fairlead.engine.zygote import extension_files
from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from fairlead.config import Settings
    from fairlead.engine.session import EngineSession


class Engine:
    """All workers of one gateway.

    Args:
        settings: of the gateway.
        on_listener: gets the socket that the store proxy answers on; called again when the fork server was restarted.
    """

    def __init__(self, settings: Settings, *, on_listener: Callable[[socket.socket], None]) -> None:
        self._settings = settings
        self._on_listener = on_listener
        self._pool: Pool | None = None
        self._spill: Path | None = None
        self._watch: asyncio.Task[None] | None = None
        self._layers: tuple[LayerStatus, ...] = ()

    async def start(self) -> None:
        """Start, and make the first blank workers.

        Raises:
            ConfigurationError: a layer that is required is not possible here, or the workers cannot start at all.
        """
        self._spill = _spill_root(self._settings.data) if self._settings.worker.spill_limit_mb else None
        self._pool = Pool(self._settings, _common(self._settings), self._spill, self._on_listener)
        try:
            first = await self._pool.start()
            self._layers = (LayerStatus("namespace", *self._pool.zygote.namespace), *first.layers)
            self._require()
        except BaseException:
            await self.stop()
            raise
        limited = any(layer.name == "limits" and layer.active for layer in self._layers)
        worker = self._settings.worker
        self._watch = asyncio.create_task(
            watch(
                self._pool.sessions,
                memory_mb=None if limited else worker.address_space_mb,
                spill_mb=worker.spill_limit_mb,
            ),
            name="watch over workers",
        )

    async def stop(self) -> None:
        """End every session, worker and the fork server, and remove what they spilled."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        if self._pool is not None:
            await self._pool.stop()
            self._pool = None
        if self._spill is not None:
            shutil.rmtree(self._spill, ignore_errors=True)

    async def session(self) -> EngineSession:
        """Return a session with a ready worker; at once while there are spare ones.

        Raises:
            TooManyConnections: no more sessions are allowed.
            WorkerLost: no worker could be made.
        """
        if self._pool is None:
            raise ConfigurationError("the engine is not started")
        return await self._pool.checkout()

    async def writer(self) -> EngineSession:
        """Return the session of the writer: the one process that may touch the lakes; started on the first call.

        It runs :meth:`EngineSession.script` only, and belongs to the engine: nobody else closes it.

        Raises:
            WorkerLost: it could not be made.
        """
        if self._pool is None:
            raise ConfigurationError("the engine is not started")
        return await self._pool.writer(_lake_root(self._settings.data))

    def layers(self) -> tuple[LayerStatus, ...]:
        """Return what holds the workers in place, and what does not."""
        return self._layers

    def workers(self) -> WorkerCounts:
        """Return how many workers there are and were."""
        return WorkerCounts() if self._pool is None else self._pool.counts()

    @property
    def zygote_pid(self) -> int | None:
        """The process id of the fork server, for metrics and tests."""
        return self._pool.zygote.pid if self._pool is not None else None

    def _require(self) -> None:
        modes = self._settings.layers.model_dump()
        for layer in self._layers:
            if modes.get(layer.name) == "require" and not layer.active:
                raise ConfigurationError(
                    f'the layer "{layer.name}" is required, but not possible here: {layer.reason}',
                    hint=f"set layers.{layer.name} to auto to run without it",
                )


async def probe_layers(settings: Settings) -> tuple[LayerStatus, ...]:
    """Start the engine for a moment and return which layers this machine allows, whatever is required.

    Args:
        settings: of the gateway.

    Raises:
        ConfigurationError: the workers cannot start at all.
    """
    modes = {name: "auto" if mode == "require" else mode for name, mode in settings.layers.model_dump().items()}
    probe = settings.model_copy(
        update={
            "layers": settings.layers.model_copy(update=modes),
            # Nothing is written to a data directory that a running gateway may own.
            "worker": settings.worker.model_copy(update={"spill_limit_mb": 0, "spare": 0}),
        }
    )
    engine = Engine(probe, on_listener=lambda listener: listener.close())
    await engine.start()
    try:
        return engine.layers()
    finally:
        await engine.stop()


def _common(settings: Settings) -> dict[str, Any]:
    worker = settings.worker
    return {
        "layers": settings.layers.model_dump(),
        "extensions": extension_files(),
        "memory_limit_mb": worker.memory_limit_mb,
        "address_space_mb": worker.address_space_mb,
        "threads": worker.threads,
        "cpu_seconds": worker.cpu_seconds,
        "spill_limit_mb": worker.spill_limit_mb,
    }


def _lake_root(data: Path) -> Path:
    """Make the folder of all lakes; only the gateway's user can look into it."""
    root = data.resolve() / "lake"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    root.chmod(0o700)
    (root / "inbox").mkdir(mode=0o700, exist_ok=True)
    return root


def _spill_root(data: Path) -> Path:
    """Make the folder for this process's spilling, and remove those of gateways that were killed."""
    parent = data.resolve() / "spill"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in parent.iterdir():
        owner = left.name.partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(left, ignore_errors=True)
    root = parent / f"{os.getpid()}-{secrets.token_hex(4)}"
    root.mkdir(mode=0o700)
    return root
