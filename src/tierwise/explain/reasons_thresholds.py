"""The reason by a threshold: the criterion that matters most, how far the partner is from it, and what peers have."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from tierwise.explain.conditions import condition_words, figure_title, figure_unit, is_about
from tierwise.explain.figures import figure, in_sentence, over_period, told_apart
from tierwise.explain.focus import CLOSEST, MISSED, MISSING, focus_criteria
from tierwise.explain.peers_medians import GROUP, TIER, Medians, with_medians
from tierwise.explain.reasons_words import figures, said, texts
from tierwise.explain.sentences import PARTNER_SAFE_OF_INTERNAL, PHRASES
from tierwise.explain.wording import Wording

OPERATORS = (">=", ">", "<=", "<", "=", "<>")
OF_CONDITION = {CLOSEST: "condition_met", MISSED: "condition_missed", MISSING: "condition_missing"}
_MEDIANS = {GROUP: "median_in_group", TIER: "median_in_tier"}


def threshold_reasons(
    moves: pd.DataFrame, criteria: pd.DataFrame, medians: Medians, as_of: date, wording: Wording
) -> pd.DataFrame:
    """Word the criterion that explains each placement best; nobody is told of more than one.

    Args:
        moves: The movement table.
        criteria: The criteria table of the placement.
        medians: What partners in each tier typically have.
        as_of: The as-of date.
        wording: What figures are called.
    """
    focus = focus_criteria(moves, criteria, wording.tier_names)
    rows = with_medians(focus, moves, medians).reset_index(drop=True)
    has_numbers = rows["operator"].isin(OPERATORS)
    code = rows["code"].where(has_numbers, rows["code"].replace(OF_CONDITION))
    unit_of = {name: figure_unit(name, wording) for name in rows["metric"].unique()}
    units = [unit_of[name] for name in rows["metric"].tolist()]
    asked = figures(rows["threshold"], units)
    titles = {name: over_period(in_sentence(figure_title(name, wording))) for name in unit_of}
    conditions = _conditions(rows, ~has_numbers, wording)
    words = {
        "tier": texts(rows["tier"], ""),
        "as_of": [as_of.isoformat()] * len(rows),
        "title": [
            titles[name] if known else text
            for name, known, text in zip(rows["metric"].tolist(), has_numbers.tolist(), conditions, strict=True)
        ],
        "condition": conditions,
        "value": [told_apart(*each) for each in zip(rows["value"], rows["threshold"], units, strict=True)],
        "asked": [
            PHRASES.get(sign, "{}").format(text) for sign, text in zip(rows["operator"].tolist(), asked, strict=True)
        ],
        "gap": figures(rows["gap"], units),
        "spare": _spare(rows, units),
        "more": [_more(count) for count in rows["others"].tolist()],
        "median": _medians(rows, units),
    }
    found = said(rows["partner_id"], code, words)
    internal = [name for name in unit_of if is_about(wording.internal, name)]
    return _without_internal(found, rows["metric"].isin(internal).to_numpy(), words)


def _conditions(rows: pd.DataFrame, is_condition: pd.Series, wording: Wording) -> list[str]:
    """What the policy calls each condition, or its words; nothing for a comparison of figures."""
    said_of = {text: condition_words(text, wording) for text in rows.loc[is_condition, "expression"].unique()}
    named = {key: in_sentence(title) for key, title in wording.conditions.items()}
    keys = zip(rows["tier"].tolist(), rows["criterion"].tolist(), rows["expression"].tolist(), strict=True)
    return [named.get((tier, criterion)) or said_of.get(text, "") for tier, criterion, text in keys]


def _spare(rows: pd.DataFrame, units: list[str]) -> list[str]:
    room = (rows["value"] - rows["threshold"]).abs()
    shown = zip(figures(room, units), room.tolist(), strict=True)
    return [PHRASES["to_spare"].format(text) if over else PHRASES["met_exactly"] for text, over in shown]


def _more(others: int) -> str:
    if not others:
        return ""
    return PHRASES["one_more"] if others == 1 else PHRASES["many_more"].format(others)


def _medians(rows: pd.DataFrame, units: list[str]) -> list[str]:
    found = zip(rows["median_of"], rows["median"].tolist(), rows["tier"], texts(rows["region"], ""), units, strict=True)
    return [
        PHRASES[_MEDIANS[kind]].format(tier=tier, group=region, median=figure(median, unit)) if kind else ""
        for kind, median, tier, region, unit in found
    ]


def _without_internal(found: pd.DataFrame, is_internal: np.ndarray, words: dict[str, list[str]]) -> pd.DataFrame:
    """Tell partners nothing of the values of scores and models."""
    safe = found["partner_safe_sentence"].to_numpy(dtype=object).copy()
    codes = texts(found["code"], "")
    for row in np.flatnonzero(is_internal).tolist():
        template = PARTNER_SAFE_OF_INTERNAL.get(codes[row])
        if template is not None:
            safe[row] = template.format(tier=words["tier"][row], title=words["title"][row])
    return found.assign(partner_safe_sentence=safe)
