"""Roadmaps on demo, AdventureWorks and Olist: share found, validity, bounds, retrains, speed; DiCE beside them.

Every partner below the top tier is planned for, of a large channel an even sample. Plans are then checked from outside
the search: scored again, held against the catalog and the bounds, and tried on full models trained again on partners
drawn anew (other draws than those that the plans had to hold on). Beside them the same search without retrained models.

`python benchmarks/bench_roadmap.py [demo|adventureworks|olist ...]`; data from `TIERWISE_DATA`, else ../shared/data.
DiCE (`pip install --no-deps --target DIR dice-ml raiutils`, then `PYTHONPATH=DIR`) is left out where it is absent.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from tierwise import archetypes, potential
from tierwise.config.load import load_workspace
from tierwise.jobs.accept import accepted_tables
from tierwise.jobs.init import InitRequest, init
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.policy_inputs import with_outputs, with_recorded_flags
from tierwise.jobs.progress import Steps, silent
from tierwise.jobs.roadmap import MOST_QUARTERS, Past, Roadmaps, earlier_quarters
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.roadmap_levers import find_levers
from tierwise.jobs.roadmap_rescore import Channel, Rescoring, depends_on_others, formulas_asked
from tierwise.jobs.roadmap_tables import RoadmapTables
from tierwise.jobs.snapshots import archetype_features, build_snapshots, model_features
from tierwise.jobs.stability import drawn_partners, retrain
from tierwise.metrics.formulas_again import compute_again
from tierwise.policy import NO_HISTORY, move, place

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("TIERWISE_DATA") or ROOT.parent / "shared" / "data")
TODAY = date(2026, 10, 15)
CHANNELS = {
    "demo": (date(2026, 9, 30), None),
    "adventureworks": (date(2013, 6, 30), DATA),
    "olist": (date(2018, 6, 30), DATA),
}
REDRAWN = 3
MOST_PLANNED = 800
DICE_PARTNERS = 50
DICE_PLANS = 3


@dataclass(frozen=True, eq=False)
class Case:
    """One channel, trained, placed and ready to be planned for."""

    engine: object
    workspace: object
    basis: RoadmapBasis
    past: Past
    rescoring: Rescoring
    redrawn: tuple


def prepare(name: str, engine, workspace, as_of: date) -> Case:
    """Train on the channel, with the light retrained models and full ones on other draws."""
    spec = load_model_spec(workspace)
    features, day, seed = model_features(workspace, spec), pd.Timestamp(as_of), workspace.settings.seed
    snapshots = build_snapshots(engine, workspace, as_of)
    rows = snapshots[snapshots["as_of"] == day].drop(columns=["label", "label_until", "persistence"])
    model = potential.train(snapshots, features, spec.potential, day, seed)
    found = archetypes.fit(rows.reset_index(drop=True), archetype_features(workspace), spec.archetypes, seed)
    inputs = with_recorded_flags(engine, workspace, with_outputs(rows.reset_index(drop=True), model, found), as_of)
    policy = workspace.policy_on(as_of)
    placement = place(engine, policy, inputs)
    moves = move(policy, placement, NO_HISTORY, as_of, workspace.settings.calendar)
    moves = _sampled(moves)
    start = time.process_time()
    retrained = retrain(model, snapshots, seed)
    print(f"{name}: potential from {model.source}; retrained models took {time.process_time() - start:.1f} s of CPU")
    basis = RoadmapBasis(as_of, model, inputs, placement, moves, found, retrained)
    draws = (drawn_partners(snapshots, np.random.default_rng([777, number])) for number in range(REDRAWN))
    redrawn = tuple(potential.train(drawn, features, spec.potential, day, seed) for drawn in draws)
    past = earlier_quarters(engine, workspace, as_of)
    levers = find_levers(workspace, basis, past.quarters, MOST_QUARTERS)
    order = {tier: rank for rank, tier in enumerate(policy.tier_names)}
    needed = np.array([order.get(tier, 99) for tier in moves["next_tier"]])
    formulas = formulas_asked(workspace, policy, levers.names, model)
    channel = Channel.of(inputs, levers.names, depends_on_others(policy, formulas))
    rescoring = Rescoring(engine, workspace, placement, channel, inputs, levers, needed, model, found)
    return Case(engine, workspace, basis, past, rescoring, redrawn)


def _sampled(moves: pd.DataFrame) -> pd.DataFrame:
    """Plan for an even sample of a large channel, so that the checks from outside stay affordable."""
    below = np.flatnonzero(moves["next_tier"].notna())
    kept = below[:: -(-len(below) // MOST_PLANNED)]
    return moves.assign(next_tier=moves["next_tier"].where(moves.index.isin(moves.index[kept])))


def timed_plans(case: Case, basis: RoadmapBasis) -> tuple[RoadmapTables, float]:
    """Plan for everybody; the CPU seconds it took."""
    start = time.process_time()
    roadmaps = Roadmaps.prepared(case.engine, case.workspace, basis, case.past)
    tables = roadmaps.tables(basis.moves["partner_id"])
    return tables, time.process_time() - start


def as_moves(case: Case, roadmap: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The partners and moves of the plans, read back from the output table."""
    levers = case.rescoring.levers
    keys = roadmap[["partner_id", "plan"]].drop_duplicates().reset_index(drop=True)
    place_of = {key: at for at, key in enumerate(keys.itertuples(index=False, name=None))}
    partner_of = {name: at for at, name in enumerate(case.rescoring.rows["partner_id"])}
    partners = keys["partner_id"].map(partner_of).to_numpy(dtype=np.int64)
    moves = np.zeros((len(keys), len(levers.names)))
    for row in roadmap.itertuples():
        lever = levers.names.index(row.metric)
        at = place_of[row.partner_id, row.plan]
        moves[at, lever] = levers.directions[lever] * (row.to - levers.start[partners[at], lever])
    return partners, moves


