"""A made-up pilot with its records: drawn, looked at, amended and read by the same calls as a real one."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from tierwise import pilots
from tierwise.config.pilot import (
    AnalysisSettings,
    AssignmentSettings,
    DecisionSettings,
    MoneySettings,
    OutcomeSettings,
    PowerSettings,
)
from tierwise.reports.pilot_story import PilotStory
from tierwise.store.pilot_parts import ArmRecord, OutcomeRecord, PilotRecord, PopulationRecord, SourceRecord
from tierwise.store.pilot_records import (
    AmendmentRecord,
    AnalysisRecord,
    AssignmentRecord,
    ChangeRecord,
    ComplianceRecord,
    DesignRecord,
    MoneyRecord,
    PlanRecord,
    PowerRow,
    SampleRatioRecord,
    VerdictRecord,
)

SHA = "a" * 64
SOURCE = SourceRecord(as_of=date(2026, 3, 31), program_version="1.0", data_fingerprint="f" * 64)
OUTCOMES = (
    OutcomeRecord(
        name="revenue_2q", metric="revenue_2q", title="Won revenue", unit="USD", role="primary", direction="up",
        window="2 quarters from the start", minimum_effect=0.05,
    ),
    OutcomeRecord(
        name="cases", metric="cases", title="Support cases", unit="cases", role="guardrail", direction="down",
        window="2 quarters from the start", tolerance=0.1,
    ),
    OutcomeRecord(
        name="logins", metric="logins", title="Portal logins", unit="logins", role="exploratory", direction="up",
        window="2 quarters from the start",
    ),
)  # fmt: skip
READ = AnalysisSettings(
    control="control",
    covariates=("before_revenue_2q",),
    strata=("region",),
    archetype="archetype",
    outcomes={
        "revenue_2q": OutcomeSettings(role="primary", minimum_effect=0.05),
        "cases": OutcomeSettings(role="guardrail", direction="down", tolerance=0.1),
        "logins": OutcomeSettings(),
    },
)
MONEY = MoneySettings(revenue="revenue_2q", margin=0.3, cost={"mdf": 2000, "rebate": 600}, window_months=6)
SIZE: dict[str, Any] = {"share": 1 / 3, "partners": 200, "units": 200}
ARCHETYPES = ("Builders", "Movers", "Referrers", "Specialists", "Volume")


def partners(count: int = 600, lift: float = 0.3, seed: int = 3) -> tuple[pd.DataFrame, pilots.Assignment]:
    """Drawn partners with their outcomes; the MDF arm sells `lift` more, the rebate arm no more."""
    rng = np.random.default_rng(seed)
    before = rng.lognormal(10, 0.8, count)
    frame = pd.DataFrame(
        {
            "partner_id": [f"p{number:04d}" for number in range(count)],
            "region": rng.choice(["EMEA", "AMER"], count),
            "archetype": rng.choice(ARCHETYPES, count),
            "before_revenue_2q": before,
        }
    )
    drawn = pilots.assign(
        frame,
        AssignmentSettings(
            arms={"control": 1, "mdf": 1, "rebate": 1}, strata=("region",), match_on=("before_revenue_2q",), seed=7
        ),
    )
    frame = frame.merge(drawn.rows[["partner_id", "arm"]], on="partner_id")
    gain = np.where(frame["arm"] == "mdf", 1 + lift, 1.0)
    frame["revenue_2q"] = before * gain * rng.lognormal(0, 0.35, count)
    frame["cases"] = rng.poisson(4, count)
    frame["logins"] = rng.poisson(30, count) + 3.0 * (frame["arm"] == "mdf")
    frame["received"] = np.where(rng.random(count) < 0.96, frame["arm"], "control")
    frame["left"] = rng.random(count) < 0.02
    return frame, drawn


def pilot_record(looks: tuple[date, ...] = (date(2025, 12, 31),)) -> PilotRecord:
    arms = (
        ArmRecord(name="control", title="As before", kind="control", gets="Nothing new.", **SIZE),
        ArmRecord(name="mdf", title="MDF budget", kind="mdf_budget", gets="2,000 USD.", cost_per_partner=2000, **SIZE),
        ArmRecord(name="rebate", title="Rebate", kind="incentive", gets="2 % back.", cost_per_partner=600, **SIZE),
    )
    return PilotRecord(
        slug="mdf-2025", title="Do marketing funds pay for growth partners?",
        hypothesis="Partners with a budget of their own run campaigns and win more within two quarters.",
        owner="channel-marketing", starts=date(2025, 10, 1), ends=date(2026, 3, 31), unit="partner", strata=("region",),
        match_on=("revenue_2q",), arms=arms, outcomes=OUTCOMES, covariates=("before_revenue_2q",), looks=looks,
        stop_rule=("Stop for harm.",),
        decision_rule=("revenue_2q is shown to be better (Holm).", "No guardrail is shown to be worse by 10 %."),
        alpha=0.05, currency="USD", sha256=SHA,
    )  # fmt: skip


POPULATION = PopulationRecord(
    rule="tier = 'growth'", known=900, matched=640, excluded={"opted_out": 10, "left": 30}, partners=600, units=600
)


def analysis_record(frame: pd.DataFrame, **changes: Any) -> AnalysisRecord:
    """The record of a reading of the frame, by the same calls as the job."""
    settings = READ.model_copy(update={"look": changes.get("look")})
    read = pilots.analyse(frame, settings)
    back = pilots.returns(frame, settings.model_copy(update={"look": None}), MONEY)
    verdicts = pilots.decide(read, settings, DecisionSettings(), back)
    body: dict[str, Any] = {
        "pilot": pilot_record(() if changes.get("look") is None else (date(2025, 12, 31),)),
        "source": SOURCE,
        "assignment_sha256": SHA,
        "until": date(2026, 3, 31),
        "final": True,
        "look": None,
        "partners": read.units,
        "left": read.left,
        "unknown": 0,
        "sample_ratio": SampleRatioRecord(
            observed=dict(read.sample_ratio.observed), expected=dict(read.sample_ratio.expected),
            p=read.sample_ratio.p, passed=read.sample_ratio.passed,
        ),
        "compliance": tuple(
            ComplianceRecord(arm=one.arm, units=one.units, received=dict(one.received), share=one.share)
            for one in read.compliance
        ),
        "results": tuple(pilots.to_rows(read.results)),
        "verdicts": tuple(VerdictRecord(arm=one.arm, answer=one.answer, because=one.because) for one in verdicts),
        "money": tuple(
            MoneyRecord(
                arm=arm,
                rows=tuple(pilots.to_rows([row for row in back if row.arm == arm])),
                published=pilots.published_summary(back, arm, MONEY),
            )
            for arm in dict.fromkeys(row.arm for row in back)
        ),
    }  # fmt: skip
    return AnalysisRecord(**(body | changes))


def over_time(frame: pd.DataFrame) -> pd.DataFrame:
    """Two periods before the start and two after, with a fading effect."""
    rows = []
    for period in (-1, 0, 1, 2):
        for arm, gain in (("mdf", {1: 4000.0, 2: 2500.0}), ("rebate", {})):
            difference = gain.get(period, 0.0) + 200.0 * period
            rows.append(
                {"outcome": "revenue_2q", "arm": arm, "period": period,
                 "from": pd.Timestamp(2025, 7, 1) + pd.DateOffset(months=3 * period),
                 "until": pd.Timestamp(2025, 9, 30) + pd.offsets.QuarterEnd(period),
                 "units": 200, "mean": 30_000.0 + difference, "control_units": 200, "control_mean": 30_000.0,
                 "difference": difference, "low": difference - 1800, "high": difference + 1800}
            )  # fmt: skip
    return pd.DataFrame(rows)


def design_record(frame: pd.DataFrame) -> DesignRecord:
    settings = PowerSettings(
        outcome="before_revenue_2q", arms={"control": 1, "mdf": 1, "rebate": 1}, effect=0.15, simulations=60, seed=1
    )
    plan = pilots.plan(frame, settings)
    record = PlanRecord(
        metric="revenue_2q", effect=0.15, alpha=0.05, power=0.8, history_from=date(2025, 4, 1),
        history_until=date(2025, 9, 30), history_partners=len(frame), mean=30_000.0, explained=0.6,
        can_detect=plan.can_detect, sentences=plan.sentences, rows=tuple(PowerRow(**vars(row)) for row in plan.rows),
    )  # fmt: skip
    return DesignRecord(pilot=pilot_record(), source=SOURCE, population=POPULATION, plans=(record,))


def assignment_record(drawn: pilots.Assignment, **changes: Any) -> AssignmentRecord:
    body: dict[str, Any] = {
        "pilot": pilot_record(), "source": SOURCE, "population": POPULATION, "sha256": drawn.hash, "seed": 7,
        "draws": 20, "imbalance": 1.2, "by": "ada", "on": date(2025, 9, 30), "settings": {}, "metrics": {},
    }  # fmt: skip
    return AssignmentRecord(**(body | changes))


AMENDMENT = AmendmentRecord(
    number=1, on=date(2025, 11, 3), by="ada", because="Two partners merged; the budget of one was withdrawn.",
    changes=(ChangeRecord(field="arms.mdf.cost_per_partner", before=1900, after=2000),), results_known=(),
    before_sha256=SHA, sha256="b" * 64, settings={}, metrics={},
)  # fmt: skip


def story(lift: float = 0.3, **changes: Any) -> PilotStory:
    """A whole story: design, draw, one look before, and the final reading."""
    frame, drawn = partners(lift=lift)
    early = frame.assign(revenue_2q=frame["revenue_2q"] * 0.5)
    looked = analysis_record(early, look=0.5, final=False, until=date(2025, 12, 31), stop="go_on",
                             stop_because=("No harm is shown.",))  # fmt: skip
    final = analysis_record(frame, **{"look": 1.0, "amendments": (AMENDMENT,), **changes})
    balance = pilots.balance_table(frame, ["before_revenue_2q"], ["control", "mdf", "rebate"])
    return PilotStory(
        analysis=final,
        tables={"balance": balance, "over_time": over_time(frame), "results": pd.DataFrame()},
        assignment=assignment_record(drawn),
        design=design_record(frame),
        earlier=(looked,),
    )
