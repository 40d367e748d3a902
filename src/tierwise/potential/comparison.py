"""Two models on the same partners and reviews: figures side by side, paired intervals, a plain verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tierwise.config.model_spec import BacktestSpec
from tierwise.potential.backtest_bootstrap import Draws
from tierwise.potential.backtest_scores import POOLED, Found, Scored, gain, pool, score_all
from tierwise.potential.model import PotentialModel
from tierwise.potential.predict import predict, predict_median
from tierwise.potential.snapshots import closed, current_value, origins
from tierwise.potential.train import train

Verdict = Literal["better", "not_shown_better", "worse"]
Mode = Literal["as_trained", "refitted", "nothing"]
COLUMNS = ("origin", "score", "persistence", "first", "second", "difference", "low", "high", "probability", "partners")
_SCORES = (
    ("gini", "chosen"), ("spearman", "chosen"), ("top_decile_capture", "chosen"), ("total_ratio", "chosen"),
    ("skill_on_change", "chosen"), ("mae", "median"), ("coverage", "chosen"), ("relative_width", "chosen"),
)  # fmt: skip


@dataclass(frozen=True)
class Contender:
    """One of two models to compare.

    Attributes:
        model: The model as trained; its features, settings and as-of date are the recipe.
        age_months: How many months earlier it was trained than the younger of the two; kept when refitted.
        seed: The seed it is refitted with.
    """

    model: PotentialModel
    age_months: int
    seed: int

    def as_of(self, origin: pd.Timestamp) -> pd.Timestamp:
        """The day its recipe is refitted as of, for a review."""
        shifted = origin - pd.DateOffset(months=self.age_months)
        return shifted + pd.offsets.MonthEnd(0) if origin.is_month_end else shifted


@dataclass(frozen=True)
class Comparison:
    """What the comparison of two models found.

    Attributes:
        mode: `as_trained` on reviews that lie after both trainings, `refitted` where there is none such, `nothing`
            where no past review has completed.
        origins: The as-of dates of the reviews, ISO.
        scores: Columns `COLUMNS`: by review and over all (`all`); `difference` is second minus first.
        verdict: Whether the second ranks partners better out of time.
    """

    mode: Mode
    origins: tuple[str, ...]
    scores: pd.DataFrame
    verdict: Verdict


def compare(
    snapshots: pd.DataFrame, contenders: tuple[Contender, Contender], spec: BacktestSpec, confidence: float
) -> Comparison:
    """Compare two models out of time for both.

    A review counts for models as they were trained if it is not before either training, so that neither has seen any
    of its label's window. Where no such review has completed, both recipes are trained again at the last completed
    reviews, each as much earlier as it is older than the other.

    Args:
        snapshots: See `tierwise.potential.snapshots`; with every column that either model reads.
        contenders: The model in force, and the one that would replace it.
        spec: How many reviews, bootstrap samples, the confidence of the intervals, and the least difference of
            normalised Gini that counts.
        confidence: Least bootstrap probability of a gain of normalised Gini to call the second better.

    Raises:
        InvalidInput: If a column is missing or a label is infinite.
    """
    labelled = closed(snapshots, snapshots["as_of"].max())
    trained = max(one.model.as_of for one in contenders)
    later = [origin for origin in origins(labelled) if origin >= trained]
    mode: Mode = "as_trained" if later else "refitted" if len(labelled) else "nothing"
    days = (later or origins(labelled))[-spec.origins :]
    if not days:
        return Comparison("nothing", (), pd.DataFrame(columns=list(COLUMNS)), "not_shown_better")
    first, second = (
        pd.concat([_predictions(one, snapshots, labelled, day, mode) for day in days], ignore_index=True)
        for one in contenders
    )
    rng = np.random.default_rng([contenders[0].seed, 7])
    draws = Draws.of(first["partner_id"], spec.bootstraps, spec.confidence, rng)
    scores = _scores((score_all(first, draws), score_all(second, draws)), draws)
    verdict = _verdict(scores, confidence, spec.least_difference)
    return Comparison(mode, tuple(day.date().isoformat() for day in days), scores, verdict)


def _predictions(
    one: Contender, snapshots: pd.DataFrame, labelled: pd.DataFrame, origin: pd.Timestamp, mode: Mode
) -> pd.DataFrame:
    rows = labelled[labelled["as_of"] == origin].reset_index(drop=True)
    model = one.model if mode == "as_trained" else _refitted(one, snapshots, origin)
    said = predict(model, rows)
    frame = pd.DataFrame({"origin": origin.date().isoformat(), "partner_id": rows["partner_id"]})
    unknown = pd.DataFrame(np.nan, index=rows.index, columns=["glm", "trees", "model"])
    return pd.concat([frame, unknown], axis="columns").assign(
        actual=rows["label"], persistence=current_value(rows, model.features.target),
        run_rate=np.nan, chosen=said["potential"], median=predict_median(model, rows),
        low=said["potential_low"], high=said["potential_high"],
    )  # fmt: skip


def _refitted(one: Contender, snapshots: pd.DataFrame, origin: pd.Timestamp) -> PotentialModel:
    return train(snapshots, one.model.features, one.model.spec, one.as_of(origin), one.seed)


def _scores(found: tuple[Found, Found], draws: Draws) -> pd.DataFrame:
    rows: list[tuple[object, ...]] = []
    for score, candidate in _SCORES:
        first, second = (side.get((candidate, score), {}) for side in found)
        shared = [origin for origin in first if origin in second]
        baseline = found[0].get(("persistence", score), {})
        rows += [
            _row((origin, score), (first[origin], second[origin]), baseline.get(origin), draws) for origin in shared
        ]
        if shared:
            sides = (pool([first[origin] for origin in shared]), pool([second[origin] for origin in shared]))
            known = [baseline[origin] for origin in shared if origin in baseline]
            rows.append(_row((POOLED, score), sides, pool(known) if known else None, draws))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(what: tuple[str, str], sides: Sequence[Scored], baseline: Scored | None, draws: Draws) -> tuple[object, ...]:
    first, second = sides
    plain = float("nan") if baseline is None else baseline.value
    return (*what, plain, first.value, second.value, *gain(second, first, draws), second.partners)


def _verdict(scores: pd.DataFrame, confidence: float, least: float) -> Verdict:
    """Call a difference that is beyond chance and large enough to matter; many partners prove the smallest one."""
    pooled = scores[(scores["origin"] == POOLED) & (scores["score"] == "gini")]
    if pooled.empty:
        return "not_shown_better"
    difference, probability = (float(pooled[name].iloc[0]) for name in ("difference", "probability"))
    if difference >= least and probability >= confidence:
        return "better"
    return "worse" if difference <= -least and probability <= 1 - confidence else "not_shown_better"
