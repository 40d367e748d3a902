import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, current, make_snapshots
from tierwise.config.model_spec import ColdStartSpec
from tierwise.potential import contributions, predict, train
from tierwise.potential.cold_start import fit_cold_start

SPEC = ColdStartSpec()


def newcomers(per_region: dict[str, float], each: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    region = np.repeat(list(per_region), each)
    mean = np.repeat(list(per_region.values()), each)
    rows = pd.DataFrame({"region": region, "partner_type": "Reseller", "revenue_4q": 0.0, "tenure_days": 30.0})
    return rows.assign(persistence=0.0, label=mean * rng.exponential(size=len(rows)))


def test_groups_are_shrunken_towards_the_mean_of_all():
    rows = newcomers({"AMER": 4000.0, "EMEA": 1000.0})
    model = fit_cold_start(rows, rows, FEATURES, SPEC, 1.0)
    by_region = pd.Series(model.predict(rows)).groupby(rows["region"].to_numpy()).first()
    actual = rows.groupby("region")["label"].mean()
    assert actual["EMEA"] < by_region["EMEA"] < by_region["AMER"] < actual["AMER"]


def test_a_level_that_was_hardly_seen_has_no_effect():
    rows = newcomers({"AMER": 4000.0, "EMEA": 1000.0})
    model = fit_cold_start(rows, rows, FEATURES, SPEC, 1.0)
    unseen = rows.head(1).assign(region="Mars")
    assert model.log_prediction(unseen)[0] == pytest.approx(
        model.base + model.effects.get("partner_type", {}).get("Reseller", 0)
    )


def test_what_a_newcomer_sold_already_counts_unless_switched_off():
    rows = newcomers({"AMER": 1000.0, "EMEA": 1000.0})
    rows["persistence"] = rows["revenue_4q"] = rows["label"] / 4
    more = rows.head(1).assign(persistence=5000.0, revenue_4q=5000.0)
    with_history = fit_cold_start(rows, rows, FEATURES, SPEC, 1.0)
    without = fit_cold_start(rows, rows, FEATURES, SPEC.model_copy(update={"history": False}), 1.0)
    assert with_history.predict(more)[0] > 1.5 * with_history.predict(rows.head(1))[0]
    assert without.predict(more)[0] == pytest.approx(without.predict(rows.head(1))[0])
    assert without.terms == ()


def test_too_few_newcomers_all_partners_stand_in():
    rows = newcomers({"AMER": 1000.0})
    assert fit_cold_start(rows.head(5), rows, FEATURES, SPEC, 1.0).trained_on == "all_partners"
    assert fit_cold_start(rows.head(0), rows.head(0), FEATURES, SPEC, 1.0).trained_on == "nobody"


def test_newcomers_who_never_bought_are_worth_the_floor():
    rows = newcomers({"AMER": 0.0})
    assert fit_cold_start(rows, rows, FEATURES, SPEC, 2.5).predict(rows)[0] == pytest.approx(2.5)


def test_short_tenure_or_no_activity_means_cold_start_with_a_wider_interval():
    snapshots = make_snapshots(partners=300)
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    rows = current(snapshots)
    silent = rows["partner_id"].isin(rows["partner_id"].iloc[:5])
    rows.loc[silent, ["revenue_4q", "pipeline_2q", "deals_4q"]] = 0.0
    scored = predict(model, rows).assign(new=(rows["tenure_days"] < 182) | silent)
    assert set(scored.loc[scored["new"], "potential_source"]) == {"cold_start"}
    assert set(scored.loc[~scored["new"], "potential_source"]) == {"model"}
    width = np.log(scored["potential_high"] + 1) - np.log(scored["potential_low"] + 1)
    assert width[scored["new"]].median() > width[~scored["new"]].median()


def test_contributions_of_a_newcomer_name_only_what_the_cold_start_model_knows():
    snapshots = make_snapshots(partners=300)
    model = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    rows = current(snapshots)
    rows = rows[rows["tenure_days"] < 182]
    assert set(contributions(model, rows)["feature"]) <= {"region", "partner_type", "revenue_4q", "tenure_days"}
