"""Exact contributions of every feature to a partner's potential, on the log scale, against a baseline.

For the model they are the mean of the GLM's terms and the trees' SHAP values; for persistence the target metric alone;
for newcomers the effect of each attribute. The baseline is what training saw (the whole channel) or given partners
(peers). In every case `base + sum of contributions = log(potential)`, where amounts below the model's floor count as
the floor, and against peers `base` is the mean of their `log(potential)`. A gap beyond rounding stops the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas.api.types import is_string_dtype

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
TEXTS = ("partner_id", "feature", "family", "text")
CHANNEL_LIMIT = 1e-9
PEERS_LIMIT = 1e-6


@dataclass(frozen=True, eq=False)
class Basis:
    """Metric rows prepared for splitting, so that many baselines share what they need.

    Attributes:
        model: A trained model.
        rows: Metric rows, one per partner.
        sources: The potential source of each row.
        log_potential: What is to be explained; persistence counts from the model's floor on.
    """

    model: PotentialModel
    rows: pd.DataFrame
    sources: NDArray[np.object_]
    log_potential: Floats

    @cached_property
    def _matrix(self) -> Floats:
        assert self.model.blend is not None
        return self.model.blend.trees.columns.matrix(self.rows)

    @cached_property
    def _single_effects(self) -> Mapping[str, Mapping[str, Floats]]:
        """By source, the parts that depend on one feature alone, for every row: any baseline just shifts them."""
        model, logged = self.model, np.log(np.maximum(self.model.persistence(self.rows), self.model.floor))
        return {
            "cold_start": model.cold_start.parts(self.rows),
            "persistence": {model.features.target: logged - model.base},
            "model": model.blend.glm.effects(self.rows) if model.blend is not None else {},
        }


Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Parts:
    source: str
    members: Places
    base: float
    effects: Mapping[str, Floats]

    def among(self, wanted: NDArray[np.bool_]) -> _Parts:
        """The same of those members who are wanted."""
        kept = wanted[self.members]
        if kept.all():
            return self
        effects = {name: effect[kept] for name, effect in self.effects.items()}
        return _Parts(self.source, self.members[kept], self.base, effects)


@dataclass(frozen=True, eq=False)
class Contributions:
    """What potentials are made of: one array per feature, laid out as a table when it is asked for.

    Attributes:
        basis: The metric rows, without what was prepared of them for splitting.
        parts: The split potentials, in groups that share source and baseline.
    """

    basis: Basis
    parts: Sequence[_Parts]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """`COLUMNS`, sorted by partner and feature.

        `value` of a metric (missing for attributes), `text` of an attribute (missing for metrics), the base value of
        the partner, the contribution to the natural logarithm.
        """
        return self.rows_of(self.basis.rows["partner_id"])

    def rows_of(self, partner_ids: pd.Series) -> pd.DataFrame:
        """The rows of some partners, so that those of a large channel need not all be laid out at once."""
        wanted = is_among(self.basis.rows["partner_id"], partner_ids)
        parts = [part for part in (part.among(wanted) for part in self.parts) if len(part.members)]
        by_source = [[part for part in parts if part.source == source] for source in sorted({p.source for p in parts})]
        if not by_source:
            return _no_rows(COLUMNS)
        rows = pd.concat([_long(self.basis, same) for same in by_source], ignore_index=True)
        return rows.sort_values(["partner_id", "feature"], kind="stable", ignore_index=True)

    @cached_property
    def additivity(self) -> pd.DataFrame:
        """`ADDITIVITY_COLUMNS`, one row per partner: the logarithm explained, and by how much the parts miss it."""
        if not self.parts:
            return _no_rows(ADDITIVITY_COLUMNS)
        totals = pd.concat([_totals(self.basis, part) for part in self.parts], ignore_index=True)
        return totals.sort_values("partner_id", kind="stable", ignore_index=True)


def is_among(ids: pd.Series, wanted: pd.Series) -> NDArray[np.bool_]:
    """Tell which ids are wanted; `isin` of pandas makes each of many wanted ids a Python object first."""
    own, others = (pa.array(of, pa.large_string(), from_pandas=True) for of in (ids, wanted))
    return np.asarray(pc.is_in(own, value_set=others), dtype=bool)


def basis_of(model: PotentialModel, rows: pd.DataFrame) -> Basis:
    """Prepare metric rows for splitting.

    Args:
        model: A trained model.
        rows: Metric rows; where they have a column `potential`, it is what this model said of them.

    Raises:
        InvalidInput: If a column that the model needs is missing.
    """
    check_columns(rows, model.features, labelled=False)
    rows = rows.reset_index(drop=True)
    sources = model.sources(rows).to_numpy(dtype=object)
    known = rows if "potential" in rows.columns else predict(model, rows)
    predicted = known["potential"].to_numpy(dtype=np.float64)
    floored = np.where(sources == "persistence", np.maximum(predicted, model.floor), predicted)
    needed = {"partner_id", *model.features.attributes}
    texts = [name for name in rows.columns if is_string_dtype(rows[name].dtype) and name not in needed]
    return Basis(model, rows.drop(columns=texts), sources, np.log(floored))


def contributions(model: PotentialModel, rows: pd.DataFrame, split: TreeSplit = raw_parts) -> pd.DataFrame:
    """Split each partner's log potential into features, against the whole channel; the rows of `split_to_channel`."""
    return split_to_channel(basis_of(model, rows), split).rows


