"""One measured figure, and how samples become one."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        what: what was measured.
        median: the median of its samples, in ``unit``; less is better.
        unit: ``ms``, ``s``, ``MiB`` ...
        baseline: the median of what it is held against, measured in the same run and in the same unit.
        against: what the baseline is.
        limit: what must hold: the most that the ratio to the baseline (the median itself, if there is none) may be.
        goal: what is hoped for, in the same terms.
        samples: how many samples the median stands on.
    """

    what: str
    median: float
    unit: str
    baseline: float | None = None
    against: str = ""
    limit: float | None = None
    goal: float | None = None
    samples: int = 1

    @property
    def ratio(self) -> float | None:
        """The median over the baseline, if there is one."""
        return self.median / self.baseline if self.baseline else None

    @property
    def judged(self) -> float:
        """What ``limit`` and ``goal`` speak of."""
        return self.median if self.ratio is None else self.ratio

    @property
    def within_limit(self) -> bool:
        """Whether the limit holds; true where there is none."""
        return self.limit is None or self.judged <= self.limit


def seconds(action: Callable[[], object], *, samples: int, warm: int = 1) -> list[float]:
    """Return the seconds that each of ``samples`` runs of ``action`` took, after ``warm`` runs that do not count."""
    for _ in range(warm):
        action()
    return [_once(action) for _ in range(samples)]


def alternate(
    action: Callable[[], object], baseline: Callable[[], object], *, samples: int, warm: int = 1
) -> tuple[float, float]:
    """Return the median seconds of ``action`` and of ``baseline``, run in turns so that noise hits both alike."""
    for _ in range(warm):
        action()
        baseline()
    pairs = [(_once(action), _once(baseline)) for _ in range(samples)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _once(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
