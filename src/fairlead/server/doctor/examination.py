"""All checks in turn. One that breaks down is a finding too, and does not keep the others from being made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.errors import FairleadError
from fairlead.server.doctor import directory, listeners, machine, stored
from fairlead.server.doctor.finding import Finding, failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fairlead.config import Settings

_CHECKS: Final[dict[str, Callable[[Settings], Iterable[Finding]]]] = {
    "data directory": directory.examine,
    "catalog": stored.examine,
    "listeners": listeners.examine,
    "extensions": lambda _: machine.extensions(),
    "memory": lambda settings: [machine.memory(settings)],
    "open files": lambda settings: [machine.open_files(settings)],
    "clock": lambda settings: [machine.clock(settings)],
}


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; the gateway may be running or not, and nothing is changed.

    Args:
        settings: of the gateway, as it is, or is to be, started with.
    """
    found: list[Finding] = []
    for name, check in _CHECKS.items():
        try:
            found += check(settings)
        except FairleadError as error:
            found.append(failed(name, error.message, error.hint or "see docs/operation.md"))
        except Exception as error:  # noqa: BLE001  # a broken machine is what this is for
            found.append(failed(name, f"could not be looked at: {error}", "run this as the gateway's user"))
    return [*found, *await machine.layers(settings)]