def split_to_channel(basis: Basis, split: TreeSplit = raw_parts) -> Contributions:
    """Split each partner's log potential into features, against the whole channel that the model was trained on.

    Args:
        basis: The partners.
        split: How the trees are split; LightGBM's own way by default.

    Raises:
        Refused: If the parts of a partner miss its potential by more than `CHANNEL_LIMIT`.
    """
    groups = [np.flatnonzero(basis.sources == source) for source in sorted(set(basis.sources))]
    result = Contributions(replace(basis), [_split(basis, members, None, split) for members in groups])
    refuse_inexact(result, CHANNEL_LIMIT, "the whole channel")
    return result


def split_to_peers(basis: Basis, groups: Iterable[tuple[Places, Places]], split: TreeSplit) -> Contributions:
    """Split partners' log potential into features, against the mean of their peers (interventional).

    Args:
        basis: The partners and their peers.
        groups: Places of partners in it, and of the peers that they share: at least one, of the same source.
        split: How the trees are split.

    Raises:
        Refused: If the parts of a partner miss its potential by more than `PEERS_LIMIT`, or the base of a group misses
            the mean of its peers by as much.
        ValueError: If a group has no peers, or its potentials come from different sources.
    """
    result = Contributions(replace(basis), [_split(basis, members, peers, split) for members, peers in groups])
    refuse_inexact(result, PEERS_LIMIT, "peers")
    return result


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


def _split(basis: Basis, members: Places, peers: Places | None, split: TreeSplit) -> _Parts:
    sources = set(basis.sources[members]) | (set() if peers is None else set(basis.sources[peers]))
    if len(sources) != 1 or (peers is not None and not len(peers)):
        raise ValueError(f"partners and at least one peer must have one potential source, found {sorted(sources)}")
    source = str(sources.pop())
    base, effects = _single(basis, source, members, peers)
    if source == "model":
        base, effects = _with_trees(basis, members, peers, split, (base, effects))
    if peers is not None:
        _refuse_off_mean(base - float(basis.log_potential[peers].mean()))
    return _Parts(source, members, base, effects)


def _single(basis: Basis, source: str, members: Places, peers: Places | None) -> tuple[float, dict[str, Floats]]:
    """Base and parts of what is a sum of one-feature terms; against peers their means are the baseline, exactly."""
    model = basis.model
    glm_base = model.blend.glm.base if model.blend is not None else 0.0
    base = {"cold_start": model.cold_start.base, "persistence": model.base, "model": glm_base}[source]
    everyone = basis._single_effects[source]
    means = {name: 0.0 if peers is None else float(effect[peers].mean()) for name, effect in everyone.items()}
    return base + sum(means.values()), {name: effect[members] - means[name] for name, effect in everyone.items()}


def _with_trees(
    basis: Basis, members: Places, peers: Places | None, split: TreeSplit, glm: tuple[float, dict[str, Floats]]
) -> tuple[float, dict[str, Floats]]:
    """The mean of the GLM's and the trees' parts."""
    blend, matrix = basis.model.blend, basis._matrix
    assert blend is not None
    base, parts = split(blend.trees.text, matrix[members], None if peers is None else matrix[peers])
    trees = {name: parts[:, place] for place, name in enumerate(blend.trees.columns.names)}
    nothing = np.zeros(len(members))
    names = sorted({*trees, *glm[1]})
    halves = {name: (trees.get(name, nothing) + glm[1].get(name, nothing)) / 2 for name in names}
    return blend.offset + (glm[0] + base) / 2, halves


def _refuse_off_mean(gap: float) -> None:
    if not abs(gap) <= PEERS_LIMIT:
        what = f"the baseline of peers misses their mean log potential by {abs(gap):.3g}; allowed is {PEERS_LIMIT:g}"
        raise Refused(Fault(what, "contributions", todo="nothing was written; report this as a fault of the program"))


def _totals(basis: Basis, part: _Parts) -> pd.DataFrame:
    explained = basis.log_potential[part.members]
    error = np.abs(sum(part.effects.values(), np.full(len(part.members), part.base)) - explained)
    own = basis.rows["partner_id"].iloc[part.members].reset_index(drop=True)
    return pd.DataFrame({"partner_id": own, "base": part.base, "log_potential": explained, "additivity_error": error})


def _no_rows(columns: Sequence[str]) -> pd.DataFrame:
    """An empty table with the types that it would have with rows."""
    return pd.DataFrame({name: pd.Series(dtype="str" if name in TEXTS else "float64") for name in columns})


def _long(basis: Basis, parts: Sequence[_Parts]) -> pd.DataFrame:
    """One row per partner and feature of parts of one source, which have the same features."""
    members = np.concatenate([part.members for part in parts])
    rows, count = basis.rows.iloc[members].reset_index(drop=True), len(members)
    names = sorted(parts[0].effects) or ["newcomer"]
    families = {**basis.model.family_of, "newcomer": "profile"}
    nothing = np.zeros(count)
    effects = [
        np.concatenate([part.effects[name] for part in parts]) if parts[0].effects else nothing for name in names
    ]
    values, texts = zip(*(_value_and_text(basis.model, rows, name) for name in names), strict=True)
    return pd.DataFrame(
        {
            "partner_id": rows["partner_id"].repeat(len(names)).reset_index(drop=True),
            "feature": _repeated(names, count),
            "family": _repeated([families.get(name, "other") for name in names], count),
            "value": np.column_stack(values).ravel(),
            "text": pd.Series(np.column_stack(texts).ravel(), dtype="str"),
            "base": np.repeat([part.base for part in parts], [len(part.members) * len(names) for part in parts]),
            "contribution": np.column_stack(effects).ravel(),
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
