"""Did you mean: the one place that finds the known spelling nearest to a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 64
_CUTOFF: Final = 0.7


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that looks most like this one, letter case aside; None where none is near."""
    import difflib  # noqa: PLC0415  # only errors need it, and it is slow to import

    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(word.casefold()[:_LONGEST], by_folded, n=1, cutoff=_CUTOFF)
    return by_folded[found[0]] if found else None


def nearest_start(phrase: str, known: Iterable[str]) -> str | None:
    """Return the known word that looks most like the first words of a phrase, however many; None where none is near."""
    import difflib  # noqa: PLC0415  # only errors need it, and it is slow to import

    words = phrase.casefold()[:_LONGEST].split()
    starts = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
    choices = tuple(known)
    found = [(start, near) for start in starts if (near := nearest(start, choices))]
    if not found:
        return None
    return max(found, key=lambda pair: difflib.SequenceMatcher(None, pair[0], pair[1].casefold()).ratio())[1]


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return the hint of an error about an unknown word, or None where no known word is near."""
    found = nearest(word, known)
    return f"did you mean {found}?" if found else None
