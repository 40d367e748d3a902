"""Fit archetypes: space, number of clusters, test against one blob, identity, names and profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes.assign import assign, check_columns, remembered, settle
from tierwise.archetypes.clusters import (
    Clustering,
    Stability,
    blob_p_value,
    candidates,
    distances,
    eligible,
    kmeans,
)
from tierwise.archetypes.identity import Identity, first_identity, match
from tierwise.archetypes.model import Archetype, ArchetypeModel, Status
from tierwise.archetypes.naming import Named, name_clusters, still_true, trait_table
from tierwise.archetypes.profiles import only_checks, rule_cards, size_table, typical_partners
from tierwise.archetypes.space import fit_space
from tierwise.config.model_spec import ArchetypeSpec, FeatureSet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_WARM_START_SLACK = 1.02
_OUTLIER_RANGES = 3.0


@dataclass(frozen=True)
class _Choice:
    """The clustering that was chosen, or why none was."""

    reason: str
    clustering: Clustering | None = None
    stability: Stability | None = None
    p_value: float = float("nan")
    table: pd.DataFrame | None = None


def fit(
    rows: pd.DataFrame, features: FeatureSet, spec: ArchetypeSpec, seed: int, previous: ArchetypeModel | None = None
) -> ArchetypeModel:
    """Find archetypes among the partners of one as-of date, or say why there are none.

    The order of rows and columns and the unit of money do not matter.

    Args:
        rows: Metric rows, one per partner.
        features: The columns to compare partners by.
        spec: Hyper-parameters.
        seed: Seed of every random step.
        previous: The version in force; its ids are carried over and its centres are a start.

    Raises:
        InvalidInput: If a column is missing.
    """
    check_columns(rows, features)
    rows = rows.sort_values("partner_id", kind="stable", ignore_index=True)
    space = fit_space(rows, features, spec)
    matrix = space.matrix(rows)
    old = _old_places(previous, rows)
    choice = _choose(matrix, old, spec, seed)
    tables = {} if choice.table is None else {"stability": choice.table}
    if choice.clustering is None or choice.stability is None:
        number = previous.next_number if previous else 1
        return ArchetypeModel(
            features, spec, choice.reason, space, next_number=number, p_value=choice.p_value, tables=tables
        )
    clustering = choice.clustering
    identity = _identity(previous, old, clustering.labels(matrix), clustering.k)
    away = distances(matrix, clustering.centres)
    before = remembered(previous.memory, rows["partner_id"], identity.ids) if previous else np.full(len(rows), -1)
    labels = settle(away, before, spec.stay_ratio)
    traits = trait_table(rows, labels, clustering.k, features)
    sizes = np.bincount(labels, minlength=clustering.k).tolist()
    names = _names(previous, identity, traits, name_clusters(traits, sizes, features))
    archetypes = _archetypes(identity, names, choice.stability, away, labels, spec)
    tables |= _tables(rows, labels, away, archetypes, traits, (features, spec))
    memory = pd.DataFrame({"partner_id": rows["partner_id"], "archetype_id": np.array(identity.ids)[labels]})
    return ArchetypeModel(
        features, spec, choice.reason, space, archetypes, clustering.centres,
        memory.astype("str"), identity.next_number, choice.p_value, {**tables, "events": identity.events},
    )  # fmt: skip


def _old_places(previous: ArchetypeModel | None, rows: pd.DataFrame) -> Ints | None:
    """Return where the version in force would put each partner, as places among its ids; None without one."""
    if previous is None or not previous.supported:
        return None
    missing = {*previous.features.names, *previous.features.attributes} - set(rows.columns)
    if missing:
        places = remembered(previous.memory, rows["partner_id"], previous.ids)
        return places if (places >= 0).all() else None
    ids = assign(previous, rows)["archetype_id"]
    return np.asarray(pd.Index(list(previous.ids)).get_indexer(pd.Index(ids)), dtype=np.int64)


def _choose(matrix: Floats, old: Ints | None, spec: ArchetypeSpec, seed: int) -> _Choice:
    if len(matrix) < spec.min_partners:
        return _Choice("too_few_partners")
    if matrix.shape[1] == 0:
        return _Choice("no_usable_features")
    rng = np.random.default_rng(seed)
    sample = _sample(matrix, spec, rng)
    found = candidates(sample, spec, rng)
    table = _stability_table(found)
    nearly_best = eligible(found, spec)
    if not nearly_best:
        return _Choice("tiny_clusters", table=table)
    chosen, stable = nearly_best[-1]
    clustering = kmeans(sample, chosen.k, spec.starts, int(rng.integers(2**31)))
    clustering = _warm(sample, matrix, old, clustering, [pair[0].k for pair in nearly_best])
    if clustering.k != chosen.k:
        stable = next(pair[1] for pair in nearly_best if pair[0].k == clustering.k)
    p_value = blob_p_value(sample, clustering, spec, rng)
    if p_value > spec.null_level:
        return _Choice("one_blob", p_value=p_value, table=table)
    if not (stable.jaccard >= spec.tentative_from).sum() >= 2:
        return _Choice("unstable", p_value=p_value, table=table)
    return _Choice("supported", clustering, stable, p_value, table)


def _sample(matrix: Floats, spec: ArchetypeSpec, rng: np.random.Generator) -> Floats:
    """Return the rows in an order that depends on their content alone, thinned to what the fit may see."""
    ordered = matrix[np.lexsort(np.round(matrix, 9).T)]
    if len(ordered) <= spec.fit_rows:
        return ordered
    return ordered[np.sort(rng.choice(len(ordered), spec.fit_rows, replace=False))]


def _warm(sample: Floats, matrix: Floats, old: Ints | None, fresh: Clustering, allowed: list[int]) -> Clustering:
    """Prefer the clustering that starts from the version in force, as long as it fits nearly as well."""
    if old is None:
        return fresh
    groups = [matrix[old == place] for place in np.unique(old)]
    if len(groups) not in allowed:
        return fresh
    warm = kmeans(sample, len(groups), np.array([group.mean(axis=0) for group in groups]), 0)
    comparable = fresh if fresh.k == warm.k else warm
    return warm if warm.inertia <= _WARM_START_SLACK * comparable.inertia else fresh


def _stability_table(found: list[tuple[Clustering, Stability]]) -> pd.DataFrame:
    rows = [(s.k, s.mean_ari, float(s.jaccard.min()), s.min_share) for _, s in found]
    return pd.DataFrame(rows, columns=["k", "mean_ari", "least_jaccard", "min_share"])


def _identity(previous: ArchetypeModel | None, old: Ints | None, new: Ints, k: int) -> Identity:
    if previous is None:
        return first_identity(k)
    if old is None:
        return match(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), (), k, previous.next_number)
    return match(old, new, previous.ids, k, previous.next_number)


def _names(
    previous: ArchetypeModel | None, identity: Identity, traits: pd.DataFrame, fresh: list[Named]
) -> list[Named]:
    """Keep the name in force while it is still true and nobody else has it."""
    in_force = {a.archetype_id: Named(a.name, a.traits) for a in previous.archetypes} if previous else {}
    names = list(fresh)
    for place, archetype_id in enumerate(identity.ids):
        named = in_force.get(archetype_id)
        others = {other.name for other in (*names[:place], *names[place + 1 :])}
        own = traits[traits["archetype_place"] == place]
        if named and named.name and named.name not in others and still_true(named.traits, own):
            names[place] = named
    return names


def _archetypes(
    identity: Identity, names: list[Named], stable: Stability, away: Floats, labels: Ints, spec: ArchetypeSpec
) -> tuple[Archetype, ...]:
    found = []
    for place, named in enumerate(names):
        jaccard = float(stable.jaccard[place])
        status: Status = "unstable"
        if jaccard >= spec.tentative_from:
            status = "named" if jaccard >= spec.named_from else "tentative"
        name = "" if status == "unstable" else named.name
        limit = _outlier_distance(away[labels == place, place])
        found.append(Archetype(identity.ids[place], name, status, jaccard, named.traits, limit))
    return tuple(found)


def _outlier_distance(own: Floats) -> float:
    if len(own) == 0:
        return float("inf")
    lower, upper = np.quantile(own, [0.25, 0.75])
    return float(upper + _OUTLIER_RANGES * (upper - lower))


def _tables(
    rows: pd.DataFrame,
    labels: Ints,
    away: Floats,
    archetypes: tuple[Archetype, ...],
    traits: pd.DataFrame,
    settings: tuple[FeatureSet, ArchetypeSpec],
) -> dict[str, pd.DataFrame]:
    features, spec = settings
    k = len(archetypes)
    ids = pd.DataFrame(
        {
            "archetype_place": range(k),
            "archetype_id": [a.archetype_id for a in archetypes],
            "archetype": [a.name or None for a in archetypes],
            "status": [a.status for a in archetypes],
            "jaccard": [a.jaccard for a in archetypes],
        }
    ).astype({"archetype_id": "str", "archetype": "str", "status": "str"})
    profiles = ids.merge(size_table(rows, labels, k, features.target), on="archetype_place")
    profiles["typical_partner"] = pd.Series(typical_partners(away, labels, rows["partner_id"]), dtype="str")
    rules = rule_cards(rows, labels, k, features, spec)
    profiles = profiles.merge(rules[["archetype_place", "rule", "accuracy"]], on="archetype_place", how="left")
    with_id = {
        name: ids[["archetype_place", "archetype_id"]].merge(table)
        for name, table in (("traits", traits), ("rules", rules))
    }
    tables = {"profiles": profiles, **with_id}
    cleaned = {name: table.drop(columns="archetype_place") for name, table in tables.items()}
    return {**cleaned, "checks": only_checks(rows, labels, features)}
