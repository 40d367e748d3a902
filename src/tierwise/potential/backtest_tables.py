"""The other tables of a back-test: calibration, coverage, error by segment, stability between retrains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.potential.backtest_bootstrap import Draws, weighted_mean
from tierwise.potential.backtest_scores import POOLED, coverage_parts, known_candidates, numbers
from tierwise.potential.scores import PLAIN_SCORES, calibration, deciles

Floats = NDArray[np.float64]
CALIBRATION_COLUMNS = (
    "origin", "candidate", "decile", "partners", "predicted", "actual", "actual_low", "actual_high"
)  # fmt: skip
COVERAGE_COLUMNS = (
    "origin", "source", "band", "partners", "coverage", "low", "high", "nominal", "width", "relative_width"
)  # fmt: skip
SEGMENTS_COLUMNS = (
    "segment", "level", "candidate", "partners", "mae", "mae_low", "mae_high", "bias", "total_ratio", "gini"
)  # fmt: skip
CURRENT_SIZE, TENURE = "current size", "tenure"
_YEAR_DAYS = 365


def calibration_table(predictions: pd.DataFrame, draws: Draws) -> pd.DataFrame:
    """Return mean prediction and mean actual value by tenth of the prediction, by review and pooled.

    Returns:
        Columns `CALIBRATION_COLUMNS`; the pooled rows are means over the reviews.
    """
    reviews = predictions.groupby("origin", sort=True)
    rows = [row for origin, part in reviews for row in _deciles(str(origin), part, draws)]
    frame = pd.DataFrame(rows, columns=list(CALIBRATION_COLUMNS))
    if frame.empty:
        return frame
    means = {name: (name, "mean") for name in ("predicted", "actual", "actual_low", "actual_high")}
    pooled = frame.groupby(["candidate", "decile"], as_index=False).agg(partners=("partners", "sum"), **means)
    return pd.concat([frame, pooled.assign(origin=POOLED)], ignore_index=True)[list(CALIBRATION_COLUMNS)]


def _deciles(origin: str, rows: pd.DataFrame, draws: Draws) -> Iterator[tuple[object, ...]]:
    actual, weights = numbers(rows, "actual"), draws.of_rows(rows["partner_id"])
    for candidate in known_candidates(rows):
        predicted = numbers(rows, candidate)
        place = deciles(predicted)
        for row in calibration(actual, predicted).itertuples():
            inside = place == row.decile
            spread = draws.range(weighted_mean(actual[inside], weights[:, inside]))
            yield origin, candidate, row.decile, row.partners, row.predicted, row.actual, *spread


def coverage_table(predictions: pd.DataFrame, draws: Draws, nominal: float) -> pd.DataFrame:
    """Return how often the interval held and how wide it was, by review, source and size band, and pooled.

    Args:
        predictions: With `source` and `band`, the size band whose calibration the interval has.
        draws: The bootstrap samples.
        nominal: The share that was promised.

    Returns:
        Columns `COVERAGE_COLUMNS`; `width` is the mean width in the target's unit, `relative_width` the mean width
        over the mean prediction. The pooled rows take all reviews' partners together.
    """
    known = predictions[predictions["low"].notna()]
    keys = ["origin", "source", "band"]
    groups = [(tuple(map(str, key[:2])), key[2], rows) for key, rows in known.groupby(keys, sort=True)]
    groups += [((POOLED, str(key[0])), key[1], rows) for key, rows in known.groupby(keys[1:], sort=True)]
    rows = [(*names, band, *_coverage(part, draws, nominal)) for names, band, part in groups]
    return pd.DataFrame(rows, columns=list(COVERAGE_COLUMNS))


def _coverage(rows: pd.DataFrame, draws: Draws, nominal: float) -> tuple[object, ...]:
    inside, width = coverage_parts(rows)
    spread = draws.range(weighted_mean(inside, draws.of_rows(rows["partner_id"])))
    centre = float(numbers(rows, "chosen").mean())
    relative = float(width.mean()) / centre if centre > 0 else float("nan")
    return len(rows), float(inside.mean()), *spread, nominal, float(width.mean()), relative


def segments_table(
    labelled: pd.DataFrame, predictions: pd.DataFrame, names: Sequence[str], draws: Draws
) -> pd.DataFrame:
    """Return every candidate's error by segment, over all reviews, columns `SEGMENTS_COLUMNS`.

    Args:
        labelled: The labelled snapshots, which hold the segments.
        predictions: The back-test's predictions.
        names: Columns of the snapshots, beside the current size (thirds of the target as of the day) and tenure.
        draws: The bootstrap samples.
    """
    if predictions.empty:
        return pd.DataFrame(columns=list(SEGMENTS_COLUMNS))
    wanted = list(dict.fromkeys([*names, CURRENT_SIZE, TENURE]))
    keyed = labelled.assign(origin=labelled["as_of"].dt.strftime("%Y-%m-%d"))
    keyed = keyed.assign(**{CURRENT_SIZE: _size(keyed), TENURE: _tenure(keyed)})
    joined = predictions.merge(keyed[["origin", "partner_id", *wanted]], on=["origin", "partner_id"], how="left")
    levels = {name: joined[name].astype("object").fillna("unknown").astype(str) for name in wanted}
    groups = [(name, str(level), rows) for name in wanted for level, rows in joined.groupby(levels[name], sort=True)]
    candidates = known_candidates(joined)
    found = [_segment(group, candidate, draws) for group, candidate in product(groups, candidates)]
    return pd.DataFrame(found, columns=list(SEGMENTS_COLUMNS))


def _size(labelled: pd.DataFrame) -> pd.Series:
    rank = labelled.groupby("as_of")["persistence"].rank(pct=True)
    return pd.cut(rank, [0, 1 / 3, 2 / 3, 1], labels=["small", "middle", "large"])


def _tenure(labelled: pd.DataFrame) -> pd.Series:
    edges, names = [-np.inf, _YEAR_DAYS, 3 * _YEAR_DAYS, np.inf], ["<1y", "1-3y", ">3y"]
    return pd.cut(labelled["tenure_days"], edges, labels=names)


def _segment(group: tuple[str, str, pd.DataFrame], candidate: str, draws: Draws) -> tuple[object, ...]:
    segment, level, rows = group
    rows = rows[rows[candidate].notna()]
    if rows.empty:
        return (segment, level, candidate, 0, *[float("nan")] * 6)
    actual, predicted = numbers(rows, "actual"), numbers(rows, candidate)
    error = np.abs(predicted - actual)
    spread = draws.range(weighted_mean(error, draws.of_rows(rows["partner_id"])))
    scores = [PLAIN_SCORES[name](actual, predicted) for name in ("total_ratio", "gini")]
    return (
        segment,
        level,
        candidate,
        len(rows),
        float(error.mean()),
        *spread,
        float((predicted - actual).mean()),
        *scores,
    )
