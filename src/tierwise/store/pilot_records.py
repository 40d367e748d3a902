"""What is kept of a pilot: the records of its design, assignment, amendments and analyses.

Where they lie (`store.pilot_folder` reads and writes them; each folder is whole or not at all, with `_SUCCESS.json`):

    <output>/pilots/<slug>/
      design/<as_of>/       design.json      = DesignRecord      power (table)
      assignment/<as_of>/   assignment.json  = AssignmentRecord  units, balance, excluded (tables), pilot.yaml as drawn
      amendments/0001.json  ...              = AmendmentRecord, one file each, never overwritten
      analysis/<as_of>/     analysis.json    = AnalysisRecord    results, over_time (tables), report.html

`<as_of>` is the last day whose events were read: of an assignment the day before the pilot starts. Tables are Parquet
and CSV. A record holds everything that a page says, so that a page computes nothing. Numbers that do not exist are
null; reason codes are those of `tierwise.pilots.REASONS`. Result rows keep `tierwise.pilots.RESULT_SCHEMA`.

Tables:

    power      one row per metric and option: `metric` and the fields of `PowerRow`
    units      one row per drawn partner: partner_id, arm, stratum, block, cluster (the drawn unit's name, `partner_id`
               where partners are drawn), then the columns known before the start: strata, what was matched on,
               covariates (`before_<metric>`), archetype where one is known
    balance    see `tierwise.pilots.balance_table`
    excluded   partner_id, reason (`opted_out`, `left`, `in_other_pilot`, `over_the_limit`, `incomplete`), detail
    results    see `tierwise.pilots.to_frame`, with a first column `kind`: `effect` or `money`
    over_time  one row per primary outcome, arm and period: outcome, arm, period (0, -1, ... before the start, 1, 2, ...
               after), from, until, units, mean, control_units, control_mean, difference, low, high. Plain differences
               of means with 95 % intervals, for plots of the trend before and of how an effect comes and goes
"""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

from tierwise.store.pilot_parts import (
    ArmRecord,
    OutcomeRecord,
    PilotRecord,
    PopulationRecord,
    Record,
    Sha256,
    SourceRecord,
)

__all__ = [
    "RECORDS",
    "AmendmentRecord",
    "AnalysisRecord",
    "ArmRecord",
    "AssignmentRecord",
    "ChangeRecord",
    "ComplianceRecord",
    "DesignRecord",
    "MoneyRecord",
    "OutcomeRecord",
    "PilotRecord",
    "PlanRecord",
    "PopulationRecord",
    "PowerRow",
    "Record",
    "SampleRatioRecord",
    "SourceRecord",
    "VerdictRecord",
    "record_schemas",
]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ROW = "ResultRow"
ResultRow = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "title": _ROW})]
Answer = Literal["roll_out", "do_not_roll_out", "inconclusive", "no_verdict"]


class PowerRow(Record):
    """What one way of reading the pilot can detect; see `tierwise.pilots.Power` for each figure."""

    option: str
    units: int
    arms: int
    power_formula: float | None
    power_simulated: float | None
    detectable_formula: float | None
    detectable_simulated: float | None
    false_positives: float | None
    units_needed: int


class PlanRecord(Record):
    """Whether one primary metric can show the effect that matters.

    Attributes:
        metric: The outcome's name.
        effect: The effect that matters, as a share of the control arm's value.
        alpha: The error rate of the reading that was planned with: smaller where several comparisons or looks share
            the pilot's error rate.
        power: The power asked for.
        history_from: The first day of the history that pilots were simulated on.
        history_until: Its last day.
        history_partners: How many partners it has.
        mean: Mean outcome per partner in the history.
        explained: The share of its variance that the covariates explain.
        can_detect: Whether the pilot as planned has the power asked for.
        sentences: The answer in plain words, and what would help.
        rows: The pilot as planned first, then what would change the answer.
    """

    metric: str
    effect: float
    alpha: float
    power: float
    history_from: date
    history_until: date
    history_partners: int
    mean: float
    explained: float
    can_detect: bool
    sentences: tuple[str, ...]
    rows: tuple[PowerRow, ...]


class DesignRecord(Record):
    """The design of a pilot: who could take part, and what it can detect.

    Attributes:
        pilot: The pilot.
        source: What the design was made from.
        population: Who could take part on that day.
        plans: One per primary metric.
        notes: What a reader should know, in sentences.
    """

    pilot: PilotRecord
    source: SourceRecord
    population: PopulationRecord
    plans: tuple[PlanRecord, ...]
    notes: tuple[str, ...] = ()

    @property
    def can_detect(self) -> bool:
        """Whether every primary metric can show the effect that matters."""
        return all(plan.can_detect for plan in self.plans)


class AssignmentRecord(Record):
    """The assignment of a pilot; with it the pilot's file is frozen.

    Attributes:
        pilot: The pilot as frozen.
        source: What the assignment was made from.
        population: Who could take part.
        sha256: The hash of who is in which arm (`tierwise.pilots.assignment_hash`).
        seed: The seed of the draw.
        draws: How many draws were made to find a balanced one.
        imbalance: The Mahalanobis distance of the arms of the draw that was kept.
        by: Who drew.
        on: The day of the draw.
        settings: The canonical settings of the file, as frozen.
        metrics: The definitions of every metric that the pilot reads, as frozen.
        notes: What a reader should know, in sentences.
    """

    pilot: PilotRecord
    source: SourceRecord
    population: PopulationRecord
    sha256: Sha256
    seed: int
    draws: int
    imbalance: float
    by: str
    on: date
    settings: dict[str, Any]
    metrics: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()


