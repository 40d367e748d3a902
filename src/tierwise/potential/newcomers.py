"""Whether the cold-start model may speak for newcomers: it learned from enough and, out of time, does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from tierwise.potential.blend import Blend
from tierwise.potential.cold_start import ColdStart, fit_cold_start
from tierwise.potential.folds import Fold
from tierwise.potential.gate import Scored, gain_probability
from tierwise.potential.judge import Context
from tierwise.potential.snapshots import current_value


def learn_newcomers(
    labelled: pd.DataFrame, folds: Sequence[Fold], inner: Blend | None, context: Context, floor: float
) -> ColdStart:
    """Fit the cold-start model and test it as the gate tests the blend: by ranking all partners of a past review.

    Args:
        labelled: All labelled snapshots.
        folds: Inner out-of-time folds, oldest first.
        inner: The blend of the latest fold where the gate accepted it; None where persistence is used.
        context: Columns, hyper-parameters and seed.
        floor: The least amount a logarithm is taken of.
    """
    model = _fit(labelled, context, floor)
    if model.trained_on == "nobody":
        return model
    if not folds:
        return replace(model, refused="not_tested", detail="no past review has closed labels before it")
    fold = folds[-1]
    earlier = _fit(fold.training, context, floor)
    if earlier.trained_on == "nobody":
        before = f"{len(fold.training)} labelled snapshots were closed by {fold.origin.date()}"
        return replace(model, refused="not_tested", detail=f"{before}, {context.spec.cold_start.rows} are needed")
    better = _probability(fold, earlier, inner, context)
    if better is not None and better < context.spec.cold_start.doubt:
        return replace(model, refused="worse", detail=f"bootstrap probability {better:.2f} on {fold.origin.date()}")
    return model


def _fit(labelled: pd.DataFrame, context: Context, floor: float) -> ColdStart:
    newcomers = labelled[context.newcomers(labelled)]
    return fit_cold_start(newcomers, labelled, context.features, context.spec.cold_start, floor)


def _probability(fold: Fold, model: ColdStart, inner: Blend | None, context: Context) -> float | None:
    """Return P(all partners are ranked better with it than with persistence of newcomers); None without newcomers."""
    rows, new = fold.test, context.newcomers(fold.test)
    actual = rows["label"].to_numpy(dtype=np.float64)
    if not new.any() or actual.sum() <= 0:
        return None
    persistence = current_value(rows, context.features.target)
    established = persistence if inner is None else inner.predict(rows)
    with_model, without = np.where(new, model.predict(rows), established), np.where(new, persistence, established)
    scored = Scored(fold.origin, rows["partner_id"], actual, with_model, without)
    partners = pd.Index(sorted(set(rows["partner_id"].astype(str))))
    return gain_probability([scored], partners, context.spec.gate.bootstraps, context.rng(3))
