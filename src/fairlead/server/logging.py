"""Logs: one line an event, as JSON or for a terminal; every value passes the scrubber."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]


def configure(level: str, *, terminal: bool, scrub: Callable[[str], str]) -> None:
    """Set the log up.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        terminal: coloured lines for people, else JSON.
        scrub: takes secrets out of a text.
    """

    def scrubbed(_logger: Any, _method: str, event: Event) -> Event:
        return {key: scrub(value) if isinstance(value, str) else value for key, value in event.items()}

    renderer: Any = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            scrubbed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
