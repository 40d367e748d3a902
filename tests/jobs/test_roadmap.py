"""The way up: what the next tier asks, what its members have, and plans that hold when they are placed again."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.jobs.tiny_workspace import AS_OF, METRICS, POLICY, accepted, deal, write_workspace
from tierwise import potential
from tierwise.config.model_spec import PotentialSpec
from tierwise.engine import open_engine
from tierwise.jobs.roadmap import plan_roadmaps
from tierwise.jobs.roadmap_basis import RoadmapBasis
from tierwise.jobs.roadmap_tables import RoadmapTables
from tierwise.jobs.snapshots import build_snapshots, model_features
from tierwise.metrics import compute
from tierwise.policy import move, place
from tierwise.policy.movement import NO_HISTORY
from tierwise.tables.output_schemas import sort_rows, to_output_table

LEVERS = METRICS | {"deals_4q": METRICS["deals_4q"] | {"actionable": True}}
LONG_AGO, LATELY = "2025-12-01", "2026-08-01"
NONE: Mapping[str, int] = {}


def _policy(*tiers: object, band: float = 0.0, **more: object) -> dict[str, Any]:
    """A policy whose tiers above `entry` have these rules, from the lowest."""
    policy = deepcopy(POLICY) | more
    names = ("growth", "strategic")
    policy["tiers"] = [
        {"name": "entry"},
        *({"name": name, "when": when} for name, when in zip(names, tiers, strict=False)),
    ]
    policy["movement"]["promote"]["band"] = band
    return policy


def _plans(*given: Any, **more: Any) -> tuple[RoadmapBasis, pd.DataFrame]:
    """The steps of everyone's first plan."""
    basis, found = _tables(*given, **more)
    return basis, found.roadmap[found.roadmap["plan"] == 1].reset_index(drop=True)


def _tables(
    folder: Path,
    policy: Mapping[str, Any],
    certified: Mapping[str, int],
    deals: Mapping[str, int] = NONE,
    lately: Mapping[str, int] = NONE,
    deals_lately: Mapping[str, int] = NONE,
    history: pd.DataFrame = NO_HISTORY,
    certified_is: Mapping[str, Any] = METRICS["certified"],
    levers: Mapping[str, Any] = LEVERS,
    retrained: int = 0,
) -> tuple[RoadmapBasis, RoadmapTables]:
    """Plan for partners with so many certificates and deals of long ago, and of the last quarter."""
    partners = sorted({*certified, *deals, *lately, *deals_lately})
    people = [
        {"partner_id": name, "date": day, "person": f"{name}{day}{number}"}
        for day, counts in ((LONG_AGO, certified), (LATELY, lately))
        for name, count in counts.items()
        for number in range(count)
    ]
    won = [
        deal(name, day)
        for day, counts in ((LONG_AGO, deals), (LATELY, deals_lately))
        for name, count in counts.items()
        for _ in range(count)
    ]
    tables = {
        "partners": [{"partner_id": name, "joined_on": "2025-11-01"} for name in partners],
        "deals": won,
        "certifications": people,
    }
    workspace = write_workspace(folder, tables, {**levers, "certified": certified_is}, policy)
    with accepted(workspace) as engine:
        snapshots = build_snapshots(engine, workspace, AS_OF)
        model = potential.train(snapshots, model_features(workspace), PotentialSpec(), pd.Timestamp(AS_OF), 1)
        rows = compute(engine, workspace, [AS_OF])
        inputs = rows.merge(potential.predict(model, rows), on="partner_id")
        placement = place(engine, workspace.policies[0], inputs)
        moves = move(workspace.policies[0], placement, history, AS_OF)
        basis = RoadmapBasis(AS_OF, model, inputs, placement, moves, retrained=[model] * retrained)
        return basis, plan_roadmaps(engine, workspace, basis)


def _steps(plans: pd.DataFrame, partner_id: str) -> dict[str, float]:
    own = plans[plans["partner_id"] == partner_id]
    return dict(zip(own["metric"], own["to"], strict=True))


def test_the_asked_figure_is_the_step(tmp_path: Path) -> None:
    _, plans = _plans(tmp_path, _policy("certified >= 3"), {"A": 1}, lately={"B": 3})
    (step,) = plans.to_dict("records")
    assert (step["partner_id"], step["plan"], step["step"], step["reaches_tier"]) == ("A", 1, 1, "growth")
    assert (step["metric"], step["from"], step["to"]) == ("certified", 1, 3)
    assert step["effort"] == pytest.approx(2 / 3)  # two more, at the pace of the partner that gained three
    assert step["expires_on"] == pd.Timestamp(2026, 12, 31)


