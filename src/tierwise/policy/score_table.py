"""The points of every component of every score, adding up exactly to the total."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tierwise.policy.plan import KEY, Plan
from tierwise.policy.scoring import CAP, Card, ScoreColumns

COMPONENT_COLUMNS = ("partner_id", "score", "scorecard", "component", "dimension", "points", "max_points")


def components_table(plan: Plan, figures: pa.Table) -> pd.DataFrame:
    """One row per partner, score and component of the scorecard that counted, sorted by them.

    Where the cap of the score takes points away, a component `cap` shows them as negative points.
    """
    partners = figures.column(KEY).to_pandas()
    parts = [part for score in plan.scores for part in _score_parts(score, plan, figures, partners)]
    if not parts:
        return pd.DataFrame(columns=list(COMPONENT_COLUMNS))
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["partner_id", "score", "component"], kind="stable", ignore_index=True)


def _score_parts(score: ScoreColumns, plan: Plan, figures: pa.Table, partners: pd.Series[str]) -> list[pd.DataFrame]:
    chosen = np.zeros(len(partners)) if score.chosen is None else _floats(figures, score.chosen)
    has_cap = plan.policy.scores[score.name].max is not None
    parts = []
    for place, card in enumerate(score.cards):
        rows = chosen == place
        parts += _card_parts(score, card, figures, partners, rows)
        if has_cap:
            parts.append(_cap(score, card, figures, partners, rows))
    return parts


def _card_parts(
    score: ScoreColumns, card: Card, figures: pa.Table, partners: pd.Series[str], rows: npt.NDArray[np.bool_]
) -> list[pd.DataFrame]:
    return [
        pd.DataFrame(
            {
                "partner_id": partners[rows],
                "score": score.name,
                "scorecard": card.name,
                "component": component.name,
                "dimension": component.dimension,
                "points": _floats(figures, component.column)[rows],
                "max_points": np.nan if component.max_points is None else component.max_points,
            }
        )
        for component in card.components
    ]


def _cap(
    score: ScoreColumns, card: Card, figures: pa.Table, partners: pd.Series[str], rows: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """What the cap of the total takes away, for those whom it touches."""
    points = sum((_floats(figures, component.column) for component in card.components), np.zeros(len(partners)))
    lost = np.round(_floats(figures, card.total) - np.round(points, 9), 9)
    touched = rows & (lost < 0)
    return pd.DataFrame(
        {
            "partner_id": partners[touched],
            "score": score.name,
            "scorecard": card.name,
            "component": CAP,
            "dimension": "",
            "points": lost[touched],
            "max_points": 0.0,
        }
    )


def _floats(figures: pa.Table, column: str) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = figures.column(column).to_pandas().to_numpy(dtype=np.float64, na_value=np.nan)
    return values
