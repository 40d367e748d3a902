"""Attribution held against the truth of synthetic channels: thresholds that do nothing, and a slump that is known.

`python benchmarks/bench_attribution.py [CHANNELS] [FIRST_SEED] [PARTNERS]`; a channel takes ten seconds of one core.
Nothing in these channels reads a tier, so the true effect of every tier is zero. In the slump of 2024 partners in EMEA
won .50 / .85 as often as others, so that they lost .85 / .50 - 1 = .70 of what they still sold.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tierwise.config.load import load_workspace  # noqa: E402
from tierwise.jobs.attribute import AttributeRequest, judge  # noqa: E402
from tierwise.jobs.init import InitRequest, init  # noqa: E402
from tierwise.reports.attribution import AttributionReport  # noqa: E402

AS_OF, TODAY = date(2026, 9, 30), date(2026, 10, 15)
LOST = 0.85 / 0.50 - 1
QUARTERS = 3


def slump_truth(folder: Path) -> float:
    """What the slump took from a partner in EMEA per quarter, in US dollars, by what EMEA still sold."""
    workspace = load_workspace(folder)
    rates = {"USD": 1.0} | {name: float(rate) for name, rate in workspace.settings.currency.rates.items()}
    deals = pd.read_csv(folder / "data" / "deals.csv", dtype=str).drop_duplicates("deal_id")
    partners = pd.read_csv(folder / "data" / "partners.csv", dtype=str)
    there = partners[(partners["region"] == "EMEA") & (partners["joined_on"] <= "2021-12-31")]
    decided = deals["decided_on"].between("2024-04-01", "2024-12-31") & (deals["status"] == "won")
    own = deals[decided & deals["partner_id"].isin(there["partner_id"])]
    usd = pd.to_numeric(own["amount"], errors="coerce") * own["currency"].map(rates)
    return -LOST * float(usd[usd > 0].sum()) / QUARTERS / len(there)


def channel(seed: int, partners: int) -> tuple[AttributionReport, float]:
    """Make a channel, judge it, and say what the slump really took."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "demo"
        init(InitRequest(folder, "demo", partners=partners, seed=seed))
        return judge(load_workspace(folder), AttributeRequest(AS_OF, TODAY)), slump_truth(folder)


def rows_of(seed: int, report: AttributionReport, truth: float) -> list[dict[str, object]]:
    """One row per estimate that has a known truth, or that is no effect."""
    found = []
    for finding in report.findings:
        known = {"threshold": 0.0, "tiers_compared": 0.0, "rollout": truth, "region": truth}.get(finding.analysis)
        rows = [row for row in finding.rows if row.scope == "all" or row.scope.startswith("review: ")]
        for place, row in enumerate(rows if known is not None else []):
            if finding.analysis == "rollout" and place:
                continue
            value = row.value
            found.append(
                {
                    "seed": seed, "kind": finding.analysis if place == 0 else f"{finding.analysis}, further rows",
                    "status": finding.status if place == 0 else "", "reason": row.reason_code or "", "truth": known,
                    "estimate": np.nan if value is None else value.estimate,
                    "low": np.nan if value is None else value.low, "high": np.nan if value is None else value.high,
                }
            )  # fmt: skip
    return found


def main() -> None:
    """Judge some channels and print how often intervals hold the truth, and what was answered."""
    given = [int(text) for text in sys.argv[1:]]
    channels, first, partners = (*given, *(10, 1, 2000)[len(given) :])
    start, rows = time.process_time(), []
    for seed in range(first, first + channels):
        report, truth = channel(seed, partners)
        rows += rows_of(seed, report, truth)
    table = pd.DataFrame(rows).astype(dict.fromkeys(("estimate", "low", "high", "truth"), "float64"))
    table["computed"] = table["estimate"].notna()
    table["held"] = (table["low"] <= table["truth"]) & (table["truth"] <= table["high"])
    spent = time.process_time() - start
    print(f"{channels} channels of {partners:,} partners, seeds from {first}, {spent:.0f} s of CPU\n")
    for kind, own in table.groupby("kind", sort=True):
        known = own[own["computed"]]
        reasons = own["reason"].value_counts().drop("", errors="ignore").to_dict()
        share = (
            f"{known['held'].mean():.3f} (+-{np.sqrt(0.25 / max(len(known), 1)):.3f} at most)" if len(known) else "-"
        )
        print(f"{kind}: {len(known)} of {len(own)} computed, interval holds the truth: {share}")
        print(f"   mean estimate {known['estimate'].mean():,.0f}, mean truth {known['truth'].mean():,.0f}, {reasons}")
        print(f"   {own.loc[own['status'] != '', 'status'].value_counts().to_dict()}")


if __name__ == "__main__":
    main()
