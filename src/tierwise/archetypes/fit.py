"""Fit archetypes: space, number of clusters, test against one blob, identity, names and profiles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tierwise.archetypes.assign import assign, check_columns, remembered, settle
from tierwise.archetypes.choice import choose
from tierwise.archetypes.clusters import Stability, distances
from tierwise.archetypes.identity import Identity, first_identity, match
from tierwise.archetypes.model import Archetype, ArchetypeModel, Status
from tierwise.archetypes.naming import Named, name_clusters, still_true, trait_table
from tierwise.archetypes.profiles import only_checks, rule_cards, size_table, typical_partners
from tierwise.archetypes.space import Space, fit_space
from tierwise.archetypes.weights import behaviour_metrics, metric_weights
from tierwise.config.model_spec import ArchetypeSpec, FeatureSet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_OUTLIER_RANGES = 3.0


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
    varying = [name for name in behaviour_metrics(rows, features, spec) if rows[name].nunique() > 1]
    space = fit_space(rows, metric_weights(rows, varying), features, spec)
    matrix = space.matrix(rows)
    old = _old_places(previous, rows)
    with threadpool_limits(limits=1):  # sums, and so borders, must not depend on how many cores the machine has
        choice = choose(matrix, old, spec, seed, space.groups)
    tables = {} if choice.table is None else {"stability": choice.table}
    if choice.clustering is None or choice.stability is None:
        number = previous.next_number if previous else 1
        return ArchetypeModel(
            features, spec, choice.reason, space, next_number=number, p_value=choice.p_value, tables=tables
        )
    clustering = choice.clustering
    identity = _identity(previous, old, clustering.labels(matrix), rows["partner_id"], clustering.k)
    away = distances(matrix, clustering.centres)
    before = remembered(previous.memory, rows["partner_id"], identity.ids) if previous else np.full(len(rows), -1)
    labels = settle(away, before, spec.stay_ratio)
    traits = trait_table(rows, labels, clustering.k, features)
    sizes = np.bincount(labels, minlength=clustering.k).tolist()
    names = _names(previous, identity, traits, name_clusters(_behaviour(traits, space), sizes, features))
    archetypes = _archetypes(identity, names, choice.stability, away, labels, spec)
    tables |= _tables(rows, labels, away, archetypes, traits, (features, spec))
    memory = pd.DataFrame({"partner_id": rows["partner_id"], "archetype_id": np.array(identity.ids)[labels]})
    return ArchetypeModel(
        features, spec, choice.reason, space, archetypes, clustering.centres,
        memory.astype("str"), identity.next_number, choice.p_value, {**tables, "events": identity.events},
    )  # fmt: skip


def _behaviour(traits: pd.DataFrame, space: Space) -> pd.DataFrame:
    """Keep the metrics that archetypes are made of; names say nothing else."""
    return traits[traits["feature"].isin([axis.metric for axis in space.axes])]


def _old_places(previous: ArchetypeModel | None, rows: pd.DataFrame) -> Ints | None:
    """Return where the version in force would put each partner, as places among its ids; None without one."""
    if previous is None or not previous.supported:
        return None
    missing = {*previous.features.names, *previous.features.attributes} - set(rows.columns)
    if missing:
        return remembered(previous.memory, rows["partner_id"], previous.ids)
    ids = assign(previous, rows)["archetype_id"]
    return np.asarray(pd.Index(list(previous.ids)).get_indexer(pd.Index(ids)), dtype=np.int64)


def _identity(previous: ArchetypeModel | None, old: Ints | None, new: Ints, partners: pd.Series, k: int) -> Identity:
    """Carry ids over by the partners that the version in force knew; those who came later belong to no old one."""
    if previous is None:
        return first_identity(k)
    if old is None:
        return match(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), (), k, previous.next_number)
    knew = (old >= 0) & partners.isin(previous.memory["partner_id"]).to_numpy()
    known = knew if knew.any() else old >= 0
    return match(old[known], new[known], previous.ids, k, previous.next_number)


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
