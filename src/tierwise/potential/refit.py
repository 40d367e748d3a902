"""Fit a trained model again on other rows: what it has learned changes, what was decided about it stays."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from tierwise.config.model_spec import PotentialSpec
from tierwise.potential.blend import fit_blend
from tierwise.potential.cold_start import fit_cold_start
from tierwise.potential.folds import inner_folds
from tierwise.potential.intervals import QuantileFit, fit_quantiles
from tierwise.potential.judge import Context
from tierwise.potential.model import PotentialModel
from tierwise.potential.snapshots import assert_embargo, closed


def refit(model: PotentialModel, snapshots: pd.DataFrame, spec: PotentialSpec, seed: int) -> PotentialModel:
    """Fit the parts that predict again: the blend, the quantiles and the model of newcomers, as far as they are used.

    The gate's verdict, the offsets of the intervals and the headroom stay as they are, so that nothing is tested
    again: the question is what the same kind of model says when it has seen other partners.

    Args:
        model: A trained model.
        snapshots: As for `train`; columns as the model's.
        spec: Hyper-parameters.
        seed: Seed of every random step.

    Returns:
        The refitted model; the model as it was where it predicts by persistence alone, or no label is positive.
    """
    labelled = closed(snapshots, model.as_of)
    assert_embargo(labelled, model.as_of)
    if labelled.empty or labelled["label"].sum() <= 0:
        return model
    context = Context(model.features, spec, seed)
    if model.cold_start.used:
        newcomers = labelled[context.newcomers(labelled)]
        cold_start = fit_cold_start(newcomers, labelled, model.features, spec.cold_start, model.floor)
        model = replace(model, cold_start=cold_start if cold_start.used else model.cold_start)
    if model.source != "model":
        return replace(model, spec=spec)
    blend = fit_blend(labelled, model.features, spec, seed)
    return replace(_with_quantiles(model, labelled, context), spec=spec, blend=blend)


def _with_quantiles(model: PotentialModel, labelled: pd.DataFrame, context: Context) -> PotentialModel:
    folds = inner_folds(labelled, context.spec.gate.origins)
    if model.quantiles is None or not folds or folds[-1].training["label"].sum() <= 0:
        return model
    attributes = context.features.attributes if context.spec.attributes_as_features else ()
    fit = QuantileFit(context.spec.trees, context.spec.intervals, attributes, context.seed)
    return replace(model, quantiles=fit_quantiles(folds[-1].training, model.scale, model.features, fit))
