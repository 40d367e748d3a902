"""The reference that archetypes must beat: one blob that has all of the partners' metrics, but no groups.

KMeans splits anything: a long blob even splits stably, a square one and one with many zeros split better than a round
one. So a split counts only if it explains more than KMeans explains of blobs in which every metric has the partners'
own values (zeros and ties as they are, everything else with one peak at most) and goes together with the others as
theirs do, by one Gaussian. How a metric's zeros go together with its own values cannot be seen. So there are two such
blobs, one in which a zero is a value too low to show and one in which it is a matter of its own, and a split must beat
both. It is one test for all numbers of clusters, by the largest standardised gain over the mean of the blobs
(single-step maxT): trying seven numbers is not seven chances. Sources: Liu, Hayes, Nobel & Marron, JASA 103 (2008), for
the test against one blob; Silverman, JRSS B 43 (1981), for the least smoothing that leaves one peak; Westfall & Young,
"Resampling-based multiple testing" (1993), for maxT; Tobin, Econometrica 26 (1958), and Cragg, Econometrica 39 (1971),
for the two kinds of zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import binom

from tierwise.archetypes.clusters import kmeans
from tierwise.archetypes.one_peak import Peak, one_peak
from tierwise.config.model_spec import ArchetypeSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Groups = Sequence[Sequence[int]]
_STARTS = 2
_ROUNDS = 6
_LEAST_DRAWS = 2_000
_MOST_BATCHES = 8
_DOUBT = 0.05
_CLOSE_TO_ONE = 0.9999
_LEAST_PAIRS = 10


@dataclass(frozen=True)
class Split:
    """How a number of clusters compares with one blob.

    Attributes:
        gain: 1 - unexplained share / mean unexplained share of the blobs: 0 for a blob.
        p_value: Share of the blobs (with the partners among them) that split at least as well, by any number of
            clusters; adjusted for how many numbers were tried.

    Both are those of the kind of blob that the partners are less unlike.
    """

    gain: float
    p_value: float


def compare_with_blob(
    matrix: Floats,
    numbers: Sequence[int],
    spec: ArchetypeSpec,
    rng: np.random.Generator,
    groups: Groups | None = None,
) -> list[Split]:
    """Compare the partners' splits into each number of clusters with those of simulated blobs.

    Blobs of a kind are drawn in batches of `spec.null_draws` until the answer at `spec.null_level` is clear, eight at
    most.

    Args:
        matrix: Partners in the space, shape (n, d).
        numbers: Numbers of clusters.
        spec: Hyper-parameters.
        rng: The random stream.
        groups: The columns that describe one metric together; by default each column is a metric of its own.
    """
    if not len(numbers):
        return []
    groups = groups or [[place] for place in range(matrix.shape[1])]
    observed = _unexplained(matrix, numbers, rng)
    kinds = [False, True] if any(_zeros_apart(matrix[:, list(columns)]) for columns in groups) else [False]
    found = [_compare(observed, Blob.of(matrix, groups, rng, censored), numbers, spec, rng) for censored in kinds]
    gains, p_values = (np.array(part) for part in zip(*found, strict=True))
    return [
        Split(float(gain), float(p_value))
        for gain, p_value in zip(gains.min(axis=0), p_values.max(axis=0), strict=True)
    ]


def _compare(
    observed: Floats, blob: Blob, numbers: Sequence[int], spec: ArchetypeSpec, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return gain and p-value of each number of clusters against blobs of one kind."""
    blobs = np.zeros((0, len(numbers)))
    for _ in range(_MOST_BATCHES):
        more = np.array([_unexplained(blob.draw(rng), numbers, rng) for _ in range(spec.null_draws)])
        blobs = np.concatenate((blobs, more))
        as_good = _as_good(observed, blobs)
        if _clear(int(as_good.min()), len(blobs), spec.null_level):
            break
    return 1 - observed / np.maximum(blobs.mean(axis=0), 1e-12), (1 + as_good) / (1 + len(blobs))


def _as_good(observed: Floats, blobs: Floats) -> Ints:
    """Count the blobs whose greatest standardised gain reaches that of each number of clusters."""
    spread = np.maximum(blobs.std(axis=0), 1e-12)
    mine, theirs = (blobs.mean(axis=0) - observed) / spread, (blobs.mean(axis=0) - blobs) / spread
    return np.asarray((theirs.max(axis=1)[:, None] >= mine).sum(axis=0))


def _clear(as_good: int, draws: int, level: float) -> bool:
    """Whether more draws would hardly move the p-value to the other side of the level."""
    below, above = binom.cdf(as_good, draws, level), binom.sf(as_good - 1, draws, level)
    return bool(min(below, above) < _DOUBT)


