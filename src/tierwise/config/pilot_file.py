"""One file per pilot (`pilots/<slug>.yaml`): written before it starts, frozen when its arms are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tierwise.config.base import Settings
from tierwise.config.catalog import Name
from tierwise.config.durations import DurationText
from tierwise.config.pilot import DecisionSettings, Positive, Role, Share
from tierwise.config.workspace import Currency

Sentence = Annotated[str, Field(min_length=1, max_length=2000)]
Amount = Annotated[float, Field(ge=0)]
PARTNER = "partner"


class PolicyChange(Settings):
    """An arm that is placed by other thresholds.

    Attributes:
        policy: The policy that is changed, by name or file; the one in force at the start by default.
        parameters: The parameters of that policy that are changed: the new value, or one per segment value.
    """

    policy: str | None = None
    parameters: Annotated[dict[Name, float | dict[str, float]], Field(min_length=1)]


class Incentive(Settings):
    """An arm that is paid for what it does.

    Attributes:
        pays: What is paid for, in words: `rebate on won revenue above last year's`.
        rate: The share that is paid.
        amount: A fixed amount, in the pilot's currency.
    """

    pays: Sentence
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    amount: Amount | None = None

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if (self.rate is None) == (self.amount is None):
            raise ValueError("an incentive has either 'rate' or 'amount'; write exactly one")
        return self


class MdfBudget(Settings):
    """An arm that gets market development funds.

    Attributes:
        amount: The budget of a partner, in the pilot's currency.
        condition: When it may be used, in words.
    """

    amount: Positive
    condition: str = ""


class ServiceLevel(Settings):
    """An arm that is served otherwise.

    Attributes:
        what: What is promised, by name: `{response_hours: 4, named_manager: true}`.
    """

    what: Annotated[dict[Name, float | bool | str], Field(min_length=1)]


KINDS = ("policy_change", "incentive", "mdf_budget", "service_level")


class ArmSettings(Settings):
    """One arm; the first one of the file is the control, which gets nothing new.

    Attributes:
        title: What people read.
        gets: What its partners get, in a sentence.
        share: Its share of the units, in any unit: 1 and 1 are halves.
        cost_per_partner: What a partner of this arm costs over the whole pilot, in the pilot's currency.
        policy_change: Other thresholds.
        incentive: A payment for what a partner does.
        mdf_budget: Market development funds.
        service_level: Another service.
    """

    title: str = ""
    gets: Sentence
    share: Positive = 1
    cost_per_partner: Amount | None = None
    policy_change: PolicyChange | None = None
    incentive: Incentive | None = None
    mdf_budget: MdfBudget | None = None
    service_level: ServiceLevel | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the arm changes."""
        return tuple(kind for kind in KINDS if getattr(self, kind) is not None)


class PilotOutcome(Settings):
    """A metric of the catalog that the pilot reads, counted from its first day on.

    Attributes:
        metric: The metric of the catalog; the outcome's own name by default. A metric whose window is not as long as
            the pilot needs another name for the outcome, because its own tells of another period.
        title: What people read; the metric's title by default.
        role: `primary` decides (Holm), `guardrail` may veto, `exploratory` only suggests (Benjamini-Hochberg).
        per: The metric below the line; the outcome is then a ratio of totals, by the delta method over partners.
        direction: Whether more is better; the metric's own by default.
        minimum_effect: The smallest change that matters, as a share of the control arm's value: 0.05 is 5 %.
        tolerance: For a guardrail: the worst change that is accepted, as a share of the control arm's value.
        missing: The value of a partner without one; without it the partner is counted as missing.
        left: The value of a partner that left; without it what was measured of the partner counts.
    """

    metric: Name | None = None
    title: str = ""
    role: Role = "exploratory"
    per: Name | None = None
    direction: Literal["up", "down"] | None = None
    minimum_effect: Positive | None = None
    tolerance: Annotated[float, Field(ge=0)] = 0.05
    missing: float | None = None
    left: float | None = None


class PilotPopulation(Settings):
    """Who may take part, as known on the day before the start.

    Attributes:
        where: A SQL condition over metrics, attributes, `tier`, and the models' outputs; everybody without.
        opt_out: A true-or-false column of the partner table, or an attribute: true where the partner said no.
        consent: Likewise: only partners where it is true take part.
        at_most: The most units that take part; who is drawn by the pilot's seed.
        in_other_pilots: Partners in a pilot that runs at the same time are left out, or take part and are reported.
    """

    where: str | None = None
    opt_out: Name | None = None
    consent: Name | None = None
    at_most: Annotated[int, Field(ge=4)] | None = None
    in_other_pilots: Literal["leave_out", "report"] = "leave_out"


class PilotStop(Settings):
    """When the pilot is stopped at a look before its end.

    Attributes:
        for_harm: When a primary metric is shown to be worse, or a guardrail to be worse by more than its tolerance.
        for_benefit: When the decision rule is met already, the return aside, which is told at the end.
    """

    for_harm: bool = True
    for_benefit: bool = False


