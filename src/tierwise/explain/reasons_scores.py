"""The reason by a score: what most of its points come from, and where most are still to be had."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierwise.explain.figures import figure
from tierwise.explain.reasons_words import COLUMNS, figures, said
from tierwise.explain.sentences import PHRASES
from tierwise.explain.wording import Wording


def score_reasons(components: pd.DataFrame, wording: Wording) -> pd.DataFrame:
    """Word the parts of each partner's first score; nothing where no part has room that is known."""
    rows = score_extremes(components)
    rows = rows[rows["worst"].notna()].reset_index(drop=True) if "worst" in rows.columns else rows
    if rows.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    same = rows["best"] == rows["worst"]
    code = np.select([rows["best_points"] <= 0, same], ["score_zero", "score_of_one_part"], "score_parts")
    scores = {name: wording.titles.get(name, name) for name in rows["score"].unique()}
    parts = {name: wording.part(name) for name in pd.unique(pd.concat([rows["best"], rows["worst"]]))}
    words = {
        "score_title": [scores[name] for name in rows["score"].tolist()],
        "points": figures(rows["total"].round(1), [wording.units.get(name, "") for name in rows["score"]]),
        "best": [parts[name] for name in rows["best"].tolist()],
        "best_points": _points(rows["best_points"], rows["best_max"]),
        "worst": [parts[name] for name in rows["worst"].tolist()],
        "worst_points": _points(rows["worst_points"], rows["worst_max"]),
    }
    return said(rows["partner_id"], pd.Series(code, dtype="str"), words)


def score_extremes(components: pd.DataFrame) -> pd.DataFrame:
    """Find the largest part of each partner's first score, and the one with most room.

    Returns:
        One row per partner: `partner_id, score, total, best, best_points, best_max, worst, worst_points, worst_max`.
    """
    if components.empty:
        return pd.DataFrame(columns=["partner_id"])
    first = components["score"] == components.groupby("partner_id")["score"].transform("first")
    own = components[first & components["points"].notna()].copy()
    own["total"] = own.groupby("partner_id")["points"].transform("sum")
    own["room"] = own["max_points"] - own["points"]
    best = own.sort_values(["partner_id", "points", "component"], ascending=[True, False, True], kind="stable")
    worst = own[own["room"].notna()].sort_values(
        ["partner_id", "room", "component"], ascending=[True, False, True], kind="stable"
    )
    named = {"component": "best", "points": "best_points", "max_points": "best_max"}
    left = best.drop_duplicates("partner_id")[["partner_id", "score", "total", *named]].rename(columns=named)
    low = {"component": "worst", "points": "worst_points", "max_points": "worst_max"}
    right = worst.drop_duplicates("partner_id")[["partner_id", *low]].rename(columns=low)
    return left.merge(right, on="partner_id", how="left")


def _points(points: pd.Series, most: pd.Series) -> list[str]:
    return [
        figure(given) if limit != limit else PHRASES["points"].format(points=figure(given), most=figure(limit))
        for given, limit in zip(points.round(1).tolist(), most.round(1).tolist(), strict=True)
    ]
