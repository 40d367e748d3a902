"""Findings of a training run: what could not be done, and whether the regime changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, IntervalSpec
from tierwise.potential.cold_start import ColdStart
from tierwise.potential.folds import fold_at
from tierwise.potential.intervals import LogScale, calibrate, widen
from tierwise.potential.model import DIAGNOSTIC_COLUMNS, DIAGNOSTICS
from tierwise.potential.snapshots import current_value, origins

Floats = NDArray[np.float64]


class Finding(NamedTuple):
    """One diagnostic: a code of `DIAGNOSTICS` and the value it is about."""

    code: str
    value: str = ""


def findings_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return the findings with their messages, in order, columns `DIAGNOSTIC_COLUMNS`."""
    rows = [(finding.code, DIAGNOSTICS[finding.code], finding.value) for finding in findings]
    return pd.DataFrame(rows, columns=list(DIAGNOSTIC_COLUMNS)).astype("str")


def diagnose_features(labelled: pd.DataFrame, snapshots: pd.DataFrame, features: FeatureSet) -> Iterator[Finding]:
    """Find metrics that cannot help, and labels below zero."""
    for name in features.names if len(labelled) else ():
        if labelled[name].isna().all():
            yield Finding("feature_unknown", name)
        elif labelled[name].nunique(dropna=False) == 1:
            yield Finding("feature_constant", name)
    below = int((snapshots["label"] < 0).sum())
    if below:
        yield Finding("labels_below_zero", str(below))


def diagnose_intervals(bands: pd.DataFrame, cold_start: ColdStart, headroom: pd.DataFrame) -> Iterator[Finding]:
    """Find what intervals, newcomers and headroom had to do without."""
    if bands.empty:
        yield Finding("no_interval")
    elif (bands["source"] == "persistence").sum() == 1:
        yield Finding("interval_bands_pooled")
    if cold_start.trained_on != "newcomers":
        yield Finding(f"cold_start_{cold_start.trained_on}")
    if headroom.empty:
        yield Finding("headroom_unknown")


def regime(labelled: pd.DataFrame, scale: LogScale, spec: IntervalSpec) -> Iterator[Finding]:
    """Raise the alarm when intervals calibrated a horizon earlier miss the last completed review.

    The test uses persistence intervals, which need no model, so it works as soon as two non-overlapping label
    windows have closed. It allows for chance: the miss must exceed the alarm bound by two standard errors.
    """
    coverage, partners = last_coverage(labelled, scale, spec)
    if coverage is None:
        yield Finding("regime_unknown")
        return
    chance = 2 * float(np.sqrt(spec.coverage * (1 - spec.coverage) / partners))
    if abs(coverage - spec.coverage) > spec.alarm + chance:
        yield Finding("regime_change", f"coverage {coverage:.2f} against {spec.coverage:.2f}")


def last_coverage(labelled: pd.DataFrame, scale: LogScale, spec: IntervalSpec) -> tuple[float | None, int]:
    """Return the share of partners of the last completed review inside intervals calibrated a horizon earlier."""
    if labelled.empty:
        return None, 0
    fold = fold_at(labelled, origins(labelled)[-1])
    if fold.training.empty:
        return None, 0
    earlier = fold.training[fold.training["as_of"] == fold.training["as_of"].max()]
    bands = calibrate("persistence", *_residuals(earlier, scale), spec)
    centre, logged, actual = _residuals(fold.test, scale)
    low, high = widen(bands, "persistence", centre, logged, scale)
    label = scale.back(actual)
    slack = 1e-9 * np.maximum(1.0, label)
    return float(np.mean((label >= low - slack) & (label <= high + slack))), len(label)


def _residuals(rows: pd.DataFrame, scale: LogScale) -> tuple[Floats, tuple[Floats, Floats], Floats]:
    centre = current_value(rows, "persistence")
    logged = scale.log(centre)
    return centre, (logged, logged), scale.log(rows["label"].to_numpy(dtype=np.float64))
