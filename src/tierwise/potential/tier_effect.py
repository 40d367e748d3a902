"""How much of the potential rests on the partner's current tier.

A tier brings benefits, benefits bring revenue, and revenue keeps the tier: a model that sees the tier predicts in part
what the program itself decided. So the tier is no feature unless asked for, and then this is told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tierwise.config.model_spec import FeatureSet
from tierwise.potential.blend import fit_blend
from tierwise.potential.contributions import contributions
from tierwise.potential.folds import inner_folds
from tierwise.potential.gini import normalized_gini
from tierwise.potential.model import PotentialModel
from tierwise.potential.snapshots import closed


@dataclass(frozen=True)
class TierEffect:
    """What the current tier does to the predictions.

    Attributes:
        columns: The features that hold the tier.
        share: Their share of all contributions to the log predictions, in absolute size; 0 where persistence is used.
        factor: By what factor they move a partner's potential, typically (geometric mean, up or down).
        gini_with: Normalised Gini of the model on the last testable review; NaN without such a review.
        gini_without: The same, trained without those features.
    """

    columns: tuple[str, ...]
    share: float
    factor: float
    gini_with: float
    gini_without: float

    @property
    def sentence(self) -> str:
        """The effect in words."""
        names = ", ".join(self.columns)
        if self.share == 0:
            return f"The current tier ({names}) is a feature, as asked for; no prediction rests on it."
        tested = ""
        if np.isfinite(self.gini_with - self.gini_without):
            ginis = f"{self.gini_without:.3f} instead of {self.gini_with:.3f}"
            tested = f" Without it the normalised Gini out of time is {ginis}."
        return (
            f"The current tier ({names}) is a feature, as asked for: {self.share:.0%} of all contributions rest on it, "
            f"and it moves a partner's potential by a factor of {self.factor:.2f} as a rule.{tested} Part of the "
            "prediction is then what the program itself decided: benefits of the tier bring revenue, and the revenue "
            "keeps the tier."
        )


def tier_effect(model: PotentialModel, snapshots: pd.DataFrame, columns: Sequence[str]) -> TierEffect | None:
    """Measure what the features that hold the tier do; None where there are none.

    Args:
        model: The trained model.
        snapshots: The snapshots it was trained on, with those of its as-of date.
        columns: The features that hold the tier.
    """
    used = tuple(name for name in columns if name in (*model.features.names, *model.features.attributes))
    if not used:
        return None
    share, factor = _contributed(model, snapshots[snapshots["as_of"] == model.as_of], used)
    with_tier, without = _ginis(model, closed(snapshots, model.as_of), used)
    return TierEffect(used, share, factor, with_tier, without)


def without(features: FeatureSet, columns: Collection[str]) -> FeatureSet:
    """Return the features that are none of the columns."""
    metrics = tuple(metric for metric in features.metrics if metric.name not in columns)
    return replace(features, metrics=metrics, attributes=tuple(a for a in features.attributes if a not in columns))


def _contributed(model: PotentialModel, rows: pd.DataFrame, columns: tuple[str, ...]) -> tuple[float, float]:
    rows = rows[(model.sources(rows) == "model").to_numpy()]
    if rows.empty:
        return 0.0, 1.0
    parts = contributions(model, rows)
    tier = parts["feature"].isin(columns)
    whole = float(parts["contribution"].abs().sum())
    moved = parts[tier].groupby("partner_id")["contribution"].sum().abs()
    share = float(parts.loc[tier, "contribution"].abs().sum()) / whole if whole > 0 else 0.0
    return share, float(np.exp(moved.mean())) if len(moved) else 1.0


def _ginis(model: PotentialModel, labelled: pd.DataFrame, columns: tuple[str, ...]) -> tuple[float, float]:
    folds = [fold for fold in inner_folds(labelled, 1) if fold.training["label"].sum() > 0]
    if not folds or len(folds[0].training) < model.spec.training_rows:
        return float("nan"), float("nan")
    fold, actual = folds[0], folds[0].test["label"].to_numpy(dtype=np.float64)
    blends = [
        fit_blend(fold.training, features, model.spec, 0)
        for features in (model.features, without(model.features, columns))
    ]
    first, second = (normalized_gini(actual, blend.log_prediction(fold.test)) for blend in blends)
    return first, second
