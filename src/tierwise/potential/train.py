"""Train the potential model: gate, blend, intervals, newcomers, headroom, and what could not be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, PotentialSpec
from tierwise.potential.blend import Blend, fit_blend
from tierwise.potential.cold_start import ColdStart
from tierwise.potential.diagnose import diagnose_features, diagnose_gate, diagnose_intervals
from tierwise.potential.findings import findings_frame
from tierwise.potential.folds import Fold, calibration_reviews, inner_folds
from tierwise.potential.headroom import headroom_table
from tierwise.potential.intervals import (
    BAND_COLUMNS,
    LogScale,
    QuantileFit,
    QuantileModels,
    calibrate,
    fit_quantiles,
    log_scale,
)
from tierwise.potential.judge import Context, judge
from tierwise.potential.model import PotentialModel
from tierwise.potential.newcomers import learn_newcomers, unseen_newcomers
from tierwise.potential.regime import regime
from tierwise.potential.snapshots import (
    assert_embargo,
    check_columns,
    closed,
    current_value,
    origins,
)

Floats = NDArray[np.float64]
_FLOOR_SHARE = 1e-3


def train(
    snapshots: pd.DataFrame, features: FeatureSet, spec: PotentialSpec, as_of: pd.Timestamp, seed: int
) -> PotentialModel:
    """Train on everything whose label window has closed by `as_of`.

    Never fails on small or empty data: the gate then keeps persistence with a reason code, and `diagnostics` says
    what could not be done.

    Args:
        snapshots: See `tierwise.potential.snapshots`; open windows may be among them, with a missing label.
        features: The columns the models may use.
        spec: Hyper-parameters.
        as_of: The date the model is trained as of.
        seed: Seed of every random step.

    Raises:
        InvalidInput: If a column is missing or a label is infinite.
    """
    check_columns(snapshots, features, labelled=True)
    context = Context(features, spec, seed)
    labelled = closed(snapshots, as_of)
    assert_embargo(labelled, as_of)
    folds = inner_folds(labelled, spec.gate.origins)
    gate, inner = judge(labelled, folds, context)
    blend = fit_blend(labelled, features, spec, seed) if gate.accepted else None
    scale = log_scale(labelled["label"].to_numpy(dtype=np.float64))
    quantiles = _quantiles(folds, scale, context) if gate.accepted else None
    floor = scale.unit * _FLOOR_SHARE
    cold_start = learn_newcomers(labelled, folds, inner if gate.accepted else None, context, floor)
    bands = _bands(labelled, as_of, _Calibration(inner, quantiles, cold_start, scale), context)
    headroom = _headroom(snapshots, as_of, context)
    findings = [
        *diagnose_gate(gate),
        *diagnose_features(labelled, snapshots, features),
        *diagnose_intervals(bands, cold_start, headroom),
        *regime(labelled, spec.intervals),
    ]
    base = float(np.mean(np.log(np.maximum(current_value(labelled, features.target), floor)))) if len(labelled) else 0.0
    return PotentialModel(
        features, spec, as_of, gate, blend, quantiles, scale, bands, cold_start, headroom, floor, base,
        findings_frame(findings),
    )  # fmt: skip


def _quantiles(folds: Sequence[Fold], scale: LogScale, context: Context) -> QuantileModels:
    attributes = context.features.attributes if context.spec.attributes_as_features else ()
    fit = QuantileFit(context.spec.trees, context.spec.intervals, attributes, context.seed)
    return fit_quantiles(folds[-1].training, scale, context.features, fit)


@dataclass(frozen=True)
class _Calibration:
    inner: Blend | None
    quantiles: QuantileModels | None
    cold_start: ColdStart
    scale: LogScale


def _bands(labelled: pd.DataFrame, as_of: pd.Timestamp, parts: _Calibration, context: Context) -> pd.DataFrame:
    if labelled.empty:
        return pd.DataFrame(columns=list(BAND_COLUMNS))
    rows = labelled[labelled["as_of"].isin(calibration_reviews(labelled, as_of))]
    by_persistence = _established(rows, context) if parts.cold_start.used else rows
    tables = [_persistence_bands(by_persistence, parts, context), _cold_bands(labelled, parts, context)]
    if parts.quantiles is not None and parts.inner is not None:
        last = labelled[labelled["as_of"] == origins(labelled)[-1]]  # the inner blend has seen all earlier ones
        tables.insert(0, _model_bands(_established(last, context), parts.inner, parts, context))
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def _established(rows: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Keep the partners with a history; all where none has one."""
    new = context.newcomers(rows)
    return (rows[~new] if (~new).any() else rows).reset_index(drop=True)


def _model_bands(rows: pd.DataFrame, inner: Blend, parts: _Calibration, context: Context) -> pd.DataFrame:
    assert parts.quantiles is not None
    actual = parts.scale.log(rows["label"].to_numpy(dtype=np.float64))
    centre = inner.predict(rows)
    return calibrate("model", centre, parts.quantiles.bounds(rows), actual, context.spec.intervals)


def _persistence_bands(rows: pd.DataFrame, parts: _Calibration, context: Context) -> pd.DataFrame:
    centre = current_value(rows, context.features.target)
    logged, actual = parts.scale.log(centre), parts.scale.log(rows["label"].to_numpy(dtype=np.float64))
    return calibrate("persistence", centre, (logged, logged), actual, context.spec.intervals)


def _cold_bands(labelled: pd.DataFrame, parts: _Calibration, context: Context) -> pd.DataFrame:
    if not parts.cold_start.used:
        return pd.DataFrame(columns=list(BAND_COLUMNS))
    rows, centre = unseen_newcomers(labelled, context, parts.scale.unit * _FLOOR_SHARE)
    logged, actual = parts.scale.log(centre), parts.scale.log(rows["label"].to_numpy(dtype=np.float64))
    one_band = context.spec.intervals.model_copy(update={"bands": 1})
    return calibrate("cold_start", centre, (logged, logged), actual, one_band)


def _headroom(snapshots: pd.DataFrame, as_of: pd.Timestamp, context: Context) -> pd.DataFrame:
    known = snapshots[snapshots["as_of"] <= as_of]
    latest = known[known["as_of"] == known["as_of"].max()].reset_index(drop=True)
    current = current_value(latest, context.features.target)
    return headroom_table(latest, current, context.features.comparable_by, context.spec.headroom)
