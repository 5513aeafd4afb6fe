"""What a command answers, as a session gives it: all columns are texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.engine.api import Column
from fairlead.session_types import Complete, Output, ResultColumns, ResultValues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.commands.house import Result

_TEXT_OID: Final = 25


def outputs_of(result: Result) -> list[Output]:
    """Return the notices, columns, rows and tag of a command."""
    outputs: list[Output] = list(result.notices)
    if result.columns:
        outputs += [ResultColumns(text_columns(result.columns)), ResultValues(result.rows)]
    return [*outputs, Complete(result.tag)]


def text_columns(names: Sequence[str]) -> tuple[Column, ...]:
    """Return columns of texts."""
    return tuple(Column(name, _TEXT_OID, -1) for name in names)
