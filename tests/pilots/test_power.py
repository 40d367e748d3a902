from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise import pilots
from tierwise.config.pilot import PowerSettings
from tierwise.errors import InvalidInput
from tierwise.pilots.power_formula import detectable_by_formula, power_by_formula, units_needed
from tierwise.pilots.power_simulation import simulate
from tierwise.pilots.spread import Spread, intracluster_correlation


def history(count: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    past = rng.lognormal(0, 1, count)
    revenue = past * rng.lognormal(0, 0.5, count)
    cluster = np.arange(count) % 12
    frame = pd.DataFrame({"partner_id": [f"p{place:04d}" for place in range(count)], "past": past, "revenue": revenue})
    return frame.assign(year=revenue + past * rng.lognormal(0, 0.5, count), distributor=cluster)


def settings(**more: object) -> PowerSettings:
    given = {"outcome": "revenue", "arms": {"control": 1, "mdf": 1}, "effect": 0.1, "simulations": 60, **more}
    return PowerSettings.model_validate(given)


def test_reseller_tails_need_the_units_that_the_methods_page_says():
    """A coefficient of variation of 1.695 gives 4,511 partners per arm for 10 %; explaining 54 % of it, 2,071."""
    spread = Spread(100.0, 169.5, 0.541, 0.0, 1.0, 9022, None)
    assert units_needed(spread, settings(), adjusted=False) / 2 == pytest.approx(4511, rel=0.002)
    assert units_needed(spread, settings(), adjusted=True) / 2 == pytest.approx(2071, rel=0.002)


@pytest.mark.parametrize("clusters", [None, 20])
def test_the_formula_gives_back_its_own_power(clusters):
    spread = Spread(100.0, 150.0, 0.3, 0.1 if clusters else 0.0, 10.0 if clusters else 1.0, 200, clusters)
    least = detectable_by_formula(spread, settings(), adjusted=True)
    assert power_by_formula(least, spread, settings(), adjusted=True) == pytest.approx(0.8, abs=0.005)
    assert power_by_formula(0.0, spread, settings(), adjusted=True) == pytest.approx(0.05, abs=1e-6)


def test_too_small_a_pilot_says_so_and_what_would_help():
    found = pilots.plan(
        history(), settings(arms={"control": 1, "mdf": 1, "sla": 1}, covariates=("past",)), {"a year": "year"}
    )
    assert not found.can_detect
    text = " ".join(found.sentences)
    assert text.startswith("Cannot detect a change of 10.0% with 300 units in 3 arms")
    assert "The smallest change that would be detected is" in text
    for option in ("With two arms", "Over a year", "With twice the units"):
        assert f"{option} the chance is" in text
    options = {row.option: row for row in found.rows}
    assert options["two arms"].power_formula > options["as planned"].power_formula
    assert options["without covariates"].detectable_formula > options["as planned"].detectable_formula
    assert options["as planned"].detectable_simulated > 0.1
    assert len(found.table()) == len(found.rows)


def test_a_large_effect_can_be_detected():
    found = pilots.plan(history(), settings(effect=0.6, covariates=("past",)))
    assert found.can_detect
    assert found.sentences[0].startswith("Can detect a change of 60.0%")
    assert len(found.rows) == 1
    assert found.rows[0].false_positives < 0.16


def test_clusters_cost_power():
    rows = history()
    rows["revenue"] *= np.where(rows["distributor"] < 6, 3, 1)
    one_by_one = pilots.plan(rows, settings(effect=0.3))
    clustered = pilots.plan(rows, settings(effect=0.3, cluster="distributor"))
    assert clustered.spread.correlation > 0.08
    assert clustered.rows[0].power_formula < one_by_one.rows[0].power_formula
    assert clustered.rows[0].power_simulated < one_by_one.rows[0].power_simulated
    assert any("partners drawn one by one" in sentence for sentence in clustered.sentences)


def test_more_units_than_the_history_has_are_drawn_again():
    few = simulate(history(), settings(), adjusted=False).share_detected(0.3)
    many = simulate(history(), settings(units=1500), adjusted=False).share_detected(0.3)
    assert many > few
    assert set(simulate(history(), settings(units=100), adjusted=False).units) == {100}


def test_the_plan_does_not_depend_on_the_order_of_rows():
    one = pilots.plan(history(), settings(effect=0.6))
    other = pilots.plan(history().sample(frac=1, random_state=1), settings(effect=0.6))
    assert one == other


def test_intracluster_correlation_of_known_parts():
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(400), 10)
    values = rng.normal(0, 1, 400)[cluster] + rng.normal(0, 2, 4000)
    assert intracluster_correlation(values, cluster) == pytest.approx(0.2, abs=0.03)
    assert intracluster_correlation(rng.normal(0, 1, 4000), cluster) == pytest.approx(0, abs=0.02)


def test_faults_of_the_history():
    rows = history()
    with pytest.raises(InvalidInput, match="did you mean 'revenue'"):
        pilots.plan(rows, settings(outcome="revenu"))
    with pytest.raises(InvalidInput, match="1 values are missing"):
        pilots.plan(rows.assign(revenue=rows["revenue"].mask(rows.index == 0)), settings())
    with pytest.raises(InvalidInput, match="above zero"):
        pilots.plan(rows.assign(revenue=0.0), settings())
    with pytest.raises(InvalidInput, match="too few to plan"):
        pilots.plan(rows.head(5), settings())
