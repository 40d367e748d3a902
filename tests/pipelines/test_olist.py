"""Olist: the workspace against the published totals and against figures computed with pandas."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.explained_checks import check_additivity, check_margins, check_points, check_reasons
from tests.pipelines.real_channel import Channel, assert_metrics, quarters_back, read_channel, review
from tierwise import potential
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.snapshots import model_features

SELLERS = 3_095
DAYS = (date(2017, 9, 30), date(2017, 12, 31), date(2018, 6, 30))
REVIEWS = (date(2018, 3, 31), date(2018, 6, 30))
YEAR_OF_ERRORS = 2020


@pytest.fixture(scope="module")
def channel(repository: Path, shared_data: Path) -> Channel:
    return read_channel(repository / "pipelines" / "olist", shared_data, DAYS, DAYS[-1])


@pytest.fixture(scope="module")
def items(shared_data: Path) -> pd.DataFrame:
    """The order items, read without Tierwise."""
    found = pd.read_parquet(shared_data / "olist_marketplace" / "olist_order_items_dataset.parquet")
    renamed = found.rename(columns={"seller_id": "partner_id", "price": "amount"})
    return renamed.assign(date=renamed["shipping_limit_date"].dt.normalize())


@pytest.fixture(scope="module")
def quarters(shared_data: Path) -> pd.DataFrame:
    """The third party's figures, dated on the last day of their quarter."""
    found = pd.read_csv(shared_data / "olist_marketplace" / "derived_seller_quarter_thirdparty.csv")
    ends = pd.PeriodIndex(found["seller_active_quarter"], freq="Q").end_time.normalize()
    return found.assign(date=ends, partner_id=found["seller_id"])


@pytest.fixture(scope="module")
def known(shared_data: Path) -> dict[date, set[str]]:
    """The sellers of the list and those whose deal was won by each date."""
    folder = shared_data / "olist_marketplace"
    listed = set(pd.read_csv(folder / "olist_sellers_dataset.csv")["seller_id"])
    deals = pd.read_csv(folder / "olist_closed_deals_dataset.csv", parse_dates=["won_date"])
    won = deals["won_date"].dt.normalize()
    return {day: listed | set(deals.loc[won <= pd.Timestamp(day), "seller_id"]) for day in {*DAYS, *REVIEWS}}


