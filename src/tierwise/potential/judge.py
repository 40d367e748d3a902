"""The inner out-of-time test: fit on what a past review could know, score that review, and let the gate decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import FeatureSet, PotentialSpec
from tierwise.potential.blend import Blend, fit_blend
from tierwise.potential.bounds import varies
from tierwise.potential.folds import Fold
from tierwise.potential.gate import GateResult, Scored, decide
from tierwise.potential.snapshots import current_value, is_newcomer


@dataclass(frozen=True)
class Context:
    """What every training step shares."""

    features: FeatureSet
    spec: PotentialSpec
    seed: int

    def rng(self, step: int) -> np.random.Generator:
        """Return the random stream of one step."""
        return np.random.default_rng([self.seed, step])

    def newcomers(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell which partners are too new, or too silent, for a history-based model."""
        return is_newcomer(rows, self.features, self.spec.cold_start.tenure_days)


def judge(labelled: pd.DataFrame, folds: Sequence[Fold], context: Context) -> tuple[GateResult, Blend | None]:
    """Run the gate; return its answer and the blend of the latest fold, which has not seen that fold's test review."""
    refused = why_no_model(labelled, folds, context)
    if refused is not None:
        return refused, None
    blends = [fit_blend(fold.training, context.features, context.spec, context.seed) for fold in folds]
    scored = [score_fold(fold, blend, context) for fold, blend in zip(folds, blends, strict=True)]
    return decide(scored, context.spec.gate, context.rng(1)), blends[-1]


def why_no_model(labelled: pd.DataFrame, folds: Sequence[Fold], context: Context) -> GateResult | None:
    """Return the gate's refusal where nothing can be tested, with the figure that says why; None where it can."""
    if labelled.empty:
        return GateResult(False, "no_completed_review")
    if not folds:
        return GateResult(False, "no_time_honest_fold", detail=_how_short(labelled))
    fewest = min(folds, key=lambda fold: len(fold.training))
    least = context.spec.training_rows
    if len(fewest.training) < least:
        found = f"{len(fewest.training)} were closed by {fewest.origin.date()}, {least} are needed"
        return GateResult(False, "too_few_snapshots", detail=found)
    if any(fold.training["label"].sum() <= 0 or fold.test["label"].sum() <= 0 for fold in folds):
        return GateResult(False, "all_labels_zero")
    training = folds[0].training
    usable = any(varies(training[name], unknown_counts=False) for name in context.features.names)
    return None if usable else GateResult(False, "no_usable_features")


def _how_short(labelled: pd.DataFrame) -> str:
    first, last = labelled["as_of"].min().date(), labelled["as_of"].max().date()
    until = labelled["label_until"].min().date()
    return f"labelled reviews run from {first} to {last}, and the first label closed only on {until}"


def score_fold(fold: Fold, blend: Blend, context: Context) -> Scored:
    """Rank the fold's partners with a history by the model and by persistence (all of them where none has one)."""
    kept = fold.test[~context.newcomers(fold.test)].reset_index(drop=True)
    kept = kept if len(kept) else fold.test
    actual = kept["label"].to_numpy(dtype=np.float64)
    persistence = current_value(kept, context.features.target)
    return Scored(fold.origin, kept["partner_id"], actual, blend.log_prediction(kept), persistence)