@dataclass(frozen=True)
class Margin:
    """One metric (or attribute) of the blob: which state a partner is in, and which value where it has one.

    Attributes:
        columns: Its columns of the matrix.
        states: Rows of its columns in order: absent, unknown, present; or an attribute's levels; shape (n, columns).
        present: Which of them have a value, shape (n,).
        peak: How values are drawn; None where there are none.
    """

    columns: tuple[int, ...]
    states: Floats
    present: Bools
    peak: Peak | None

    def place(self, drawn: Floats, latent: Floats, uniform: Floats) -> None:
        """Put rows into the matrix by the ranks of the latent state and value, shape (n, 2); values from `uniform`."""
        ranks = np.argsort(np.argsort(latent[:, 0]))
        rows = self.states[ranks]
        if self.peak is not None:
            with_value = self.present[ranks]
            order = np.argsort(np.argsort(latent[with_value, 1]))
            rows[with_value, -1] = self.peak.draw(uniform)[order]
        drawn[:, list(self.columns)] = rows


@dataclass(frozen=True)
class Blob:
    """One blob: margins of the metrics, joined by one Gaussian.

    Attributes:
        shape: Of the matrix it stands in for.
        margins: One per metric or attribute.
        root: Square root of the Gaussian's correlations; two variables a margin, its state and its value.
    """

    shape: tuple[int, int]
    margins: tuple[Margin, ...]
    root: Floats

    @staticmethod
    def of(matrix: Floats, groups: Groups, rng: np.random.Generator, censored: bool = False) -> Blob:
        """Learn a blob from rows; `censored` if the zeros of a metric are its lowest values."""
        along = _longest(matrix)
        margins, scores, one = [], [], []
        for columns in groups:
            part = matrix[:, list(columns)]
            present = _present(part)
            order = _order(part, present, along)
            states = part[order]
            values = np.sort(part[present, -1])
            margins.append(Margin(tuple(columns), states, present[order], one_peak(values) if len(values) else None))
            scores += [_state_scores(part, present, order), np.where(present, part[:, -1], np.nan)]
            one.append(censored and _zeros_apart(part))
        known = np.column_stack(scores)
        found = _correlations(known, _as_drawn(known, margins), np.array(one), rng)
        return Blob(matrix.shape, tuple(margins), _root(found))

    def draw(self, rng: np.random.Generator) -> Floats:
        """Draw as many rows."""
        drawn = np.zeros(self.shape)
        latent = rng.standard_normal((self.shape[0], 2 * len(self.margins))) @ self.root
        uniform = np.sort(rng.random(self.shape[0]))
        for number, margin in enumerate(self.margins):
            margin.place(drawn, latent[:, 2 * number : 2 * number + 2], uniform)
        return drawn


def _present(part: Floats) -> Bools:
    """Tell which rows have a value of their own: not absent, not unknown (the exact centre), not a level."""
    if _nominal(part):
        return np.zeros(len(part), dtype=bool)
    if part.shape[1] == 2:
        return np.asarray(part[:, 0] == part[:, 0].max())
    unknown = part[:, 0] == 0
    return ~unknown if unknown.sum() > 1 else np.ones(len(part), dtype=bool)


def _zeros_apart(part: Floats) -> bool:
    """Whether it is a metric with a state (zero or not) beside its values."""
    return part.shape[1] == 2 and not _nominal(part)


def _nominal(part: Floats) -> bool:
    """Whether all columns have two values: the levels of an attribute, or a yes/no."""
    return not ((part - part.min(axis=0)) * (part - part.max(axis=0))).any()


def _order(part: Floats, present: Bools, along: Floats) -> Ints:
    """Return the order of states: levels along the blob's longest axis, else absent, unknown, present."""
    state = np.where(present, np.inf, part[:, 0] if part.shape[1] == 2 else 0.0)
    if _nominal(part):
        _, level = np.unique(part, axis=0, return_inverse=True)
        state = (np.bincount(level, along) / np.bincount(level))[level]
    return np.lexsort((part[:, -1], state))


def _longest(matrix: Floats) -> Floats:
    """Return the rows' places along the first principal axis, shape (n,)."""
    centred = matrix - matrix.mean(axis=0)
    return np.asarray(centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1])


def _state_scores(part: Floats, present: Bools, order: Ints) -> Floats:
    """Return normal scores of the states, the same for equal ones, shape (n,)."""
    key = np.column_stack((part[:, :-1] if not _nominal(part) else part, present))[order]
    run = np.cumsum(np.concatenate(([False], (key[1:] != key[:-1]).any(axis=1))))
    scores = ndtri((np.arange(len(part)) + 0.5) / len(part))
    back = np.empty(len(part))
    back[order] = (np.bincount(run, scores) / np.bincount(run))[run]
    return back


