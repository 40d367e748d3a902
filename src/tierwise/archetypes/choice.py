"""Choose the number of archetypes, or none.

Numbers qualify whose clusters are found again nearly as well as the best (mean bootstrap ARI), that split the partners
better than one blob, and that leave no tiny cluster. Among them the largest would still cut true groups in two, so the
smallest wins that keeps nine tenths of the greatest gain over one blob. Never by silhouette, which rises as the answer
gets worse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes.blob import Groups, Split, compare_with_blob
from tierwise.archetypes.clusters import QUICK_STARTS, Clustering, Stability, kmeans, stability
from tierwise.config.model_spec import ArchetypeSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STABILITY_COLUMNS = ("k", "mean_ari", "least_jaccard", "min_share", "gain_over_blob", "p_value")
_WARM_START_SLACK = 1.02
_LEAST_ARCHETYPES = 2


@dataclass(frozen=True)
class Candidate:
    """One number of clusters with its figures."""

    clustering: Clustering
    stability: Stability
    split: Split

    @property
    def k(self) -> int:
        """How many clusters."""
        return self.clustering.k

    def row(self) -> tuple[object, ...]:
        """Return the figures in the order of `STABILITY_COLUMNS`."""
        found = self.stability
        return (
            self.k, found.mean_ari, float(found.jaccard.min()), found.min_share, self.split.gain, self.split.p_value
        )  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """The clustering that was chosen, or why none was.

    Attributes:
        reason: A code of `tierwise.archetypes.model.REASONS`.
        clustering: What was chosen; None where nothing is supported.
        stability: Its stability.
        p_value: How often one blob splits as well, by any number of clusters: of the choice, else the least of all.
        table: Columns `STABILITY_COLUMNS`, one row per number of clusters tried.
    """

    reason: str
    clustering: Clustering | None = None
    stability: Stability | None = None
    p_value: float = float("nan")
    table: pd.DataFrame | None = None


def choose(matrix: Floats, old: Ints | None, spec: ArchetypeSpec, seed: int, groups: Groups | None = None) -> Choice:
    """Choose among all numbers of clusters.

    Args:
        matrix: Partners in the space, shape (n, d).
        old: The archetype that the version in force gives each partner, -1 for none; None without such a version.
        spec: Hyper-parameters.
        seed: Seed of every random step.
        groups: The columns that describe one metric or attribute together; by default each column alone.
    """
    if len(matrix) < spec.min_partners:
        return Choice("too_few_partners")
    if matrix.shape[1] == 0:
        return Choice("no_usable_features")
    rng = np.random.default_rng(seed)
    sample = _sample(matrix, spec, rng)
    found = _candidates(sample, spec, rng, groups)
    table = pd.DataFrame([candidate.row() for candidate in found], columns=list(STABILITY_COLUMNS))
    reason, supported = _supported(found, spec)
    if not supported:
        least = min((candidate.split.p_value for candidate in found), default=float("nan"))
        return Choice(reason, p_value=least, table=table)
    chosen = supported[0]
    clustering = kmeans(sample, chosen.k, spec.starts, int(rng.integers(2**31)))
    clustering = _warm(sample, matrix, old, clustering, [candidate.k for candidate in supported])
    split = next(candidate.split for candidate in supported if candidate.k == clustering.k)
    stable = stability(sample, clustering, spec, rng)
    if (stable.jaccard >= spec.tentative_from).sum() < _LEAST_ARCHETYPES:
        return Choice("unstable", p_value=split.p_value, table=table)
    return Choice("supported", clustering, stable, split.p_value, table)


def _sample(matrix: Floats, spec: ArchetypeSpec, rng: np.random.Generator) -> Floats:
    """Return the rows in an order that depends on their content alone, thinned to what the fit may see."""
    ordered = matrix[np.lexsort(np.round(matrix, 9).T)]
    if len(ordered) <= spec.fit_rows:
        return ordered
    return ordered[np.sort(rng.choice(len(ordered), spec.fit_rows, replace=False))]


def _candidates(
    matrix: Floats, spec: ArchetypeSpec, rng: np.random.Generator, groups: Groups | None
) -> list[Candidate]:
    """Fit and judge every number of clusters that the number of distinct rows allows."""
    distinct = len(np.unique(matrix, axis=0))
    numbers = range(spec.k_min, min(spec.k_max, distinct - 1) + 1)
    thin = matrix[:: -(-len(matrix) // spec.stability_rows)]
    splits = compare_with_blob(thin, numbers, spec, rng, groups)
    clusterings = [kmeans(matrix, k, QUICK_STARTS, int(rng.integers(2**31))) for k in numbers]
    return [
        Candidate(clustering, stability(matrix, clustering, spec, rng), split)
        for clustering, split in zip(clusterings, splits, strict=True)
    ]


def _supported(found: list[Candidate], spec: ArchetypeSpec) -> tuple[str, list[Candidate]]:
    """Return the supported candidates, fewest clusters first, or the reason why there are none."""
    beating = [c for c in found if c.split.p_value <= spec.null_level and c.split.gain >= spec.null_gain]
    if not beating:
        return "one_blob", []
    large = [c for c in beating if c.stability.min_share >= spec.min_share]
    if not large:
        return "tiny_clusters", []
    best = max(c.stability.mean_ari for c in large)
    if best < spec.min_stability:
        return "unstable", []
    stable = [c for c in large if c.stability.mean_ari >= spec.relative_stability * best]
    most = max(c.split.gain for c in stable)
    return "supported", [c for c in stable if c.split.gain >= spec.relative_gain * most]


def _warm(sample: Floats, matrix: Floats, old: Ints | None, fresh: Clustering, allowed: list[int]) -> Clustering:
    """Prefer the clustering that starts from the version in force, as long as it fits nearly as well."""
    if old is None:
        return fresh
    groups = [matrix[old == place] for place in np.unique(old[old >= 0])]
    if len(groups) not in allowed:
        return fresh
    warm = kmeans(sample, len(groups), np.array([group.mean(axis=0) for group in groups]), 0)
    return warm if fresh.k != warm.k or warm.inertia <= _WARM_START_SLACK * fresh.inertia else fresh
