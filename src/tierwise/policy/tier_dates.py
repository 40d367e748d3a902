"""The tier on the day of an event: what a commission, a discount or a badge of that day goes by."""

from __future__ import annotations

import pandas as pd


def tier_on(history: pd.DataFrame, events: pd.DataFrame) -> pd.Series[str]:
    """The tier that each event's partner held on the event's date.

    A tier counts from the day it took effect (`effective_on` where the history has it, else the review's day) until
    the next one does.

    Args:
        history: `partner_id`, `as_of`, `tier`, and `effective_on` where it was kept.
        events: `partner_id` and `date`.

    Returns:
        One tier per event, in the events' order; missing before the first tier.
    """
    starts = history["as_of"].astype("datetime64[us]")
    if "effective_on" in history.columns:
        starts = history["effective_on"].astype("datetime64[us]").fillna(starts)
    tiers = history.assign(start=starts)[["partner_id", "start", "tier"]].sort_values(["start", "partner_id"])
    asked = events[["partner_id", "date"]].assign(
        date=events["date"].astype("datetime64[us]"), order=range(len(events))
    )
    found = pd.merge_asof(
        asked.sort_values(["date", "order"]), tiers, left_on="date", right_on="start", by="partner_id"
    )
    return found.sort_values("order")["tier"].reset_index(drop=True)
