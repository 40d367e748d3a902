"""Exact contributions of every feature to a partner's potential, on the log scale, against a baseline.

For the model they are the mean of the GLM's terms and the trees' SHAP values; for persistence the target metric alone;
for newcomers the effect of each attribute. The baseline is what training saw (the whole channel) or given partners
(peers). In every case `base + sum of contributions = log(potential)`, where amounts below the model's floor count as
the floor, and against peers `base` is the mean of their `log(potential)`. A gap beyond rounding stops the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.errors import Fault, Refused
from tierwise.potential.model import PotentialModel
from tierwise.potential.predict import predict
from tierwise.potential.snapshots import check_columns
from tierwise.potential.trees import raw_parts

Floats = NDArray[np.float64]
TreeSplit = Callable[[str, Floats, Floats | None], tuple[float, Floats]]
"""Splits the raw scores of LightGBM's native text for a matrix, against a background matrix or, with none, against the
training rows, into a base and one part per row and column."""

COLUMNS = ("partner_id", "feature", "family", "value", "text", "base", "contribution")
ADDITIVITY_COLUMNS = ("partner_id", "base", "log_potential", "additivity_error")
CHANNEL_LIMIT = 1e-9
PEERS_LIMIT = 1e-6


@dataclass(frozen=True, eq=False)
class _Parts:
    base: float
    effects: Mapping[str, Floats]

    def against(self, peers: _Parts) -> _Parts:
        """Take the mean of peers as the baseline; exact where each feature's part depends on that feature alone."""
        means = {name: float(effect.mean()) for name, effect in peers.effects.items()}
        base = self.base + sum(means.values())
        return _Parts(base, {name: effect - means[name] for name, effect in self.effects.items()})


@dataclass(frozen=True, eq=False)
class Contributions:
    """What potentials are made of.

    Attributes:
        rows: `COLUMNS`, sorted by partner and feature: `value` of a metric (missing for attributes), `text` of an
            attribute (missing for metrics), the base value of the partner, the contribution to the natural logarithm.
        additivity: `ADDITIVITY_COLUMNS`, one row per partner: the logarithm that is explained, and by how much the
            parts miss it.
    """

    rows: pd.DataFrame
    additivity: pd.DataFrame


def contributions(model: PotentialModel, rows: pd.DataFrame, split: TreeSplit = raw_parts) -> pd.DataFrame:
    """Split each partner's log potential into features, against the whole channel; the rows of `split_to_channel`."""
    return split_to_channel(model, rows, split).rows


def split_to_channel(model: PotentialModel, rows: pd.DataFrame, split: TreeSplit = raw_parts) -> Contributions:
    """Split each partner's log potential into features, against the whole channel that the model was trained on.

    Args:
        model: A trained model.
        rows: Metric rows, one per partner.
        split: How the trees are split; LightGBM's own way by default.

    Raises:
        InvalidInput: If a column that the model needs is missing.
        Refused: If the parts of a partner miss its potential by more than `CHANNEL_LIMIT`.
    """
    check_columns(rows, model.features, labelled=False)
    rows = rows.reset_index(drop=True)
    sources = model.sources(rows)
    found = []
    for source in sorted(sources.unique()):
        inside = rows[(sources == source).to_numpy()].reset_index(drop=True)
        found.append(_laid_out(model, inside, _parts_of(model, inside, source, split)))
    result = joined(found)
    refuse_inexact(result, CHANNEL_LIMIT, "the whole channel")
    return result


def split_to_peers(model: PotentialModel, rows: pd.DataFrame, peers: pd.DataFrame, split: TreeSplit) -> Contributions:
    """Split each partner's log potential into features, against the mean of peers (interventional).

    Args:
        model: A trained model.
        rows: Metric rows, one per partner, of one potential source.
        peers: Metric rows of the peers, at least one, of the same source.
        split: How the trees are split.

    Raises:
        Refused: If the parts of a partner miss its potential by more than `PEERS_LIMIT`, or the base misses the mean
            of the peers by as much.
        ValueError: If there are no peers, or rows and peers are predicted by different sources.
    """
    rows, peers = rows.reset_index(drop=True), peers.reset_index(drop=True)
    sources = {*model.sources(rows), *model.sources(peers)}
    if len(sources) != 1 or peers.empty:
        raise ValueError(f"partners and at least one peer must have one potential source, found {sorted(sources)}")
    source = sources.pop()
    if source == "model" and model.blend is not None:
        parts = _blend_parts(model, rows, split, peers)
    else:
        parts = _parts_of(model, rows, source, split).against(_parts_of(model, peers, source, split))
    result = _laid_out(model, rows, parts)
    expected = float(_log_potential(model, peers).mean())
    _refuse_off_mean(parts.base - expected)
    refuse_inexact(result, PEERS_LIMIT, "peers")
    return result


def joined(parts: list[Contributions]) -> Contributions:
    """Put contributions of different partners together, sorted."""
    if not parts:
        return Contributions(pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(ADDITIVITY_COLUMNS)))
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    totals = pd.concat([part.additivity for part in parts], ignore_index=True)
    return Contributions(
        rows.sort_values(["partner_id", "feature"], kind="stable", ignore_index=True),
        totals.sort_values("partner_id", kind="stable", ignore_index=True),
    )


