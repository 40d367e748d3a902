"""The guards against leaks in a training: what gives the future away is named, refused and told; honest data is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.channel import AS_OF, TODAY
from tests.jobs.small_channel import give_away_the_future, small_channel
from tests.jobs.tiny_workspace import METRICS
from tierwise.config.load import Workspace, load_workspace
from tierwise.errors import InvalidInput, Refused
from tierwise.jobs.promote import PromotionRequest, promote
from tierwise.jobs.snapshots import model_features
from tierwise.jobs.tier_loop import tier_columns
from tierwise.jobs.train import train
from tierwise.reports.training import TrainingSummary, as_payload, as_text
from tierwise.tracking import Registry

LEVEL = {
    "title": "Current tier", "unit": "tiers", "from": "tier_history", "window": "lifetime", "direction": "up",
    "value": "max(case when tier = 'growth' then 1 when tier = 'strategic' then 2 else 0 end)", "family": "tier",
}  # fmt: skip
TIERED = {
    **METRICS, "tier_level": LEVEL, "tier_twice": {"title": "Twice", "formula": "2 * tier_level"},
}  # fmt: skip
HISTORY = tuple(
    {"partner_id": f"P{number:02d}", "valid_from": "2023-06-30", "tier": ("entry", "growth", "strategic")[number % 3]}
    for number in range(30)
)


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, TrainingSummary]:
    """A channel whose regions are bands of what partners sell over all time, trained once."""
    workspace = give_away_the_future(small_channel(tmp_path_factory.mktemp("leaking"), 12))
    return workspace, train(workspace, AS_OF, TODAY)


def test_an_attribute_that_encodes_revenue_is_named_and_the_version_stays_out_of_force(
    leaking: tuple[Workspace, TrainingSummary],
) -> None:
    workspace, summary = leaking
    assert (summary.alias, summary.alarm) == ("challenger", "fired")
    assert [sentence.partition(":")[0] for sentence in summary.alarms] == ["region"]
    text = as_text(summary)
    assert "ALARM" in text
    assert "region: the attribute follows what the partner did on record" in text
    assert as_payload(summary)["alarms"] == summary.alarms
    details = Registry.of(workspace).show("challenger")
    assert details["facts"]["alarm"] == "fired"
    assert "## Warning" in details["card"]


def test_promoting_it_needs_a_reason_which_is_recorded_with_the_alarm(
    leaking: tuple[Workspace, TrainingSummary],
) -> None:
    workspace, _ = leaking
    with pytest.raises(Refused, match="version 1 is too good to be true") as caught:
        promote(workspace, PromotionRequest("challenger", "ada", TODAY))
    assert '--because "..."' in str(caught.value)
    with pytest.raises(InvalidInput, match="--because is empty"):
        promote(workspace, PromotionRequest("1", "ada", TODAY, " "))
    done = promote(workspace, PromotionRequest("1", "ada", TODAY, "regions are set by contract"))
    assert done.entry["because"] == "regions are set by contract (the alarm of the guards against leaks had fired)"
    assert Registry.of(workspace).load_champion().version == 1


def test_the_synthetic_channels_honest_gain_is_no_alarm(trained_channel: Path) -> None:
    version = Registry.of(load_workspace(trained_channel)).find("champion")
    assert version["facts"]["alarm"] == "quiet"


def test_a_day_before_any_partner_is_known_is_refused_and_registers_nothing(tmp_path: Path) -> None:
    workspace = small_channel(tmp_path, 3)
    with pytest.raises(InvalidInput, match="no partner is known yet on 2020-03-31"):
        train(workspace, date(2020, 3, 31), TODAY)
    assert Registry.of(workspace).versions() == []


def test_the_current_tier_is_no_feature_unless_the_model_file_asks_for_it(tmp_path: Path) -> None:
    workspace = small_channel(tmp_path, 12, TIERED, HISTORY)
    assert tier_columns(workspace) == ("tier_level", "tier_twice")
    assert set(model_features(workspace).names) & {"tier_level", "tier_twice"} == set()
    model = workspace.folder / "models" / "default.yaml"
    model.write_text(model.read_text("utf-8").replace("potential: {", "potential: {tier_as_feature: true, "), "utf-8")
    assert set(model_features(workspace).names) >= {"tier_level", "tier_twice"}
    summary = train(workspace, AS_OF, TODAY)
    assert "The current tier (tier_level, tier_twice) is a feature, as asked for" in summary.tier_effect
    assert summary.tier_effect in Registry.of(workspace).show("1")["card"]


def test_an_attribute_that_may_only_hold_names_of_tiers_is_the_tier(tmp_path: Path) -> None:
    workspace = small_channel(tmp_path, 2)
    file = workspace.folder / "tierwise.yaml"
    text = file.read_text("utf-8")
    changed = text.replace("static: true", "static: true\n        allowed: [entry, growth, strategic]")
    assert changed != text
    file.write_text(changed, "utf-8")
    assert tier_columns(load_workspace(workspace.folder)) == ("region",)
