"""The parts that the records of a pilot share: the pilot itself, who could take part, what a record was made from."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Role = Literal["primary", "guardrail", "exploratory"]


class Record(BaseModel):
    """The base of all records: frozen, no unknown fields, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def as_json(self) -> str:
        """The record as it is written: the same record gives the same bytes."""
        return self.model_dump_json(indent=2) + "\n"


class ArmRecord(Record):
    """One arm.

    Attributes:
        name: The arm's name in the file and in every table.
        title: What people read.
        kind: control, policy_change, incentive, mdf_budget or service_level.
        gets: What its partners get, in a sentence.
        share: Its share of the units, between 0 and 1.
        partners: Partners drawn into it; 0 in a design.
        units: Units drawn into it: clusters where clusters are drawn, else partners.
        cost_per_partner: What a partner of the arm costs over the pilot, if the file says.
    """

    name: str
    title: str
    kind: str
    gets: str
    share: float
    partners: int = 0
    units: int = 0
    cost_per_partner: float | None = None


class OutcomeRecord(Record):
    """One metric that the pilot reads.

    Attributes:
        name: Its name in result rows and columns.
        metric: The metric of the catalog.
        title: What people read.
        unit: The unit of the figure: a currency, `deals`, `ratio`, ...
        role: primary, guardrail or exploratory.
        direction: Whether more is better (`up`) or less (`down`).
        window: What it counts, in words, such as `1 quarter from the start`.
        per: The metric below the line of a ratio.
        minimum_effect: The smallest change that matters, as a share of the control arm's value.
        tolerance: For a guardrail: the worst change that is accepted, as a share.
    """

    name: str
    metric: str
    title: str
    unit: str
    role: Role
    direction: Literal["up", "down"]
    window: str
    per: str | None = None
    minimum_effect: float | None = None
    tolerance: float | None = None


class PilotRecord(Record):
    """The pilot as its file says, in the form that pages show.

    Attributes:
        slug: The file's name without `.yaml`.
        title: What people read.
        hypothesis: What is thought to be true, written beforehand.
        owner: Who answers for the pilot.
        starts: The first day.
        ends: The last day.
        unit: What is drawn: `partner`, or the column of the cluster.
        strata: Columns within which arms are drawn.
        match_on: Columns by which like units are put into one block.
        arms: The arms, the control first.
        outcomes: The metrics, primary first.
        covariates: Columns known before the start by which estimates are sharpened.
        looks: The days of planned looks before the end.
        stop_rule: When the pilot is stopped early, in words.
        decision_rule: When an arm is rolled out, in words.
        alpha: The error rate.
        currency: The currency of money.
        sha256: The hash of the canonical settings.
    """

    slug: str
    title: str
    hypothesis: str
    owner: str
    starts: date
    ends: date
    unit: str
    strata: tuple[str, ...]
    match_on: tuple[str, ...]
    arms: tuple[ArmRecord, ...]
    outcomes: tuple[OutcomeRecord, ...]
    covariates: tuple[str, ...]
    looks: tuple[date, ...]
    stop_rule: tuple[str, ...]
    decision_rule: tuple[str, ...]
    alpha: float
    currency: str
    sha256: Sha256

    @property
    def control(self) -> str:
        """The name of the control arm."""
        return self.arms[0].name

    def arm(self, name: str) -> ArmRecord:
        """The arm of a name."""
        return next(arm for arm in self.arms if arm.name == name)

    def outcome(self, name: str) -> OutcomeRecord:
        """The outcome of a name."""
        return next(outcome for outcome in self.outcomes if outcome.name == name)


class PopulationRecord(Record):
    """Who could take part.

    Attributes:
        rule: The rule of the file; empty where everybody could.
        known: Partners known on the day.
        matched: Those for whom the rule holds.
        excluded: Those of them that do not take part, by reason.
        partners: Partners that take part.
        units: Units that are drawn: clusters, or partners.
    """

    rule: str
    known: int
    matched: int
    excluded: dict[str, int]
    partners: int
    units: int


class SourceRecord(Record):
    """What a record was made from.

    Attributes:
        as_of: The last day whose events were read.
        program_version: The version of Tierwise.
        data_fingerprint: The fingerprint of the accepted tables as of the day.
        model_version: The model in force, where archetype or potential were asked for.
    """

    as_of: date
    program_version: str
    data_fingerprint: str
    model_version: str | None = None
