"""Findings of a training run: what could not be done, and why."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from tierwise.config.model_spec import FeatureSet
from tierwise.potential.bounds import varies
from tierwise.potential.cold_start import ColdStart
from tierwise.potential.findings import Finding
from tierwise.potential.gate import GateResult

_LEAST_PARTNERS = 20


def diagnose_gate(gate: GateResult) -> Iterator[Finding]:
    """Say why the model is not used."""
    if not gate.accepted:
        yield Finding("gate_closed", gate.sentence)


def diagnose_features(labelled: pd.DataFrame, snapshots: pd.DataFrame, features: FeatureSet) -> Iterator[Finding]:
    """Find metrics that cannot help, labels below zero, and a partner that brings most of the value."""
    for name in features.names if len(labelled) else ():
        if labelled[name].isna().all():
            yield Finding("feature_unknown", name)
        elif not varies(labelled[name], unknown_counts=True):
            yield Finding("feature_constant", name)
    if len(labelled):
        yield from _dominant(labelled[labelled["as_of"] == labelled["as_of"].max()])
    below = int((snapshots["label"] < 0).sum())
    if below:
        yield Finding("labels_below_zero", str(below))


def _dominant(review: pd.DataFrame) -> Iterator[Finding]:
    """Tell of a partner with more than half of the last completed review's value."""
    largest, total = review["label"].max(), review["label"].sum()
    if len(review) >= _LEAST_PARTNERS and largest > total / 2:
        partner = review["partner_id"].to_numpy()[review["label"].to_numpy().argmax()]
        yield Finding("dominant_partner", f"{partner}, {largest / total:.0%} of the last completed review")


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