def _as_drawn(scores: Floats, margins: Sequence[Margin]) -> Floats:
    """Return each column in order as a blob has it, holes last: values with one peak, evenly spread over it."""
    ordered = np.sort(scores, axis=0)
    even = (np.arange(len(scores)) + 0.5) / len(scores)
    for number, margin in enumerate(margins):
        if margin.peak is not None:
            ordered[: margin.present.sum(), 2 * number + 1] = margin.peak.draw(even)
    return ordered


def _correlations(scores: Floats, ordered: Floats, one: Bools, rng: np.random.Generator) -> Floats:
    """Find correlations of a Gaussian that give the blob's states and values the correlations of the partners' own.

    Ties, holes, one peak and the ranks of few partners change what is seen of a correlation. Each round adds what
    samples of as many partners still lack. What cannot be seen at all (a metric's state and its value) is either left
    as the other correlations allow it, or the two are one.

    Args:
        scores: State and value of each margin in turn, NaN where there is no value, shape (n, 2 margins).
        ordered: The same columns in order as a blob has them.
        one: For which margins state and value are one, shape (margins,).
        rng: The random stream.
    """
    counts = np.isfinite(scores).sum(axis=0)
    wanted, known = _pairwise(scores)
    draws = rng.standard_normal((-(-_LEAST_DRAWS // len(scores)) * len(scores), scores.shape[1]))
    found, states = wanted, 2 * np.flatnonzero(one)
    for _ in range(_ROUNDS):
        root = _root(found)
        drawn, possible = draws @ root, root.T @ root
        seen = _pairwise(_as_seen(drawn, ordered, counts))[0] - (np.corrcoef(drawn, rowvar=False) - possible)
        moved = np.clip(found + wanted - seen, -_CLOSE_TO_ONE, _CLOSE_TO_ONE)
        found = np.where(known, moved, possible)
        found[states, states + 1] = found[states + 1, states] = _CLOSE_TO_ONE
        np.fill_diagonal(found, 1.0)
    return found


def _as_seen(drawn: Floats, ordered: Floats, counts: Ints) -> Floats:
    """Give samples of simulated rows the partners' states and values: values only where the state is the highest."""
    samples = drawn.reshape(-1, *ordered.shape)
    ranks, seen = _ranks(samples), np.full(samples.shape, np.nan)
    for place in range(0, drawn.shape[1], 2):
        seen[:, :, place] = ordered[ranks[:, :, place], place]
        count = counts[place + 1]
        if count:
            with_value = ranks[:, :, place] >= len(ordered) - count
            among = _ranks(np.where(with_value, samples[:, :, place + 1], np.inf))
            values = ordered[np.minimum(among, count - 1), place + 1]
            seen[:, :, place + 1] = np.where(with_value, values, np.nan)
    return seen.reshape(drawn.shape)


def _ranks(samples: Floats) -> Ints:
    """Return ranks from 0 within each sample, along the second axis."""
    return np.asarray(samples.argsort(axis=1).argsort(axis=1), dtype=np.int64)


def _pairwise(scores: Floats) -> tuple[Floats, Bools]:
    """Return correlations over the rows in which both are there, and which of them are known; 0 where not."""
    there = np.isfinite(scores).astype(np.float64)
    filled = np.where(there > 0, scores, 0.0)
    pairs = there.T @ there
    count = np.maximum(pairs, 1.0)
    means = filled.T @ there / count
    squares = (filled**2).T @ there / count - means**2
    both = filled.T @ filled / count - means * means.T
    spread = np.sqrt(np.maximum(squares, 0) * np.maximum(squares.T, 0))
    known = (pairs >= _LEAST_PAIRS) & (spread > 1e-6)
    found = np.where(known, both / np.where(known, spread, 1.0), 0.0)
    np.fill_diagonal(found, 1.0)
    return found, known


def _unexplained(matrix: Floats, numbers: Sequence[int], rng: np.random.Generator) -> Floats:
    total = float(((matrix - matrix.mean(axis=0)) ** 2).sum()) or 1.0
    return np.array([kmeans(matrix, k, _STARTS, int(rng.integers(2**31))).inertia / total for k in numbers])


def _root(correlations: Floats) -> Floats:
    """Return the symmetric root of the nearest correlations that a Gaussian can have."""
    values, vectors = np.linalg.eigh(correlations)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return np.asarray(root / np.sqrt((root**2).sum(axis=0)))
