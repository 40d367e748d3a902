"""Movement rules and guardrails of a policy file; every key left out has the default of METHODS section 4."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.catalog import Name
from tierwise.config.durations import Duration, DurationText
from tierwise.config.policy_rules import Band, Number, Text, TierName

Occasion = Literal[
    "any_date", "month_end", "quarter_end", "year_end", "calendar_quarter_end", "calendar_year_end", "never"
]
FixedDay = Annotated[
    str,
    BeforeValidator(lambda value: value.isoformat() if isinstance(value, date) else value),
    Field(pattern=r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"),
]
Steps = Annotated[int, Field(ge=1)] | Literal["any"]
Approval = Literal["required", "pending"]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Confirmation(Settings):
    """How many of the last reviews, this one included, must agree on a move.

    Attributes:
        at_least: How many must agree.
        of_last: Among how many.
    """

    at_least: Annotated[int, Field(ge=1)]
    of_last: Annotated[int, Field(ge=1, le=40)]

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.at_least > self.of_last:
            raise ValueError(f"at_least {self.at_least} of the last {self.of_last} reviews can never be reached")
        return self


def _confirmation(value: Any) -> Any:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return {"at_least": value, "of_last": value} if is_count else value


Confirm = Annotated[Confirmation, BeforeValidator(_confirmation, json_schema_input_type=int | Confirmation)]


class Effective(Settings):
    """When a decided move takes effect.

    Attributes:
        after: A wait after the review (figures become final, the review month).
        on: The first day of the next month, quarter or year from then on; `at_once` for that day itself.
    """

    after: DurationText = Duration(count=0, unit="day")
    on: Literal["at_once", "next_month", "next_quarter", "next_year"] = "at_once"


class Promotion(Settings):
    """How partners rise.

    Attributes:
        at: On which reviews: an occasion, or fixed days (`06-30`, `2026-12-31`).
        band: How much better than every threshold a partner must be.
        steps: The most tiers a partner may rise in one review.
        confirm: How many reviews must agree.
        approval: `required`: the recommendation needs the role named under `approvals`; `pending`: it stays pending.
        effective: When a promotion takes effect.
    """

    at: Occasion | tuple[FixedDay, ...] = "any_date"
    band: Band = Decimal("0.05")
    steps: Steps = "any"
    confirm: Confirm = Confirmation(at_least=1, of_last=1)
    approval: Approval | None = None
    effective: Effective = Effective()


class Demotion(Settings):
    """How partners fall.

    Attributes:
        at: On which reviews: an occasion, or fixed days.
        band: How much below every threshold a partner may be and keep the tier.
        steps: The most tiers a partner may fall in one review.
        to: `qualified`, the tier still qualified for, or `entry`, the lowest.
        confirm: How many reviews must agree.
        grace: From the notice to the fall; a partner who recovers meanwhile keeps the tier.
        approval: As for a promotion.
        effective: When a demotion takes effect.
        immediately_if: A SQL condition that takes the tier at once: no hold, band, confirmation or grace.
    """

    at: Occasion | tuple[FixedDay, ...] = "any_date"
    band: Band = Decimal("0.10")
    steps: Steps = 1
    to: Literal["qualified", "entry"] = "qualified"
    confirm: Confirm = Confirmation(at_least=2, of_last=2)
    grace: DurationText | None = None
    approval: Approval | None = None
    effective: Effective = Effective()
    immediately_if: Text | None = None


class Hold(Settings):
    """How long a tier is held before it may change again.

    Attributes:
        min_reviews_in_tier: Reviews after the one that gave the tier.
        min_time_in_tier: Time since the review that gave the tier.
        against: Which moves the hold restrains.
    """

    min_reviews_in_tier: Count = 2
    min_time_in_tier: DurationText | None = None
    against: tuple[Literal["promote", "demote"], ...] = ("promote", "demote")


class Sunset(Settings):
    """When a partner leaves the program.

    Attributes:
        below_entry_for: How long a partner may qualify for no tier at all.
        at_entry_for: How long a partner may stay in the lowest tier.
        then: What happens; only `exit` exists.
    """

    below_entry_for: DurationText | None = None
    at_entry_for: DurationText | None = None
    then: Literal["exit"] = "exit"

    @model_validator(mode="after")
    def _names_a_time(self) -> Self:
        if (self.below_entry_for is None) == (self.at_entry_for is None):
            raise ValueError("a sunset has either 'below_entry_for' or 'at_entry_for'")
        return self


class Freeze(Settings):
    """A period in which some partners' tiers do not move.

    Attributes:
        where: A SQL condition over attributes and metrics; all partners without one.
        from_: The first day (`from` in the file).
        until: The last day.
        reason: Why; shown with the placement.
    """

    where: Text | None = None
    from_: Annotated[date, Field(alias="from")]
    until: date
    reason: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.until < self.from_:
            raise ValueError(f"the freeze ends {self.until}, before it starts {self.from_}")
        return self


class Newcomers(Settings):
    """Protection of new partners: no demotion so long after their first review.

    Attributes:
        no_demotion_for: How long.
        since: A date column to count from instead of the first review in the history.
    """

    no_demotion_for: DurationText
    since: Name | None = None


class Transition(Settings):
    """What holds after this policy replaces another.

    Attributes:
        no_demotion_for: From the day in force, how long tiers held before are guaranteed.
        renamed: New names of tiers that the tier history knows by old ones, as `old: new`; several may become one. It
            speaks of the policy's tiers and of the tracks that have a tier of the new name.
    """

    no_demotion_for: DurationText | None = None
    renamed: dict[TierName, TierName] = Field(default_factory=dict)


class Movement(Settings):
    """How tiers change from review to review (METHODS section 4).

    Attributes:
        promote: How partners rise.
        demote: How partners fall.
        hold: How long a tier is held.
        sunset: When a partner leaves the program.
        freeze: Periods in which some partners' tiers do not move.
        newcomers: Protection of new partners.
        transition: What holds after this policy replaces another.
    """

    promote: Promotion = Promotion()
    demote: Demotion = Demotion()
    hold: Hold = Hold()
    sunset: Sunset | None = None
    freeze: tuple[Freeze, ...] = ()
    newcomers: Newcomers | None = None
    transition: Transition | None = None


UNRESTRAINED = Movement(
    promote=Promotion(band=Decimal(0)),
    demote=Demotion(band=Decimal(0), steps="any", confirm=Confirmation(at_least=1, of_last=1)),
    hold=Hold(min_reviews_in_tier=0),
)


def movement_from_text(value: Any) -> Any:
    """Read `movement: none`: every partner moves at once to the eligible tier."""
    return UNRESTRAINED if value == "none" else value


class ManagerCapacity(Settings):
    """How many partners a partner manager can look after.

    Attributes:
        by: The attribute that names the manager.
        tiers: The tiers whose partners take the manager's time.
        default: Partners per manager.
        partners: Partners per manager, where it differs.
    """

    by: Name
    tiers: Annotated[tuple[TierName, ...], Field(min_length=1)]
    default: Count
    partners: dict[str, Count] = Field(default_factory=dict)


class TierPlan(Settings):
    """The planned share of each tier.

    Attributes:
        shares: Planned share by tier.
        significance: The chance of a false alarm; more partners than the binomial quantile allows is inflation.
    """

    shares: dict[TierName, Share]
    significance: Annotated[float, Field(gt=0, lt=0.5)] = 0.05


class GrowthCheck(Settings):
    """Promotions without growth are listed for a person to look at.

    Attributes:
        of: The SQL expression of growth.
        at_least: What counts as growth.
    """

    of: Text
    at_least: Number = Decimal(0)


class Guardrails(Settings):
    """Limits that hold whatever the criteria say.

    Attributes:
        max_promotions: The most promotions of one review.
        max_promotions_share: The most promotions as a share of all partners.
        max_share: The largest share of all partners in a tier. Who holds the tier keeps it; promotions and first
            placements beyond the share wait, first placements one tier lower.
        max_count: The largest number of partners in a tier, likewise.
        migration_until: Up to this day first placements are not held back by any cap, so that a whole program can move
            in at once.
        evidence: The least a partner must have of a figure, as `min_<name>: number`, before the tier may change.
        manager_capacity: Partner managers' capacity.
        rank_by: The SQL expression by which the caps let partners through, highest first; by default the first score.
        growth: What a promotion should come with.
        tier_plan: The planned shares.
    """

    max_promotions: Count | None = None
    max_promotions_share: Share | None = None
    max_share: dict[TierName, Share] = Field(default_factory=dict)
    max_count: dict[TierName, Count] = Field(default_factory=dict)
    migration_until: date | None = None
    evidence: dict[Annotated[str, Field(pattern=r"^min_[a-z][a-z0-9_]*$")], Number] = Field(default_factory=dict)
    manager_capacity: ManagerCapacity | None = None
    rank_by: Text | None = None
    growth: GrowthCheck | None = None
    tier_plan: TierPlan | None = None
