"""The rolling-origin back-test: what would have been predicted at each past review, beside what happened.

At every tested origin the whole training runs again on what was closed by then (gate included), so the candidate
`chosen` is what scoring would have shown. Baselines stand in every table; figures come with bootstrap intervals over
partners, drawn once, so that any two can be paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, PotentialSpec
from tierwise.potential.backtest_bootstrap import Draws
from tierwise.potential.backtest_scores import (
    CANDIDATES,
    GAINS_COLUMNS,
    POOLED,
    SCORES_COLUMNS,
    gains_table,
    numbers,
    rank_agreement,
    score_all,
    scores_table,
)
from tierwise.potential.backtest_tables import (
    CALIBRATION_COLUMNS,
    COVERAGE_COLUMNS,
    SEGMENTS_COLUMNS,
    calibration_table,
    coverage_table,
    segments_table,
)
from tierwise.potential.blend import Blend, fit_blend
from tierwise.potential.bounds import of_some_partners, varies
from tierwise.potential.folds import Fold, fold_at
from tierwise.potential.intervals import NOTHING
from tierwise.potential.leaks import COLUMNS as LEAKS_COLUMNS
from tierwise.potential.leaks import find_leaks, merged_leaks, model_leak, with_moved
from tierwise.potential.model import PotentialModel
from tierwise.potential.predict import predict, predict_median
from tierwise.potential.snapshots import check_columns, closed, current_value, origins, run_rate
from tierwise.potential.train import train

__all__ = ["CANDIDATES", "COLUMNS", "POOLED", "Backtest", "backtest"]

Floats = NDArray[np.float64]
COLUMNS = {
    "scores": SCORES_COLUMNS,
    "gains": GAINS_COLUMNS,
    "calibration": CALIBRATION_COLUMNS,
    "coverage": COVERAGE_COLUMNS,
    "segments": SEGMENTS_COLUMNS,
    "gate": (
        "origin", "chosen", "reason", "probability", "gini_model", "gini_persistence", "partners", "training_rows"
    ),
    "stability": ("origin", "earlier", "candidate", "partners", "spearman", "low", "high"),
    "leaks": LEAKS_COLUMNS,
    "predictions": (
        "origin", "partner_id", "actual", *CANDIDATES, "median", "low", "high", "source", "band", "moved",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Backtest:
    """Everything the back-test found, as tables; nothing is drawn here. Intervals are bootstrap ones over partners.

    Attributes:
        scores: origin (ISO date, or `all` for the mean over the origins at which every candidate could be scored),
            candidate, score, value, low, high, partners.
        gains: origin, candidate, gain of normalised Gini over persistence, low, high, probability, partners.
        calibration: origin, candidate, decile, partners, predicted, actual, actual_low, actual_high.
        coverage: origin, source, band, partners, coverage, low, high, nominal, width, relative_width.
        segments: segment, level, candidate, partners, mae, mae_low, mae_high, bias, total_ratio, gini; all origins.
        gate: origin, chosen, reason, probability, gini_model, gini_persistence, partners, training_rows.
        stability: origin, earlier, candidate, partners, spearman, low, high: the same partners ranked by two
            successive retrains.
        leaks: What the guards against leaks looked at, see `tierwise.potential.leaks`.
        predictions: origin, partner_id, actual, one column per candidate, median, low, high, source, band (the size
            band of the interval, -1 for nothing), moved (what the model says with the figures of the next review; for
            the guards).
    """

    scores: pd.DataFrame
    gains: pd.DataFrame
    calibration: pd.DataFrame
    coverage: pd.DataFrame
    segments: pd.DataFrame
    gate: pd.DataFrame
    stability: pd.DataFrame
    leaks: pd.DataFrame
    predictions: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all tables by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class _Tested:
    """One origin: its fold, the model trained as of it, and the predictions."""

    fold: Fold
    model: PotentialModel
    blend: Blend | None
    predictions: pd.DataFrame

    @property
    def name(self) -> str:
        return self.fold.origin.date().isoformat()


def backtest(
    snapshots: pd.DataFrame,
    features: FeatureSet,
    spec: PotentialSpec,
    as_of: pd.Timestamp,
    seed: int,
    segments: Sequence[str] = (),
) -> Backtest:
    """Test the last completed reviews one after another, each with a model trained on what was closed by then.

    Args:
        snapshots: See `tierwise.potential.snapshots`.
        features: The columns the models may use.
        spec: Hyper-parameters; `spec.backtest` says how many origins.
        as_of: Only labels closed by this date are used.
        seed: Seed of every random step.
        segments: Columns of the snapshots by which the error is cut, beside size and tenure.

    Raises:
        InvalidInput: If a column is missing or a label is infinite.
    """
    check_columns(snapshots, features, labelled=True)
    leaks = find_leaks(snapshots, features, spec.leaks, as_of, seed)
    snapshots = of_some_partners(snapshots, spec.backtest.partners, np.random.default_rng([seed, 9]))
    labelled = closed(snapshots, as_of)
    tested = [
        _test(snapshots, fold_at(labelled, origin), (features, spec, seed))
        for origin in origins(labelled)[-spec.backtest.origins :]
    ]
    predictions = _stack([one.predictions for one in tested])
    if predictions.empty:
        return _nothing(leaks)
    rng = np.random.default_rng([seed, 2])
    draws = Draws.of(predictions["partner_id"], spec.backtest.bootstraps, spec.backtest.confidence, rng)
    found = score_all(predictions, draws)
    return Backtest(
        scores=scores_table(found, draws),
        gains=gains_table(found, draws),
        calibration=calibration_table(predictions, draws),
        coverage=coverage_table(predictions, draws, spec.intervals.coverage),
        segments=segments_table(labelled, predictions, segments, draws),
        gate=_frame("gate", [_gate_row(one) for one in tested]),
        stability=_stability(tested, draws),
        leaks=merged_leaks(model_leak(predictions, spec.leaks, seed), leaks),
        predictions=predictions,
    )


def _nothing(leaks: pd.DataFrame) -> Backtest:
    empty = {name: _frame(name, []) for name in COLUMNS}
    return Backtest(**{**empty, "leaks": leaks})


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True)[list(COLUMNS["predictions"])] if kept else _frame("predictions", [])


def _frame(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS[name]))


def _test(snapshots: pd.DataFrame, fold: Fold, how: tuple[FeatureSet, PotentialSpec, int]) -> _Tested:
    features, spec, seed = how
    model = train(snapshots, features, spec, fold.origin, seed)
    blend = model.blend or (
        fit_blend(fold.training, features, spec, seed) if _trainable(fold, features, spec) else None
    )
    predictions = _predictions(fold, model, blend)
    return _Tested(fold, model, blend, predictions.assign(moved=_moved(snapshots, fold, model, blend)))


def _trainable(fold: Fold, features: FeatureSet, spec: PotentialSpec) -> bool:
    """Whether a model can be fitted at all, also where the gate would not take it."""
    rows = fold.training
    usable = any(varies(rows[name], unknown_counts=False) for name in features.names)
    return len(rows) >= spec.training_rows and usable and bool(rows["label"].sum() > 0)


def _predictions(fold: Fold, model: PotentialModel, blend: Blend | None) -> pd.DataFrame:
    rows = fold.test
    chosen = predict(model, rows)
    frame = pd.DataFrame({"origin": fold.origin.date().isoformat(), "partner_id": rows["partner_id"]})
    frame["actual"] = rows["label"]
    frame["persistence"] = current_value(rows, model.features.target)
    unknown = np.full(len(rows), np.nan)
    frame["run_rate"] = run_rate(rows, model.features.target)
    scale = np.exp(blend.offset) if blend else 1.0
    frame["glm"] = np.exp(blend.glm.log_prediction(rows)) * scale if blend else unknown
    frame["trees"] = np.exp(blend.trees.raw(rows)) * scale if blend else unknown
    frame["model"] = blend.predict(rows) if blend else unknown
    frame["chosen"] = chosen["potential"]
    frame["median"] = predict_median(model, rows)
    frame[["low", "high"]] = chosen[["potential_low", "potential_high"]]
    frame["source"] = chosen["potential_source"]
    return frame.assign(band=_bands_of(model, frame["source"], numbers(frame, "chosen")))


def _moved(snapshots: pd.DataFrame, fold: Fold, model: PotentialModel, blend: Blend | None) -> Floats:
    if blend is None:
        return np.full(len(fold.test), np.nan)
    features = model.features
    moved, known = with_moved(fold.test, snapshots, [*features.names, features.target])
    return np.where(known, blend.predict(moved), np.nan)


def _bands_of(model: PotentialModel, sources: pd.Series, centre: Floats) -> NDArray[np.int64]:
    bands = np.zeros(len(centre), dtype=np.int64)
    for source in sources.unique():
        own = (sources == source).to_numpy()
        table = model.bands[model.bands["source"] == source]
        place = np.searchsorted(table["from_value"].to_numpy(), centre[own], side="right") - 1
        bands[own] = table["band"].to_numpy()[place] if len(table) else NOTHING
    return bands


def _gate_row(one: _Tested) -> dict[str, object]:
    gate = one.model.gate
    return {
        "origin": one.name, "chosen": one.model.source, "reason": gate.reason, "probability": gate.probability,
        "gini_model": gate.gini_model, "gini_persistence": gate.gini_persistence, "partners": gate.partners,
        "training_rows": len(one.fold.training),
    }  # fmt: skip


def _stability(tested: Sequence[_Tested], draws: Draws) -> pd.DataFrame:
    return _frame("stability", [row for pair in pairwise(tested) for row in _agreements(*pair, draws)])


def _agreements(earlier: _Tested, later: _Tested, draws: Draws) -> list[dict[str, object]]:
    """Compare what a model and its successor say of the same partners on the successor's review."""
    rows, now = later.fold.test, later.predictions
    pairs = {"chosen": (predict(earlier.model, rows)["potential"].to_numpy(), numbers(now, "chosen"))}
    if earlier.blend is not None and later.blend is not None:
        pairs["model"] = (earlier.blend.predict(rows), numbers(now, "model"))
    weights = draws.of_rows(now["partner_id"])
    found = []
    for candidate, (before, after) in pairs.items():
        agreement = rank_agreement(before, after, weights)
        low, high = draws.range(agreement.draws)
        found.append(
            {
                "origin": later.name, "earlier": earlier.name, "candidate": candidate, "partners": len(now),
                "spearman": agreement.value, "low": low, "high": high,
            }
        )  # fmt: skip
    return found
