"""How long the answer to a failed login waits: twice as long each time, by client address, up to a ceiling.

Because every failure counts at once, attempts made side by side do not get around it: each waits longer than the last.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST: Final = 0.2
_CEILING: Final = 8.0
_FORGET: Final = 300.0
_ADDRESSES: Final = 10_000


class LoginThrottle:
    """Counts failed logins.

    Args:
        now: a clock that never goes back, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def failed(self, address: str) -> float:
        """Count a failure and return the seconds to wait before the client is told."""
        count, last = self._failures.pop(address, (0, 0.0))
        if self._now() - last > _FORGET:
            count = 0
        self._failures[address] = count + 1, self._now()
        if len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        return float(min(_FIRST * 2 ** min(count, 16), _CEILING))

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address."""
        self._failures.pop(address, None)
