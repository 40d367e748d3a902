"""KMeans, and how well its clusters are found again in bootstrap samples.

Source of the Jaccard figures: Hennig, "Cluster-wise assessment of cluster stability", CSDA 52 (2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from tierwise.config.model_spec import ArchetypeSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
QUICK_STARTS = 4


@dataclass(frozen=True)
class Clustering:
    """Centres and what they leave unexplained.

    Attributes:
        centres: Shape (k, d).
        inertia: Sum of squared distances to the nearest centre.
    """

    centres: Floats
    inertia: float

    @property
    def k(self) -> int:
        """How many centres."""
        return len(self.centres)

    def labels(self, matrix: Floats) -> Ints:
        """Return the nearest centre of each row; the first of equally near ones."""
        return np.asarray(np.argmin(distances(matrix, self.centres), axis=1), dtype=np.int64)


@dataclass(frozen=True)
class Stability:
    """How well bootstrap samples find the same clusters again.

    Attributes:
        mean_ari: Mean adjusted Rand index over the samples.
        jaccard: Mean best Jaccard overlap of each cluster, shape (k,).
        min_share: The smallest cluster's share of partners.
    """

    mean_ari: float
    jaccard: Floats
    min_share: float


def distances(matrix: Floats, centres: Floats) -> Floats:
    """Return Euclidean distances, shape (n, k)."""
    squared = (matrix**2).sum(axis=1)[:, None] - 2 * matrix @ centres.T + (centres**2).sum(axis=1)[None, :]
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def kmeans(matrix: Floats, k: int, starts: int | Floats, seed: int) -> Clustering:
    """Fit KMeans from many random starts, or from given centres."""
    given = not isinstance(starts, int)
    model = KMeans(k, init=starts if given else "k-means++", n_init=1 if given else starts, random_state=seed)
    model.fit(matrix)
    return Clustering(np.asarray(model.cluster_centers_, dtype=np.float64), float(model.inertia_))


def stability(matrix: Floats, clustering: Clustering, spec: ArchetypeSpec, rng: np.random.Generator) -> Stability:
    """Cluster bootstrap samples and compare each with the reference on all rows."""
    reference = clustering.labels(matrix)
    aris, overlaps = [], []
    for _ in range(spec.bootstraps):
        drawn = rng.integers(0, len(matrix), min(len(matrix), spec.stability_rows))
        again = kmeans(matrix[drawn], clustering.k, QUICK_STARTS, int(rng.integers(2**31))).labels(matrix)
        aris.append(adjusted_rand_score(reference, again))
        overlaps.append(jaccard_matrix(reference, again, clustering.k, clustering.k).max(axis=1))
    shares = np.bincount(reference, minlength=clustering.k) / len(matrix)
    return Stability(float(np.mean(aris)), np.asarray(np.mean(overlaps, axis=0)), float(shares.min()))


def jaccard_matrix(first: Ints, second: Ints, rows: int, columns: int) -> Floats:
    """Return the Jaccard overlap of every pair of clusters, shape (rows, columns)."""
    both = np.zeros((rows, columns))
    np.add.at(both, (first, second), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    return np.asarray(both / np.maximum(either, 1))
