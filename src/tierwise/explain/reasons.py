"""At most four reasons per partner, in the order of what decided: rule, threshold, score, potential."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from tierwise.explain.hidden import without_hidden
from tierwise.explain.peers_medians import Medians, find_medians
from tierwise.explain.reasons_potential import Peers, potential_reasons
from tierwise.explain.reasons_scores import score_reasons
from tierwise.explain.reasons_thresholds import threshold_reasons
from tierwise.explain.reasons_words import said, texts
from tierwise.explain.sentences import PHRASES
from tierwise.explain.wording import Wording

COLUMNS = ("partner_id", "rank", "code", "sentence", "partner_safe_sentence")
MOST_REASONS = 4


@dataclass(frozen=True)
class ReasonTables:
    """The stored parts that reasons are worded from, all keyed by `partner_id`.

    Attributes:
        as_of: The as-of date.
        moves: The movement table, with `potential` and `potential_source`, where there are any `manager` and `region`;
            one row per partner, sorted.
        criteria: The criteria table of the placement.
        components: The score components of the placement.
        contributions: The log-scale contributions to the potential against the whole channel: `family, contribution`.
        peers: The same against peers, and who they are.
        medians: What partners in each tier typically have; by default found among these.
    """

    as_of: date
    moves: pd.DataFrame
    criteria: pd.DataFrame
    components: pd.DataFrame
    contributions: pd.DataFrame
    peers: Peers = field(default_factory=Peers)
    medians: Medians | None = None


def word_reasons(tables: ReasonTables, wording: Wording) -> pd.DataFrame:
    """Word the reasons of every partner.

    Returns:
        Columns `COLUMNS`, sorted by partner and rank; ranks run from 1 to at most `MOST_REASONS`.
    """
    medians = tables.medians or find_medians([tables.criteria], tables.moves)
    kinds = [
        _deciding(tables.moves, wording),
        threshold_reasons(tables.moves, tables.criteria, medians, tables.as_of, wording),
        score_reasons(tables.components, wording),
        potential_reasons(tables.moves, tables.contributions, tables.peers, wording),
    ]
    rows = pd.concat([kind.assign(order=place) for place, kind in enumerate(kinds)], ignore_index=True)
    rows = rows.sort_values(["partner_id", "order"], kind="stable", ignore_index=True)
    rows["rank"] = rows.groupby("partner_id").cumcount() + 1
    kept: pd.DataFrame = rows.loc[rows["rank"] <= MOST_REASONS, list(COLUMNS)].reset_index(drop=True)
    kept = kept.astype({"partner_id": "str", "sentence": "str", "partner_safe_sentence": "str"})
    return without_hidden(kept, wording.hidden)


def _deciding(moves: pd.DataFrame, wording: Wording) -> pd.DataFrame:
    nothing = PHRASES["not_said"]
    manager = moves["manager"] if "manager" in moves.columns else pd.Series(None, index=moves.index, dtype="str")
    words: dict[str, Sequence[str]] = {
        "current": texts(moves["current_tier"], nothing),
        "eligible": texts(moves["eligible_tier"], PHRASES["no_tier"]),
        "recommended": texts(moves["recommended_tier"], PHRASES["no_tier"]),
        "pending": texts(moves["pending_tier"], nothing),
        "approval_role": texts(moves["approval_role"], nothing),
        "grace_until": _days(moves["grace_until"]),
        "manager": texts(manager, nothing),
    }
    settings = {name: [text] * len(moves) for name, text in wording.settings.items()}
    return said(moves["partner_id"], moves["reason_code"], {**settings, **words})


def _days(column: pd.Series) -> list[str]:
    days = pd.to_datetime(column)
    return texts(days.dt.strftime("%Y-%m-%d"), PHRASES["not_said"])