def refuse_inexact(found: Contributions, limit: float, baseline: str) -> None:
    """Stop the run if any partner's parts do not add up.

    Raises:
        Refused: With the worst error and example partners.
    """
    errors = found.additivity["additivity_error"]
    wrong = found.additivity[~(errors <= limit)]
    if wrong.empty:
        return
    worst = wrong.sort_values("additivity_error", ascending=False, kind="stable", na_position="first")
    what = (
        f"against {baseline}, the contributions of {len(wrong)} of {len(errors)} partners miss their potential"
        f" by up to {worst['additivity_error'].max(skipna=False):.3g} on the log scale; allowed is {limit:g}"
    )
    todo = "nothing was written; train the model again, and report this as a fault of the program if it stays"
    raise Refused(Fault(what, "contributions", tuple(worst["partner_id"].astype(str).head(3)), todo))


def _refuse_off_mean(gap: float) -> None:
    if not abs(gap) <= PEERS_LIMIT:
        what = f"the baseline of peers misses their mean log potential by {abs(gap):.3g}; allowed is {PEERS_LIMIT:g}"
        raise Refused(Fault(what, "contributions", todo="nothing was written; report this as a fault of the program"))


def _parts_of(model: PotentialModel, rows: pd.DataFrame, source: str, split: TreeSplit) -> _Parts:
    if source == "cold_start":
        return _Parts(model.cold_start.base, model.cold_start.parts(rows))
    if source == "model" and model.blend is not None:
        return _blend_parts(model, rows, split, None)
    logged = np.log(np.maximum(model.persistence(rows), model.floor))
    return _Parts(model.base, {model.features.target: logged - model.base})


def _blend_parts(
    model: PotentialModel, rows: pd.DataFrame, split: TreeSplit, background: pd.DataFrame | None
) -> _Parts:
    """The mean of the GLM's and the trees' parts; the GLM is a sum of one-feature terms and so exact by itself."""
    blend = model.blend
    assert blend is not None
    glm = _Parts(blend.glm.base, blend.glm.effects(rows))
    seen = None
    if background is not None:
        glm = glm.against(replace(glm, effects=blend.glm.effects(background)))
        seen = blend.trees.columns.matrix(background)
    base, parts = split(blend.trees.text, blend.trees.columns.matrix(rows), seen)
    trees = {name: parts[:, place] for place, name in enumerate(blend.trees.columns.names)}
    nothing = np.zeros(len(rows))
    names = sorted({*trees, *glm.effects})
    halves = {name: (trees.get(name, nothing) + glm.effects.get(name, nothing)) / 2 for name in names}
    return _Parts(blend.offset + (glm.base + base) / 2, halves)


def _laid_out(model: PotentialModel, rows: pd.DataFrame, parts: _Parts) -> Contributions:
    explained = _log_potential(model, rows)
    error = np.abs(sum(parts.effects.values(), np.full(len(rows), parts.base)) - explained)
    totals = pd.DataFrame(
        {"partner_id": rows["partner_id"], "base": parts.base, "log_potential": explained, "additivity_error": error}
    )
    return Contributions(_long(model, rows, parts), totals)


def _log_potential(model: PotentialModel, rows: pd.DataFrame) -> Floats:
    """The logarithm of the predicted potential; persistence counts from the floor on."""
    predicted = predict(model, rows)["potential"].to_numpy(dtype=np.float64)
    persistent = (model.sources(rows) == "persistence").to_numpy()
    return np.log(np.where(persistent, np.maximum(predicted, model.floor), predicted))


def _long(model: PotentialModel, rows: pd.DataFrame, parts: _Parts) -> pd.DataFrame:
    """One row per partner and feature, partners in the order given and features sorted."""
    effects = dict(sorted(parts.effects.items())) or {"newcomer": np.zeros(len(rows))}
    families = {**model.family_of, "newcomer": "profile"}
    names, count = list(effects), len(rows)
    values, texts = zip(*(_value_and_text(model, rows, name) for name in names), strict=True)
    return pd.DataFrame(
        {
            "partner_id": rows["partner_id"].repeat(len(names)).reset_index(drop=True),
            "feature": _repeated(names, count),
            "family": _repeated([families.get(name, "other") for name in names], count),
            "value": np.column_stack(values).ravel(),
            "text": pd.Series(np.column_stack(texts).ravel(), dtype="str"),
            "base": parts.base,
            "contribution": np.column_stack(list(effects.values())).ravel(),
        }
    )


def _repeated(texts: list[str], count: int) -> pd.Series:
    kinds = sorted(set(texts))
    codes = np.tile(np.array([kinds.index(text) for text in texts], dtype=np.int64), count)
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index(kinds))).astype("str")


def _value_and_text(model: PotentialModel, rows: pd.DataFrame, name: str) -> tuple[Floats, NDArray[np.object_]]:
    unknown, nothing = np.full(len(rows), np.nan), np.full(len(rows), None, dtype=object)
    if name in model.features.attributes:
        column = rows[name].astype("object")
        return unknown, column.where(column.notna(), None).to_numpy(dtype=object)
    return (rows[name].to_numpy(dtype=np.float64, na_value=np.nan) if name in rows.columns else unknown), nothing
