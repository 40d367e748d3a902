"""The tier history before a review: the decisions the workspace records, and what earlier reviews recommended.

The policy's tiers and each of its tracks have a history of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.engine import Engine, quoted
from tierwise.store import list_reviews, read_table, tier_history
from tierwise.store.results import TIER_HISTORY_COLUMNS
from tierwise.tables.output_schemas import empty_table

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
    return _decided(recorded_tiers(engine, workspace, as_of, ""), tier_history(output, before=as_of))


def track_histories_before(
    engine: Engine, workspace: Workspace, output: Path, as_of: date, tracks: Iterable[str]
) -> dict[str, pd.DataFrame]:
    """Gather each partner's tiers on each track before a review, in the same way.

    Decisions about tracks are the rows of the workspace's tier history that name one in a column `track`.
    """
    names = list(tracks)
    earlier = [review for review in list_reviews(output) if review.as_of < as_of and "tracks" in review.rows]
    stored = [read_table(output, review.as_of, "tracks") for review in earlier] if names else []
    recommended = pd.concat([*stored, empty_table("tracks")], ignore_index=True)
    recommended = recommended.rename(columns={"recommended_tier": "tier"})
    recommended = recommended.reindex(columns=["track", *TIER_HISTORY_COLUMNS]).astype({"as_of": "datetime64[us]"})
    return {
        name: _decided(
            recorded_tiers(engine, workspace, as_of, name),
            recommended.loc[recommended["track"] == name, list(TIER_HISTORY_COLUMNS)],
        )
        for name in names
    }


def _decided(recorded: pd.DataFrame, recommended: pd.DataFrame) -> pd.DataFrame:
    """What earlier reviews recommended, but for the days on which something else was decided."""
    keys = ["partner_id", "as_of"]
    decided = recorded.merge(recommended[[*keys, *KEPT]], on=keys, how="left")
    joined = pd.concat([decided, recommended], ignore_index=True).drop_duplicates(keys, keep="first")
    return joined[list(TIER_HISTORY_COLUMNS)].sort_values(keys, ignore_index=True)


def recorded_tiers(engine: Engine, workspace: Workspace, as_of: date, track: str = "") -> pd.DataFrame:
    """The tiers that were decided before a day, on a track or the policy's own, from the recorded tier histories.

    What was eligible then is not known.

    Args:
        engine: Holds the accepted tables.
        workspace: The workspace.
        as_of: Only what is dated earlier counts.
        track: The track; empty for the policy's own tiers.

    Returns:
        `partner_id, as_of, tier`, sorted.
    """
    parts = [pd.DataFrame({"partner_id": "", "as_of": pd.Timestamp(as_of), "tier": ""}, index=[])]
    for table in workspace.tables_of("tier_history"):
        names_tracks = "track" in workspace.table(table).columns
        about = f"coalesce(trim({quoted('track')}), '') = ?" if names_tracks else "? = ''"
        query = f"SELECT partner_id, valid_from AS as_of, tier FROM {quoted(table)} WHERE valid_from < ? AND {about}"
        parts.append(engine.frame(f"{query} ORDER BY ALL", [as_of, track]))
    found = pd.concat(parts, ignore_index=True)
    return found.astype({"partner_id": "str", "as_of": "datetime64[us]", "tier": "str"})
