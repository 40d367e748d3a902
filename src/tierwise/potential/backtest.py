"""The rolling-origin back-test: what would have been predicted at each past review, beside what happened.

At every tested origin the whole training runs again on what was closed by then (gate included), so the row
`chosen` is what scoring would have shown. Baselines stand in every table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, PotentialSpec
from tierwise.potential.blend import Blend, fit_blend
from tierwise.potential.folds import Fold, fold_at
from tierwise.potential.gini import partner_weights
from tierwise.potential.intervals import log_scale
from tierwise.potential.model import PotentialModel
from tierwise.potential.predict import predict, predict_median
from tierwise.potential.scores import (
    PLAIN_SCORES,
    bootstrap_range,
    calibration,
    skill_on_change,
    spearman,
    weighted_scores,
)
from tierwise.potential.snapshots import check_columns, closed, current_value, origins, run_rate
from tierwise.potential.train import train

Floats = NDArray[np.float64]
COLUMNS = {
    "scores": ("origin", "candidate", "score", "value", "low", "high", "partners"),
    "calibration": ("origin", "candidate", "decile", "partners", "predicted", "actual"),
    "coverage": ("origin", "source", "band", "partners", "coverage", "nominal"),
    "segments": ("segment", "level", "candidate", "partners", "mae", "bias", "gini"),
    "gate": (
        "origin", "chosen", "reason", "probability", "gini_model", "gini_persistence", "partners", "training_rows"
    ),
    "stability": ("origin", "earlier", "partners", "spearman"),
    "predictions": (
        "origin", "partner_id", "actual", "persistence", "run_rate", "glm", "trees", "model", "chosen", "median",
        "low", "high", "source",
    ),
}  # fmt: skip
CANDIDATES = ("persistence", "run_rate", "glm", "trees", "model", "chosen")
POOLED = "all"
_Pooled = dict[tuple[str, str], dict[str, tuple[float, Floats, int]]]
_BOOTSTRAPPED = ("gini", "top_decile_capture")


@dataclass(frozen=True)
class Backtest:
    """Everything the back-test found, as tables; nothing is drawn or judged here.

    Attributes:
        scores: origin (ISO date, or `all` for the mean over the origins at which every candidate could be scored),
            candidate, score, value, low, high, partners.
        calibration: origin, candidate, decile, partners, predicted, actual.
        coverage: origin, source, band, partners, coverage, nominal.
        segments: segment, level, candidate, partners, mae, bias, gini; over all origins.
        gate: origin, chosen, reason, probability, gini_model, gini_persistence, partners, training_rows.
        stability: origin, earlier, partners, spearman: the same partners ranked by two successive retrains.
        predictions: origin, partner_id, actual, one column per candidate, median, low, high, source.
    """

    scores: pd.DataFrame
    calibration: pd.DataFrame
    coverage: pd.DataFrame
    segments: pd.DataFrame
    gate: pd.DataFrame
    stability: pd.DataFrame
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
    labelled = closed(snapshots, as_of)
    tested = [
        _test(snapshots, fold_at(labelled, origin), (features, spec, seed))
        for origin in origins(labelled)[-spec.backtest.origins :]
    ]
    predictions = _stack("predictions", [one.predictions for one in tested])
    return Backtest(
        scores=_scores(tested, spec, seed),
        calibration=_stack("calibration", [_calibration(one) for one in tested]),
        coverage=_stack("coverage", [_coverage(one) for one in tested]),
        segments=_segments(labelled, predictions, segments),
        gate=_frame("gate", [_gate_row(one) for one in tested]),
        stability=_stability(tested),
        predictions=predictions,
    )


def _stack(name: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True)[list(COLUMNS[name])] if kept else _frame(name, [])


def _frame(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS[name]))


def _test(snapshots: pd.DataFrame, fold: Fold, how: tuple[FeatureSet, PotentialSpec, int]) -> _Tested:
    features, spec, seed = how
    model = train(snapshots, features, spec, fold.origin, seed)
    trainable = len(fold.training) >= spec.training_rows and fold.training["label"].sum() > 0
    blend = model.blend or (fit_blend(fold.training, features, spec, seed) if trainable else None)
    return _Tested(fold, model, blend, _predictions(fold, model, blend))


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
    return frame


def _known(predictions: pd.DataFrame) -> list[str]:
    return [name for name in CANDIDATES if predictions[name].notna().any()]


def _array(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy(dtype=np.float64)


def _scores(tested: Sequence[_Tested], spec: PotentialSpec, seed: int) -> pd.DataFrame:
    partners = pd.Index(sorted({str(name) for one in tested for name in one.predictions["partner_id"]}))
    if partners.empty:
        return _frame("scores", [])
    rng = np.random.default_rng([seed, 2])
    drawn = partner_weights(np.arange(len(partners)), len(partners), spec.backtest.bootstraps, rng)
    rows: list[dict[str, object]] = []
    pooled: _Pooled = {}
    for one in tested:
        weights = drawn[:, partners.get_indexer(pd.Index(one.predictions["partner_id"].astype(str)))]
        for candidate, score, value, draws in _origin_scores(one, weights):
            low, high = bootstrap_range(draws, spec.backtest.confidence)
            rows.append(_score_row(one.name, (candidate, score), (value, low, high), len(one.predictions)))
            pooled.setdefault((candidate, score), {})[one.name] = (value, draws, len(one.predictions))
    for (candidate, score), parts in _common(pooled).items():
        values, draws_of, partners_of = zip(*parts.values(), strict=True)
        low, high = bootstrap_range(np.mean(draws_of, axis=0), spec.backtest.confidence)
        rows.append(_score_row(POOLED, (candidate, score), (float(np.mean(values)), low, high), sum(partners_of)))
    return _frame("scores", rows)


def _common(pooled: _Pooled) -> _Pooled:
    """Keep the origins at which every candidate could be scored, so that pooled figures compare like with like."""
    shared = set.intersection(*(set(parts) for (_, score), parts in pooled.items() if score == "gini"))
    kept = {key: {origin: part for origin, part in parts.items() if origin in shared} for key, parts in pooled.items()}
    return {key: parts for key, parts in kept.items() if parts}


def _score_row(
    origin: str, what: tuple[str, str], values: tuple[float, float, float], partners: int
) -> dict[str, object]:
    names = ("value", "low", "high")
    return {
        "origin": origin, "candidate": what[0], "score": what[1],
        **dict(zip(names, values, strict=True)), "partners": partners,
    }  # fmt: skip


def _origin_scores(one: _Tested, weights: Floats) -> Iterator[tuple[str, str, float, Floats]]:
    """Yield candidate, score, value and bootstrap draws (none for scores that are not bootstrapped)."""
    frame = one.predictions
    actual, none = _array(frame, "actual"), np.full(len(weights), np.nan)
    unit = log_scale(actual).unit
    for candidate in _known(frame):
        predicted = _array(frame, candidate)
        for score in (name for name in PLAIN_SCORES if name != "mae"):
            draws = weighted_scores(score, actual, predicted, weights) if score in _BOOTSTRAPPED else none
            yield candidate, score, PLAIN_SCORES[score](actual, predicted), draws
        if candidate != "persistence":
            yield (
                candidate,
                "skill_on_change",
                skill_on_change(actual, predicted, _array(frame, "persistence"), unit),
                none,
            )
    for candidate in ("persistence", "median"):
        yield candidate, "mae", PLAIN_SCORES["mae"](actual, _array(frame, candidate)), none


def _calibration(one: _Tested) -> pd.DataFrame:
    blocks = []
    for candidate in _known(one.predictions):
        table = calibration(_array(one.predictions, "actual"), _array(one.predictions, candidate))
        blocks.append(table.assign(origin=one.name, candidate=candidate))
    return _stack("calibration", blocks)


def _coverage(one: _Tested) -> pd.DataFrame:
    frame = one.predictions[one.predictions["low"].notna()]
    if frame.empty:
        return pd.DataFrame()
    band = [_band_of(one.model, *pair) for pair in zip(frame["source"], frame["chosen"], strict=True)]
    slack = 1e-9 * np.maximum(1.0, frame["actual"])
    inside = (frame["actual"] >= frame["low"] - slack) & (frame["actual"] <= frame["high"] + slack)
    table = pd.DataFrame({"source": frame["source"], "band": band, "inside": inside})
    grouped = table.groupby(["source", "band"], as_index=False).agg(
        partners=("inside", "size"), coverage=("inside", "mean")
    )
    grouped.insert(0, "origin", one.name)
    return grouped.assign(nominal=one.model.spec.intervals.coverage)


def _band_of(model: PotentialModel, source: str, centre: float) -> int:
    edges = model.bands.loc[model.bands["source"] == source, "from_value"].to_numpy()
    return int(np.searchsorted(edges, centre, side="right") - 1)


def _gate_row(one: _Tested) -> dict[str, object]:
    gate = one.model.gate
    return {
        "origin": one.name, "chosen": one.model.source, "reason": gate.reason, "probability": gate.probability,
        "gini_model": gate.gini_model, "gini_persistence": gate.gini_persistence, "partners": gate.partners,
        "training_rows": len(one.fold.training),
    }  # fmt: skip


def _stability(tested: Sequence[_Tested]) -> pd.DataFrame:
    rows = []
    for earlier, later in pairwise(tested):
        if earlier.blend is not None and later.blend is not None:
            old = _array(later.predictions, "model")
            value = spearman(earlier.blend.log_prediction(later.fold.test), np.log(old))
            rows.append({"origin": later.name, "earlier": earlier.name, "partners": len(old), "spearman": value})
    return _frame("stability", rows)


def _segments(labelled: pd.DataFrame, predictions: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    if predictions.empty:
        return _frame("segments", [])
    keyed = labelled.assign(origin=labelled["as_of"].dt.strftime("%Y-%m-%d"), size=_size(labelled))
    keyed["tenure"] = pd.cut(keyed["tenure_days"], [-np.inf, 365, 1095, np.inf], labels=["<1y", "1-3y", ">3y"])
    wanted = list(dict.fromkeys([*names, "size", "tenure"]))
    joined = predictions.merge(keyed[["origin", "partner_id", *wanted]], on=["origin", "partner_id"], how="left")
    rows = [
        _segment_row(segment, str(level), candidate, group)
        for segment in wanted
        for level, group in joined.groupby(joined[segment].astype("object").fillna("unknown").astype(str))
        for candidate in _known(joined)
    ]
    return _frame("segments", rows)


def _size(labelled: pd.DataFrame) -> pd.Series:
    rank = labelled.groupby("as_of")["persistence"].rank(pct=True)
    return pd.cut(rank, [0, 1 / 3, 2 / 3, 1], labels=["small", "middle", "large"])


def _segment_row(segment: str, level: str, candidate: str, group: pd.DataFrame) -> dict[str, object]:
    actual, predicted = _array(group, "actual"), np.nan_to_num(_array(group, candidate))
    return {
        "segment": segment, "level": level, "candidate": candidate, "partners": len(group),
        "mae": PLAIN_SCORES["mae"](actual, predicted), "bias": float(np.mean(predicted - actual)),
        "gini": PLAIN_SCORES["gini"](actual, predicted),
    }  # fmt: skip
