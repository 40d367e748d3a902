"""A channel whose past is known: partners with a figure before a review, a tier, and what they brought after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from tests.jobs.tiny_workspace import POLICY, REVENUE, deal, write_workspace
from tierwise.config.load import Workspace, load_workspace
from tierwise.jobs.attribute import AttributeRequest, judge
from tierwise.reports.attribution import AttributionReport
from tierwise.reports.attribution_findings import Finding

REVIEW, AS_OF, TODAY = date(2025, 9, 30), date(2026, 9, 30), date(2026, 12, 31)
CUTOFF, EFFECT = 100.0, 40.0
BENEFITS = {
    "tiers": {
        "entry": {"unit_cost": 5},
        "growth": {"unit_cost": 7, "incentives": [{"name": "Rebate", "rate": "0.10", "on": "revenue_4q", "cap": 8}]},
    }
}


@dataclass(frozen=True)
class Past:
    """How the past was.

    Attributes:
        partners: How many partners.
        effect: What the tier adds to what a partner brings in the year after.
        followed: The share of partners that got the tier which their figure gives.
        crowd: Partners that placed themselves just above the threshold.
        seed: Of all chance.
    """

    partners: int = 700
    effect: float = EFFECT
    followed: float = 1.0
    crowd: int = 0
    seed: int = 5


@dataclass
class Written:
    """A workspace and what its partners were like."""

    workspace: Workspace
    rows: pd.DataFrame = field(repr=False)


def past_rows(past: Past) -> pd.DataFrame:
    """One row per partner: the figure before the review, the tier, what it brought after, and its region."""
    rng = np.random.default_rng(past.seed)
    figure = np.concatenate([rng.uniform(20, 180, past.partners), rng.uniform(100, 104, past.crowd)]).round(4)
    follows = rng.random(len(figure)) < past.followed
    above = np.where(follows, figure >= CUTOFF, rng.random(len(figure)) < 0.5)
    after = 0.6 * figure + past.effect * above + rng.normal(0, 12, len(figure)) + 60
    return pd.DataFrame(
        {
            "partner_id": [f"P{number:04d}" for number in range(len(figure))],
            "figure": figure,
            "above": above,
            "after": after.round(2),
            "before": (0.5 * figure + rng.uniform(5, 40, len(figure))).round(2),
            "region": rng.choice(["EMEA", "AMER"], len(figure)),
        }
    )


def write_channel(
    folder: Path,
    past: Past = Past(),
    policy: Mapping[str, Any] | None = None,
    attribution: Mapping[str, Any] | None = None,
    recorded: bool = True,
) -> Written:
    """Write the channel as a workspace of the tiers `entry` and `growth`."""
    rows = past_rows(past)
    deals = [deal(row.partner_id, "2024-05-15", row.before) for row in rows.itertuples()]
    deals += [deal(row.partner_id, "2025-05-15", row.figure) for row in rows.itertuples()]
    deals += [deal(row.partner_id, "2026-05-15", row.after) for row in rows.itertuples()]
    tables: dict[str, list[dict[str, object]]] = {
        "partners": [
            {"partner_id": row.partner_id, "joined_on": "2023-01-01", "region": row.region} for row in rows.itertuples()
        ],
        "deals": deals,
    }
    if recorded:
        tables["tier_history"] = [
            {"partner_id": row.partner_id, "valid_from": REVIEW, "tier": "growth" if row.above else "entry"}
            for row in rows.itertuples()
        ]
    plain = POLICY | {"tiers": [{"name": "entry"}, {"name": "growth", "when": f"revenue_4q >= {CUTOFF}"}]}
    write_workspace(folder, tables, {"revenue_4q": REVENUE}, policy or plain)
    (folder / "benefits.yaml").write_text(yaml.safe_dump(BENEFITS), "utf-8")
    if attribution is not None:
        declare(folder, attribution)
    return Written(load_workspace(folder), rows)


def declare(folder: Path, attribution: Mapping[str, Any]) -> None:
    """Write `attribution.yaml`."""
    (folder / "attribution.yaml").write_text(yaml.safe_dump(dict(attribution)), "utf-8")


def judged(workspace: Workspace, as_of: date = AS_OF) -> AttributionReport:
    return judge(workspace, AttributeRequest(as_of, TODAY))


def finding(report: AttributionReport, analysis: str, place: int = 0) -> Finding:
    return report.of(analysis)[place]


def declared_channel(
    folder: Path, attribution: Mapping[str, Any], slump: Mapping[str, float], seed: int = 4
) -> Workspace:
    """A channel of twelve regions with a sale per partner and quarter, changed in some of them from July 2025 on."""
    rng = np.random.default_rng(seed)
    regions = [f"r{number:02d}" for number in range(12)]
    partners, deals = [], []
    for number in range(240):
        name, region = f"P{number:03d}", regions[number % 12]
        partners.append({"partner_id": name, "joined_on": "2023-01-01", "region": region})
        level = rng.uniform(80, 120)
        for step, day in enumerate(pd.date_range("2023-10-15", "2026-08-15", freq="3MS") + pd.Timedelta(days=14)):
            amount = level + 2 * step + rng.normal(0, 6)
            amount += slump.get(region, 0.0) if day >= pd.Timestamp(2025, 7, 1) else 0.0
            deals.append(deal(name, day.date().isoformat(), round(float(amount), 2)))
    write_workspace(folder, {"partners": partners, "deals": deals}, {"revenue_4q": REVENUE}, POLICY | {
        "tiers": [{"name": "entry"}, {"name": "growth", "when": "revenue_4q >= 100"}]})  # fmt: skip
    declare(folder, attribution)
    return load_workspace(folder)
