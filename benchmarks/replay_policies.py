"""Replays three movement settings on real channels and prints the table of docs/policy-replays.md.

Run `python benchmarks/replay_policies.py DATA`, with the folders `adventureworks_dw` and `olist_marketplace` in DATA;
with `--parts` it prints what each part of the default buys.
The tiers are by revenue alone, at the quantiles of the first half of the reviews, so that nothing is tuned to the
outcome; only the movement differs.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from tierwise.config.calendar import review_days
from tierwise.config.load import Workspace, load_workspace
from tierwise.config.policy import Policy
from tierwise.engine import open_engine
from tierwise.jobs.policy_inputs import policy_inputs
from tierwise.policy import compare_replays, replay
from tierwise.policy.replay import judged_placements
from tierwise.store.sources import read_tables
from tierwise.tables import check_tables

PIPELINES = Path(__file__).parents[1] / "pipelines"
MOVEMENTS = {
    "no hysteresis": "none",
    "5 % band": {
        "promote": {"band": 0.05},
        "demote": {"band": 0.05, "steps": "any", "confirm": 1},
        "hold": {"min_reviews_in_tier": 0},
    },
    "METHODS default": {},
}
BANDS = {"promote": {"band": 0.05}, "demote": {"band": 0.10}}
NO_BANDS = {"promote": {"band": 0}, "demote": {"band": 0}}
AT_ONCE = {"steps": "any", "confirm": 1}
NO_HOLD = {"min_reviews_in_tier": 0}
PARTS = {
    "no hysteresis": "none",
    "bands alone (+5 %, -10 %)": {**BANDS, "demote": {"band": 0.10, **AT_ONCE}, "hold": NO_HOLD},
    "confirmation of demotions alone": {
        **NO_BANDS,
        "demote": {"band": 0, "steps": "any", "confirm": 2},
        "hold": NO_HOLD,
    },
    "two reviews in a tier alone": {**NO_BANDS, "demote": {"band": 0, **AT_ONCE}},
    "one step down alone": {**NO_BANDS, "demote": {"band": 0, "steps": 1, "confirm": 1}, "hold": NO_HOLD},
    "defaults without confirmation": {"demote": {"confirm": 1}},
    "defaults without bands": NO_BANDS,
    "defaults without one step": {"demote": {"steps": "any"}},
    "defaults, two reviews asked of demotions alone": {"hold": {"against": ["demote"]}},
    "METHODS default": {},
}
HEADER = (
    "| channel | movement | reviews | partner-years | moves per partner-year | reversed in a year |"
    " mis-tiered, next review | mis-tiered, a window later |"
)
HEADER_PARTS = "| channel | movement | reversed in a year | too low | too high | mis-tiered, a window later |"


@dataclass(frozen=True)
class Channel:
    """A real channel: its workspace, the metric its tiers go by and that metric's quarters, its reviews."""

    name: str
    workspace: str
    metric: str
    window: int
    first: date
    last: date


CHANNELS = (
    Channel("AdventureWorks", "adventureworks", "revenue_4q", 4, date(2010, 12, 31), date(2013, 12, 31)),
    Channel("Olist", "olist", "revenue_2q", 2, date(2016, 12, 31), date(2018, 9, 30)),
)


def panel_of(workspace: Workspace, channel: Channel) -> dict[date, pd.DataFrame]:
    """The policy inputs of every review."""
    days = review_days(channel.first, channel.last, workspace.settings.calendar)
    with open_engine(workspace.settings.engine) as engine:
        read_tables(engine, workspace)
        check_tables(engine, workspace, channel.last)
        return policy_inputs(engine, workspace, days, with_models=False)


def policy_of(channel: Channel, panel: dict[date, pd.DataFrame], movement: object) -> Policy:
    """Tiers at the 50th, 80th and 95th percentile of sellers with revenue in the first half of the reviews."""
    early = pd.concat(list(panel.values())[: len(panel) // 2])
    revenue = early.loc[early[channel.metric] > 0, channel.metric]
    bounds = {
        name: revenue.quantile(share) for name, share in (("growth", 0.5), ("strategic", 0.8), ("flagship", 0.95))
    }
    tiers = [{"name": "entry"}]
    tiers += [
        {"name": name, "when": f"{channel.metric} >= {float(f'{bound:.2g}'):.0f}"} for name, bound in bounds.items()
    ]
    head = {"policy": "replayed", "effective_from": channel.first, "owner": "benchmarks", "reason": "replay"}
    return Policy.model_validate({**head, "tiers": tiers, "movement": movement})


def print_movements(channel: Channel, workspace: Workspace, panel: dict[date, pd.DataFrame]) -> None:
    """Print one row per movement."""
    with open_engine() as engine:
        calendar = workspace.settings.calendar
        policies = {name: policy_of(channel, panel, movement) for name, movement in MOVEMENTS.items()}
        near, far = (
            compare_replays({name: replay(engine, one, panel, calendar, ahead) for name, one in policies.items()})
            for ahead in (1, channel.window)
        )
    for row, later in zip(near.itertuples(), far.itertuples(), strict=True):
        print(
            f"| {channel.name} | {row.policy} | {row.reviews} | {row.partner_years:,.0f} | "
            f"{row.moves_per_partner_year:.3f} | {row.reversal_share:.1%} | {row.mis_tiered_share:.1%} |"
            f" {later.mis_tiered_share:.1%} |",
            flush=True,
        )


def print_parts(channel: Channel, workspace: Workspace, panel: dict[date, pd.DataFrame]) -> None:
    """Print one row per part of the default, with errors by direction."""
    for name, movement in PARTS.items():
        policy = policy_of(channel, panel, movement)
        with open_engine() as engine:
            replayed = replay(engine, policy, panel, workspace.settings.calendar)
        rows = replayed.recommendations.sort_values(["partner_id", "as_of"])
        errors, later = (judged_placements(rows, policy.tier_names, ahead) for ahead in (1, channel.window))
        reversed_share = replayed.summary["reversal_share"].iloc[0]
        print(
            f"| {channel.name} | {name} | {reversed_share:.1%} | {(errors < 0).mean():.1%} |"
            f" {(errors > 0).mean():.1%} | {(later != 0).mean():.1%} |",
            flush=True,
        )


def main() -> None:
    """Print one row per channel and movement, or per part of the default."""
    data, parts = Path(sys.argv[1]), "--parts" in sys.argv
    print(HEADER_PARTS if parts else HEADER)
    print("| --- " * HEADER_PARTS.count(" |") + "|" if parts else "| --- " * HEADER.count(" |") + "|")
    for channel in CHANNELS:
        workspace = load_workspace(PIPELINES / channel.workspace, data)
        (print_parts if parts else print_movements)(channel, workspace, panel_of(workspace, channel))


if __name__ == "__main__":
    main()
