"""The nearest known name to one that is not known, for "did you mean" hints."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LIKENESS = 0.6
_MOST_LISTED = 12


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Find the known name most like `name`, regardless of case; None when none is much alike."""
    by_folded = {candidate.casefold(): candidate for candidate in sorted(known, reverse=True)}
    close = get_close_matches(name.casefold(), sorted(by_folded), n=1, cutoff=_LIKENESS)
    return by_folded[close[0]] if close else None


def hint(name: str, known: Iterable[str]) -> str:
    """What to tell a user who wrote an unknown name: the nearest known one, else all of them.

    Returns:
        For example `did you mean 'window'?` or `known are 'deals', 'leads'`; empty when nothing is known.
    """
    names = sorted(set(known))
    nearest = nearest_name(name, names)
    return f"did you mean {nearest!r}?" if nearest is not None else known_names(names)


def known_names(known: Iterable[str]) -> str:
    """List the known names: `known are 'deals', 'leads'`; empty when there is none."""
    names = sorted(set(known))
    listed = ", ".join(repr(name) for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return (
        f"known {'is' if len(names) == 1 else 'are'} {listed}{f' and {more} more' if more > 0 else ''}" if names else ""
    )
