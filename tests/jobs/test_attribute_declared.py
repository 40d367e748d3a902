"""Attribution of what is declared: roll-outs in steps, single regions, and every fault of the declarations."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.jobs.attribution_channel import Past, declare, declared_channel, finding, judged, write_channel
from tierwise.config.load import load_workspace
from tierwise.errors import InvalidInput

SINCE_JULY = {"r00": date(2025, 7, 1), "r01": date(2025, 7, 1)}
STEPS = {"title": "new funds", "by": "region", "starts": SINCE_JULY}


def test_a_planted_roll_out_is_found_with_its_parts(tmp_path: Path) -> None:
    declared = {"rollouts": {"funds": STEPS | {"cost_per_partner": 3}}, "margin": 0.5}
    found = finding(judged(declared_channel(tmp_path, declared, {"r00": 20.0, "r01": 20.0})), "rollout")
    value = found.main.effect()
    assert found.subject == "new funds"
    assert (found.status, found.main.grade) == ("shown_up", "difference_in_differences")
    assert value.low is not None
    assert value.high is not None
    assert value.low < 20 < value.high
    assert found.net is not None
    assert found.net[0] == pytest.approx(0.5 * value.estimate - 3)
    exposures = found.picture["exposures"]["exposure"]
    assert exposures.min() < 0 < exposures.max()
    assert "of which there are 12" in " ".join(found.notes)


def test_what_partners_came_to_by_themselves_is_an_association(tmp_path: Path) -> None:
    declared = {"rollouts": {"big": {"title": "a large year", "gained_by": "revenue_4q", "gained_at": 460}}}
    found = finding(judged(declared_channel(tmp_path, declared, {})), "rollout")
    assert found.main.grade == "observational"
    assert found.status in ("association", "not_computed")
    assert any("graded an association" in note for note in found.notes)


def test_a_roll_out_without_time_before_it_has_a_reason(tmp_path: Path) -> None:
    early = STEPS | {"starts": {"r00": date(2023, 1, 1)}, "since": date(2024, 1, 1)}
    late = STEPS | {"since": date(2026, 9, 1)}
    report = judged(declared_channel(tmp_path, {"rollouts": {"early": early, "late": late}}, {}))
    assert [found.main.reason_code for found in report.of("rollout")] == ["no_pre_periods", "no_pre_periods"]


def test_one_region_is_judged_by_placebos_and_says_how_small_p_can_get(tmp_path: Path) -> None:
    region = {"title": "a strike", "by": "region", "treated": ["r03"], "starts": date(2025, 7, 1)}
    found = finding(judged(declared_channel(tmp_path, {"regions": {"strike": region}}, {"r03": -60.0})), "region")
    assert found.main.value is not None
    assert found.main.value.estimate == pytest.approx(-60, abs=12)
    assert found.main.diagnostics["least_p"] == pytest.approx(1 / 12)
    assert found.status == "not_enough_evidence"
    assert "no effect of any size would be shown" in " ".join(found.notes)
    assert "USD per partner and quarter" in found.unit


def test_a_region_of_which_nothing_is_on_record_has_a_reason(tmp_path: Path) -> None:
    region = {"title": "a strike", "by": "region", "treated": ["Mars"], "starts": date(2025, 7, 1)}
    found = finding(judged(declared_channel(tmp_path, {"regions": {"strike": region}}, {})), "region")
    assert found.main.reason_code == "no_history"
    assert found.main.arm == "Mars"


# --- What is declared -------------------------------------------------------------------------------------------------


def test_every_fault_of_the_declarations_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    write_channel(
        tmp_path,
        Past(partners=30),
        attribution={
            "outcome": "revenue_4",
            "covariates": ["certfied"],
            "rollouts": {"funds": {"title": "funds", "by": "regin", "starts": {"EMEA": date(2025, 7, 1)}}},
            "alternatives": ["../other.yaml"],
            "chances": {"table": "chnces"},
        },
    )
    with pytest.raises(InvalidInput) as caught:
        judged(load_workspace(tmp_path))
    told = str(caught.value)
    for part in (
        "'revenue_4' is no metric; did you mean 'revenue_4q'?",
        "'certfied' is no metric",
        "'regin' is no attribute",
        "there is no policy file '../other.yaml'",
        "'chnces' is no event table",
        "attribution.yaml:",
    ):
        assert part in told, part


def test_a_metric_that_cannot_be_added_up_by_quarter_is_refused(tmp_path: Path) -> None:
    write_channel(tmp_path, Past(partners=30))
    catalog = yaml.safe_load((tmp_path / "metrics.yaml").read_text("utf-8"))
    catalog["metrics"]["rank"] = {"title": "Rank", "unit": "share", "formula": "revenue_4q / 2"}
    (tmp_path / "metrics.yaml").write_text(yaml.safe_dump(catalog), "utf-8")
    declare(tmp_path, {"rollouts": {"funds": STEPS | {"metric": "rank"}}})
    with pytest.raises(InvalidInput, match="cannot be added up quarter by quarter"):
        judged(load_workspace(tmp_path))
