"""Logs: one line an event, as JSON or for a terminal; every value passes the scrubber."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

Event = MutableMapping[str, Any]


class _Unfailing:
    """A stream that drops what it cannot write: a full disk under the log must not end a session.

    Args:
        stream: takes the lines.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, or drop."""
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush, or drop."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure(level: str, *, terminal: bool, scrub: Callable[[str], str]) -> None:
    """Set the log up.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        terminal: lines for people, coloured on a terminal; else JSON.
        scrub: takes secrets out of a text.
    """

    def scrubbed(_logger: Any, _method: str, event: Event) -> Event:
        return {key: scrub(value) if isinstance(value, str) else value for key, value in event.items()}

    text = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if terminal else None
    renderer: Any = text or structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            scrubbed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
    )
