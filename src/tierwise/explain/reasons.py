"""At most four reasons per partner, in the order of what decided: rule, threshold, score, potential."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tierwise.explain.figures import UNKNOWN, factor, figure
from tierwise.explain.focus import focus_criteria
from tierwise.explain.sentences import SENTENCES
from tierwise.explain.wording import Wording

COLUMNS = ("partner_id", "rank", "code", "sentence", "partner_safe_sentence")
MOST_REASONS = 4
FAMILIES_NAMED = 2
OPERATOR_WORDS = {
    ">=": "at least {}", ">": "more than {}", "<=": "at most {}", "<": "less than {}", "=": "exactly {}",
    "<>": "other than {}",
}  # fmt: skip
POTENTIAL_CODES = {
    "model": "potential_families",
    "persistence": "potential_unchanged",
    "cold_start": "potential_from_profile",
}
NOT_SAID = "-"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ReasonTables:
    """The stored parts that reasons are worded from, all keyed by `partner_id`.

    Attributes:
        moves: The movement table, with `potential` and `potential_source`; one row per partner, sorted.
        criteria: The criteria table of the placement.
        components: The score components of the placement.
        contributions: The log-scale contributions to the potential: `family, contribution`.
    """

    moves: pd.DataFrame
    criteria: pd.DataFrame
    components: pd.DataFrame
    contributions: pd.DataFrame


def word_reasons(tables: ReasonTables, wording: Wording) -> pd.DataFrame:
    """Word the reasons of every partner.

    Returns:
        Columns `COLUMNS`, sorted by partner and rank; ranks run from 1 to at most `MOST_REASONS`.
    """
    focus = _by_partner(focus_criteria(tables.moves, tables.criteria, wording.tier_names))
    scores = _by_partner(score_extremes(tables.components))
    families = family_effects(tables.contributions)
    rows: list[tuple[str, int, str, str, str]] = []
    for move in _records(tables.moves):
        partner_id = move["partner_id"]
        found = (
            _deciding(move, wording),
            _threshold(focus.get(partner_id), wording),
            _score(scores.get(partner_id), wording),
            _potential(move, families.get(partner_id, ()), wording),
        )
        said = [reason for reason in found if reason is not None][:MOST_REASONS]
        rows += [(partner_id, rank, *reason) for rank, reason in enumerate(said, start=1)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"partner_id": "str"})


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


def family_effects(contributions: pd.DataFrame) -> dict[str, tuple[tuple[str, float], ...]]:
    """Sum the contributions by family; the strongest families of each partner first, with their factor."""
    sums = contributions.groupby(["partner_id", "family"], as_index=False, sort=True)["contribution"].sum()
    sums = sums[sums["contribution"] != 0]
    order = sums.assign(size=-sums["contribution"].abs()).sort_values(["partner_id", "size", "family"], kind="stable")
    strongest = order.groupby("partner_id").head(FAMILIES_NAMED)
    found: dict[str, list[tuple[str, float]]] = {}
    for partner_id, family, effect in zip(
        strongest["partner_id"], strongest["family"], np.exp(strongest["contribution"]), strict=True
    ):
        found.setdefault(partner_id, []).append((family, float(effect)))
    return {partner_id: tuple(effects) for partner_id, effects in found.items()}


def _records(frame: pd.DataFrame) -> Iterator[Row]:
    columns = [str(name) for name in frame.columns]
    return (dict(zip(columns, row, strict=True)) for row in frame.itertuples(index=False, name=None))


def _by_partner(frame: pd.DataFrame) -> dict[str, Row]:
    return {row["partner_id"]: row for row in _records(frame)}


def _say(code: str, words: Mapping[str, str]) -> tuple[str, str, str]:
    sentence = SENTENCES[code]
    return code, sentence.manager.format_map(words), sentence.partner_safe.format_map(words)


def _shown(value: Any) -> str:
    return NOT_SAID if pd.isna(value) else str(value)


def _deciding(move: Row, wording: Wording) -> tuple[str, str, str]:
    texts = {
        "current": _shown(move["current_tier"]),
        "eligible": "no tier" if pd.isna(move["eligible_tier"]) else str(move["eligible_tier"]),
        "recommended": "no tier" if pd.isna(move["recommended_tier"]) else str(move["recommended_tier"]),
        "pending": _shown(move["pending_tier"]),
        "approval_role": _shown(move["approval_role"]),
        "grace_until": NOT_SAID if pd.isna(move["grace_until"]) else f"{move['grace_until']:%Y-%m-%d}",
        "manager": _shown(move.get("manager")),
    }
    return _say(move["reason_code"], {**wording.settings, **texts})


def _threshold(row: Row | None, wording: Wording) -> tuple[str, str, str] | None:
    if row is None:
        return None
    name, unit = row["metric"], wording.units.get(row["metric"], "")
    has_numbers = row["operator"] in OPERATOR_WORDS
    asked = OPERATOR_WORDS[row["operator"]].format(figure(row["threshold"], unit)) if has_numbers else row["expression"]
    others = int(row["others"])
    words = {
        "tier": row["tier"],
        "title": wording.title(name) if has_numbers else "the condition",
        "value": figure(row["value"], unit) if has_numbers else _condition(row["value"]),
        "threshold": asked,
        "gap": figure(row["gap"], unit) if has_numbers else "the condition",
        "more": f" (and {others} more {'criterion' if others == 1 else 'criteria'})" if others else "",
    }
    return _say(row["code"], words)


def _condition(value: float) -> str:
    return UNKNOWN if math.isnan(value) else "holds" if value else "does not hold"


def _score(row: Row | None, wording: Wording) -> tuple[str, str, str] | None:
    if row is None or not isinstance(row["worst"], str):
        return None
    words = {
        "score_title": wording.titles.get(row["score"], row["score"]),
        "points": figure(row["total"], "points"),
        "best": wording.title(row["best"]),
        "best_points": _points(row["best_points"], row["best_max"]),
        "worst": wording.title(row["worst"]),
        "worst_points": _points(row["worst_points"], row["worst_max"]),
    }
    return _say("score_parts", words)


def _points(points: float, most: float) -> str:
    given = figure(points, "points")
    return given if math.isnan(most) else f"{given} of {figure(most, 'points')}"


def _potential(move: Row, effects: Iterable[tuple[str, float]], wording: Wording) -> tuple[str, str, str] | None:
    if math.isnan(move["potential"]):
        return None
    effects = tuple(effects)
    code = POTENTIAL_CODES[move["potential_source"]]
    if code == "potential_families" and not effects:
        return None
    words = {
        "potential": figure(move["potential"], wording.target_unit),
        "horizon": wording.horizon,
        "families": " and ".join(f"{family} ({factor(effect)})" for family, effect in effects),
        "family_names": " and ".join(family for family, _ in effects),
    }
    return _say(code, words)
