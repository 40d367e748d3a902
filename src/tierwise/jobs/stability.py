"""Models trained again on drawn partners, and the report on how far explanations can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tierwise import potential
from tierwise.config.model_spec import PotentialSpec
from tierwise.explain.stability import (
    masked_correlation,
    report,
    strongest_agreement,
    top_overlap,
    wide_parts,
)
from tierwise.potential import PotentialModel
from tierwise.potential.bounds import of_some_partners
from tierwise.store import Bundle

RETRAINS = 8
FEWER_TREES = 3
LEAST_TREES = 40
GATE_BOOTSTRAPS = 100
MOST_PARTNERS = 5_000
MOST_ROWS = 500
GROUP = "retrained"


@dataclass(frozen=True, eq=False)
class Stability:
    """What training again told.

    Attributes:
        retrained: The models trained on drawn partners, kept with the version for roadmaps.
        checks: The report: `check, value, expected, meaning`.
    """

    retrained: tuple[PotentialModel, ...]
    checks: pd.DataFrame

    def parts(self) -> dict[str, dict[str, Any]]:
        """The retrained models as groups of parts of a version."""
        return {f"{GROUP}_{number}": potential.to_parts(model) for number, model in enumerate(self.retrained)}


def retrained_models(bundle: Bundle) -> tuple[PotentialModel, ...]:
    """The retrained models that a version holds; none for a version of before they were kept."""
    groups = (bundle.group(f"{GROUP}_{number}") for number in range(RETRAINS))
    return tuple(potential.from_parts(parts) for parts in groups if parts)


def retrain(model: PotentialModel, snapshots: pd.DataFrame, seed: int) -> tuple[PotentialModel, ...]:
    """Fit a model again, light, on partners drawn with replacement, all snapshots of a partner together.

    Light means a third of the trees with three times the learning rate, and no gate of its own; decision 0014 has
    the figures.

    Args:
        model: The model in force.
        snapshots: As for `potential.train`.
        seed: The workspace's seed.
    """
    light = lighter(model.spec)
    draws = (drawn_partners(snapshots, np.random.default_rng([seed, 14, number])) for number in range(RETRAINS))
    return tuple(potential.refit(model, drawn, light, seed) for drawn in draws)


def lighter(spec: PotentialSpec) -> PotentialSpec:
    """The same hyper-parameters with fewer, larger trees' steps and a smaller bootstrap of the gate."""
    trees = spec.trees
    fewer = min(trees.trees, max(LEAST_TREES, trees.trees // FEWER_TREES))
    rate = min(1.0, trees.learning_rate * trees.trees / fewer)
    return spec.model_copy(
        update={
            "trees": trees.model_copy(update={"trees": fewer, "learning_rate": rate}),
            "gate": spec.gate.model_copy(update={"bootstraps": min(spec.gate.bootstraps, GATE_BOOTSTRAPS)}),
        }
    )


def drawn_partners(snapshots: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw partners with replacement, at most `MOST_PARTNERS`; each draw is a partner of its own."""
    partners = np.sort(snapshots["partner_id"].unique())
    size = min(len(partners), MOST_PARTNERS)
    drawn = pd.DataFrame({"partner_id": rng.choice(partners, size, replace=True)}).astype({"partner_id": "str"})
    drawn["copy"] = drawn.groupby("partner_id").cumcount().astype("str")
    joined = snapshots.merge(drawn, on="partner_id", how="inner")
    joined = joined.assign(partner_id=joined["partner_id"] + "#" + joined["copy"]).drop(columns="copy")
    return joined.sort_values(["as_of", "partner_id"], kind="stable", ignore_index=True)


def judge_stability(model: PotentialModel, snapshots: pd.DataFrame, current: pd.DataFrame, seed: int) -> Stability:
    """Train again and report how far the model's explanations can be trusted.

    Args:
        model: The model just trained.
        snapshots: What it was trained on.
        current: The metric rows of its as-of date; at most `MOST_ROWS` of them are looked at.
        seed: The workspace's seed.
    """
    retrained = retrain(model, snapshots, seed)
    rows = current.iloc[:: max(1, -(-len(current) // MOST_ROWS))].reset_index(drop=True)
    own = _parts(model, rows)
    others = [_parts(one, rows) for one in retrained]
    families = [wide_parts(parts, "family", rows["partner_id"]) for parts in (own, *others)]
    features = [wide_parts(parts, "feature", rows["partner_id"]) for parts in (own, *others)]
    values = {
        "top_family_agreement": strongest_agreement(families[0], families[1:]),
        "top_three_agreement": top_overlap(features[0], features[1:]),
        "masked_effect_correlation": _masked(model, rows, features[0]),
        **_shuffled(model, snapshots, rows, features[0], seed),
    }
    return Stability(retrained, report(values))


def _parts(model: PotentialModel, rows: pd.DataFrame) -> pd.DataFrame:
    return potential.contributions(model, rows)


def _masked(model: PotentialModel, rows: pd.DataFrame, features: pd.DataFrame) -> float:
    """Correlate contributions with what setting each metric to its median does, for partners with a history."""
    kept = (model.sources(rows) != "cold_start").to_numpy()
    names = [name for name in features.columns if name in model.features.names and features[name].abs().sum() > 0]
    if not kept.any() or not names:
        return float("nan")
    known, own = rows[kept].reset_index(drop=True), features[names][kept].to_numpy(dtype=np.float64)
    plain = _log(model, known)
    effects = np.column_stack([plain - _log(model, known.assign(**{name: known[name].median()})) for name in names])
    return masked_correlation(own, effects)


def _log(model: PotentialModel, rows: pd.DataFrame) -> np.ndarray:
    values = potential.predict_centre(model, rows)
    return np.asarray(np.log(np.maximum(values, model.floor)))


def _shuffled(
    model: PotentialModel, snapshots: pd.DataFrame, rows: pd.DataFrame, features: pd.DataFrame, seed: int
) -> dict[str, float]:
    """Train once on labels shuffled among the partners of each date: the gate must refuse it."""
    rng = np.random.default_rng([seed, 15])
    snapshots = of_some_partners(snapshots, MOST_PARTNERS, rng)
    labels = snapshots.groupby("as_of")["label"].transform(lambda own: rng.permutation(own.to_numpy()))
    control = potential.train(snapshots.assign(label=labels), model.features, lighter(model.spec), model.as_of, seed)
    accepted = control.source == "model"
    if not accepted or model.source != "model":
        return {"shuffled_labels_accepted": float(accepted)}
    learned = wide_parts(_parts(control, rows), "feature", rows["partner_id"]).abs().to_numpy().mean()
    return {
        "shuffled_labels_accepted": 1.0,
        "shuffled_effect_size": float(learned / max(features.abs().to_numpy().mean(), 1e-12)),
    }
