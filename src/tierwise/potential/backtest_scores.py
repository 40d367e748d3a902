"""How well each candidate did: scores per past review and pooled, and gains over persistence, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.potential.backtest_bootstrap import WEIGHTED, Draws, weighted_mean, weighted_ratio, weighted_spearman
from tierwise.potential.intervals import log_scale
from tierwise.potential.scores import PLAIN_SCORES, skill_on_change, spearman

Floats = NDArray[np.float64]
CANDIDATES = ("persistence", "run_rate", "glm", "trees", "model", "chosen")
POOLED = "all"
SCORES_COLUMNS = ("origin", "candidate", "score", "value", "low", "high", "partners")
GAINS_COLUMNS = ("origin", "candidate", "gain", "low", "high", "probability", "partners")
_RANKINGS = tuple(name for name in WEIGHTED if name != "mae")
_AMOUNTS = ("persistence", "run_rate", "median")


@dataclass(frozen=True)
class Scored:
    """One figure at one past review: its value, its bootstrap draws, and how many partners it is about."""

    value: float
    draws: Floats
    partners: int


Found = dict[tuple[str, str], dict[str, Scored]]
"""By candidate and score, then by origin."""


def known_candidates(predictions: pd.DataFrame) -> list[str]:
    """Return the candidates that predict anything there."""
    return [name for name in CANDIDATES if predictions[name].notna().any()]


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column as float64, shape (n,)."""
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def score_all(predictions: pd.DataFrame, draws: Draws) -> Found:
    """Score every candidate at every past review.

    Args:
        predictions: The back-test's predictions: `origin`, `partner_id`, `actual`, the candidates, `median`, `low`,
            `high`.
        draws: The bootstrap samples.
    """
    found: Found = {}
    for origin, rows in predictions.groupby("origin", sort=True):
        for candidate, score, scored in _score_review(rows, draws.of_rows(rows["partner_id"])):
            found.setdefault((candidate, score), {})[str(origin)] = scored
    return found


def _score_review(rows: pd.DataFrame, weights: Floats) -> Iterator[tuple[str, str, Scored]]:
    actual, count = numbers(rows, "actual"), len(rows)
    for candidate in known_candidates(rows):
        predicted = numbers(rows, candidate)
        for score in _RANKINGS:
            value = PLAIN_SCORES[score](actual, predicted)
            yield candidate, score, Scored(value, WEIGHTED[score](actual, predicted, weights), count)
        if candidate != "persistence":
            yield candidate, "skill_on_change", _skill(rows, predicted, weights)
    for candidate in _AMOUNTS:
        error = np.abs(actual - numbers(rows, candidate))
        yield candidate, "mae", Scored(float(error.mean()), weighted_mean(error, weights), count)
    yield from _intervals(rows, weights)


def _skill(rows: pd.DataFrame, predicted: Floats, weights: Floats) -> Scored:
    actual, persistence = numbers(rows, "actual"), numbers(rows, "persistence")
    unit = log_scale(actual).unit
    before = np.log1p(persistence / unit)
    changes = [np.round(np.log1p(values / unit) - before, 12) for values in (actual, predicted)]
    value = skill_on_change(actual, predicted, persistence, unit)
    return Scored(value, weighted_spearman(changes[0], changes[1], weights), len(rows))


def _intervals(rows: pd.DataFrame, weights: Floats) -> Iterator[tuple[str, str, Scored]]:
    """Yield coverage and relative width of what was chosen, over the partners that had an interval."""
    known = rows["low"].notna().to_numpy()
    if not known.any():
        return
    inside, width = coverage_parts(rows[known])
    centre, weights = numbers(rows[known], "chosen"), weights[:, known]
    yield "chosen", "coverage", Scored(float(inside.mean()), weighted_mean(inside, weights), int(known.sum()))
    if centre.sum() > 0:
        relative = float(width.sum() / centre.sum())
        yield "chosen", "relative_width", Scored(relative, weighted_ratio(width, centre, weights), int(known.sum()))


def coverage_parts(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return for each row whether the actual value fell into the interval (1 or 0), and how wide the interval was."""
    actual, low, high = (numbers(rows, name) for name in ("actual", "low", "high"))
    slack = 1e-9 * np.maximum(1.0, actual)
    return ((actual >= low - slack) & (actual <= high + slack)).astype(np.float64), high - low


def scores_table(found: Found, draws: Draws) -> pd.DataFrame:
    """Lay the scores out, by review and pooled, columns `SCORES_COLUMNS`."""
    rows = [
        (origin, *what, scored.value, *draws.range(scored.draws), scored.partners)
        for origin, group in _by_origin(found)
        for what, scored in group
    ]
    rows += [
        (POOLED, *what, pooled.value, *draws.range(pooled.draws), pooled.partners)
        for what, parts in common(found).items()
        for pooled in [pool(list(parts.values()))]
    ]
    return pd.DataFrame(rows, columns=list(SCORES_COLUMNS))


def _by_origin(found: Found) -> list[tuple[str, list[tuple[tuple[str, str], Scored]]]]:
    origins = sorted({origin for parts in found.values() for origin in parts})
    return [(origin, [(what, parts[origin]) for what, parts in found.items() if origin in parts]) for origin in origins]


def common(found: Mapping[tuple[str, str], Mapping[str, Scored]]) -> Found:
    """Keep the origins at which every candidate could be scored, so that pooled figures compare like with like."""
    ginis = [set(parts) for (_, score), parts in found.items() if score == "gini"]
    shared = set.intersection(*ginis) if ginis else set()
    kept = {key: {origin: part for origin, part in parts.items() if origin in shared} for key, parts in found.items()}
    return {key: parts for key, parts in kept.items() if parts}


def pool(parts: Sequence[Scored]) -> Scored:
    """Return the mean over past reviews."""
    draws = np.mean([part.draws for part in parts], axis=0)
    return Scored(float(np.mean([part.value for part in parts])), draws, sum(part.partners for part in parts))


def gains_table(found: Found, draws: Draws) -> pd.DataFrame:
    """Return each candidate's gain of normalised Gini over persistence, by review and pooled.

    Returns:
        Columns `GAINS_COLUMNS`; `probability` is the share of bootstrap samples with a gain, ties counted half.
    """
    ginis: Found = {key: parts for key, parts in found.items() if key[1] == "gini"}
    pooled: Found = {key: {POOLED: pool(list(parts.values()))} for key, parts in common(ginis).items()}
    rows = []
    for source in (ginis, pooled):
        baseline = source.get(("persistence", "gini"), {})
        for (candidate, _), parts in source.items():
            rows += [
                (origin, candidate, *gain(part, baseline[origin], draws), part.partners)
                for origin, part in parts.items()
                if candidate != "persistence" and origin in baseline
            ]
    frame = pd.DataFrame(rows, columns=list(GAINS_COLUMNS))
    return frame.sort_values(["origin", "candidate"], kind="stable", ignore_index=True)


def gain(better: Scored, baseline: Scored, draws: Draws) -> tuple[float, float, float, float]:
    """Return the difference of two figures, its paired interval, and the probability that it is above 0."""
    difference = better.draws - baseline.draws
    known = difference[np.isfinite(difference)]
    probability = float(np.mean((known > 0) + 0.5 * (known == 0))) if len(known) else float("nan")
    return better.value - baseline.value, *draws.range(difference), probability


def rank_agreement(earlier: Floats, later: Floats, weights: Floats) -> Scored:
    """Return how alike two retrains rank the same partners (Spearman)."""
    return Scored(spearman(earlier, later), weighted_spearman(earlier, later, weights), len(later))
