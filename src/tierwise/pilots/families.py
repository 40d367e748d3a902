"""Many comparisons: Holm over the primary family, Benjamini-Hochberg over the exploratory one, none for guardrails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tierwise.pilots.results import Result

_FAMILIES = ("holm", "benjamini_hochberg")


def adjust(results: Sequence[Result]) -> tuple[Result, ...]:
    """Give every row its adjusted p-value, in the same order.

    Rows without a p-value stay without one and still count in their family, as they were planned. Guardrails are not
    adjusted: missing a harm is the costlier error.
    """
    adjusted = list(results)
    for adjustment in _FAMILIES:
        places = [place for place, result in enumerate(results) if family(result) == adjustment]
        if places:
            found = [_p(results[place]) for place in places]
            filled = [1.0 if p is None else p for p in found]
            corrected = _corrected(np.array(filled), adjustment)
            for place, p, corrected_p in zip(places, found, corrected.tolist(), strict=True):
                better = None if p is None else float(corrected_p)
                adjusted[place] = replace(results[place], p_adjusted=better, adjustment=adjustment)
    return tuple(adjusted)


def family(result: Result) -> str:
    """The correction that a row belongs to; parts of the population are always exploratory."""
    if result.role == "primary" and result.scope == "all":
        return "holm"
    return "none" if result.role == "guardrail" else "benjamini_hochberg"


def _corrected(ps: NDArray[np.float64], adjustment: str) -> NDArray[np.float64]:
    if len(ps) == 1:
        return ps
    if adjustment == "holm":
        return holm(ps)
    return np.asarray(stats.false_discovery_control(ps, method="bh"))


def holm(ps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's adjusted p-values (1979), in the order given.

    statsmodels has the same procedure and collects garbage at every call, which costs more than the whole analysis.
    """
    order = np.argsort(ps, kind="stable")
    steps = np.maximum.accumulate((len(ps) - np.arange(len(ps))) * ps[order])
    adjusted = np.empty_like(ps)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _p(result: Result) -> float | None:
    return None if result.value is None else result.value.p