class ChangeRecord(Record):
    """One field that an amendment changed; values as they stand in the file, null where there was none."""

    field: str
    before: Any = None
    after: Any = None


class AmendmentRecord(Record):
    """A change of a pilot after its start, on record.

    Attributes:
        number: 1 for the first.
        on: The day of the change.
        by: Who changed it.
        because: Why.
        changes: Every field that changed.
        results_known: The as-of dates of the analyses that had been made before; empty where nobody knew a result.
        before_sha256: The hash of the settings before.
        sha256: The hash of the settings after.
        settings: The canonical settings after.
        metrics: The definitions of the metrics after.
    """

    number: int
    on: date
    by: str
    because: str
    changes: tuple[ChangeRecord, ...]
    results_known: tuple[date, ...]
    before_sha256: Sha256
    sha256: Sha256
    settings: dict[str, Any]
    metrics: dict[str, dict[str, Any]]


class SampleRatioRecord(Record):
    """The sample ratio check: drawn units by arm as found and as expected, and whether the gate is passed."""

    observed: dict[str, int]
    expected: dict[str, float]
    p: float
    passed: bool


class ComplianceRecord(Record):
    """What the partners of one arm really got; `share` of those recorded that got what was drawn."""

    arm: str
    units: int
    received: dict[str, int]
    share: float | None


class VerdictRecord(Record):
    """The answer for one arm by the rule written beforehand, and why, in sentences."""

    arm: str
    answer: Answer
    because: tuple[str, ...]


class MoneyRecord(Record):
    """What one arm cost and brought.

    Attributes:
        arm: The arm.
        rows: `revenue`, `margin`, `cost` per partner as drawn, `return_on_cost`, `payback_months`; as result rows.
        published: What may be told outside: rounded, names nobody.
    """

    arm: str
    rows: tuple[ResultRow, ...]
    published: str


class AnalysisRecord(Record):
    """One reading of a pilot.

    Attributes:
        pilot: The pilot as in force: as frozen, with its amendments.
        source: What the analysis was made from.
        assignment_sha256: The hash of the assignment.
        until: The last day that outcomes count.
        final: Whether the pilot had ended.
        look: The share of the pilot's time that was in, at a look before the end; None at the end of a pilot without
            looks.
        partners: Partners as drawn.
        left: Those that left the programme since.
        unknown: Those that the sources no longer know.
        sample_ratio: The gate; where it fails no row has a number.
        compliance: What each arm really got; empty where it was not recorded.
        results: The result rows: one per outcome and arm, then one per archetype.
        verdicts: One per arm.
        money: One per arm, where the file declares money.
        stop: What the stop rule says at this look: `go_on`, `stop_for_harm`, `stop_for_benefit`; None at the end.
        stop_because: Why, in sentences.
        amendments: The amendments in force.
        notes: What a reader should know, in sentences.
    """

    pilot: PilotRecord
    source: SourceRecord
    assignment_sha256: Sha256
    until: date
    final: bool
    look: float | None
    partners: int
    left: int
    unknown: int
    sample_ratio: SampleRatioRecord
    compliance: tuple[ComplianceRecord, ...]
    results: tuple[ResultRow, ...]
    verdicts: tuple[VerdictRecord, ...]
    money: tuple[MoneyRecord, ...] = ()
    stop: Literal["go_on", "stop_for_harm", "stop_for_benefit"] | None = None
    stop_because: tuple[str, ...] = ()
    amendments: tuple[AmendmentRecord, ...] = ()
    notes: tuple[str, ...] = ()


RECORDS = MappingProxyType[str, type[Record]](
    {
        "pilot-design": DesignRecord,
        "pilot-assignment": AssignmentRecord,
        "pilot-amendment": AmendmentRecord,
        "pilot-analysis": AnalysisRecord,
    }
)


def record_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema (draft 2020-12) of every record and of a result row, by short name."""
    # Imported here: the estimators behind it take seconds, and reading a record needs none of them.
    from tierwise.pilots.results import RESULT_SCHEMA

    row = {name: value for name, value in RESULT_SCHEMA.items() if name != "$schema"}
    found: dict[str, dict[str, Any]] = {}
    for name, model in RECORDS.items():
        plain = model.model_json_schema(mode="serialization")
        body = _with_rows(plain)
        found[name] = {"$schema": DIALECT, **body}
        if body != plain:
            found[name]["$defs"] = {**body["$defs"], _ROW: row}
    return {**found, "pilot-result": dict(RESULT_SCHEMA)}


def _with_rows(schema: Any) -> Any:
    """Let every result row refer to the one schema of result rows."""
    if isinstance(schema, list):
        return [_with_rows(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("title") == _ROW:
        return {"$ref": f"#/$defs/{_ROW}"}
    return {name: _with_rows(part) for name, part in schema.items()}