@pytest.fixture(scope="module")
def reviews(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[date, dict[str, pd.DataFrame]]:
    return review("olist", tmp_path_factory.mktemp("olist") / "workspace", shared_data, REVIEWS)


def test_received_is_accepted_and_quarantined_by_rows_and_by_money(channel: Channel) -> None:
    assert channel.totals("sellers")[:3] == (SELLERS, SELLERS, 0)
    assert channel.totals("deals")[:3] == (842, 842, 0)
    assert channel.totals("items") == (112_650, 112_646, 4, "13591643.70", "13591297.74", "345.96")
    assert channel.totals("seller_quarters")[:3] == (6_802, 6_802, 0)


def test_the_four_items_of_2020_are_quarantined_as_future(channel: Channel, items: pd.DataFrame) -> None:
    wrong = items[items["date"].dt.year == YEAR_OF_ERRORS]
    assert len(wrong) == len(channel.quarantine) == 4
    assert set(channel.quarantine["rule"]) == {"future_date"}
    assert set(channel.quarantine["column"]) == {"date"}
    assert set(channel.quarantine["row"]) == set(wrong.index + 1)


@pytest.mark.parametrize("day", DAYS)
def test_known_are_listed_sellers_and_those_won_by_then(
    channel: Channel, known: dict[date, set[str]], day: date
) -> None:
    assert set(channel.rows_on(day).index) == known[day]


def test_newcomers_carry_their_deal_from_the_day_it_was_won(channel: Channel) -> None:
    assert channel.rows_on(DAYS[0])["from_sales_team"].sum() == 0, "the first deal was won in December 2017"
    last = channel.rows_on(DAYS[-1])
    assert last["from_sales_team"].sum() == 722
    silent = last[(last["from_sales_team"] == 1) & (last["orders_ever"] == 0)]
    assert silent["first_seen"].notna().all()
    assert silent["origin"].notna().mean() > 0.9


def test_later_events_change_no_metric(channel: Channel) -> None:
    expected = channel.rows_on(DAYS[-1])
    pd.testing.assert_frame_equal(channel.rows_without_future.set_index("partner_id"), expected)


@pytest.mark.parametrize("day", DAYS)
def test_sales_equal_pandas(channel: Channel, items: pd.DataFrame, day: date) -> None:
    actual, end = channel.rows_on(day), pd.Timestamp(day)
    half = _between(items, quarters_back(end, 2), end).groupby("partner_id")
    past = items[items["date"] <= end].groupby("partner_id")
    counted = pd.DataFrame(
        {
            "revenue_1m": _between(items, end - pd.offsets.MonthEnd(1), end).groupby("partner_id")["amount"].sum(),
            "revenue_2q": half["amount"].sum(),
            "revenue_ever": past["amount"].sum(),
            "orders_1q": _between(items, quarters_back(end, 1), end).groupby("partner_id")["order_id"].nunique(),
            "orders_2q": half["order_id"].nunique(),
            "products_2q": half["product_id"].nunique(),
            "products_ever": past["product_id"].nunique(),
        },
        index=actual.index,
    )
    assert_metrics(actual, counted.fillna(0))
    before = _between(items, quarters_back(end, 4), quarters_back(end, 2)).groupby("partner_id")["amount"].sum()
    ratios = pd.DataFrame(
        {
            "average_order_2q": half["amount"].sum() / half["order_id"].nunique(),
            "freight_share_2q": half["freight_value"].sum() / half["amount"].sum(),
            "growth_2q": half["amount"].sum().reindex(before.index).fillna(0) / before - 1,
            "days_since_last_sale": (end - past["date"].max()).dt.days,
            "selling_days": (end - past["date"].min()).dt.days,
        },
        index=actual.index,
    )
    assert_metrics(actual, ratios)


@pytest.mark.parametrize("day", DAYS)
def test_months_and_pace_equal_pandas(channel: Channel, items: pd.DataFrame, day: date) -> None:
    actual, end = channel.rows_on(day), pd.Timestamp(day)
    half = _between(items, end - pd.offsets.MonthEnd(6), end)
    by_month = half.groupby(["partner_id", half["date"].dt.to_period("M")])["amount"].sum().unstack()
    share = by_month.max(axis=1) / by_month.sum(axis=1)
    assert_metrics(actual, pd.DataFrame({"largest_month_share_6m": share}, index=actual.index))
    selling = actual["selling_days"].clip(lower=28, upper=182)
    pace = (actual["revenue_2q"] * 182 / selling).fillna(0)
    active = (by_month > 0).sum(axis=1).reindex(actual.index).fillna(0)
    assert_metrics(actual, pd.DataFrame({"active_months_6m": active, "pace_2q": pace}))


def test_service_waits_a_quarter_and_equals_pandas(channel: Channel, quarters: pd.DataFrame) -> None:
    actual, end = channel.rows_on(DAYS[-1]), pd.Timestamp(DAYS[-1])
    rows = _between(quarters, quarters_back(end, 3), quarters_back(end, 1))
    assert set(rows["seller_active_quarter"]) == {"2017Q4", "2018Q1"}
    sums = rows.groupby("partner_id")[
        ["n_orders_late_to_customer", "n_delivered_customers", "n_orders_late_to_carrier", "n_delivered_carrier"]
    ].sum()
    reviewed = rows[rows["median_review_score"] >= 1]
    weighed = (reviewed["median_review_score"] * reviewed["n_orders"]).groupby(reviewed["partner_id"]).sum()
    expected = pd.DataFrame(
        {
            "on_time_share_2q": 1 - sums["n_orders_late_to_customer"] / sums["n_delivered_customers"],
            "late_handover_share_2q": sums["n_orders_late_to_carrier"] / sums["n_delivered_carrier"],
            "review_score_2q": weighed / reviewed.groupby("partner_id")["n_orders"].sum(),
        },
        index=actual.index,
    )
    assert_metrics(actual, expected)
    assert actual["on_time_share_2q"].dropna().between(0, 1).all()
    assert actual["review_score_2q"].dropna().between(1, 5).all()


def test_the_gate_accepts_a_model_that_ranks_sellers_better(channel: Channel) -> None:
    workspace = channel.workspace
    spec = load_model_spec(workspace).potential
    as_of, features = pd.Timestamp(DAYS[-1]), model_features(workspace)
    model = potential.train(channel.snapshots, features, spec, as_of, workspace.settings.seed)
    assert (model.source, model.gate.origins) == ("model", ("2017-12-31",))
    assert model.gate.gini_model > model.gate.gini_persistence > 0.9
    quick = spec.backtest.model_copy(update={"origins": 1, "bootstraps": 10})
    tested = potential.backtest(
        channel.snapshots, features, spec.model_copy(update={"backtest": quick}), as_of, workspace.settings.seed
    )
    gini = tested.scores[tested.scores["score"] == "gini"].set_index(["origin", "candidate"])["value"]
    assert gini["2017-12-31", "persistence"] == pytest.approx(0.825, abs=0.005)
    assert gini["2017-12-31", "model"] > gini["2017-12-31", "persistence"] + 0.03


def test_one_recommendation_per_known_seller(
    reviews: dict[date, dict[str, pd.DataFrame]], known: dict[date, set[str]]
) -> None:
    for day, tables in reviews.items():
        recommendations = tables["recommendations"]
        assert len(recommendations) == len(known[day])
        assert set(recommendations["partner_id"]) == known[day] == set(tables["reasons"]["partner_id"])
        assert len(tables["quarantine"]) == 4
    assert len(reviews[REVIEWS[-1]]["recommendations"]) == SELLERS + 354


def test_tiers_have_plausible_shares(reviews: dict[date, dict[str, pd.DataFrame]]) -> None:
    shares = reviews[REVIEWS[-1]]["recommendations"]["recommended_tier"].value_counts(normalize=True)
    assert 0.50 < shares["entry"] < 0.70
    assert 0.15 < shares["growth"] < 0.35
    assert 0.08 < shares["strategic"] < 0.20
    assert 0.01 < shares["flagship"] <= 0.06


def test_only_newcomers_are_placed_in_a_later_review(
    reviews: dict[date, dict[str, pd.DataFrame]], known: dict[date, set[str]]
) -> None:
    first, second = (reviews[day]["recommendations"].set_index("partner_id") for day in REVIEWS)
    assert set(first["action"]) <= {"place", "insufficient_evidence"}
    new = known[REVIEWS[1]] - known[REVIEWS[0]]
    assert set(second.index[second["action"] == "place"]) <= new
    assert set(second.index[second["current_tier"].isna()]) == new
    assert set(second.loc[sorted(new), "recommended_tier"]) == {"entry"}
    assert set(second.loc[sorted(new), "potential_source"]) == {"cold_start"}


def test_eligible_tiers_equal_pandas(channel: Channel, reviews: dict[date, dict[str, pd.DataFrame]]) -> None:
    figures = channel.rows_on(DAYS[-1])
    found = reviews[REVIEWS[-1]]["recommendations"].set_index("partner_id").loc[figures.index]
    revenue, on_time = figures["revenue_2q"], figures["on_time_share_2q"]
    growth = (revenue >= 200) & (figures["orders_2q"] >= 2)
    strategic = (revenue >= 1_500) & (found["value"] >= 30) & ((on_time >= 0.8) | on_time.isna())
    flagship = (revenue >= 7_000) & (found["value"] >= 60) & (on_time >= 0.85)
    flagship &= (figures["review_score_2q"] >= 3.5) & (found["potential"] >= 3_000)
    highest = np.select([flagship, strategic, growth], ["flagship", "strategic", "growth"], "entry")
    assert found["eligible_tier"].tolist() == highest.tolist()


def _between(events: pd.DataFrame, after: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
    return events[(events["date"] > after) & (events["date"] <= until)]


def test_every_placement_is_explained_exactly(reviews: dict[date, dict[str, pd.DataFrame]]) -> None:
    for day in REVIEWS:
        tables = reviews[day]
        check_additivity(tables)
        check_points(tables, sorted(set(tables["components"]["score"])))
        check_margins(tables)
        check_reasons(tables, tables["recommendations"][["partner_id", "partner_name"]].stack().dropna().head(1000))
