"""What must hold of the explanations of every review, whatever the channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

EXPLAINED = ("contributions", "baselines", "components", "criteria")
SHORTEST_NAME = 6
LIMITS = {"channel": 1e-9, "peers": 1e-6}


def check_additivity(tables: Mapping[str, pd.DataFrame]) -> None:
    """Base and contributions are the log of the potential of every partner, against either baseline."""
    recommendations = tables["recommendations"].set_index("partner_id")
    for baseline, limit in LIMITS.items():
        rows = tables["contributions"][tables["contributions"]["baseline"] == baseline]
        known = tables["baselines"].dropna(subset=["base"]).set_index("partner_id")
        own = known[known["baseline"] == baseline]
        sums = rows.groupby("partner_id")["contribution"].sum()
        assert set(sums.index) == set(own.index)
        gap = (own["base"] + sums - own["log_potential"]).abs()
        assert (gap <= limit).all()
        assert (own["additivity_error"] <= limit).all()
        stored = recommendations.loc[own.index]
        modelled = stored["potential_source"] != "persistence"
        logged = np.log(stored.loc[modelled, "potential"])
        assert (own.loc[modelled, "log_potential"] - logged).abs().max() <= limit or not modelled.any()
    channel = tables["baselines"].query("baseline == 'channel'")
    assert set(channel["partner_id"]) == set(recommendations.index)


def check_points(tables: Mapping[str, pd.DataFrame], scores: Iterable[str]) -> None:
    """Every point of every score is a component's, to the last digit stored."""
    recommendations = tables["recommendations"].set_index("partner_id")
    for score in scores:
        own = tables["components"][tables["components"]["score"] == score]
        parts = own.groupby("partner_id")["points"].sum(min_count=1)
        total = recommendations[score]
        assert total.notna().any()
        assert (parts.reindex(total.index) - total).abs().max() <= 1e-9


def check_margins(tables: Mapping[str, pd.DataFrame]) -> None:
    """Where figures are compared, a margin to the line at which the tier is kept is at least that to gaining it."""
    rows = tables["criteria"].dropna(subset=["margin_to_gain", "margin_to_keep"])
    assert len(rows)
    assert (rows["margin_to_keep"] >= rows["margin_to_gain"] - 1e-9).all()
    far = rows["margin_to_gain"] > 0
    assert (rows.loc[far, "met"] == "true").all()


def check_reasons(tables: Mapping[str, pd.DataFrame], names: Iterable[str]) -> None:
    """At most four, in order, filled; a partner's wording names no other partner."""
    reasons = tables["reasons"]
    assert set(reasons["partner_id"]) == set(tables["recommendations"]["partner_id"])
    assert reasons["rank"].between(1, 4).all()
    for column in ("sentence", "partner_safe_sentence"):
        assert not reasons[column].str.contains(r"[{}]|\bnan\b|None|<NA>", regex=True).any()
    told = " ".join(reasons["partner_safe_sentence"].drop_duplicates())
    # A short id such as 12 is also a number that a sentence may hold.
    assert [name for name in names if len(str(name)) >= SHORTEST_NAME and str(name) in told] == []
