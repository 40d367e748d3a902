"""The reference that archetypes must beat: one blob with the same covariance.

KMeans splits anything, and a long blob even splits stably. So a split counts only if it explains more than KMeans
explains of one blob. Source: Liu, Hayes, Nobel & Marron, "Statistical significance of clustering", JASA 103 (2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tierwise.archetypes.clusters import kmeans
from tierwise.config.model_spec import ArchetypeSpec

Floats = NDArray[np.float64]
_STARTS = 2


@dataclass(frozen=True)
class Split:
    """How a number of clusters compares with one blob.

    Attributes:
        gain: 1 - unexplained share / mean unexplained share of the blobs: 0 for a blob.
        p_value: Share of the blobs (with the partners among them) that split at least as well.
    """

    gain: float
    p_value: float


def compare_with_blob(
    matrix: Floats, numbers: Sequence[int], spec: ArchetypeSpec, rng: np.random.Generator
) -> list[Split]:
    """Compare the partners' splits into each number of clusters with those of simulated blobs."""
    observed = _unexplained(matrix, numbers, rng)
    blobs = np.array([_unexplained(one_blob(matrix, rng), numbers, rng) for _ in range(spec.null_draws)])
    gains = 1 - observed / blobs.mean(axis=0)
    as_good = (1 + (blobs <= observed).sum(axis=0)) / (1 + len(blobs))
    return [Split(float(gain), float(p_value)) for gain, p_value in zip(gains, as_good, strict=True)]


def one_blob(matrix: Floats, rng: np.random.Generator) -> Floats:
    """Draw one blob of the same size and covariance as the rows.

    Continuous coordinates are Gaussian; a coordinate with two values (an indicator, a one-hot) is a Gaussian cut at the
    same share, so that a yes/no column alone never counts as structure.
    """
    covariance = np.atleast_2d(np.cov(matrix, rowvar=False, bias=True))
    draws = rng.standard_normal(matrix.shape) @ _root(covariance)
    for place in range(matrix.shape[1]):
        values, counts = np.unique(matrix[:, place], return_counts=True)
        if len(values) == 2:
            cut = np.quantile(draws[:, place], counts[0] / counts.sum())
            draws[:, place] = np.where(draws[:, place] > cut, values[1], values[0])
    return np.asarray(draws)


def _unexplained(matrix: Floats, numbers: Sequence[int], rng: np.random.Generator) -> Floats:
    total = float(((matrix - matrix.mean(axis=0)) ** 2).sum()) or 1.0
    return np.array([kmeans(matrix, k, _STARTS, int(rng.integers(2**31))).inertia / total for k in numbers])


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
