"""Other policies judged on the recorded tiers, where each tier could have been another with a chance on record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tierwise import pilots
from tierwise.config.pilot import OffPolicySettings
from tierwise.config.policy import Policy
from tierwise.engine import quoted
from tierwise.jobs.attribute_history import AFTER, NOW, History, Reviewed, placed, reviewed
from tierwise.jobs.attribute_rows import row_without
from tierwise.pilots.results import Result
from tierwise.reports.attribution_findings import Finding

_CERTAIN = "Nobody recorded chances, so every tier counts as certain: a fixed rule never shows what another would do."
_PLACED = "What the other policy gives is its eligible tier on that day, without movement rules."


def alternative_findings(history: History) -> tuple[Finding, ...]:
    """Judge the declared policies, or the workspace's other ones, by what the recorded tiers can say about them."""
    if not history.reviews:
        return ()
    review = reviewed(history, history.reviews[0])
    others = history.declared.alternatives or tuple(
        policy for policy in history.workspace.policies if policy.version != review.policy.version
    )
    return tuple(_finding(history, review, policy) for policy in others if policy.per is None)


def _finding(history: History, review: Reviewed, policy: Policy) -> Finding:
    metric = history.workspace.catalog.metrics[history.declared.outcome]
    row, notes = _row(history, review, policy)
    question = f"What would the thresholds of {policy.version} have brought in place of {review.policy.version}?"
    return Finding("alternative_policy", policy.version, question, (row,), metric.unit, review.day, notes)


def _row(history: History, review: Reviewed, policy: Policy) -> tuple[Result, tuple[str, ...]]:
    outcome = history.declared.outcome
    settings = OffPolicySettings(outcome=outcome, covariates=(NOW,), alpha=history.declared.settings.alpha)
    placement = placed(history, policy, review.day)
    if placement is None:
        arms = (policy.version, review.policy.version)
        return row_without("alternative_policy", "no_model_then", outcome, arms, settings.alpha), ()
    frame = _decisions(history, review, placement.tiers).rename(columns={AFTER: outcome})
    row = replace(pilots.off_policy(frame, settings), arm=policy.version, control=review.policy.version)
    elsewhere = int((frame["action"] != frame["alternative"]).sum())
    counted = f"It would place {elsewhere:,} of {len(frame):,} partners in another tier."
    certain = history.declared.settings.chances is None
    return row, (counted, _PLACED, *((_CERTAIN,) if certain else ()))


def _decisions(history: History, review: Reviewed, tiers: pd.DataFrame) -> pd.DataFrame:
    """One row per partner: the tier it held, the tier it would have got, and the recorded chance of each."""
    other = tiers.set_index("partner_id")["eligible_tier"]
    names = np.array(review.policy.tier_names, dtype=object)
    rows = review.rows.assign(
        action=pd.Series(names[review.rows["held"].astype("int64")], dtype="str"),
        alternative=review.rows["partner_id"].map(other).astype("str"),
    )
    rows = rows[rows["alternative"].notna()].reset_index(drop=True)
    if history.declared.settings.chances is None:
        same = (rows["action"] == rows["alternative"]).astype(float)
        return rows.assign(propensity=1.0, alternative_propensity=same)
    chances = _chances(history, review)
    taken = pd.Series(list(zip(rows["partner_id"], rows["action"], strict=True))).map(chances)
    wanted = pd.Series(list(zip(rows["partner_id"], rows["alternative"], strict=True))).map(chances)
    rows = rows.assign(propensity=taken, alternative_propensity=wanted.fillna(0.0))
    return rows[rows["propensity"].notna()].reset_index(drop=True)


def _chances(history: History, review: Reviewed) -> dict[tuple[str, str], float]:
    declared = history.declared.settings.chances
    if declared is None:
        return {}
    columns = f"partner_id, {quoted(declared.tier)} AS tier, {quoted(declared.chance)} AS chance"
    query = f"SELECT {columns} FROM {quoted(declared.table)} WHERE date = ? ORDER BY ALL"
    found = history.engine.frame(query, [review.day])
    keys = zip(found["partner_id"].astype(str), found["tier"].astype(str), strict=True)
    return dict(zip(keys, found["chance"].astype(float).tolist(), strict=True))
