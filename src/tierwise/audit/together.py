"""Drift of all features together: can a classifier tell the rows of the training from those to be scored?

Tests of one feature at a time see nothing when only the way features go together changes. A ridge regression on
normal scores, their squares and products is trained to tell the two sides apart, its out-of-fold AUC is the statistic,
and labels are permuted to tell what chance reaches. The regression is linear in the labels, so all permutations cost
little more than one. Partners on both sides swap their two rows, the others change sides: that is what may be exchanged
where nothing drifted. Sources: Lopez-Paz & Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017; Kim, Ramdas,
Singh & Wasserman, "Classification accuracy as a proxy for two-sample testing", Annals of Statistics 49 (2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tierwise.config.model_spec import FeatureSet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PAIR_COLUMNS = ("feature", "other", "before", "after", "change")
_FOLDS = 5
_PENALTY_A_COLUMN = 20.0
_LEAST_SHARE, _MOST_LEVELS = 0.02, 20
_PAIRS_SHOWN = 10


@dataclass(frozen=True)
class Separation:
    """How well the two sides can be told apart.

    Attributes:
        auc: Out-of-fold area under the ROC curve; .5 is not at all.
        p_value: Share of label permutations that reach it.
        pairs: The pairs of metrics whose rank correlation changed most: `PAIR_COLUMNS`.
    """

    auc: float
    p_value: float
    pairs: pd.DataFrame


def separation(
    reference: pd.DataFrame, current: pd.DataFrame, features: FeatureSet, permutations: int, seed: int
) -> Separation:
    """Try to tell two sets of rows apart, one row per partner and side.

    Args:
        reference: Rows of the training.
        current: Rows to be scored.
        features: The columns; those that a side lacks are left out.
        permutations: How many; p-values are multiples of 1 / (permutations + 1).
        seed: Seed of folds and permutations.
    """
    rows = pd.concat([reference, current], ignore_index=True)
    side = np.repeat([0, 1], [len(reference), len(current)])
    names = [name for name in features.names if name in reference.columns and name in current.columns]
    levels = [name for name in features.attributes if name in reference.columns and name in current.columns]
    matrix = _expanded(rows, names, levels)
    partners = pd.factorize(rows["partner_id"].astype(str), sort=True)[0].astype(np.int64)
    rng = np.random.default_rng([seed, 11])
    labels = np.column_stack([side, _permuted(side, partners, permutations, rng)]).astype(np.float64)
    fold = rng.permutation(int(partners.max()) + 1)[partners] % _FOLDS
    with threadpool_limits(limits=1):  # sums must not depend on how many cores the machine has
        aucs = _aucs(_out_of_fold(matrix, labels, fold), labels)
    reached = int(np.sum(aucs[1:] >= aucs[0] - 1e-12))
    return Separation(float(aucs[0]), (1 + reached) / (1 + permutations), _pairs(reference, current, names))


def _expanded(rows: pd.DataFrame, names: list[str], levels: list[str]) -> Floats:
    """Normal scores with squares and products, indicators of missing values and of levels; centred, of unit spread."""
    scores = (
        np.column_stack([normal_scores(_values(rows, name)) for name in names]) if names else np.zeros((len(rows), 0))
    )
    first, second = np.triu_indices(len(names))
    columns = [scores, scores[:, first] * scores[:, second]]
    columns += [np.isnan(_values(rows, name)).astype(np.float64)[:, None] for name in names]
    for name in levels:
        text = rows[name].astype("object").fillna("unknown").astype(str)
        shares = text.value_counts(normalize=True).sort_index()
        known = shares[shares >= _LEAST_SHARE].index[:_MOST_LEVELS]
        columns += [np.asarray(text == level, dtype=np.float64)[:, None] for level in known]
    matrix = np.column_stack(columns)
    spread = matrix.std(axis=0)
    return np.asarray((matrix - matrix.mean(axis=0))[:, spread > 1e-9] / spread[spread > 1e-9])


def _values(rows: pd.DataFrame, name: str) -> Floats:
    values = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def normal_scores(values: Floats) -> Floats:
    """Return the normal quantiles of the ranks; 0 where unknown."""
    known = np.isfinite(values)
    scores = np.zeros(len(values))
    if known.any():
        scores[known] = special.ndtri((stats.rankdata(values[known]) - 0.5) / known.sum())
    return scores


def _permuted(side: Ints, partners: Ints, permutations: int, rng: np.random.Generator) -> Ints:
    """Draw labels, shape (n, permutations): pairs swap their sides or not, partners on one side only change places."""
    count = np.bincount(partners)
    paired = count[partners] == 2
    swaps = rng.integers(0, 2, (len(count), permutations))
    labels = np.abs(side[:, None] - swaps[partners])
    single = np.flatnonzero(~paired)
    labels[single] = rng.permuted(np.repeat(side[single][:, None], permutations, axis=1), axis=0)
    return np.asarray(labels, dtype=np.int64)


def _out_of_fold(matrix: Floats, labels: Floats, fold: Ints) -> Floats:
    """Return ridge predictions of every column of labels by the other folds, shape as labels."""
    predicted = np.empty_like(labels)
    gram, cross = matrix.T @ matrix, matrix.T @ (labels - labels.mean(axis=0))
    penalty = _PENALTY_A_COLUMN * matrix.shape[1] * np.eye(matrix.shape[1])
    for place in range(_FOLDS):
        held = fold == place
        own = matrix[held]
        without = gram - own.T @ own + penalty
        weights = np.linalg.solve(without, cross - own.T @ (labels[held] - labels.mean(axis=0)))
        predicted[held] = own @ weights
    return predicted


def _aucs(scores: Floats, labels: Floats) -> Floats:
    """Return the area under the ROC curve of each column; ties count half."""
    ranks = stats.rankdata(np.round(scores, 12), axis=0)
    positive = labels.sum(axis=0)
    negative = len(labels) - positive
    return np.asarray(((ranks * labels).sum(axis=0) - positive * (positive + 1) / 2) / (positive * negative))


def _pairs(reference: pd.DataFrame, current: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """The pairs whose rank correlation changed most, the largest change first."""
    before, after = (_correlations(frame, names) for frame in (reference, current))
    first, second = np.triu_indices(len(names), k=1)
    change = after[first, second] - before[first, second]
    order = np.argsort(-np.round(np.abs(change), 9), kind="stable")[:_PAIRS_SHOWN]
    rows = [
        (names[first[i]], names[second[i]], before[first[i], second[i]], after[first[i], second[i]], change[i])
        for i in order
        if change[i] != 0
    ]
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def _correlations(rows: pd.DataFrame, names: list[str]) -> Floats:
    scores = (
        np.column_stack([normal_scores(_values(rows, name)) for name in names]) if names else np.zeros((len(rows), 0))
    )
    centred = scores - scores.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    shaped = centred / np.where(spread > 1e-9, spread, np.inf)
    return np.asarray(shaped.T @ shaped / max(len(rows), 1))
