"""What happened to the channel that nobody drew by chance: the declarations of `attribution.yaml`.

The file is optional: tiers are judged by the policies and the recorded tiers alone. Roll-outs, treated regions and
recorded chances are known to people only, so they are declared.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.catalog import Name
from tierwise.config.durations import DurationText

Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


class RolloutDeclaration(Settings):
    """A benefit or an incentive that started at different times.

    Attributes:
        title: What it is, as people call it.
        metric: The outcome, added up in each period; the outcome of the file where nothing is said.
        by: The attribute of partners that says when it started for them, such as region.
        starts: The first day for each value of that attribute; partners of other values never got it.
        gained_by: In place of `by`, a metric: a partner got it in the first quarter at whose end the metric is at least
            `gained_at`.
        gained_at: The value of `gained_by` that counts as having got it.
        since: A day of the first quarter compared; the twelve quarters before the first start by default.
        until: The last day compared; the as-of date by default.
        compare_with: Partners that never got it, or all that have not got it yet.
        anticipation: How many quarters before the start partners may already act on it.
        cost_per_partner: What it cost per partner and quarter, in the program currency.
    """

    title: Text
    metric: Name | None = None
    by: Name | None = None
    starts: dict[Text, date] = Field(default_factory=dict)
    gained_by: Name | None = None
    gained_at: float = 1.0
    since: date | None = None
    until: date | None = None
    compare_with: Literal["never_treated", "not_yet_treated"] = "never_treated"
    anticipation: Annotated[int, Field(ge=0, le=8)] = 0
    cost_per_partner: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _starts_are_said_once(self) -> Self:
        if (self.by is None) == (self.gained_by is None):
            raise ValueError("say when it started: either `by` with `starts`, or `gained_by`")
        if (self.by is None) == bool(self.starts):
            raise ValueError(
                "`by` and `starts` belong together: an attribute, and the first day for each of its values"
            )
        return self


class RegionDeclaration(Settings):
    """Something that happened in one region, or a few, from one day on.

    Attributes:
        title: What it is, as people call it.
        metric: The outcome, added up in each period, per partner; the outcome of the file where nothing is said.
        by: The attribute of partners that names their region.
        treated: The regions in which it happened.
        starts: The first day; the quarter that holds it is the first treated one.
        since: The first day compared; twelve quarters before the start by default.
        until: The last day compared; the as-of date by default.
        least_partners: Regions with fewer partners are left out of the comparison.
    """

    title: Text
    metric: Name | None = None
    by: Name
    treated: Annotated[tuple[Text, ...], Field(min_length=1)]
    starts: date
    since: date | None = None
    until: date | None = None
    least_partners: Annotated[int, Field(ge=1)] = 5


class ChancesDeclaration(Settings):
    """Where chances are recorded with which tiers were given; without it every recorded tier was certain.

    Attributes:
        table: An event table with one row per partner, day and tier that could have been given.
        tier: Its column of the tier.
        chance: Its column of the chance of that tier, between 0 and 1.
    """

    table: Text
    tier: Text = "tier"
    chance: Text = "chance"


class AttributionSettings(Settings):
    """The whole of `attribution.yaml`.

    Attributes:
        outcome: The metric that tiers should change; the target of the potential by default.
        horizon: How long after a review the outcome is read; the horizon of the potential by default.
        covariates: Further metrics known at the review, for comparing tiers and as placebo outcomes.
        rollouts: Benefits and incentives that started at different times, by a short name.
        regions: What happened in one region, by a short name.
        alternatives: Files of policies, relative to the workspace, whose thresholds are compared with those in force;
            the workspace's other policies by default.
        chances: Recorded chances of tiers, for judging other policies.
        margin: The share of revenue that is margin; with it the effect on revenue is set against what a tier costs.
        alpha: The error rate: 0.05 gives intervals of 95 %.
    """

    outcome: Name | None = None
    horizon: DurationText | None = None
    covariates: tuple[Name, ...] = ()
    rollouts: dict[Name, RolloutDeclaration] = Field(default_factory=dict)
    regions: dict[Name, RegionDeclaration] = Field(default_factory=dict)
    alternatives: tuple[Text, ...] = ()
    chances: ChancesDeclaration | None = None
    margin: Annotated[float, Field(gt=0, le=1)] | None = None
    alpha: Share = 0.05
