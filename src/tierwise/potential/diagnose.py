"""Findings of a training run: what could not be done, and whether the regime changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from tierwise.config.model_spec import FeatureSet, IntervalSpec
from tierwise.potential.cold_start import ColdStart
from tierwise.potential.folds import fold_at
from tierwise.potential.gate import GateResult
from tierwise.potential.intervals import LogScale, calibrate, widen
from tierwise.potential.model import DIAGNOSTIC_COLUMNS, DIAGNOSTICS
from tierwise.potential.snapshots import current_value, origins

Floats = NDArray[np.float64]
_KS_CHANCE = 1.36


class Finding(NamedTuple):
    """One diagnostic: a code of `DIAGNOSTICS` and the value it is about."""

    code: str
    value: str = ""


def findings_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return the findings with their messages, in order, columns `DIAGNOSTIC_COLUMNS`."""
    rows = [(finding.code, DIAGNOSTICS[finding.code], finding.value) for finding in findings]
    return pd.DataFrame(rows, columns=list(DIAGNOSTIC_COLUMNS)).astype("str")


def diagnose_gate(gate: GateResult) -> Iterator[Finding]:
    """Say why the model is not used."""
    if not gate.accepted:
        yield Finding("gate_closed", gate.sentence)


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
    if cold_start.refused:
        yield Finding(f"cold_start_{cold_start.refused}", cold_start.detail)
    elif cold_start.trained_on != "newcomers":
        yield Finding(f"cold_start_{cold_start.trained_on}")
    if headroom.empty:
        yield Finding("headroom_unknown")


class Regime(NamedTuple):
    """How the last completed review compares with one a horizon earlier.

    Attributes:
        coverage: Share of partners inside persistence intervals that were calibrated on the earlier review.
        shift: Largest gap between the two distributions of log change against persistence (Kolmogorov-Smirnov); it
            also sees what intervals that reach down to zero cannot.
        partners: Partners of the last completed review.
    """

    coverage: float
    shift: float
    partners: int


def regime(labelled: pd.DataFrame, scale: LogScale, spec: IntervalSpec) -> Iterator[Finding]:
    """Raise the alarm when what was learned a horizon earlier does not hold for the last completed review.

    The test uses persistence, which needs no model, so it works as soon as two label windows that do not overlap have
    closed. It allows for chance: by two standard errors of the coverage, and by the 5 % point of the shift.
    """
    found = compare_regimes(labelled, scale, spec)
    if found is None:
        yield Finding("regime_unknown")
        return
    error = float(np.sqrt(spec.coverage * (1 - spec.coverage) / found.partners))
    missed = abs(found.coverage - spec.coverage) > spec.alarm + 2 * error
    moved = found.shift > spec.alarm + _KS_CHANCE * float(np.sqrt(2 / found.partners))
    if missed or moved:
        yield Finding("regime_change", f"coverage {found.coverage:.2f}, shift {found.shift:.2f}")


def compare_regimes(labelled: pd.DataFrame, scale: LogScale, spec: IntervalSpec) -> Regime | None:
    """Compare the last completed review with the last one whose label had closed by then; None without such a one."""
    if labelled.empty:
        return None
    fold = fold_at(labelled, origins(labelled)[-1])
    if fold.training.empty:
        return None
    earlier = fold.training[fold.training["as_of"] == fold.training["as_of"].max()]
    before = _residuals(earlier, scale)
    bands = calibrate("persistence", *before, spec)
    centre, logged, actual = _residuals(fold.test, scale)
    low, high = widen(bands, "persistence", centre, logged, scale)
    label = scale.back(actual)
    slack = 1e-9 * np.maximum(1.0, label)
    coverage = float(np.mean((label >= low - slack) & (label <= high + slack)))
    shift = float(ks_2samp(before[2] - before[1][0], actual - logged[0], method="asymp").statistic)
    return Regime(coverage, shift, len(label))


def _residuals(rows: pd.DataFrame, scale: LogScale) -> tuple[Floats, tuple[Floats, Floats], Floats]:
    centre = current_value(rows, "persistence")
    logged = scale.log(centre)
    return centre, (logged, logged), scale.log(rows["label"].to_numpy(dtype=np.float64))