@pytest.mark.parametrize(("band", "asked"), [(0.0, 10), (0.05, 11), (0.10, 11), (0.11, 12)])
def test_what_is_asked_includes_the_promotion_band_and_people_are_counted_whole(
    tmp_path: Path, band: float, asked: int
) -> None:
    _, plans = _plans(tmp_path, _policy("certified >= 10", band=band), {"A": 8}, lately={"B": 12})
    assert _steps(plans, "A") == {"certified": asked}


def test_more_than_asks_for_one_more(tmp_path: Path) -> None:
    _, plans = _plans(tmp_path, _policy("certified > 3"), {"A": 2}, lately={"B": 4})
    assert _steps(plans, "A") == {"certified": 4}


def test_a_criterion_with_a_band_of_its_own_asks_with_that_one(tmp_path: Path) -> None:
    policy = _policy({"all": [{"check": "certified >= 10", "band": 0}]}, band=0.25)
    _, plans = _plans(tmp_path, policy, {"A": 8}, lately={"B": 12})
    assert _steps(plans, "A") == {"certified": 10}


def test_a_threshold_below_zero_is_moved_up_by_the_band_too(tmp_path: Path) -> None:
    balance = LEVERS["certified"] | {"value": "count(distinct person) - 40"}
    _, plans = _plans(
        tmp_path, _policy("certified >= -20", band=0.1), {"A": 15, "B": 5}, lately={"B": 30}, certified_is=balance
    )
    assert _steps(plans, "A") == {"certified": -18}


@pytest.mark.parametrize("rule", ["certified >= 10", "certified >= 10 or deals_4q >= 50"])
def test_who_meets_a_threshold_but_not_the_band_is_told_what_the_band_asks(tmp_path: Path, rule: str) -> None:
    held = {"partner_id": "A", "as_of": pd.Timestamp(2026, 6, 30), "tier": "entry", "eligible_tier": "entry"}
    history = pd.DataFrame([held | {"action": "hold", "rule": "unchanged"}])
    basis, plans = _plans(tmp_path, _policy(rule, band=0.05), {"A": 10}, lately={"B": 12}, history=history)
    moved = basis.moves.set_index("partner_id").loc["A"]
    assert (moved["eligible_tier"], moved["recommended_tier"]) == ("growth", "entry")
    assert _steps(plans, "A") == {"certified": 11}


def test_only_the_next_tier_is_asked_for_and_the_top_has_no_way_up(tmp_path: Path) -> None:
    basis, plans = _plans(
        tmp_path, _policy("certified >= 2", "certified >= 5"), {"A": 1, "B": 3, "C": 5}, lately={"D": 4}
    )
    assert _steps(plans, "A") == {"certified": 2}
    assert _steps(plans, "B") == {"certified": 5}
    assert set(plans["partner_id"]) == {"A", "B", "D"}
    assert basis.moves.set_index("partner_id")["next_tier"].isna()["C"]


def test_a_channel_at_the_top_has_an_empty_table_of_plans(tmp_path: Path) -> None:
    _, plans = _plans(tmp_path, _policy("certified >= 1"), {"A": 1, "B": 2})
    assert plans.empty
    assert {"partner_id", "metric", "to", "expires_on"} <= set(plans.columns)


def test_alternatives_are_plans_of_their_own_the_one_with_the_least_effort_first(tmp_path: Path) -> None:
    policy = _policy("certified >= 2 or deals_4q >= 10")
    _, found = _tables(tmp_path, policy, {"A": 1}, {"A": 1}, lately={"B": 1}, deals_lately={"B": 30})
    own = found.roadmap[found.roadmap["partner_id"] == "A"]
    assert own[["plan", "metric", "to"]].values.tolist() == [[1, "deals_4q", 10], [2, "certified", 2]]
    assert own["effort"].tolist() == pytest.approx([9 / 30, 1.0])


def test_every_criterion_of_the_next_tier_is_a_step_the_quickest_first(tmp_path: Path) -> None:
    policy = _policy("certified >= 2 and deals_4q >= 10")
    _, plans = _plans(tmp_path, policy, {"A": 1}, {"A": 1}, lately={"B": 1}, deals_lately={"B": 30})
    own = plans[plans["partner_id"] == "A"]
    assert own[["step", "metric", "to"]].values.tolist() == [[1, "deals_4q", 10], [2, "certified", 2]]
    assert own["effort"].tolist() == pytest.approx([9 / 30, 1.0])


