"""Values drawn like given ones, but with one peak at most: smoothed just as much as it takes.

Source: Silverman, "Using kernel density estimates to investigate multimodality", JRSS B 43 (1981).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LEAST_VALUES = 20
_GRID = 512
_STEPS = 14
_MARGIN = 3.0
_FINEST, _COARSEST = 0.05, 2.0


@dataclass(frozen=True)
class Peak:
    """A sample, and the quantiles of a smooth distribution with one peak that is as near to it as can be.

    Attributes:
        values: The sorted sample, shape (n,).
        free: Which of them are no ties; ties (levels, counts) stay as they are.
        grid: Values at which the distribution is known, rising; empty where nothing is free.
        shares: The share of the distribution below each.
    """

    values: Floats
    free: NDArray[np.bool_]
    grid: Floats
    shares: Floats

    def draw(self, uniform: Floats) -> Floats:
        """Draw as many values, sorted.

        Args:
            uniform: Sorted uniform numbers, of any number. Metrics drawn with the same ones deviate alike from their
                distributions, as those of one sample do: metrics that say the same still do.
        """
        count = int(self.free.sum()) if len(self.grid) else 0
        if not count:
            return self.values.copy()
        places = np.interp((np.arange(count) + 0.5) / count, (np.arange(len(uniform)) + 0.5) / len(uniform), uniform)
        drawn = self.values.copy()
        drawn[self.free] = np.interp(places, self.shares, self.grid)
        return np.sort(drawn)


def one_peak(ordered: Floats) -> Peak:
    """Return how to draw values with one peak; as they are where fewer than 20, or than a tenth, are not ties.

    Args:
        ordered: The sorted values, shape (n,).
    """
    _, back, counts = np.unique(ordered, return_inverse=True, return_counts=True)
    free = counts[back] <= max(2, len(ordered) // 100)
    if free.sum() < max(_LEAST_VALUES, len(ordered) // 10):
        return Peak(ordered, free, np.zeros(0), np.zeros(0))
    own = ordered[free]
    spread = float(own.std())
    edges = np.linspace(own[0] - _MARGIN * spread, own[-1] + _MARGIN * spread, _GRID + 1)
    counted = np.histogram(own, edges)[0].astype(np.float64)
    bandwidth = _bandwidth(counted, float(edges[1] - edges[0]), spread)
    density = _smoothed(counted, float(edges[1] - edges[0]) / bandwidth)
    shares = np.concatenate(([0.0], np.cumsum(density))) / density.sum()
    shrunk = np.sqrt(1 + (bandwidth / spread) ** 2)  # smoothing widens; the spread stays
    return Peak(ordered, free, own.mean() + (edges - own.mean()) / shrunk, shares)


def _bandwidth(counts: Floats, step: float, spread: float) -> float:
    """Return the least bandwidth of a Gaussian kernel that leaves one peak."""
    fine, coarse = _FINEST * spread, _COARSEST * spread
    if _peaks(_smoothed(counts, step / fine)) <= 1:
        return fine
    for _ in range(_STEPS):
        middle = float(np.sqrt(fine * coarse))
        if _peaks(_smoothed(counts, step / middle)) <= 1:
            coarse = middle
        else:
            fine = middle
    return coarse


def _smoothed(counts: Floats, step: float) -> Floats:
    """Smooth the counts by a Gaussian kernel; `step` is a bin's width in bandwidths."""
    kernel = np.exp(-0.5 * (np.arange(-_GRID, _GRID + 1) * step) ** 2)
    return np.asarray(np.convolve(counts, kernel)[_GRID : 2 * _GRID])


def _peaks(density: Floats) -> int:
    slopes = np.diff(density)
    signs = np.sign(slopes[np.abs(slopes) > 1e-9 * density.max()])
    return int(((signs[:-1] > 0) & (signs[1:] < 0)).sum())
