"""Thirty partners, or a few more, with years of deals, and hyper-parameters that train in a second."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from tests.jobs.tiny_workspace import METRICS, deal, write_workspace
from tierwise.config.load import Workspace

PARTNERS = 30
QUICK = """tierwise_model: 1
potential: {trees: {trees: 30, threads: 1}, gate: {bootstraps: 50}, backtest: {bootstraps: 20, origins: 2}}
archetypes: {starts: 3, bootstraps: 4, k_max: 5, null_draws: 19}
"""


def small_channel(
    folder: Path,
    quarters: int,
    metrics: Mapping[str, object] = METRICS,
    tier_history: tuple[Mapping[str, object], ...] = (),
    count: int = PARTNERS,
    **settings: object,
) -> Workspace:
    """Partners who have sold for so many quarters, each about as much as ever."""
    random = np.random.default_rng(20261121)
    ends = pd.date_range(end="2026-09-30", periods=quarters, freq="QE")
    deals = [
        deal(f"P{number:02d}", f"{day - pd.Timedelta(days=int(random.integers(1, 80))):%Y-%m-%d}", int(amount))
        for number, level in enumerate(random.lognormal(9, 1.2, count))
        for day in ends
        for amount in random.gamma(4, level / 4, 2) + 1
    ]
    people = [
        {"partner_id": f"P{number:02d}", "date": "2026-05-04", "person": f"p{one}"}
        for number in range(count)
        for one in range(number % 4)
    ]
    partners = [{"partner_id": f"P{number:02d}", "joined_on": "2023-01-02"} for number in range(count)]
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / "default.yaml").write_text(QUICK, "utf-8")
    tables = {"partners": partners, "deals": deals, "certifications": people}
    if tier_history:
        tables["tier_history"] = list(tier_history)  # type: ignore[assignment]
    return write_workspace(folder, tables, metrics, **settings)


def give_away_the_future(workspace: Workspace) -> Workspace:
    """Write into the partners' region, a static attribute, how much each partner sells over all time, in four bands."""
    from tierwise.config.load import load_workspace

    deals = pd.read_csv(workspace.data_folder / "deals.csv")
    total = deals.groupby("partner_id")["amount"].sum()
    band = pd.qcut(total, 4, labels=["bronze", "silver", "gold", "platinum"]).astype(str)
    path = workspace.data_folder / "partners.csv"
    partners = pd.read_csv(path, dtype=str)
    partners.assign(region=partners["partner_id"].map(band)).to_csv(path, index=False)
    return load_workspace(workspace.folder)
