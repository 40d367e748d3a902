"""What figures are called and counted in: catalog, policy and models in one vocabulary."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

from tests.jobs.tiny_workspace import METRICS, POLICY, write_workspace
from tierwise.explain.wording import Wording
from tierwise.jobs.wording import wording_of

SCORE = {"components": [{"dimension": "skills", "max": 100, "points": "10 * certified"}]}
DEFINITION = {"title": "Revenue per person", "unit": "USD", "formula": "revenue_4q / nullif(certified, 0)"}


def _wording(folder: Path, horizon: str = "4 quarters", **changes: object) -> Wording:
    metrics = deepcopy(METRICS)
    metrics["revenue_4q"] |= {"unit": "EUR", "window": horizon}
    workspace = write_workspace(folder, {}, metrics, {**deepcopy(POLICY), **changes}, potential={"horizon": horizon})
    return wording_of(workspace, workspace.policies[0])


def test_metrics_scores_and_definitions_have_their_titles_and_units(tmp_path: Path) -> None:
    scores = {"value": SCORE | {"title": "Partner value"}, "reach": SCORE | {"unit": "stars"}}
    wording = _wording(tmp_path, scores=scores, definitions={"per_person": DEFINITION})
    assert wording.titles["certified"] == "People certified"
    assert (wording.titles["value"], wording.units["value"]) == ("Partner value", "points")
    assert (wording.titles["reach"], wording.units["reach"]) == ("reach", "stars")
    assert (wording.titles["per_person"], wording.units["per_person"]) == ("Revenue per person", "USD")
    assert wording.tier_names == ("entry", "growth", "strategic")


def test_what_the_models_say_is_counted_in_the_targets_unit(tmp_path: Path) -> None:
    wording = _wording(tmp_path, horizon="6 months")
    outputs = ("potential", "potential_low", "potential_high", "headroom")
    assert {wording.units[name] for name in outputs} == {"EUR"} == {wording.target_unit}
    assert all(name in wording.titles for name in outputs)
    assert wording.horizon == "6 months"


def test_sentences_know_the_bands_of_the_policy_in_force(tmp_path: Path) -> None:
    movement = {"promote": {"band": 0.075}, "demote": {"band": 0.2}}
    wording = _wording(tmp_path, movement=movement)
    assert (wording.settings["promotion_band"], wording.settings["demotion_band"]) == ("7.5 %", "20 %")


def test_the_evidence_that_a_policy_asks_for_is_named_with_its_unit(tmp_path: Path) -> None:
    assert _wording(tmp_path).settings["evidence"] == "more activity"
    wording = _wording(tmp_path / "asked", guardrails={"evidence": {"min_certified": 2, "min_revenue_4q": 50_000}})
    asked = "at least 2 people (people certified) and at least EUR 50.0 k (won revenue over the last 4 quarters)"
    assert wording.settings["evidence"] == asked


def test_an_internal_metric_takes_every_figure_made_from_it_into_the_house(tmp_path: Path) -> None:
    metrics = deepcopy(METRICS)
    metrics["certified"] |= {"internal": True, "family": "risk"}
    metrics["doubled"] = {"formula": "certified * 2", "title": "Doubled, last 2 quarters", "unit": "people"}
    policy = {**deepcopy(POLICY), "definitions": {"per_person": DEFINITION}}
    workspace = write_workspace(tmp_path, {}, metrics, policy)
    wording = wording_of(workspace, workspace.policies[0])
    assert {"certified", "doubled", "per_person"} <= wording.internal
    assert "revenue_4q" not in wording.internal
    assert {"People certified", "risk", "Doubled over the last 2 quarters", "Revenue per person"} <= wording.hidden


def test_without_internal_metrics_nothing_is_hidden(tmp_path: Path) -> None:
    assert not _wording(tmp_path).hidden


def test_the_titles_of_conditions_are_found_at_any_depth(tmp_path: Path) -> None:
    check = {"check": "region = 'EMEA'", "name": "home", "title": "Based in EMEA"}
    tiers = [{"name": "entry"}, {"name": "strategic", "when": {"any": ["certified >= 9", {"all": [check]}]}}]
    assert _wording(tmp_path, tiers=tiers).conditions == {("strategic", "home"): "Based in EMEA"}
