"""The regime alarm: exact where nothing changed, loud where the market broke."""

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import make_snapshots
from tierwise.config.model_spec import IntervalSpec
from tierwise.potential.findings import Finding
from tierwise.potential.regime import clustered_shift, compare_regimes, regime

SPEC = IntervalSpec()
YEAR = pd.DateOffset(years=1)


def two_reviews(partners: int, seed: int, factor: float = 1.0, spread: float = 1.0) -> pd.DataFrame:
    """Two reviews a year apart of partners with a lasting level; the later year's values times `factor`."""
    rng = np.random.default_rng(seed)
    level = rng.normal(9, 1.5, partners)
    rows = []
    for place, day in enumerate((pd.Timestamp("2024-06-30"), pd.Timestamp("2025-06-30"))):
        noise = rng.normal(0, 0.8, partners) * (spread if place else 1)
        label = np.exp(level + noise) * (rng.random(partners) < 0.8) * (factor if place else 1)
        past = np.exp(level + rng.normal(0, 0.8, partners)) * (rng.random(partners) < 0.8)
        partner = [f"P{number:04d}" for number in range(partners)]
        rows.append(
            pd.DataFrame({"partner_id": partner, "as_of": day, "label": label, "persistence": past})
            .assign(label_until=day + YEAR)
        )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def fired(rows: pd.DataFrame) -> bool:
    return [finding.code for finding in regime(rows, SPEC)] == ["regime_change"]


@pytest.mark.parametrize("partners", [60, 300])
def test_it_fires_no_more_often_than_it_says_where_nothing_changed(partners: int):
    alarms = sum(fired(two_reviews(partners, seed)) for seed in range(120))
    assert alarms <= 12  # 6 expected; 12 or fewer in 99 of 100 such counts


@pytest.mark.parametrize(("partners", "factor", "least"), [(400, 0.5, 0.95), (1500, 0.7, 0.95)])
def test_it_fires_when_the_market_breaks(partners: int, factor: float, least: float):
    assert np.mean([fired(two_reviews(partners, seed, factor)) for seed in range(20)]) >= least


def test_it_sees_a_wider_spread_at_the_same_level():
    found = compare_regimes(two_reviews(400, 1, spread=3.0))
    assert found is not None
    assert found.spread.size > 0.03
    assert found.alarms(SPEC)


def test_its_figures_say_which_reviews_and_how_far():
    found = compare_regimes(two_reviews(200, 3, 0.3))
    assert found is not None
    assert (found.earlier, found.later) == (pd.Timestamp("2024-06-30"), pd.Timestamp("2025-06-30"))
    assert found.level.size < -0.1
    assert "review of 2025-06-30 against 2024-06-30" in found.figures
    assert list(regime(two_reviews(200, 3, 0.3), SPEC)) == [Finding("regime_change", found.figures)]


def test_the_unit_of_money_does_not_matter():
    rows = two_reviews(150, 5, 0.6)
    cents = rows.assign(label=rows["label"] * 100, persistence=rows["persistence"] * 100)
    first, second = compare_regimes(rows), compare_regimes(cents)
    assert first is not None
    assert second is not None
    assert second.level.size == pytest.approx(first.level.size, abs=1e-9)


def test_a_trifle_is_no_alarm_however_many_partners_there_are():
    found = compare_regimes(two_reviews(20_000, 1, 0.9))
    assert found is not None
    assert found.level.p_value < 0.05
    assert not found.alarms(SPEC)


@pytest.mark.parametrize(
    "rows",
    [
        two_reviews(20, 1),
        two_reviews(100, 1).head(100),
        two_reviews(100, 1).head(0),
        make_snapshots(partners=100, reviews=4).dropna(subset=["label"]),
    ],
)
def test_too_little_to_compare_is_said(rows: pd.DataFrame):
    assert list(regime(rows, SPEC)) == [Finding("regime_unknown")]


def test_half_year_horizons_are_compared_with_the_same_season():
    rows = two_reviews(100, 1)
    winter = rows[rows["as_of"] == "2024-06-30"].assign(as_of=pd.Timestamp("2024-12-31"))
    both = pd.concat([rows, winter.assign(label=winter["label"] * 9)])
    half = both.assign(label_until=both["as_of"] + pd.DateOffset(months=6))
    found = compare_regimes(half)
    assert found is not None
    assert found.earlier == pd.Timestamp("2024-06-30")


def test_partners_in_both_reviews_are_one_observation():
    """Twice the same values carry no more evidence than once: no shift, and nothing to divide by."""
    same = pd.Series(np.arange(50.0), index=[f"P{number}" for number in range(50)])
    assert clustered_shift(same, same).p_value == 1
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(200):
        level = rng.normal(size=80)
        pair = [pd.Series(level + 0.2 * rng.normal(size=80), index=range(80)) for _ in range(2)]
        p_values.append(clustered_shift(*pair).p_value)
    assert 0.01 <= np.mean(np.array(p_values) < 0.05) <= 0.1
