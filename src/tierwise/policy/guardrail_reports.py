"""What the guardrails show to people: promotions without growth, managers' load, tiers fuller than planned."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import binom

from tierwise.config.policy import Policy
from tierwise.policy.controls import controls_of
from tierwise.policy.placement import Placement


def promoted_without_growth(policy: Policy, placement: Placement, moved: pd.DataFrame) -> pd.DataFrame:
    """Promotions that come without the growth that the guardrails look for; unknown growth is listed too.

    Returns:
        `partner_id, current_tier, recommended_tier, growth`, sorted by partner; empty without that guardrail.
    """
    check, growth = policy.guardrails.growth, controls_of(placement).growth
    columns = ["partner_id", "current_tier", "recommended_tier"]
    if check is None or growth is None:
        return moved.loc[[], columns].assign(growth=pd.Series(dtype="float64"))
    listed = (moved["action"] == "promote").to_numpy() & ~(growth >= float(check.at_least))
    return moved.loc[listed, columns].assign(growth=growth[listed]).reset_index(drop=True)


def manager_load(policy: Policy, placement: Placement, moved: pd.DataFrame) -> pd.DataFrame:
    """Each manager's partners in the tiers that take time, against the capacity.

    Returns:
        `manager, partners, capacity, waiting`, sorted; `waiting` counts promotions that waited for capacity.
    """
    capacity, manager = policy.guardrails.manager_capacity, controls_of(placement).manager
    if capacity is None or manager is None:
        return pd.DataFrame({"manager": [], "partners": [], "capacity": [], "waiting": []})
    rows = pd.DataFrame(
        {
            "manager": manager.fillna("none"),
            "partners": moved["recommended_tier"].isin(capacity.tiers).astype(int),
            "waiting": (moved["rule"] == "manager_capacity").astype(int),
        }
    )
    load = rows.groupby("manager", as_index=False).sum()
    load["capacity"] = [capacity.partners.get(name, capacity.default) for name in load["manager"]]
    return load[["manager", "partners", "capacity", "waiting"]]


def tier_inflation(policy: Policy, moved: pd.DataFrame) -> pd.DataFrame:
    """Each planned tier's share against the plan, with a binomial tolerance.

    A tier is inflated when it holds more partners than the binomial quantile of the planned share at
    1 - significance: a count that chance alone would rarely give.

    Returns:
        `tier, planned_share, partners, share, most_by_chance, probability, inflated`, lowest tier first. The
        probability is that of at least as many partners if the plan were true.
    """
    plan = policy.guardrails.tier_plan
    columns = ["tier", "planned_share", "partners", "share", "most_by_chance", "probability", "inflated"]
    if plan is None or moved.empty:
        return pd.DataFrame(columns=columns)
    tiers = [name for name in policy.tier_names if name in plan.shares]
    planned = np.array([plan.shares[name] for name in tiers])
    counts = moved["recommended_tier"].value_counts().reindex(tiers, fill_value=0).to_numpy()
    most = np.asarray(binom.ppf(1 - plan.significance, len(moved), planned), dtype=np.int64)
    table = {
        "tier": tiers,
        "planned_share": planned,
        "partners": counts,
        "share": counts / len(moved),
        "most_by_chance": most,
        "probability": binom.sf(counts - 1, len(moved), planned),
        "inflated": counts > most,
    }
    return pd.DataFrame(table, columns=columns)
