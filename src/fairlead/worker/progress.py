"""Tells the gateway once a second how far a statement is; it exists only while a statement runs that asked for it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final

import duckdb

from fairlead.worker import frames

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EVERY_SECONDS: Final = 1.0


class Reporter(threading.Thread):
    """Use :meth:`start_for`.

    Args:
        instance: the connection that runs the statement.
        channel: to the gateway.
    """

    def __init__(self, instance: DuckDBPyConnection, channel: frames.Frames) -> None:
        super().__init__(name="progress", daemon=True)
        self._instance = instance
        self._channel = channel
        self._ended = threading.Event()

    @classmethod
    def start_for(cls, instance: DuckDBPyConnection, channel: frames.Frames) -> Reporter:
        """Report on the statement that is about to run."""
        # Left on: setting it back would end a result that is still being sent, and it costs next to nothing. In a
        # transaction that has failed nothing can be set; then there is nothing to report on either.
        with contextlib.suppress(duckdb.Error):
            instance.execute("SET enable_progress_bar = true")
        reporter = cls(instance, channel)
        reporter.start()
        return reporter

    def stop(self) -> None:
        """Report no more: after this nothing is sent."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Report until the end."""
        while not self._ended.wait(_EVERY_SECONDS):
            percent = max(self._instance.query_progress(), 0.0)  # below 0: it cannot tell for this source
            self._channel.offer(frames.PROGRESS, frames.encoded({"fraction": min(percent / 100, 1.0)}))
