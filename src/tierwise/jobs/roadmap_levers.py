"""The figures that partners can move: how far comparable partners moved them, and what the next tier asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.catalog import Metric
from tierwise.config.load import Workspace
from tierwise.explain.roadmap_levels import DECIMALS, Levers
from tierwise.explain.roadmap_pace import comparable_pace, quarterly_moves, size_of
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.policy import Placement

SIGNS = {"up": 1.0, "down": -1.0}
RAISABLE = {1.0: (">=", ">"), -1.0: ("<=", "<")}
STRICT = (">", "<")
SHARES = frozenset({"ratio", "share", "rate"})

Floats = NDArray[np.float64]


def levers_of(catalog: Mapping[str, Metric]) -> tuple[str, ...]:
    """The metrics that the catalog marks as actionable and gives a direction."""
    return tuple(name for name, metric in catalog.items() if metric.actionable and metric.direction in SIGNS)


def find_levers(workspace: Workspace, basis: RoadmapBasis, past: pd.DataFrame, most_quarters: int) -> Levers:
    """Describe the levers of every partner of the channel.

    Args:
        workspace: The workspace; its catalog says which figures are actionable.
        basis: What scoring found.
        past: Metric rows of the quarter ends before.
        most_quarters: A step that takes longer is not realistic.
    """
    catalog, inputs = workspace.catalog.metrics, basis.inputs
    names = levers_of(catalog)
    directions = np.array([SIGNS[catalog[name].direction] for name in names])
    values = inputs[list(names)].to_numpy(dtype=np.float64)
    target = workspace.settings.potential.metric
    columns = ["as_of", "partner_id", *dict.fromkeys([*names, target])]
    panel = pd.concat([past[columns], inputs[columns]], ignore_index=True)
    moves = quarterly_moves(panel, names, directions)
    groups = _comparable(panel, inputs, target)
    pace = comparable_pace(moves, _looked_up(groups, moves), _looked_up(groups, inputs), names)
    return Levers(
        names=names,
        directions=directions,
        counted=np.all(np.isnan(values) | (values == np.round(values)), axis=0),
        limits=_limits(values, directions, [catalog[name].unit in SHARES for name in names]),
        start=np.where(np.isnan(values) & (directions > 0), 0.0, values),
        pace=pace,
        most_quarters=most_quarters,
    )


def _comparable(panel: pd.DataFrame, inputs: pd.DataFrame, target: str) -> pd.DataFrame:
    """Archetype, which is today's, and size on each day."""
    archetype = pd.Series("", index=inputs["partner_id"])
    if "archetype_id" in inputs.columns:
        archetype = inputs.set_index("partner_id")["archetype_id"]
    groups = panel[["as_of", "partner_id"]].assign(size=size_of(panel[target], panel["as_of"]))
    return groups.assign(archetype=groups["partner_id"].map(archetype).astype("str"))


def _looked_up(groups: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["as_of", "partner_id"]].merge(groups, on=["as_of", "partner_id"], how="left")


def _limits(values: Floats, directions: Floats, is_share: list[bool]) -> Floats:
    """The best value that there can be: 1 for a share (more where the channel has more), 0 for what is never below."""
    known = np.where(np.isnan(values), 0.0, values)
    most, least = known.max(axis=0, initial=0.0), known.min(axis=0, initial=0.0)
    up = np.where(is_share, np.maximum(most, 1.0), np.inf)
    return np.where(directions > 0, up, np.where(least >= 0, 0.0, -np.inf))


def asked_levels(basis: RoadmapBasis, levers: Levers, rows: pd.DataFrame) -> Floats:
    """What the next tier's criteria ask of each lever with the gaining band, shape (n, levers, most criteria)."""
    wanted = rows[["partner_id"]].merge(basis.moves[["partner_id", "next_tier"]], on="partner_id")
    wanted = wanted.rename(columns={"next_tier": "tier"}).assign(row=np.arange(len(wanted)))
    criteria = basis.placement.criteria
    own = criteria[criteria["metric"].isin(levers.names)].merge(wanted, on=["partner_id", "tier"])
    place = {name: at for at, name in enumerate(levers.names)}
    lever = own["metric"].map(place).to_numpy(dtype=np.int64)
    raisable = np.array(
        [operator in RAISABLE[sign] for operator, sign in zip(own["operator"], levers.directions[lever], strict=True)],
        dtype=bool,
    )
    own, lever = own[raisable].reset_index(drop=True), lever[raisable]
    needed = needed_values(basis.placement, own)
    sign = levers.directions[lever]
    whole = sign * np.ceil(np.round(sign * needed, DECIMALS))
    needed = np.where(levers.counted[lever], whole, needed)
    turn = own.groupby(["row", "metric"]).cumcount().to_numpy()
    asked = np.full((len(rows), len(levers.names), int(turn.max(initial=-1)) + 1), np.nan)
    asked[own["row"].to_numpy(), lever, turn] = needed
    return asked


def needed_values(placement: Placement, criteria: pd.DataFrame) -> Floats:
    """The value from which a criterion gains: the threshold with its own or the promotion's band; strict asks for more.

    A band moves a threshold against the partner: up where at least something is asked, down where at most.
    """
    usual = placement.policy.movement.promote.band
    own = {(item.tier, item.name): item.criterion.options.band for item in placement.plan.ladder.criteria}
    (tier, tiers), (name, names) = (pd.factorize(criteria[column]) for column in ("tier", "criterion"))
    bands = [[usual if own.get(key) is None else own[key] for key in product([one], names)] for one in tiers]
    band = np.array(bands, dtype=np.float64)[tier, name] if len(criteria) else np.zeros(0)
    threshold = criteria["threshold"].to_numpy(dtype=np.float64)
    sign = np.where(criteria["operator"].isin(RAISABLE[-1.0]), -1.0, 1.0)
    needed = np.round(threshold + sign * np.abs(threshold) * band, DECIMALS)
    beyond = np.maximum(10.0**-DECIMALS, 2 * np.spacing(np.abs(needed)))
    return np.asarray(needed + np.where(criteria["operator"].isin(STRICT), sign * beyond, 0.0))


def gained_criteria(placement: Placement, asked: pd.DataFrame) -> pd.DataFrame:
    """Whether each criterion of a tier is met with the promotion's band.

    Args:
        placement: A placement.
        asked: `partner_id` as the placement has it, `tier`, and any further columns to carry along.

    Returns:
        One row per asked tier and criterion: the asked columns, `criterion`, `gained`.
    """
    own = asked.merge(placement.criteria, on=["partner_id", "tier"])
    needed, value = needed_values(placement, own), own["value"].to_numpy(dtype=np.float64).round(DECIMALS)
    least, most = (own["operator"].isin(RAISABLE[sign]).to_numpy() for sign in (1.0, -1.0))
    numeric = np.where(least, value >= needed, value <= needed)
    gained = np.where(least | most, numeric, (own["met"] == "true").to_numpy())
    return own[[*asked.columns, "criterion"]].assign(gained=gained.astype(bool))
