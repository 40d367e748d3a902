"""What must hold of any trained potential model: stored and back, any order, any currency, twins, odd values."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.potential.channel import AS_OF, FEATURES, QUICK, current, make_snapshots
from tierwise.errors import InvalidInput
from tierwise.potential import (
    PotentialModel,
    contributions,
    from_parts,
    predict,
    predict_median,
    tier_effect,
    to_parts,
    train,
)
from tierwise.potential.model import DIAGNOSTICS

MONEY = ["revenue_4q", "pipeline_2q"]
AMOUNTS = ["potential", "potential_low", "potential_high", "headroom"]


@pytest.fixture(scope="module")
def snapshots() -> pd.DataFrame:
    return make_snapshots(partners=160, reviews=9)


@pytest.fixture(scope="module")
def model(snapshots: pd.DataFrame) -> PotentialModel:
    found = train(snapshots, FEATURES, QUICK, AS_OF, 1)
    assert found.source == "model"
    return found


@pytest.fixture(scope="module")
def rows(snapshots: pd.DataFrame) -> pd.DataFrame:
    return current(snapshots)


def _back(model: PotentialModel) -> PotentialModel:
    """The model from its parts, whose settings went through a JSON file."""
    parts = to_parts(model)
    return from_parts(
        {name: json.loads(json.dumps(part)) if isinstance(part, dict) else part for name, part in parts.items()}
    )


def test_every_part_comes_back_from_json_and_gives_the_same_answers(model: PotentialModel, rows: pd.DataFrame) -> None:
    back = _back(model)
    assert (back.features, back.spec, back.as_of, back.gate) == (model.features, model.spec, model.as_of, model.gate)
    assert (back.scale, back.floor, back.base, back.cold_start) == (
        model.scale, model.floor, model.base, model.cold_start,
    )  # fmt: skip
    pd.testing.assert_frame_equal(predict(back, rows), predict(model, rows))
    np.testing.assert_array_equal(predict_median(back, rows), predict_median(model, rows))
    pd.testing.assert_frame_equal(contributions(back, rows), contributions(model, rows))
    assert to_parts(back).keys() == to_parts(model).keys()


@pytest.mark.parametrize("part", ["potential", "bands", "headroom", "diagnostics"])
def test_a_bundle_without_a_part_is_not_a_model(model: PotentialModel, part: str) -> None:
    parts = to_parts(model)
    del parts[part]
    with pytest.raises(KeyError, match=part):
        from_parts(parts)


def test_the_order_and_number_of_columns_do_not_matter(model: PotentialModel, rows: pd.DataFrame) -> None:
    turned = rows[sorted(rows.columns, reverse=True)].assign(zebra="unknown", another=np.inf)
    pd.testing.assert_frame_equal(predict(model, turned), predict(model, rows))


def test_the_index_of_the_rows_does_not_matter(model: PotentialModel, rows: pd.DataFrame) -> None:
    odd = rows.set_axis(np.arange(len(rows)) * 7 + 3)
    pd.testing.assert_frame_equal(predict(model, odd), predict(model, rows))


def test_identical_partners_get_identical_answers(model: PotentialModel, rows: pd.DataFrame) -> None:
    twins = pd.concat([rows.head(20), rows.head(20).assign(partner_id=[f"T{place}" for place in range(20)])])
    found = predict(model, twins).drop(columns="partner_id")
    pd.testing.assert_frame_equal(found.head(20), found.tail(20).reset_index(drop=True))


def test_another_currency_changes_amounts_by_its_rate_and_nothing_else(snapshots: pd.DataFrame, model: PotentialModel):
    dear = snapshots.assign(**{name: snapshots[name] * 1000 for name in [*MONEY, "label", "persistence"]})
    again = train(dear, FEATURES, QUICK, AS_OF, 1)
    assert (again.gate.accepted, again.gate.probability) == (model.gate.accepted, model.gate.probability)
    assert again.gate.gini_model == pytest.approx(model.gate.gini_model)
    first, second = predict(model, current(snapshots)), predict(again, current(dear))
    pd.testing.assert_series_equal(second["potential_source"], first["potential_source"])
    np.testing.assert_allclose(second[AMOUNTS], first[AMOUNTS] * 1000, rtol=1e-6)
    assert again.floor == pytest.approx(model.floor * 1000)


@pytest.mark.parametrize(("metric", "sign"), [("pipeline_2q", 1), ("deals_4q", 1), ("idle_days", -1)])
def test_more_of_what_is_good_never_lowers_a_potential(
    model: PotentialModel, rows: pd.DataFrame, metric: str, sign: int
) -> None:
    own = rows[(model.sources(rows) == "model").to_numpy()]
    before = predict(model, own)["potential"]
    for factor in (1.5, 5.0, 1e4):
        after = predict(model, own.assign(**{metric: own[metric] * factor + 1}))["potential"]
        assert (sign * (after - before) >= -1e-9 * before).all()


def test_an_unseen_category_counts_as_an_unknown_one(model: PotentialModel, rows: pd.DataFrame) -> None:
    unseen, unknown = (predict(model, rows.assign(region=region, partner_type=region)) for region in ("Mars", None))
    pd.testing.assert_frame_equal(unseen.drop(columns="headroom"), unknown.drop(columns="headroom"))
    assert unseen["headroom"].notna().all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_metric_that_is_unknown_or_infinite_for_all_is_no_answer_lost(
    model: PotentialModel, rows: pd.DataFrame, value: float
) -> None:
    found = predict(model, rows.assign(pipeline_2q=value, win_rate=value))
    expected = predict(model, rows.assign(pipeline_2q=np.nan, win_rate=np.nan))
    own = (found["potential_source"] == "model") & (expected["potential_source"] == "model")
    assert own.sum() > 100
    pd.testing.assert_frame_equal(found[own], expected[own])
    assert np.isfinite(found.loc[own, AMOUNTS]).all(axis=None)


def test_what_a_partner_lost_in_refunds_counts_as_no_sales(model: PotentialModel, rows: pd.DataFrame) -> None:
    below, none = (predict(model, rows.assign(revenue_4q=value)) for value in (-500.0, 0.0))
    np.testing.assert_array_equal(below["headroom"], none["headroom"])
    assert (below["potential"] >= 0).all()


def test_a_row_without_what_the_model_reads_is_refused(model: PotentialModel, rows: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="idle_days") as caught:
        predict(model, rows.drop(columns=["idle_days", "tenure_days"]))
    assert len(caught.value.faults) == 2


def test_a_closed_gate_means_persistence_for_everyone(model: PotentialModel, rows: pd.DataFrame) -> None:
    shut = replace(
        model, gate=replace(model.gate, accepted=False), cold_start=replace(model.cold_start, refused="worse")
    )
    found = predict(shut, rows)
    assert set(found["potential_source"]) == {"persistence"}
    np.testing.assert_array_equal(found["potential"], rows["revenue_4q"])


def test_only_features_that_the_model_has_can_rest_on_the_tier(model: PotentialModel, snapshots: pd.DataFrame) -> None:
    assert tier_effect(model, snapshots, ["tier_days"]) is None


def test_one_partner_alone_is_trained_scored_stored_and_explained(snapshots: pd.DataFrame) -> None:
    alone = snapshots[snapshots["partner_id"] == "P0003"].reset_index(drop=True)
    model = train(alone, FEATURES, QUICK, AS_OF, 1)
    own = current(alone)
    assert model.source == "persistence"
    assert predict(_back(model), own)["potential"].tolist() == own["revenue_4q"].tolist()
    assert predict(model, own)["headroom"].tolist() == [0.0]
    assert set(contributions(model, own)["partner_id"]) == {"P0003"}
    assert set(model.diagnostics["code"]) <= set(DIAGNOSTICS)


def test_contributions_carry_the_family_of_their_feature(model: PotentialModel, rows: pd.DataFrame) -> None:
    parts = contributions(model, rows)
    known = parts[parts["feature"].isin(model.family_of)]
    assert set(FEATURES.attributes) | {"pipeline_2q"} <= set(known["feature"])
    assert (known["family"] == known["feature"].map(model.family_of)).all()
    assert set(parts["feature"]) - set(known["feature"]) <= {"newcomer", "tenure_days"}
