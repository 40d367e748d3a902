"""Whether the cold-start model may speak for newcomers: it learned from enough and, out of time, does no harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.potential.blend import Blend
from tierwise.potential.cold_start import ColdStart, fit_cold_start
from tierwise.potential.folds import Fold
from tierwise.potential.gate import Scored, gain_probability
from tierwise.potential.judge import Context
from tierwise.potential.snapshots import current_value

Floats = NDArray[np.float64]
_FOLDS = 5


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


def unseen_newcomers(labelled: pd.DataFrame, context: Context, floor: float) -> tuple[pd.DataFrame, Floats]:
    """Predict the newcomers that the model learned from by models that have not seen them (five folds by partner).

    Returns:
        The rows, and their predictions, from which intervals can be calibrated; shape (n,).
    """
    newcomers = labelled[context.newcomers(labelled)]
    rows = newcomers if len(newcomers) >= context.spec.cold_start.rows else labelled
    partners = np.array(sorted(rows["partner_id"].unique()), dtype=object)
    shuffled = context.rng(4).permutation(partners)
    fold = rows["partner_id"].map({name: place % _FOLDS for place, name in enumerate(shuffled)}).to_numpy()
    centre = np.zeros(len(rows))
    without_floor = context.spec.cold_start.model_copy(update={"rows": 1})
    for place in range(_FOLDS):
        seen, unseen = rows[fold != place], rows[fold == place]
        if len(seen) and len(unseen):
            model = fit_cold_start(seen, seen, context.features, without_floor, floor)
            centre[fold == place] = model.predict(unseen)
    return rows, centre


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
