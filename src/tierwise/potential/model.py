"""The potential model: everything that scoring needs, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, PotentialSpec
from tierwise.potential.blend import Blend
from tierwise.potential.cold_start import ColdStart
from tierwise.potential.gate import GateResult
from tierwise.potential.intervals import LogScale, QuantileModels
from tierwise.potential.snapshots import current_value, is_newcomer
from tierwise.tables.varied import Rows

Source = Literal["model", "persistence", "cold_start"]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DIAGNOSTIC_COLUMNS = ("code", "message", "value")

DIAGNOSTICS = {
    "feature_constant": "the metric does not vary in the training snapshots and is not used",
    "feature_unknown": "the metric is unknown for every partner in the training snapshots and is not used",
    "dominant_partner": "one partner brings most of the value, so the Gini says little of the others",
    "labels_below_zero": "labels below zero count as zero",
    "regime_change": "the last completed review turned out otherwise than the one before it, beyond chance",
    "regime_unknown": "no two completed reviews, whole years apart and large enough, that would show a change",
    "no_interval": "no review has completed, so no interval can be promised",
    "interval_bands_pooled": "too few partners for separate size bands in the interval",
    "cold_start_all_partners": "too few newcomers in the past; all partners stand in for them",
    "cold_start_nobody": "no completed review, so newcomers have no prediction of their own",
    "cold_start_too_few_rows": "too few labelled snapshots for a model of newcomers; they keep persistence",
    "cold_start_not_tested": "no past review can test the model of newcomers; they keep persistence",
    "cold_start_worse": "on the last past review newcomers were ranked better by persistence, which they keep",
    "gate_closed": "partners with a history keep persistence",
    "headroom_unknown": "no rows to measure what comparable partners attain",
}


@dataclass(frozen=True)
class PotentialModel:
    """A trained potential model.

    Attributes:
        features: The columns it reads.
        spec: Its hyper-parameters.
        as_of: The date it was trained as of; no label window it saw is open on that date.
        gate: Whether the blend replaces persistence, and why.
        blend: The GLM and trees; None where none could be trained.
        quantiles: Quantile models, trained without the calibration review; None where persistence is used.
        scale: The log scale of the intervals.
        bands: Conformal offsets per source and size band.
        cold_start: The model of newcomers.
        headroom: References of comparable groups.
        floor: The least amount of which a logarithm is taken, in the target's unit.
        base: Mean log of persistence in training; the base value of its trivial decomposition.
        diagnostics: Reason codes with messages: what could not be done and why.
    """

    features: FeatureSet
    spec: PotentialSpec
    as_of: pd.Timestamp
    gate: GateResult
    blend: Blend | None
    quantiles: QuantileModels | None
    scale: LogScale
    bands: pd.DataFrame
    cold_start: ColdStart
    headroom: pd.DataFrame
    floor: float
    base: float
    diagnostics: pd.DataFrame

    @property
    def source(self) -> Source:
        """What partners with a history are predicted by."""
        return "model" if self.gate.accepted and self.blend is not None else "persistence"

    @property
    def family_of(self) -> dict[str, str]:
        """The family of every feature that contributions can name."""
        families = {feature.name: feature.family for feature in self.features.metrics}
        return {**dict.fromkeys(self.features.attributes, "profile"), self.features.target: "sales", **families}

    def sources(self, rows: Rows) -> pd.Series:
        """Return the potential source of each row.

        Newcomers are `cold_start`, or `persistence` where the cold-start model is not used.
        """
        (of_newcomers, new), (source, _) = self.by_source(rows)
        return pd.Series(np.where(new, of_newcomers, source), dtype="str")

    def by_source(self, rows: Rows) -> tuple[tuple[Source, Bools], tuple[Source, Bools]]:
        """Return the source of newcomers and who they are, shape (n,), and the same of everyone else."""
        new = is_newcomer(rows, self.features, self.spec.cold_start.tenure_days)
        return ("cold_start" if self.cold_start.used else "persistence", new), (self.source, ~new)

    def persistence(self, rows: Rows) -> Floats:
        """Return the target as of the date, shape (n,)."""
        return current_value(rows, self.features.target)