def violations(case: Case, roadmap: pd.DataFrame) -> int:
    """Steps on figures that are not actionable, in the wrong direction, over the bound or too slow."""
    catalog = case.workspace.catalog.metrics
    sign = roadmap["metric"].map({name: -1.0 if one.direction == "down" else 1.0 for name, one in catalog.items()})
    move_ = sign * (roadmap["to"] - roadmap["from"].fillna(0.0))
    bad = ~roadmap["metric"].map(lambda name: catalog[name].actionable and catalog[name].direction != "none")
    bad |= (move_ <= 0) | (roadmap["quarters"] > MOST_QUARTERS)
    bad |= move_ > roadmap["most_per_quarter"] * roadmap["quarters"] * (1 + 1e-9)
    return int(bad.sum())


def scored_directly(case: Case, partner: int, values: pd.DataFrame) -> np.ndarray:
    """Whether a partner reaches its tier with lever columns at these values, whatever they are."""
    rescoring = case.rescoring
    rows = rescoring.rows.iloc[[partner] * len(values)].reset_index(drop=True)
    rows = rows.assign(**{name: values[name].to_numpy(dtype=np.float64) for name in values})
    rows = compute_again(case.engine, case.workspace, rows, rescoring.formulas, {})
    rows = rescoring._with_models(rows, case.basis.model, np.ones(len(rows)))
    return rescoring._gained(rows) >= rescoring.needed[partner]


def report(name: str, case: Case) -> None:
    """Print the figures of one channel."""
    tables, seconds = timed_plans(case, case.basis)
    plain, _ = timed_plans(case, replace(case.basis, retrained=()))
    below = tables.plans["partner_id"].nunique()
    with_plan = tables.plans.loc[tables.plans["plan"] > 0, "partner_id"].nunique()
    print(f"  partners below the top tier {below}; with a plan {with_plan} ({with_plan / below:.1%});"
          f" plans {int((tables.plans['plan'] > 0).sum())}; {seconds / below * 1000:.1f} CPU s per 1,000")  # fmt: skip
    print("  answers:", tables.plans.loc[tables.plans["plan"] <= 1].groupby("code").size().to_dict())
    for title, found in (("robust", tables), ("without retrained models", plain)):
        partners, moves = as_moves(case, found.roadmap)
        valid = case.rescoring.reaches(partners, moves)
        held = [case.rescoring.reaches(partners, moves, model=model).mean() for model in case.redrawn]
        print(f"  {title}: {len(partners)} plans; valid when scored again {valid.mean():.1%}; violations"
              f" {violations(case, found.roadmap)}; still valid after a retrain {np.mean(held):.3f}"
              f" ({', '.join(f'{share:.3f}' for share in held)})")  # fmt: skip
    dice(case, tables)


def dice(case: Case, tables: RoadmapTables) -> None:
    """The same partners with DiCE's random method: as it comes, and with our directions and bounds given to it."""
    if find_spec("dice_ml") is None:
        print("  DiCE: not installed, left out")
        return
    first = tables.plans[tables.plans["plan"] == 1].head(DICE_PARTNERS)
    at = {name: place_ for place_, name in enumerate(case.rescoring.rows["partner_id"])}
    partners = [at[name] for name in first["partner_id"]]
    for title, bounded in (("as it comes", False), ("given our bounds", True)):
        start = time.process_time()
        found = [(partner, dice_plans(case, partner, bounded)) for partner in partners]
        seconds = time.process_time() - start
        dice_line(case, title, found, seconds, float(first["effort"].mean()))


