"""Put partners into archetypes: nearest centre, except that a partner near a border stays where it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.archetypes.clusters import distances
from tierwise.archetypes.membership import Placed, membership_reasons
from tierwise.archetypes.model import ArchetypeModel
from tierwise.config.model_spec import FeatureSet
from tierwise.errors import Fault, InvalidInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
COLUMNS = (
    "partner_id", "archetype_id", "archetype", "archetype_strength", "nearest_other", "archetype_status",
    "archetype_reason",
)  # fmt: skip
_NOWHERE = -1


def check_columns(rows: pd.DataFrame, features: FeatureSet) -> None:
    """Refuse rows that lack a column.

    Raises:
        InvalidInput: With one fault per missing column.
    """
    missing = [name for name in ("partner_id", *features.names, *features.attributes) if name not in rows.columns]
    if missing:
        raise InvalidInput([Fault(f"column {name!r} is missing", "metric rows") for name in missing])


def assign(model: ArchetypeModel, rows: pd.DataFrame, reasons: bool = True) -> pd.DataFrame:
    """Assign archetypes to metric rows of one as-of date.

    Args:
        model: A fitted model.
        rows: Metric rows, one per partner, in any order.
        reasons: Whether to word the reasons, which takes longer than all the rest.

    Returns:
        Columns `COLUMNS` (without the reason where none is wanted), in the order of the rows. `archetype_strength`
        runs from 0 (on the border) to 1 (at the centre): 1 - distance to the own centre / distance to the nearest
        other. `archetype_status` is named, tentative, unstable, outlier, or the reason why there are no archetypes;
        unstable ones have no name.
        `archetype_reason` says by what the partner belongs there rather than to `nearest_other`.

    Raises:
        InvalidInput: If a column is missing.
    """
    check_columns(rows, model.features)
    rows = rows.reset_index(drop=True)
    result = pd.DataFrame({"partner_id": rows["partner_id"]})
    if not model.supported:
        return _without_archetypes(result, model.reason)
    matrix = model.space.matrix(rows)
    away = distances(matrix, model.centres)
    place = settle(away, remembered(model.memory, rows["partner_id"], model.ids), model.spec.stay_ratio)
    own, other, nearest_other = _margins(away, place)
    result["archetype_id"] = _named(list(model.ids), place)
    result["archetype"] = _named([archetype.name or None for archetype in model.archetypes], place)
    result["archetype_strength"] = np.clip(1 - own / np.where(other > 0, other, 1.0), 0, 1)
    result["nearest_other"] = _named(list(model.ids), nearest_other)
    limit = np.array([archetype.outlier_distance for archetype in model.archetypes])[place]
    status = _named([archetype.status for archetype in model.archetypes], place)
    result["archetype_status"] = status.where(own <= limit, "outlier")
    if reasons:
        result["archetype_reason"] = membership_reasons(model, rows, matrix, Placed(place, nearest_other))
    return result


def _without_archetypes(result: pd.DataFrame, reason: str) -> pd.DataFrame:
    for name in ("archetype_id", "archetype", "nearest_other", "archetype_reason"):
        result[name] = pd.Series(None, index=result.index, dtype="str")
    result["archetype_strength"] = np.nan
    result["archetype_status"] = pd.Series(reason, index=result.index, dtype="str")
    return result[list(COLUMNS)]


def settle(away: Floats, before: Ints, stay_ratio: float) -> Ints:
    """Return the archetype of each row: where it was if that is at most `stay_ratio` times as far as the nearest.

    Args:
        away: Distances to the centres, shape (n, k).
        before: The place of the archetype it was in, -1 where none, shape (n,).
        stay_ratio: How much farther the old centre may be.
    """
    nearest = np.argmin(away, axis=1)
    row = np.arange(len(away))
    stays = (before != _NOWHERE) & (away[row, before] <= stay_ratio * away[row, nearest])
    return np.where(stays, before, nearest)


def remembered(memory: pd.DataFrame, partners: pd.Series, ids: tuple[str, ...]) -> Ints:
    """Return the place among `ids` of the archetype each partner was in, -1 where none."""
    known = memory.set_index("partner_id")["archetype_id"]
    before = partners.map(known)
    return np.asarray(pd.Index(list(ids)).get_indexer(pd.Index(before)), dtype=np.int64)


def _margins(away: Floats, place: Ints) -> tuple[Floats, Floats, Ints]:
    row = np.arange(len(away))
    others = away.copy()
    others[row, place] = np.inf
    nearest_other = np.argmin(others, axis=1)
    return away[row, place], others[row, nearest_other], nearest_other


def _named(names: list[str | None], place: Ints) -> pd.Series:
    return pd.Series(np.array(names, dtype=object)[place], dtype="str")
