"""The gate: the model replaces persistence only where it ranks better, out of time, beyond chance.

A paired bootstrap over partners on the latest time-honest folds gives P(Gini gain > 0). Whatever the answer, it comes
with a reason code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.model_spec import GateSpec
from tierwise.potential.bounds import bounded_draws
from tierwise.potential.gini import normalized_gini, partner_weights, weighted_ginis

Floats = NDArray[np.float64]

REASONS = {
    "proven": "the model ranked partners better than persistence out of time",
    "not_proven": "the model did not rank partners better than persistence beyond chance",
    "no_time_honest_fold": "no past review has both closed training labels before it and a closed label of its own",
    "no_completed_review": "no label window has closed yet",
    "too_few_snapshots": "too few labelled snapshots to train a model",
    "too_few_partners": "too few partners in the inner fold to prove anything",
    "all_labels_zero": "no partner had any value over the horizon in the training snapshots",
    "no_usable_features": "no metric varies between partners",
}


@dataclass(frozen=True)
class GateResult:
    """What the gate chose and why.

    Attributes:
        accepted: Whether the model replaces persistence.
        reason: A code of `REASONS`.
        probability: Bootstrap probability that the Gini gain is positive; None where nothing could be tested.
        gini_model: Normalised Gini of the model, mean over the folds.
        gini_persistence: Likewise for persistence.
        partners: Partners in the folds.
        origins: As-of dates of the folds, ISO.
        detail: The figures behind a refusal, where the reason alone does not say how much is missing.
    """

    accepted: bool
    reason: str
    probability: float | None = None
    gini_model: float | None = None
    gini_persistence: float | None = None
    partners: int = 0
    origins: tuple[str, ...] = ()
    detail: str = ""

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return f"{REASONS[self.reason]} ({self.detail})" if self.detail else REASONS[self.reason]


@dataclass(frozen=True)
class Scored:
    """One fold's actual values with the two rankings to compare, one row per partner."""

    origin: pd.Timestamp
    partner_id: pd.Series
    actual: Floats
    model: Floats
    persistence: Floats


def decide(folds: Sequence[Scored], spec: GateSpec, rng: np.random.Generator) -> GateResult:
    """Compare model and persistence on the folds.

    Args:
        folds: Scored folds, at least one.
        spec: Confidence and number of bootstrap samples.
        rng: Source of the bootstrap samples.
    """
    partners = pd.Index(sorted({str(name) for fold in folds for name in fold.partner_id}))
    origins = tuple(fold.origin.date().isoformat() for fold in folds)
    model = float(np.mean([normalized_gini(fold.actual, fold.model) for fold in folds]))
    persistence = float(np.mean([normalized_gini(fold.actual, fold.persistence) for fold in folds]))
    if len(partners) < spec.partners:
        found = f"{len(partners)} partners with a history, {spec.partners} are needed"
        return GateResult(False, "too_few_partners", None, None, None, len(partners), origins, found)
    if not np.isfinite(model) or not np.isfinite(persistence):
        return GateResult(False, "all_labels_zero", None, None, None, len(partners), origins)
    probability = gain_probability(folds, partners, spec.bootstraps, rng)
    accepted = probability >= spec.confidence
    reason = "proven" if accepted else "not_proven"
    return GateResult(accepted, reason, probability, model, persistence, len(partners), origins)


def gain_probability(folds: Sequence[Scored], partners: pd.Index, draws: int, rng: np.random.Generator) -> float:
    """Return the share of bootstrap samples of partners in which the model's mean Gini is higher.

    Ties count half; samples without spread do not count. With very many partners fewer samples are drawn.
    """
    draws = bounded_draws(draws, len(partners))
    everyone = partner_weights(np.arange(len(partners)), len(partners), draws, rng)
    gains = np.zeros(draws)
    for fold in folds:
        weights = everyone[:, partners.get_indexer(pd.Index(fold.partner_id.astype(str)))]
        gains += weighted_ginis(fold.actual, fold.model, weights)
        gains -= weighted_ginis(fold.actual, fold.persistence, weights)
    known = gains[np.isfinite(gains)]
    return float(np.mean((known > 0) + 0.5 * (known == 0))) if len(known) else 0.0