def dice_plans(case: Case, partner: int, bounded: bool) -> pd.DataFrame:
    """DiCE's counterfactuals for one partner: lever values, one row each; none where it finds none."""
    import dice_ml

    levers = case.rescoring.levers
    names = list(levers.names)
    data = case.rescoring.rows[names].fillna(0.0)
    own = data.iloc[[partner]].reset_index(drop=True)
    furthest = levers.directions * levers.furthest[partner]
    given = {}
    if bounded:
        ends = {name: sorted([own[name].iloc[0], own[name].iloc[0] + furthest[i]]) for i, name in enumerate(names)}
        given = {"permitted_range": ends, "features_to_vary": [n for i, n in enumerate(names) if furthest[i]]}
    model = _AsClassifier(case, partner)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcome = np.arange(len(data)) % 2
        frame = dice_ml.Data(dataframe=data.assign(reached=outcome), continuous_features=names, outcome_name="reached")
        wrapped = dice_ml.Model(model=model, backend="sklearn", model_type="classifier")
        explainer = dice_ml.Dice(frame, wrapped, method="random")
        try:
            result = explainer.generate_counterfactuals(
                own, total_CFs=DICE_PLANS, desired_class=1, random_seed=1, verbose=False, **given
            )
        except Exception as error:
            if type(error).__name__ != "UserConfigValidationException":
                raise
            return data.iloc[:0]
    plans = result.cf_examples_list[0].final_cfs_df
    return data.iloc[:0] if plans is None else plans[names].astype(np.float64)


class _AsClassifier:
    """The policy as DiCE wants it: a classifier of lever values, for one partner."""

    classes_ = np.array([0, 1])

    def __init__(self, case: Case, partner: int) -> None:
        self.case, self.partner = case, partner

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        reached = scored_directly(self.case, self.partner, rows.reset_index(drop=True)).astype(float)
        return np.column_stack([1 - reached, reached])

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return self.predict_proba(rows).argmax(axis=1)


def dice_line(case: Case, title: str, found: list, seconds: float, our_effort: float) -> None:
    """Print what DiCE found: validity, violations of direction, bound and whole numbers, effort of the best."""
    levers = case.rescoring.levers
    valid, wrong, total, efforts = 0, 0, 0, []
    for partner, plans in found:
        if plans.empty:
            continue
        moves = levers.directions * (plans.to_numpy() - levers.start[partner])
        reached = scored_directly(case, partner, plans.reset_index(drop=True))
        bad = (moves < -1e-9) | (moves > levers.furthest[partner] + 1e-6)
        bad |= levers.counted & (np.abs(moves - np.round(moves)) > 1e-6)
        total, valid, wrong = total + len(plans), valid + int(reached.sum()), wrong + int(bad.any(axis=1).sum())
        clean = reached & ~bad.any(axis=1)
        own = np.where(
            moves > 0, moves / np.where(levers.pace.usual[partner] > 0, levers.pace.usual[partner], np.inf), 0
        )
        efforts += [float(own[clean].sum(axis=1).min())] if clean.any() else []
    with_any = sum(not plans.empty for _, plans in found)
    best = f"{np.mean(efforts):.1f} quarters over {len(efforts)} partners" if efforts else "none without a violation"
    print(f"  DiCE {title}: a plan for {with_any} of {len(found)}; valid {valid}/{total}; plans with a violation"
          f" {wrong}/{total}; effort of the best {best} (ours {our_effort:.1f} over {len(found)});"
          f" {seconds / max(len(found), 1) * 1000:.0f} s of CPU per 1,000")  # fmt: skip


def main() -> None:
    """Run the channels named on the command line, or all whose data is there."""
    for name in sys.argv[1:] or list(CHANNELS):
        as_of, data = CHANNELS[name]
        if data is not None and not data.is_dir():
            print(f"{name}: no data in {data}, left out")
            continue
        with tempfile.TemporaryDirectory() as folder:
            init(InitRequest(Path(folder) / name, name))
            workspace = load_workspace(Path(folder) / name, data)
            with accepted_tables(workspace, TODAY, Steps(silent, 2)) as (engine, _):
                report(name, prepare(name, engine, workspace, as_of))


if __name__ == "__main__":
    main()
