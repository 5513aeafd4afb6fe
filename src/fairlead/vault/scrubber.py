"""The second net under every text that leaves the process: it replaces the secrets that are alive.

The first net is that nobody puts a secret into a text. This one knows each secret that was sealed, opened or typed as
a password since the start, in the forms that encoders give it (``forms.py``), and finds them in one pass: the first
eight characters of every form are the key of a table, so the cost of a text does not depend on how many secrets there
are. Secrets shorter than eight characters are not replaced: a text
that is scrubbed answers guesses, and short ones could be tried out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from fairlead.sensitive import MASK
from fairlead.vault.forms import SHORTEST, forms

if TYPE_CHECKING:
    from fairlead.sensitive import Sensitive

# Bounds memory; the secrets that were not used for longest are forgotten first.
MAX_SECRETS: Final = 10_000


class Scrubber:
    """Replaces live secrets in texts; safe for use from many threads.

    ``enabled`` exists for the test that proves that the net is needed.
    """

    def __init__(self) -> None:
        self.enabled = True
        self._secrets: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._uses: dict[str, int] = {}
        self._by_start: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def learn(self, value: Sensitive) -> None:
        """Know a secret from now on; learning it again only says that it is still alive."""
        secret = value.reveal()
        with self._lock:
            if secret in self._secrets:
                self._secrets.move_to_end(secret)
                return
            shapes = forms(secret)
            if not shapes:
                return
            self._secrets[secret] = shapes
            for form in shapes:
                self._add(form)
            if len(self._secrets) > MAX_SECRETS:
                self._drop(next(iter(self._secrets)))

    def forget(self, value: Sensitive) -> None:
        """Stop looking for a secret."""
        with self._lock:
            self._drop(value.reveal())

    def scrub(self, text: str) -> str:
        """Return the text with every known secret, in every known form, replaced by the mask."""
        if not self.enabled or not self._by_start:
            return text
        pieces: list[str] = []
        kept = 0
        for start, end in self._found(text):
            pieces += [text[kept:start], MASK]
            kept = end
        return "".join([*pieces, text[kept:]]) if pieces else text

    def _found(self, text: str) -> list[tuple[int, int]]:
        """Return where secrets stand; those that overlap or touch are one place."""
        found: list[tuple[int, int]] = []
        by_start = self._by_start
        for at in range(len(text) - SHORTEST + 1):
            for form in by_start.get(text[at : at + SHORTEST], ()):
                if text.startswith(form, at):
                    end = at + len(form)
                    if found and at <= found[-1][1]:
                        found[-1] = (found[-1][0], max(end, found[-1][1]))
                    else:
                        found.append((at, end))
                    break
        return found

    def _add(self, form: str) -> None:
        self._uses[form] = self._uses.get(form, 0) + 1
        if self._uses[form] == 1:
            start = form[:SHORTEST]
            # A new tuple, longest first: a scrub that runs in another thread keeps the one that it has.
            self._by_start[start] = tuple(sorted((*self._by_start.get(start, ()), form), key=len, reverse=True))

    def _drop(self, secret: str) -> None:
        for form in self._secrets.pop(secret, ()):
            self._uses[form] -= 1
            if self._uses[form] == 0:
                del self._uses[form]
                start = form[:SHORTEST]
                left = tuple(other for other in self._by_start[start] if other != form)
                if left:
                    self._by_start[start] = left
                else:
                    del self._by_start[start]
