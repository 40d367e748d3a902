"""Margins: how far a figure is from the thresholds at which its tier is gained and kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.policy import place
from tierwise.policy.margins import MARGIN_COLUMNS, with_margins


def _margins(engine: Engine, when: object, figures: dict[str, object], **tier: object) -> pd.DataFrame:
    policy = Policy.model_validate(
        {
            "policy": "margins", "effective_from": "2026-01-01", "owner": "tests", "reason": "tests",
            "tiers": [{"name": "entry"}, {"name": "growth", "when": when, **tier}],
            "movement": {"promote": {"band": 0.05}, "demote": {"band": 0.1}},
        }
    )  # fmt: skip
    inputs = pd.DataFrame({"partner_id": ["P1"], **{name: [value] for name, value in figures.items()}})
    placement = place(engine, policy, inputs)
    table = with_margins(placement.plan, placement.criteria)
    pd.testing.assert_frame_equal(table.drop(columns=list(MARGIN_COLUMNS)), placement.criteria)
    return table.set_index("criterion")[list(MARGIN_COLUMNS)]


@pytest.mark.parametrize(
    ("when", "value", "expected"),
    [
        ("revenue >= 100", 98.0, (105, 90, -7, 8)),
        ("revenue > 100", 105.0, (105, 90, 0, 15)),
        ("revenue <= 100", 98.0, (95, 110, -3, 12)),
        ("revenue < -100", -120.0, (-105, -90, 15, 30)),
        ("revenue >= -100", -98.0, (-95, -110, -3, 12)),
    ],
)
def test_bands_move_the_thresholds_and_margins_are_signed(
    engine: Engine, when: str, value: float, expected: tuple[float, ...]
) -> None:
    found = _margins(engine, when, {"revenue": value})
    assert found.iloc[0].tolist() == pytest.approx(expected, abs=1e-9)


def test_a_criterions_own_band_counts(engine: Engine) -> None:
    found = _margins(engine, {"all": [{"check": "revenue >= 100", "band": 0.2}]}, {"revenue": 100.0})
    assert found.iloc[0].tolist() == pytest.approx([120, 80, -20, 20])


def test_a_condition_and_an_equality_have_no_margin(engine: Engine) -> None:
    found = _margins(engine, "region = 'EMEA' and deals = 3", {"region": "EMEA", "deals": 3.0})
    assert found.isna().all(axis=None)


def test_an_unknown_figure_has_thresholds_and_no_margin(engine: Engine) -> None:
    found = _margins(engine, "revenue >= 100", {"revenue": np.nan}).iloc[0]
    assert found[["gain_threshold", "keep_threshold"]].tolist() == [105, 90]
    assert found[["margin_to_gain", "margin_to_keep"]].isna().all()


def test_a_tier_with_a_keep_rule_is_kept_at_its_threshold(engine: Engine) -> None:
    found = _margins(engine, "revenue >= 100 and deals >= 3", {"revenue": 95.0, "deals": 4.0}, keep="revenue >= 70")
    assert found.iloc[0].tolist() == pytest.approx([100, 70, -5, 25])
    assert found.iloc[1][["gain_threshold", "margin_to_gain"]].tolist() == [3, 1]
    assert found.iloc[1][["keep_threshold", "margin_to_keep"]].isna().all()


def test_a_criterion_may_name_its_own_entry_and_keep_thresholds(engine: Engine) -> None:
    found = _margins(engine, {"all": [{"check": "revenue >= 100", "keep": "revenue >= 80"}]}, {"revenue": 95.0})
    assert found.iloc[0].tolist() == pytest.approx([100, 80, -5, 15])


def test_the_margins_say_what_the_placement_decided(engine: Engine) -> None:
    policy = Policy.model_validate(
        {
            "policy": "margins", "effective_from": "2026-01-01", "owner": "tests", "reason": "tests",
            "tiers": [{"name": "entry"}, {"name": "growth", "when": "revenue >= 100 and returns <= 0.3"}],
            "movement": {"promote": {"band": 0.05}, "demote": {"band": 0.1}},
        }
    )  # fmt: skip
    random = np.random.default_rng(2)
    inputs = pd.DataFrame(
        {
            "partner_id": [f"P{number:03d}" for number in range(300)],
            "revenue": random.uniform(80, 120, 300).round(0),
            "returns": random.uniform(0.2, 0.4, 300).round(2),
        }
    )
    placement = place(engine, policy, inputs)
    margins = (
        with_margins(placement.plan, placement.criteria)
        .groupby("partner_id")[["margin_to_gain", "margin_to_keep"]]
        .min()
    )
    tiers = placement.tiers.set_index("partner_id")
    for column, margin in (("gain_tier", "margin_to_gain"), ("keep_tier", "margin_to_keep")):
        assert (tiers[column] == "growth").sum() > 20
        pd.testing.assert_series_equal(tiers[column] == "growth", margins[margin] >= 0, check_names=False)
