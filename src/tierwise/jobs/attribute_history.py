"""What a channel's history offers for judging its tiers: past reviews, who was in which tier, what came after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from tierwise.config.calendar import review_days, shift
from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.errors import Refused
from tierwise.jobs.attribute_settings import Declared
from tierwise.jobs.policy_inputs import asks_for_models, policy_inputs, versions_then
from tierwise.jobs.tier_history import recorded_tiers
from tierwise.metrics import compute
from tierwise.policy import Placement, place

AFTER, NOW, BEFORE = "after", "now", "before"


@dataclass(frozen=True)
class History:
    """What is on record.

    Attributes:
        engine: Holds the accepted tables.
        workspace: The workspace.
        declared: What is to be judged.
        as_of: Nothing later counts.
        tiers: The recorded tiers: `partner_id, as_of, tier`.
        metrics: The metric rows of every day that is needed.
    """

    engine: Engine
    workspace: Workspace
    declared: Declared
    as_of: date
    tiers: pd.DataFrame
    metrics: pd.DataFrame

    def on(self, day: date) -> pd.DataFrame:
        """The metric rows of a day, by partner."""
        return self.metrics[self.metrics["as_of"] == pd.Timestamp(day)].set_index("partner_id")

    @property
    def reviews(self) -> tuple[date, ...]:
        """The reviews with recorded tiers whose time after has passed, the latest first."""
        return closed_reviews(self.tiers, self.workspace, self.declared, self.as_of)

    def held(self, day: date) -> pd.Series[str]:
        """The tier that each partner held at the end of a day, by partner; who had none yet is left out."""
        past = self.tiers[self.tiers["as_of"] <= pd.Timestamp(day)]
        return past.groupby("partner_id", sort=True)["tier"].last()


@dataclass(frozen=True)
class Reviewed:
    """One past review with what came after it.

    Attributes:
        day: The review.
        until: The last day of the time after it.
        policy: The policy that was in force.
        rows: One row per partner that was there and had a tier: `partner_id`, `held` (the tier's place in the
            policy), the outcome over the time `after`, `now` (over the last such time up to the review) and `before`
            (one such time earlier), `tenure_days`, and the declared covariates.
    """

    day: date
    until: date
    policy: Policy
    rows: pd.DataFrame


def read_history(engine: Engine, workspace: Workspace, declared: Declared, as_of: date) -> History:
    """Read the recorded tiers and compute the metrics of every day that judging them takes."""
    tiers = recorded_tiers(engine, workspace, as_of + timedelta(days=1))
    reviews = closed_reviews(tiers, workspace, declared, as_of)
    days = {moved for day in reviews for moved in _days(day, workspace, declared)}
    metrics = compute(engine, workspace, sorted(days)) if days else pd.DataFrame({"as_of": [], "partner_id": []})
    return History(engine, workspace, declared, as_of, tiers, metrics)


def closed_reviews(tiers: pd.DataFrame, workspace: Workspace, declared: Declared, as_of: date) -> tuple[date, ...]:
    """The review days with recorded tiers and a policy, whose horizon has passed; the latest first."""
    if tiers.empty or not workspace.policies:
        return ()
    calendar = workspace.settings.calendar
    first = max(tiers["as_of"].min().date(), workspace.policies[0].effective_from)
    days = review_days(first, as_of, calendar)
    return tuple(day for day in reversed(days) if shift(day, declared.horizon, calendar) <= as_of)


def _days(day: date, workspace: Workspace, declared: Declared) -> tuple[date, date, date]:
    calendar = workspace.settings.calendar
    return shift(day, declared.horizon, calendar, -1), day, shift(day, declared.horizon, calendar)


def reviewed(history: History, day: date) -> Reviewed:
    """Join a review's tiers with the outcome before and after it."""
    workspace, declared = history.workspace, history.declared
    earlier, _, until = _days(day, workspace, declared)
    policy = workspace.policy_on(day)
    now = history.on(day)
    there = now[now["first_seen"].notna()]
    places = {name: place for place, name in enumerate(policy.tier_names)}
    held = history.held(day).map(places).reindex(there.index)
    rows = pd.DataFrame(
        {
            "partner_id": there.index,
            "held": held.to_numpy(),
            AFTER: history.on(until)[declared.outcome].reindex(there.index).to_numpy(),
            NOW: there[declared.outcome].to_numpy(),
            BEFORE: history.on(earlier)[declared.outcome].reindex(there.index).to_numpy(),
            "tenure_days": there["tenure_days"].to_numpy(),
            **{name: there[name].to_numpy() for name in declared.settings.covariates},
        }
    )
    return Reviewed(day, until, policy, rows[rows["held"].notna()].reset_index(drop=True))


def placed(history: History, policy: Policy, day: date) -> Placement | None:
    """Place the partners of a past review by a policy; None where it needs a model and none was in force then.

    A policy without units gives one row per partner; one that places units is refused by those who read it.
    """
    with_models = asks_for_models([policy])
    versions = versions_then(history.workspace, [day]) if with_models else {}
    if with_models and day not in versions:
        return None
    try:
        inputs = policy_inputs(history.engine, history.workspace, [day], with_models, versions)
    except Refused:
        return None
    return place(history.engine, policy, inputs[day]) if day in inputs else None
