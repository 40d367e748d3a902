"""Where partners lie in the two directions in which they differ most, for a map of the archetypes.

Plain principal components of the space that the archetypes were found in: directions made to part the groups would
show groups that are not there (Bookstein, "Pathologies of between-groups principal components analysis in geometric
morphometrics", Evolutionary Biology 46 (2019)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes.assign import assign
from tierwise.archetypes.clusters import distances
from tierwise.archetypes.model import ArchetypeModel
from tierwise.archetypes.space import Space

Floats = NDArray[np.float64]
POINT_COLUMNS = ("kind", "partner_id", "archetype_id", "archetype", "status", "partners", "x", "y")
AXIS_COLUMNS = ("axis", "explained", "feature", "loading")
MOST_PARTNERS = 1_500
_FEATURES_AN_AXIS = 2


@dataclass(frozen=True)
class Projection:
    """A map of partners.

    Attributes:
        points: `kind` (partner or centre), `partner_id` (missing for a centre), `archetype_id`, `archetype`,
            `status`, `partners` (1, or how many the centre stands for), `x`, `y`.
        axes: Per axis (x, y) the share of the spread that it `explained` and the features that count most in it, with
            their `loading` (signed; a feature's coordinates together).
        partners: How many partners there are; the points hold a seeded sample of very many.
        nearest: The share of partners who on the map lie nearest to their own archetype's centre; NaN without
            archetypes.
    """

    points: pd.DataFrame
    axes: pd.DataFrame
    partners: int
    nearest: float


def project(model: ArchetypeModel, rows: pd.DataFrame, seed: int, most: int = MOST_PARTNERS) -> Projection | None:
    """Project partners and centres onto the first two principal components.

    Args:
        model: The archetypes, supported or not.
        rows: Metric rows of one as-of date, one per partner.
        seed: Seed of the sample.
        most: At most how many partners become points.

    Returns:
        None where there are fewer than three partners or nothing varies between them.
    """
    rows = rows.sort_values("partner_id", kind="stable", ignore_index=True)
    matrix = model.space.matrix(rows)
    if len(rows) < 3 or matrix.shape[1] == 0:
        return None
    middle = matrix.mean(axis=0)
    directions, explained = _components(matrix - middle)
    assigned = assign(model, rows)
    places = (matrix - middle) @ directions
    centres = (model.centres - middle) @ directions if model.supported else np.zeros((0, 2))
    kept = _sample(len(rows), most, seed)
    points = pd.concat([_partner_points(assigned, places).iloc[kept], _centre_points(model, centres, assigned)])
    return Projection(
        points=points.reset_index(drop=True),
        axes=_axes(model.space, directions, explained),
        partners=len(rows),
        nearest=_nearest(places, centres, assigned, model.ids),
    )


def _components(centred: Floats) -> tuple[Floats, Floats]:
    """Return two directions, shape (d, 2), and the share of the spread that each explains; signs are set."""
    _, values, rows = np.linalg.svd(centred, full_matrices=False)
    found = np.zeros((centred.shape[1], 2))
    kept = min(2, len(rows))
    found[:, :kept] = rows[:kept].T
    strongest = np.argmax(np.round(np.abs(found), 9), axis=0)
    signs = np.where(found[strongest, [0, 1]] < 0, -1.0, 1.0)
    shares = np.zeros(2)
    total = float((values**2).sum())
    shares[:kept] = values[:kept] ** 2 / total if total > 0 else 0.0
    return found * signs, shares


def _sample(rows: int, most: int, seed: int) -> NDArray[np.int64]:
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng([seed, 7]).choice(rows, most, replace=False))


def _partner_points(assigned: pd.DataFrame, places: Floats) -> pd.DataFrame:
    status = assigned["archetype_status"]
    named = assigned.assign(kind="partner", status=status, partners=1, x=places[:, 0], y=places[:, 1])
    return named[list(POINT_COLUMNS)]


def _centre_points(model: ArchetypeModel, centres: Floats, assigned: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "kind": "centre",
            "partner_id": None,
            "archetype_id": list(model.ids),
            "archetype": [archetype.name or None for archetype in model.archetypes],
            "status": [archetype.status for archetype in model.archetypes],
        },
        dtype="str",
    )
    counts = assigned["archetype_id"].value_counts().reindex(frame["archetype_id"]).fillna(0).to_numpy(np.int64)
    return frame.assign(partners=counts, x=centres[:, 0], y=centres[:, 1])[list(POINT_COLUMNS)]


def _axes(space: Space, directions: Floats, explained: Floats) -> pd.DataFrame:
    """Name each axis by the features that count most in it."""
    owners = np.array(_owners(space))
    rows = []
    for place, axis in enumerate(("x", "y")):
        loadings = pd.Series(directions[:, place]).groupby(owners).agg(_signed_length)
        strongest = loadings.reindex(loadings.abs().sort_values(ascending=False, kind="stable").index)
        rows += [(axis, float(explained[place]), str(name), float(value)) for name, value in strongest.items()]
    frame = pd.DataFrame(rows, columns=list(AXIS_COLUMNS))
    return frame.groupby("axis", sort=False).head(_FEATURES_AN_AXIS).reset_index(drop=True)


def _owners(space: Space) -> list[str]:
    """The feature of every coordinate, in the order of the matrix."""
    metrics = [axis.metric for axis in space.axes for _ in range(2 if axis.split else 1)]
    return [*metrics, *(f"{name} {level}" for name, levels in space.levels.items() for level in levels)]


def _signed_length(values: pd.Series) -> float:
    """A feature's coordinates together: their length, with the sign of the sum (an indicator and an amount agree)."""
    return float(np.sign(values.sum()) * np.sqrt((values**2).sum()))


def _nearest(places: Floats, centres: Floats, assigned: pd.DataFrame, ids: Sequence[str]) -> float:
    if len(centres) == 0:
        return float("nan")
    own = pd.Index(list(ids)).get_indexer(pd.Index(assigned["archetype_id"]))
    return float(np.mean(np.argmin(distances(places, centres), axis=1) == own))