SCORED = {"value": {"max": 100, "components": [{"dimension": "skills", "max": 100, "points": "10 * certified"}]}}


def test_a_score_asks_for_the_least_that_makes_its_points(tmp_path: Path) -> None:
    _, plans = _plans(tmp_path, _policy("value >= 50", scores=SCORED), {"A": 3}, lately={"B": 4})
    assert _steps(plans, "A") == {"certified": 5}


def test_a_figure_that_nobody_ever_raised_is_in_no_plan(tmp_path: Path) -> None:
    _, plans = _plans(tmp_path, _policy("certified >= 3"), {"A": 1, "B": 3})
    assert plans.empty


def test_a_step_of_more_than_two_years_is_not_realistic(tmp_path: Path) -> None:
    _, plans = _plans(tmp_path, _policy("certified >= 9"), {"A": 0, "B": 1}, {"A": 1}, lately={"B": 1})
    assert _steps(plans, "A") == {}
    assert _steps(plans, "B") == {"certified": 9}


def _gained(basis: RoadmapBasis, steps: pd.DataFrame) -> dict[str, int]:
    """The place of the tier that each partner gains when the steps are taken; here no partner changes another's."""
    raised = basis.inputs.set_index("partner_id")
    for row in steps.itertuples():
        raised.loc[row.partner_id, row.metric] = row.to
    changed = raised.reset_index()
    predicted = potential.predict(basis.model, changed)
    changed = changed.assign(**{name: predicted[name].to_numpy() for name in predicted.columns})
    with open_engine() as engine:
        tiers = place(engine, basis.placement.policy, changed).tiers
    order = {name: rank for rank, name in enumerate(basis.placement.policy.tier_names)}
    return dict(zip(tiers["partner_id"], tiers["gain_tier"].map(order), strict=True))


