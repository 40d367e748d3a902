"""How a pilot is assigned and read: the frozen settings of `tierwise.pilots` (METHODS section 5).

They name columns of plain frames, so the same settings serve a workspace and a notebook.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.names import hint

Column = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Role = Literal["primary", "guardrail", "exploratory"]


class OutcomeSettings(Settings):
    """One metric that a pilot reads.

    Attributes:
        role: `primary` decides (Holm), `guardrail` may veto, `exploratory` only suggests (Benjamini-Hochberg).
        per: The metric below the line; the outcome is then a ratio of totals, by the delta method over partners.
        direction: `up` where more is better, `down` where less is.
        minimum_effect: The smallest change that matters, as a share of the control arm's value: 0.05 is 5 %.
        tolerance: For a guardrail: the worst change that is accepted, as a share of the control arm's value.
        missing: The value of a partner without one; without it the partner is counted as missing.
        left: The value of a partner that left; without it what was measured of the partner counts.
    """

    role: Role = "exploratory"
    per: Column | None = None
    direction: Literal["up", "down"] = "up"
    minimum_effect: Positive | None = None
    tolerance: Annotated[float, Field(ge=0)] = 0.05
    missing: float | None = None
    left: float | None = None


class AnalysisSettings(Settings):
    """How a randomised pilot is read.

    Attributes:
        control: The arm that the others are compared with.
        shares: The share of units that each arm was to get, in any unit; equal where nothing is said.
        outcomes: The metrics, by column.
        covariates: Columns known before the start: they make the estimate sharper and never biased.
        strata: Columns within which arms were drawn.
        pair: The column of the matched pair or small block that arms were drawn in; errors are computed by block.
        cluster: The column of the unit that was drawn, where partners share one.
        archetype: The column by which effects are shown one by one.
        alpha: The error rate: 0.05 gives intervals of 95 %.
        look: What share of the planned information is in, where the pilot has looks before its end.
        permutations: How many assignments the randomisation test draws.
        seed: The seed of that test.
    """

    control: Column
    shares: dict[Column, Positive] = Field(default_factory=dict)
    outcomes: Annotated[dict[Column, OutcomeSettings], Field(min_length=1)]
    covariates: tuple[Column, ...] = ()
    strata: tuple[Column, ...] = ()
    pair: Column | None = None
    cluster: Column | None = None
    archetype: Column | None = None
    alpha: Share = 0.05
    look: Annotated[float, Field(gt=0, le=1)] | None = None
    permutations: Count = 999
    seed: Seed = 1

    @model_validator(mode="after")
    def _control_has_a_share(self) -> Self:
        if self.shares and self.control not in self.shares:
            raise ValueError(f"the control arm {self.control!r} has no share; {hint(self.control, self.shares)}")
        return self

    @model_validator(mode="after")
    def _no_outcome_explains_itself(self) -> Self:
        both = sorted(set(self.outcomes) & set(self.covariates))
        if both:
            raise ValueError(f"{both[0]!r} is both an outcome and a covariate; name a column from before the start")
        return self

    def named(self, role: Role) -> tuple[str, ...]:
        """The outcomes of one role, in the order of the file."""
        return tuple(name for name, outcome in self.outcomes.items() if outcome.role == role)


class AssignmentSettings(Settings):
    """How units are drawn into arms.

    Attributes:
        arms: The share of units of each arm, in any unit; the first arm is the control.
        strata: Columns within which arms are drawn, such as region and archetype.
        match_on: Numeric columns by which like units are put into one block; empty draws within strata only.
        cluster: The column of the unit that is drawn, where partners share a distributor or a manager.
        balance: Columns whose balance a draw must reach.
        acceptance: The share of draws that balance would accept: 0.01 keeps one draw of a hundred.
        most_draws: How often to draw at most.
        seed: The seed of the draw.
    """

    arms: Annotated[dict[Column, Positive], Field(min_length=2)]
    strata: tuple[Column, ...] = ()
    match_on: tuple[Column, ...] = ()
    cluster: Column | None = None
    balance: tuple[Column, ...] = ()
    acceptance: Annotated[float, Field(gt=0, le=1)] = 0.05
    most_draws: Count = 1000
    seed: Seed


class PowerSettings(Settings):
    """What a planner asks of the history.

    Attributes:
        outcome: The column of the outcome over a past window as long as the pilot's.
        arms: The share of units of each arm; the first arm is the control.
        covariates: Columns known before that window.
        strata: Columns within which arms are drawn.
        match_on: Numeric columns by which like units are put into one block; empty draws within strata only.
        cluster: The column of the unit that is drawn, where partners share one.
        effect: The effect that matters, as a share of the control arm's value.
        units: How many units take part; all rows of the history where nothing is said.
        alpha: The error rate.
        power: The power to be reached.
        simulations: How many pilots are simulated.
        seed: The seed of the simulation.
    """

    outcome: Column
    arms: Annotated[dict[Column, Positive], Field(min_length=2)]
    covariates: tuple[Column, ...] = ()
    strata: tuple[Column, ...] = ()
    match_on: tuple[Column, ...] = ()
    cluster: Column | None = None
    effect: Positive
    units: Annotated[int, Field(ge=4)] | None = None
    alpha: Share = 0.05
    power: Share = 0.8
    simulations: Annotated[int, Field(ge=50)] = 4000
    seed: Seed = 1

    @model_validator(mode="after")
    def _outcome_does_not_explain_itself(self) -> Self:
        if self.outcome in self.covariates:
            raise ValueError(f"{self.outcome!r} is both the outcome and a covariate; name a column from before it")
        return self


class MoneySettings(Settings):
    """What a pilot cost and brought, for its return.

    Attributes:
        revenue: The column of revenue in the pilot's window.
        margin: The column of margin in that window, or a share of revenue such as 0.3.
        cost: The column of what a unit cost in the window, or a fixed amount per unit of each arm.
        window_months: How many months the window has, for the payback.
        currency: The currency of all amounts.
    """

    revenue: Column
    margin: Column | Annotated[float, Field(gt=0, le=1)]
    cost: Column | dict[Column, Annotated[float, Field(ge=0)]]
    window_months: Positive
    currency: str = "USD"


class DecisionSettings(Settings):
    """The rule, written beforehand, by which an arm is rolled out.

    Attributes:
        show: What the primary metrics must show: `better` than the control, or better by the `minimum_effect`.
        guardrails: `no_harm_shown` lets pass what is not proven worse than the tolerance; `shown_safe` asks for proof.
        least_return: The least return that the interval must lie above: 0 means that the money comes back.
    """

    show: Literal["better", "minimum_effect"] = "better"
    guardrails: Literal["no_harm_shown", "shown_safe"] = "no_harm_shown"
    least_return: float | None = None


class RolloutSettings(Settings):
    """A roll-out in steps that nobody randomised.

    Attributes:
        outcome: The outcome per unit and period.
        unit: The column of the unit, such as partner or region.
        period: The column of the period, a whole number.
        first_treated: The column of the first treated period of the unit; missing or 0 where it is never treated.
        compare_with: Units that are never treated, or all that are not treated yet.
        anticipation: How many periods before the start units may already act on it.
        alpha: The error rate.
    """

    outcome: Column
    unit: Column = "partner_id"
    period: Column = "period"
    first_treated: Column = "first_treated"
    compare_with: Literal["never_treated", "not_yet_treated"] = "never_treated"
    anticipation: Annotated[int, Field(ge=0)] = 0
    alpha: Share = 0.05


class OneRegionSettings(Settings):
    """One region, or a few, treated from one period on.

    Attributes:
        outcome: The outcome per region and period.
        region: The column of the region.
        period: The column of the period, a whole number.
        treated: The treated regions.
        starts: The first treated period.
        alpha: The error rate.
        seed: The seed of the placebos.
    """

    outcome: Column
    region: Column = "region"
    period: Column = "period"
    treated: Annotated[tuple[str, ...], Field(min_length=1)]
    starts: int
    alpha: Share = 0.05
    seed: Seed = 1


class ThresholdSettings(Settings):
    """A tier's threshold, read by comparing partners just above and just below.

    Attributes:
        running: The metric that the threshold is on, as of the date of placement.
        outcome: The outcome after that date.
        cutoff: The threshold; at or above it a partner gets the tier.
        received: The column that says whether the partner really got the tier (1 or 0), where not all follow the rule.
        covariates: Columns known before, which must not jump at the threshold.
        alpha: The error rate.
        density_alpha: Below this p-value of the density test the estimate is refused.
        least_units: The least number of units within the bandwidth on either side.
    """

    running: Column
    outcome: Column
    cutoff: float
    received: Column | None = None
    covariates: tuple[Column, ...] = ()
    alpha: Share = 0.05
    density_alpha: Share = 0.05
    least_units: Annotated[int, Field(ge=5)] = 20


class OffPolicySettings(Settings):
    """An alternative rule, judged on decisions that another rule made.

    Attributes:
        outcome: The outcome after the decision.
        action: The column of what was done.
        propensity: The column of the chance that the rule in force gave to what was done.
        alternative: The column of what the alternative would have done.
        alternative_propensity: The column of the chance that the rule in force gave to that.
        covariates: Columns known before the decision.
        least_propensity: Chances below this are no overlap.
        alpha: The error rate.
    """

    outcome: Column
    action: Column = "action"
    propensity: Column = "propensity"
    alternative: Column = "alternative"
    alternative_propensity: Column = "alternative_propensity"
    covariates: tuple[Column, ...] = ()
    least_propensity: Share = 0.01
    alpha: Share = 0.05
