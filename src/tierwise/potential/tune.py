"""Search hyper-parameters on inner out-of-time folds; keep the default unless the search proves something better.

Trials are scored on past reviews. The best one must then rank better than the default on one later review that no trial
has seen, because the best of many trials looks good on what it was chosen by (Cawley & Talbot, JMLR 11, 2010). The
reviews by which the gate and the newest back-test judge are not touched at all. Sampler: the tree-structured Parzen
estimator (Bergstra et al., NeurIPS 2011) of Optuna, seeded, one trial after another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tierwise.config.model_spec import FeatureSet, PotentialSpec
from tierwise.config.tuning_spec import Number, SearchRange, with_values
from tierwise.potential.blend import fit_blend
from tierwise.potential.folds import Fold, inner_folds
from tierwise.potential.gate import Scored, gain_probability
from tierwise.potential.gini import normalized_gini
from tierwise.potential.judge import Context, score_fold, why_no_model
from tierwise.potential.snapshots import check_columns, closed

if TYPE_CHECKING:
    import optuna

COMPARISON_COLUMNS = ("origin", "used_for", "partners", "default", "tuned")
REASONS = {
    "better": "the tuned hyper-parameters ranked partners better than the default on a review that no trial had seen",
    "not_better": "no trial ranked partners better than the default on the reviews searched",
    "not_proven": "the best trial did not rank partners better than the default, beyond chance, on a later review",
    "too_few_reviews": "tuning needs two past reviews with closed labels before them, beside those of the gate",
    "nothing_to_search": "the model file names no hyper-parameter to search",
}


@dataclass(frozen=True)
class Tuning:
    """What a search found.

    Attributes:
        accepted: Whether the tuned hyper-parameters replace the default.
        reason: A code of `REASONS`.
        spec: The hyper-parameters to train with.
        probability: Bootstrap probability that the tuned model ranks better on the later review; None where untested.
        trials: One row per trial: `trial`, `gini` (mean over the reviews searched), and each hyper-parameter by path;
            trial 0 is the default.
        comparison: `COMPARISON_COLUMNS`: normalised Gini of default and best trial per review; `used_for` is `search`
            or `comparison`.
    """

    accepted: bool
    reason: str
    spec: PotentialSpec
    probability: float | None
    trials: pd.DataFrame
    comparison: pd.DataFrame

    @property
    def sentence(self) -> str:
        """The reason in words, with the figures of the later review."""
        later = self.comparison[self.comparison["used_for"] == "comparison"]
        figures = "".join(
            f" (on {row.origin}: default {row.default:.3f}, tuned {row.tuned:.3f})" for row in later.itertuples()
        )
        chosen = "tuned hyper-parameters" if self.accepted else "default hyper-parameters kept"
        return f"{chosen}: {REASONS[self.reason]}{figures}"


def tune(
    snapshots: pd.DataFrame, features: FeatureSet, spec: PotentialSpec, as_of: pd.Timestamp, seed: int, trials: int
) -> Tuning:
    """Search for better hyper-parameters of the model.

    Args:
        snapshots: See `tierwise.potential.snapshots`.
        features: The columns the models may use.
        spec: The default hyper-parameters, and in `spec.tuning` what is searched.
        as_of: The date the model will be trained as of.
        seed: Seed of the sampler and the models.
        trials: How many trials beside the default.

    Raises:
        InvalidInput: If a column is missing or a label is infinite.
    """
    check_columns(snapshots, features, labelled=True)
    context = Context(features, spec, seed)
    folds = _folds(snapshots, as_of, context)
    if not spec.tuning.search:
        return _kept("nothing_to_search", spec)
    if len(folds) < 2 or why_no_model(folds[0].training, folds, context) is not None:
        return _kept("too_few_reviews", spec)
    searched, later = folds[:-1], folds[-1]
    table = _search(searched, context, trials)
    best = table.sort_values(["gini", "trial"], ascending=[False, True]).iloc[0]
    tuned = _spec_of(spec, {path: _plain(best[path]) for path in spec.tuning.search})
    if best["trial"] == 0:
        return Tuning(False, "not_better", spec, None, table, _compare(folds, context, spec))
    probability = _later_probability(later, context, tuned)
    accepted = probability >= spec.tuning.confidence
    reason = "better" if accepted else "not_proven"
    comparison = _compare(folds, context, tuned)
    return Tuning(accepted, reason, tuned if accepted else spec, probability, table, comparison)


def _folds(snapshots: pd.DataFrame, as_of: pd.Timestamp, context: Context) -> list[Fold]:
    """Cut the folds that were closed when the earliest review that judges the model took place."""
    judged = inner_folds(closed(snapshots, as_of), context.spec.gate.origins)
    if not judged:
        return []
    before = closed(snapshots, judged[0].origin)
    folds = inner_folds(before, context.spec.tuning.folds + 1)
    return [_thinned(fold, context) for fold in folds if len(fold.training) >= context.spec.training_rows]


def _thinned(fold: Fold, context: Context) -> Fold:
    """Keep all snapshots of a seeded sample of partners, as many as the trials may see."""
    rows = fold.training
    share = context.spec.tuning.rows / max(len(rows), 1)
    if share >= 1:
        return fold
    partners = np.array(sorted(rows["partner_id"].unique()), dtype=object)
    kept = context.rng(7).choice(partners, int(share * len(partners)), replace=False)
    return Fold(fold.origin, rows[rows["partner_id"].isin(kept)].reset_index(drop=True), fold.test)


def _search(folds: Sequence[Fold], context: Context, trials: int) -> pd.DataFrame:
    """Score the default and `trials` further settings; the sampler sees one result before it asks for the next."""
    import optuna  # heavy, and needed only when tuning is asked for

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=context.seed))
    search = context.spec.tuning.search
    default = {path: _value_at(context.spec, path) for path in search}
    rows = [{"trial": 0, "gini": _mean_gini(folds, context, context.spec), **default}]
    for number in range(1, trials + 1):
        trial = study.ask()
        values = {path: _suggest(trial, path, bounds, default[path]) for path, bounds in search.items()}
        gini = _mean_gini(folds, context, _spec_of(context.spec, values))
        study.tell(trial, gini)
        rows.append({"trial": number, "gini": gini, **values})
    return pd.DataFrame(rows)


def _suggest(trial: optuna.Trial, path: str, bounds: SearchRange, default: Number) -> Number:
    if isinstance(default, int):
        return int(trial.suggest_int(path, int(bounds.low), int(bounds.high), log=bounds.log))
    return float(trial.suggest_float(path, bounds.low, bounds.high, log=bounds.log))


def _value_at(spec: PotentialSpec, path: str) -> Number:
    section, name = path.split(".")
    value: Number = getattr(getattr(spec, section), name)
    return value


def _spec_of(spec: PotentialSpec, values: Mapping[str, Number]) -> PotentialSpec:
    whole = {path: int(v) if isinstance(_value_at(spec, path), int) else float(v) for path, v in values.items()}
    return PotentialSpec.model_validate(with_values(spec.model_dump(), whole))


def _plain(value: object) -> Number:
    assert isinstance(value, int | float | np.integer | np.floating)
    return value.item() if isinstance(value, np.integer | np.floating) else value


def _scored(fold: Fold, context: Context, spec: PotentialSpec) -> Scored:
    return score_fold(fold, fit_blend(fold.training, context.features, spec, context.seed), context)


def _mean_gini(folds: Sequence[Fold], context: Context, spec: PotentialSpec) -> float:
    scored = [_scored(fold, context, spec) for fold in folds]
    return float(np.mean([normalized_gini(one.actual, one.model) for one in scored]))


def _later_probability(fold: Fold, context: Context, tuned: PotentialSpec) -> float:
    """Return P(the tuned model's Gini is higher than the default's), by paired bootstrap over partners."""
    default, better = _scored(fold, context, context.spec), _scored(fold, context, tuned)
    pair = Scored(fold.origin, default.partner_id, default.actual, better.model, default.model)
    partners = pd.Index(sorted(set(default.partner_id.astype(str))))
    return gain_probability([pair], partners, context.spec.gate.bootstraps, context.rng(8))


def _compare(folds: Sequence[Fold], context: Context, tuned: PotentialSpec) -> pd.DataFrame:
    rows = []
    for fold in folds:
        pair = (_scored(fold, context, context.spec), _scored(fold, context, tuned))
        ginis = [normalized_gini(one.actual, one.model) for one in pair]
        used_for = "comparison" if fold is folds[-1] else "search"
        rows.append((fold.origin.date().isoformat(), used_for, len(pair[0].actual), *ginis))
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def _kept(reason: str, spec: PotentialSpec) -> Tuning:
    trials = pd.DataFrame(columns=["trial", "gini", *spec.tuning.search])
    return Tuning(False, reason, spec, None, trials, pd.DataFrame(columns=list(COMPARISON_COLUMNS)))