class PilotMoney(Settings):
    """What tells cost and return.

    Attributes:
        revenue: The outcome that is revenue.
        margin: The outcome that is margin, or the share of revenue that is margin, such as 0.3.
        cost: The outcome that is cost; the arms' `cost_per_partner` without.
    """

    revenue: Name
    margin: Name | Annotated[float, Field(gt=0, le=1)]
    cost: Name | None = None


class PilotReceived(Settings):
    """What partners really got, where it is recorded; it is reported and never changes the estimate.

    Attributes:
        table: A table of events with a row for each thing given.
        arm: Its column that names the arm whose treatment was given; the last row of a partner counts.
        otherwise: What a partner without a row got: an arm's name; unknown without.
    """

    table: Name
    arm: Name
    otherwise: Name | None = None


class PilotDraw(Settings):
    """How arms are drawn.

    Attributes:
        balance: Metrics whose balance a draw must reach, besides those that are matched on.
        acceptance: The share of draws that balance would accept: 0.01 keeps the best of a hundred.
        seed: The seed; made from the workspace's seed and the pilot's name by default, so that no two draw alike.
    """

    balance: tuple[Name, ...] = ()
    acceptance: Annotated[float, Field(gt=0, le=1)] = 0.05
    seed: Annotated[int, Field(ge=0)] | None = None


class PilotPower(Settings):
    """What the design must reach.

    Attributes:
        power: The chance to show the effect that matters, if it is there.
        simulations: How many pilots are simulated on the history.
    """

    power: Share = 0.8
    simulations: Annotated[int, Field(ge=50, le=10_000)] = 2000


class PilotFile(Settings):
    """The whole of `pilots/<slug>.yaml`; the file's name is the pilot's.

    Attributes:
        title: What people read.
        hypothesis: What is thought to be true, written before anyone knows.
        owner: Who answers for the pilot.
        starts: The first day on which arms differ.
        lasts: How long outcomes are counted from that day on.
        unit: What is drawn: `partner`, or a column of the partner table or an attribute that partners share, such as
            a distributor, a manager or a region.
        population: Who may take part.
        arms: The arms; the first one is the control.
        strata: Attributes, `tier` or `archetype` within which arms are drawn.
        match_on: Metrics or `potential` by which like units are put into one block.
        outcomes: What is read, by name.
        covariates: Metrics and attributes known before the start that make estimates sharper. What a primary outcome
            was in an equally long time before the start is always one.
        by_archetype: Whether effects are also shown on each archetype.
        spills_over: Columns of partners that may tell one another, such as a distributor: shared ones are reported.
        looks: After how long the pilot is looked at before its end; without, it is read only at its end.
        stop: When it is stopped at a look.
        decision: When an arm is rolled out.
        money: What tells cost and return.
        currency: The currency of money; the program currency by default.
        received: What partners really got, where it is recorded.
        draw: How arms are drawn.
        alpha: The error rate: 0.05 gives intervals of 95 %.
        design: What the design must reach.
    """

    title: Annotated[str, Field(min_length=1, max_length=120)]
    hypothesis: Sentence
    owner: Annotated[str, Field(min_length=1)]
    starts: date
    lasts: DurationText
    unit: Name = PARTNER
    population: PilotPopulation = PilotPopulation()
    arms: Annotated[dict[Name, ArmSettings], Field(min_length=2, max_length=20)]
    strata: tuple[Name, ...] = ()
    match_on: tuple[Name, ...] = ()
    outcomes: Annotated[dict[Name, PilotOutcome], Field(min_length=1)]
    covariates: tuple[Name, ...] = ()
    by_archetype: bool = False
    spills_over: tuple[Name, ...] = ()
    looks: tuple[DurationText, ...] = ()
    stop: PilotStop = PilotStop()
    decision: DecisionSettings = DecisionSettings()
    money: PilotMoney | None = None
    currency: Currency | None = None
    received: PilotReceived | None = None
    draw: PilotDraw = PilotDraw()
    alpha: Share = 0.05
    design: PilotPower = PilotPower()

    @property
    def control(self) -> str:
        """The first arm."""
        return next(iter(self.arms))

    @property
    def cluster(self) -> str | None:
        """The column of the drawn unit; None where partners are drawn."""
        return None if self.unit == PARTNER else self.unit

    def named(self, role: Role) -> tuple[str, ...]:
        """The outcomes of one role, in the order of the file."""
        return tuple(name for name, outcome in self.outcomes.items() if outcome.role == role)

    def metric_of(self, outcome: str) -> str:
        """The metric of the catalog that an outcome reads."""
        return self.outcomes[outcome].metric or outcome

    def read_metrics(self) -> Iterator[str]:
        """Every metric of the catalog that outcomes read, each once."""
        found = [name for key, one in self.outcomes.items() for name in (one.metric or key, one.per) if name]
        yield from dict.fromkeys(found)
