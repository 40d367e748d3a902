"""KMeans, the choice of k by bootstrap stability, and the test against one blob.

k and transforms are never chosen by silhouette, which rises as the answer gets worse. Sources: Hennig, "Cluster-wise
assessment of cluster stability", CSDA 52 (2007), for the Jaccard figures; Liu et al., "Statistical significance of
clustering (SigClust)", JASA 103 (2008), for the reference of one Gaussian with the same covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tierwise.config.model_spec import ArchetypeSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_QUICK_STARTS = 4


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
        k: How many clusters.
        mean_ari: Mean adjusted Rand index over the samples.
        jaccard: Mean best Jaccard overlap of each cluster, shape (k,).
        min_share: The smallest cluster's share of partners.
    """

    k: int
    mean_ari: float
    jaccard: Floats
    min_share: float


def distances(matrix: Floats, centres: Floats) -> Floats:
    """Return Euclidean distances, shape (n, k)."""
    squared = (matrix**2).sum(axis=1)[:, None] - 2 * matrix @ centres.T + (centres**2).sum(axis=1)[None, :]
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def kmeans(matrix: Floats, k: int, starts: int | Floats, seed: int) -> Clustering:
    """Fit KMeans from many random starts, or from given centres.

    It runs on one thread, so that sums do not depend on the machine.
    """
    given = not isinstance(starts, int)
    model = KMeans(k, init=starts if given else "k-means++", n_init=1 if given else starts, random_state=seed)
    with threadpool_limits(limits=1):
        model.fit(matrix)
    return Clustering(np.asarray(model.cluster_centers_, dtype=np.float64), float(model.inertia_))


def stability(matrix: Floats, clustering: Clustering, spec: ArchetypeSpec, rng: np.random.Generator) -> Stability:
    """Cluster bootstrap samples and compare each with the reference on all rows."""
    reference = clustering.labels(matrix)
    aris, overlaps = [], []
    for _ in range(spec.bootstraps):
        drawn = rng.integers(0, len(matrix), min(len(matrix), spec.stability_rows))
        again = kmeans(matrix[drawn], clustering.k, _QUICK_STARTS, int(rng.integers(2**31))).labels(matrix)
        aris.append(adjusted_rand_score(reference, again))
        overlaps.append(best_jaccard(reference, again, clustering.k))
    shares = np.bincount(reference, minlength=clustering.k) / len(matrix)
    return Stability(clustering.k, float(np.mean(aris)), np.mean(overlaps, axis=0), float(shares.min()))


def best_jaccard(reference: Ints, other: Ints, k: int) -> Floats:
    """Return for each reference cluster the greatest Jaccard overlap with any other cluster, shape (k,)."""
    return np.asarray(jaccard_matrix(reference, other, k, k).max(axis=1))


def jaccard_matrix(first: Ints, second: Ints, rows: int, columns: int) -> Floats:
    """Return the Jaccard overlap of every pair of clusters, shape (rows, columns)."""
    both = np.zeros((rows, columns))
    np.add.at(both, (first, second), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    return np.asarray(both / np.maximum(either, 1))


def candidates(matrix: Floats, spec: ArchetypeSpec, rng: np.random.Generator) -> list[tuple[Clustering, Stability]]:
    """Fit and judge every k that the number of distinct rows allows."""
    distinct = len(np.unique(matrix, axis=0))
    found = []
    for k in range(spec.k_min, min(spec.k_max, distinct - 1) + 1):
        clustering = kmeans(matrix, k, _QUICK_STARTS, int(rng.integers(2**31)))
        found.append((clustering, stability(matrix, clustering, spec, rng)))
    return found


def eligible(found: list[tuple[Clustering, Stability]], spec: ArchetypeSpec) -> list[tuple[Clustering, Stability]]:
    """Return the candidates that are nearly as stable as the best and have no tiny cluster, smallest k first."""
    large = [pair for pair in found if pair[1].min_share >= spec.min_share]
    best = max((pair[1].mean_ari for pair in large), default=0.0)
    return [pair for pair in large if pair[1].mean_ari >= spec.relative_stability * best]


def blob_p_value(matrix: Floats, clustering: Clustering, spec: ArchetypeSpec, rng: np.random.Generator) -> float:
    """Return how often one blob with the same covariance splits at least as well as the partners do.

    Continuous coordinates of the reference are Gaussian; a coordinate with two values (indicator, one-hot) is a
    Gaussian cut at the same share, so that a yes/no column alone never counts as structure.
    """
    observed = clustering.inertia / _total(matrix)
    drawn = (one_blob(matrix, rng) for _ in range(spec.null_draws))
    splits = [
        kmeans(blob, clustering.k, _QUICK_STARTS, int(rng.integers(2**31))).inertia / _total(blob) for blob in drawn
    ]
    return (1 + sum(split <= observed for split in splits)) / (1 + len(splits))


def one_blob(matrix: Floats, rng: np.random.Generator) -> Floats:
    """Draw one blob of the same size and covariance as the rows."""
    centred = matrix - matrix.mean(axis=0)
    draws = rng.standard_normal(matrix.shape) @ _root(np.cov(centred, rowvar=False, bias=True))
    for place in range(matrix.shape[1]):
        values, counts = np.unique(matrix[:, place], return_counts=True)
        if len(values) == 2:
            cut = np.quantile(draws[:, place], counts[0] / counts.sum())
            draws[:, place] = np.where(draws[:, place] > cut, values[1], values[0]) - matrix[:, place].mean()
    return np.asarray(draws)


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(np.atleast_2d(covariance))
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _total(matrix: Floats) -> float:
    return float(((matrix - matrix.mean(axis=0)) ** 2).sum()) or 1.0