@pytest.mark.parametrize("seed", [1, 2])
def test_every_plan_holds_when_placed_again_and_no_step_of_it_is_idle(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    names = [f"P{number:02d}" for number in range(24)]
    counts = [dict(zip(names, random.poisson(mean, 24).tolist(), strict=True)) for mean in (2, 3, 0.6, 0.8)]
    policy = _policy(
        "certified >= 2 and (deals_4q >= 4 or revenue_4q > 900)",
        "value >= 45 and certified >= 4",
        band=0.05,
        scores={"value": {"max": 100, "components": [
            {"dimension": "skills", "max": 60, "points": "8 * certified"},
            {"dimension": "sales", "max": 40, "points": "3 * deals_4q"},
        ]}},
    )  # fmt: skip
    basis, plans = _plans(tmp_path, policy, *counts)
    assert plans["partner_id"].nunique() >= 8
    assert plans["valid"].all()
    assert (plans["to"] > plans["from"]).all()
    order = {name: rank for rank, name in enumerate(basis.placement.policy.tier_names)}
    wanted = {row.partner_id: order[row.reaches_tier] for row in plans.itertuples()}
    gained = _gained(basis, plans)
    assert all(gained[partner] >= place for partner, place in wanted.items())
    lengths = plans.groupby("partner_id")["step"].max()
    for step in range(1, int(lengths.max()) + 1):
        gained = _gained(basis, plans[plans["step"] != step])
        needing = lengths.index[(lengths >= step) & (lengths > 1)]
        assert [partner for partner in needing if gained[partner] >= wanted[partner]] == []


def _written(found: RoadmapTables) -> None:
    """Both tables keep their schemas."""
    for name in ("plans", "roadmap"):
        to_output_table(name, sort_rows(name, getattr(found, name)), "run", AS_OF)


def _answers(found: RoadmapTables) -> dict[str, str]:
    _written(found)
    return dict(zip(found.plans["partner_id"], found.plans["code"], strict=True))


def test_no_realistic_plan_is_a_coded_answer_with_a_sentence(tmp_path: Path) -> None:
    _, found = _tables(tmp_path, _policy("certified >= 50"), {"A": 1}, lately={"B": 1})
    assert _answers(found) == {"A": "no_realistic_plan", "B": "no_realistic_plan"}
    own = found.plans.iloc[0]
    assert (own["plan"], own["steps"]) == (0, 0)
    assert own["sentence"].startswith("No realistic plan to growth within 8 quarters")


def test_what_no_figure_makes_good_is_told_apart(tmp_path: Path) -> None:
    policy = _policy({"all": ["certified >= 2", "region = 'moon'"]})
    _, found = _tables(tmp_path, policy, {"A": 1}, lately={"B": 3})
    assert set(_answers(found).values()) == {"not_by_these_figures"}


def test_a_catalog_without_actionable_figures_is_said_so(tmp_path: Path) -> None:
    plain = METRICS["certified"] | {"actionable": False}
    workspace_levers = {name: metric | {"actionable": False} for name, metric in LEVERS.items()}
    _, found = _tables(tmp_path, _policy("certified >= 3"), {"A": 1}, certified_is=plain, levers=workspace_levers)
    assert _answers(found) == {"A": "no_actionable_metric"}


def test_who_meets_the_criteria_already_is_told_so(tmp_path: Path) -> None:
    held = {"partner_id": "A", "as_of": pd.Timestamp(2026, 6, 30), "tier": "entry", "eligible_tier": "entry"}
    history = pd.DataFrame([held | {"action": "hold", "rule": "unchanged"}])
    policy = _policy("certified >= 2")
    policy["movement"]["promote"] |= {"at": "year_end"}
    _, found = _tables(tmp_path, policy, {"A": 3}, lately={"B": 3}, history=history)
    assert _answers(found)["A"] == "criteria_met_already"


def test_a_plan_names_the_criteria_it_closes_and_promises_nothing(tmp_path: Path) -> None:
    rule = {"all": [{"check": "certified >= 3", "name": "people"}, {"check": "deals_4q >= 1", "name": "deals"}]}
    _, found = _tables(tmp_path, _policy(rule), {"A": 1}, {"A": 2}, lately={"B": 2})
    _written(found)
    plan = found.plans[found.plans["partner_id"] == "A"].iloc[0]
    assert (plan["closes"], plan["quarters"], plan["by_when"]) == ("people", 1, pd.Timestamp(2026, 12, 31))
    assert "would meet today's criteria of growth" in plan["partner_safe_sentence"]
    assert "no promise" in plan["partner_safe_sentence"]
    assert "until 2026-12-31" in plan["partner_safe_sentence"]


GROWTH = {"title": "Deals a head", "unit": "ratio", "formula": "deals_4q / nullif(certified, 0)", "missing": "unknown"}


def test_formulas_that_depend_on_a_moved_figure_are_computed_again(tmp_path: Path) -> None:
    """Raising certified people alone would lose the deals a head, so deals must rise with them."""
    levers = LEVERS | {"per_head": GROWTH}
    policy = _policy("certified >= 4 and per_head >= 1")
    _, found = _tables(
        tmp_path, policy, {"A": 2}, {"A": 2}, lately={"B": 4}, deals_lately={"B": 4}, levers=levers
    )  # fmt: skip
    assert _steps(found.roadmap[found.roadmap["plan"] == 1], "A") == {"certified": 4, "deals_4q": 4}


def test_a_formula_that_ranks_partners_is_computed_among_all_others(tmp_path: Path) -> None:
    rank = {"title": "Rank", "unit": "share", "formula": "percent_rank() over (order by certified)"}
    levers = LEVERS | {"rank_of": rank}
    _, found = _tables(tmp_path, _policy("rank_of >= 0.9"), {"A": 1, "B": 2, "C": 3}, lately={"D": 6}, levers=levers)
    _written(found)
    own = found.roadmap[found.roadmap["partner_id"] == "C"]
    assert own["metric"].tolist() == ["certified"]
    assert own["to"].iloc[0] > 6


def test_a_figure_where_less_is_better_is_lowered(tmp_path: Path) -> None:
    late = METRICS["certified"] | {"direction": "down", "value": "12 - count(distinct person)", "missing": "unknown"}
    _, found = _tables(tmp_path, _policy("certified <= 8"), {"A": 2}, lately={"B": 3, "A": 1}, certified_is=late)
    _written(found)
    own = found.roadmap[found.roadmap["partner_id"] == "A"]
    assert own[["metric", "from", "to"]].values.tolist() == [["certified", 9, 8]]


def test_plans_must_hold_on_the_retrained_models(tmp_path: Path) -> None:
    policy = _policy("certified >= 2 and potential >= 0")
    basis, found = _tables(tmp_path, policy, {"A": 1}, lately={"B": 2}, retrained=8)
    assert found.plans.loc[found.plans["partner_id"] == "A", "robustness"].tolist() == [1.0]
    assert len(basis.retrained) == 8
