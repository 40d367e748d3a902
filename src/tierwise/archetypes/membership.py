"""Why a partner belongs where it is: the metrics by which its own archetype fits it better than the nearest other.

The squared distance to a centre is a sum over coordinates, so the difference between two centres splits exactly into
one part per metric or attribute. The largest parts are the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes.model import ArchetypeModel
from tierwise.archetypes.naming import short_title
from tierwise.archetypes.space import Space, values_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_REASONS = 2
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Placed:
    """Where partners are: their own archetype and the nearest other, as places among the model's; shape (n,) each."""

    own: Ints
    other: Ints


def membership_parts(space: Space, matrix: Floats, centres: Floats, placed: Placed) -> dict[str, Floats]:
    """Split how much closer the own centre is than the nearest other (in squared distance) by metric and attribute.

    Args:
        space: The space the matrix was made in.
        matrix: Partners, shape (n, d).
        centres: Shape (k, d).
        placed: Own and nearest other archetype.

    Returns:
        One array per metric or attribute, shape (n,); together they are the difference of the squared distances.
    """
    gained = (matrix - centres[placed.other]) ** 2 - (matrix - centres[placed.own]) ** 2
    parts: dict[str, Floats] = {}
    for place, name in enumerate(column_names(space)):
        parts[name] = parts.get(name, 0.0) + gained[:, place]
    return parts


def column_names(space: Space) -> list[str]:
    """Return the metric or attribute behind every coordinate of the space, in order."""
    metrics = [axis.metric for axis in space.axes for _ in range(2 if axis.split else 1)]
    return metrics + [name for name, known in space.levels.items() for _ in known]


def membership_reasons(model: ArchetypeModel, rows: pd.DataFrame, matrix: Floats, placed: Placed) -> pd.Series:
    """Say of each partner by what it belongs to its archetype rather than to the nearest other.

    Returns:
        At most two reasons per partner, the strongest first, such as `portal logins 160 (typical here 97, in the
        nearest other 11)`; missing where nothing speaks for the own archetype.
    """
    parts = membership_parts(model.space, matrix, model.centres, placed)
    names = sorted(parts)
    gained = np.column_stack([np.where(_known(rows[name]), parts[name], 0.0) for name in names])
    order = np.argsort(-gained, axis=1, kind="stable")[:, :_REASONS]
    texts = np.full(order.shape, None, dtype=object)
    for place in np.unique(order):
        row, rank = np.nonzero((order == place) & (gained[:, [place]] > 0))
        own = Placed(placed.own[row], placed.other[row])
        texts[row, rank] = _texts(model, rows.iloc[row], names[place], own)
    reasons = ["; ".join(text for text in own if text) or None for own in texts]
    return pd.Series(reasons, index=rows.index, dtype="str")


def _known(column: pd.Series) -> NDArray[np.bool_]:
    """Tell which values can be a reason; an unknown one lies at the centre of all partners and says nothing."""
    return np.asarray(column.notna(), dtype=bool)


def _texts(model: ArchetypeModel, rows: pd.DataFrame, name: str, placed: Placed) -> list[str]:
    """Word one metric or attribute for every row."""
    titles = {feature.name: short_title(feature) for feature in model.features.metrics}
    if name not in titles:
        return [f"{name.replace('_', ' ')} {value}" for value in rows[name].astype("object").fillna(_UNKNOWN)]
    typical = _medians(model, name)
    here = [typical.get(archetype_id, _UNKNOWN) for archetype_id in model.ids]
    figures = [_figure(value) for value in values_of(rows, name)]
    title = titles[name]
    return [
        f"{title} {figure} (typical here {here[own]}, in the nearest other {here[other]})"
        for figure, own, other in zip(figures, placed.own, placed.other, strict=True)
    ]


def _medians(model: ArchetypeModel, name: str) -> Mapping[str, str]:
    traits = model.tables["traits"]
    own = traits[traits["feature"] == name]
    return {str(key): _figure(value) for key, value in zip(own["archetype_id"], own["median"], strict=True)}


def _figure(value: float) -> str:
    if not np.isfinite(value):
        return _UNKNOWN
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.2g}"
