"""The tier history before a review: the decisions the workspace records, and what earlier reviews recommended."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.engine import Engine, quoted
from tierwise.store import tier_history
from tierwise.store.results import TIER_HISTORY_COLUMNS

KEPT = ("eligible_tier", "action", "rule", "gain_tier", "keep_tier", "notice_on")


def history_before(engine: Engine, workspace: Workspace, output: Path, as_of: date) -> pd.DataFrame:
    """Gather each partner's tiers before a review.

    A tier that the workspace's tier history records for a day is what was decided; it replaces what an earlier review
    recommended for the same day, but keeps that review's bands and notice.

    Args:
        engine: Holds the accepted tables.
        workspace: The workspace.
        output: The output folder with earlier reviews.
        as_of: Only what is dated earlier counts.

    Returns:
        One row per partner and day with `TIER_HISTORY_COLUMNS`, sorted by both.
    """
    recommended = tier_history(output, before=as_of)
    tables = [_recorded(engine, table, as_of) for table in workspace.tables_of("tier_history")]
    recorded = pd.concat([*tables, recommended.iloc[:0]], ignore_index=True)[["partner_id", "as_of", "tier"]]
    keys = ["partner_id", "as_of"]
    decided = recorded.merge(recommended[[*keys, *KEPT]], on=keys, how="left")
    joined = pd.concat([decided, recommended], ignore_index=True).drop_duplicates(keys, keep="first")
    return joined[list(TIER_HISTORY_COLUMNS)].sort_values(keys, ignore_index=True)


def _recorded(engine: Engine, table: str, as_of: date) -> pd.DataFrame:
    """The rows of a recorded tier history; what was eligible on that day is not known."""
    query = f"SELECT partner_id, valid_from AS as_of, tier FROM {quoted(table)} WHERE valid_from < ? ORDER BY ALL"
    return engine.frame(query, [as_of])
