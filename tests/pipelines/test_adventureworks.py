"""AdventureWorks: the workspace against the published totals and against figures computed with pandas."""

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
from tierwise.potential.gini import normalized_gini

RESELLERS, NEVER_BOUGHT = 701, 66
DAYS = (date(2011, 6, 30), date(2012, 6, 30), date(2013, 6, 30))
REVIEWS = (date(2012, 12, 31), date(2013, 3, 31), date(2013, 6, 30))
LEAKING = {"OrderMonth", "FirstOrderYear", "LastOrderYear", "OrderFrequency"}
CATEGORIES = ("Bikes", "Components", "Clothing", "Accessories")

COMPONENTS = (
    ("revenue_4q", 250_000, 25), ("potential", 125_000, 15), ("models_4q", 35, 12), ("categories_4q", 4, 8),
    ("gear_revenue_4q", 10_000, 12), ("subcategories_added_4q", 8, 8), ("orders_4q", 4, 12),
    ("active_quarters_8q", 8, 8),
)  # fmt: skip


@pytest.fixture(scope="module")
def channel(repository: Path, shared_data: Path) -> Channel:
    return read_channel(repository / "pipelines" / "adventureworks", shared_data, DAYS, DAYS[-1])


@pytest.fixture(scope="module")
def sales(shared_data: Path) -> pd.DataFrame:
    """The order lines, read and joined without Tierwise."""
    folder = shared_data / "adventureworks_dw"
    lines = pd.read_parquet(folder / "FactResellerSales.parquet")
    products = pd.read_csv(folder / "DimProduct.csv")[["ProductKey", "ProductSubcategoryKey", "ModelName"]]
    subcategories = pd.read_csv(folder / "DimProductSubcategory.csv")
    categories = pd.read_csv(folder / "DimProductCategory.csv")
    joined = lines.merge(products, on="ProductKey").merge(subcategories, on="ProductSubcategoryKey")
    joined = joined.merge(categories, on="ProductCategoryKey")
    return pd.DataFrame(
        {
            "partner_id": joined["ResellerKey"].astype(str), "date": pd.to_datetime(joined["OrderDate"]),
            "order_id": joined["SalesOrderNumber"], "amount": joined["SalesAmount"].round(4),
            "cost": joined["TotalProductCost"].round(4), "discount": joined["DiscountAmount"].round(4),
            "model": joined["ModelName"], "subcategory": joined["EnglishProductSubcategoryName"],
            "category": joined["EnglishProductCategoryName"],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def reviews(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[date, dict[str, pd.DataFrame]]:
    folder = tmp_path_factory.mktemp("adventureworks") / "workspace"
    return review("adventureworks", folder, shared_data, REVIEWS)


def test_received_is_accepted_and_quarantined_by_rows_and_by_money(channel: Channel) -> None:
    assert channel.totals("resellers")[:3] == (RESELLERS, RESELLERS, 0)
    assert channel.totals("sales") == (60_855, 60_855, 0, "80450596.98", "80450596.98", "0.00")
    assert channel.quarantine.empty


def test_every_reseller_is_known_at_every_date_and_some_never_bought(channel: Channel) -> None:
    for day in DAYS:
        assert len(channel.rows_on(day)) == RESELLERS
    last = channel.rows_on(DAYS[-1])
    assert last.loc[last["orders_ever"] == 0, "first_seen"].isna().all()
    assert (last["orders_ever"] == 0).sum() >= NEVER_BOUGHT


def test_columns_that_describe_the_whole_history_are_not_mapped(channel: Channel) -> None:
    mapped = {column.from_ for table in channel.workspace.settings.tables.values() for column in table.columns.values()}
    looked_up = {step for table in channel.workspace.settings.tables.values() for c in table.columns.values()
                 for step in c.via}  # fmt: skip
    assert not LEAKING & mapped
    assert not any(step.split(".")[1] in LEAKING for step in looked_up)


def test_later_events_change_no_metric(channel: Channel) -> None:
    expected = channel.rows_on(DAYS[-1])
    pd.testing.assert_frame_equal(channel.rows_without_future.set_index("partner_id"), expected)


@pytest.mark.parametrize("day", DAYS)
def test_money_and_counts_equal_pandas(channel: Channel, sales: pd.DataFrame, day: date) -> None:
    actual, end = channel.rows_on(day), pd.Timestamp(day)
    year = _between(sales, quarters_back(end, 4), end).groupby("partner_id")
    before = _between(sales, quarters_back(end, 8), quarters_back(end, 4)).groupby("partner_id")
    half = _between(sales, quarters_back(end, 2), end).groupby("partner_id")
    counted = pd.DataFrame(
        {
            "revenue_1q": _between(sales, quarters_back(end, 1), end).groupby("partner_id")["amount"].sum(),
            "revenue_2q": half["amount"].sum(),
            "revenue_4q": year["amount"].sum(),
            "revenue_prev_4q": before["amount"].sum(),
            "revenue_ever": sales[sales["date"] <= end].groupby("partner_id")["amount"].sum(),
            "orders_2q": half["order_id"].nunique(),
            "orders_4q": year["order_id"].nunique(),
            "models_4q": year["model"].nunique(),
            "subcategories_4q": year["subcategory"].nunique(),
            "categories_4q": year["category"].nunique(),
            "gear_revenue_4q": _gear(sales, end),
        },
        index=actual.index,
    )
    assert_metrics(actual, counted.fillna(0))


@pytest.mark.parametrize("day", DAYS)
def test_ratios_and_rhythm_equal_pandas(channel: Channel, sales: pd.DataFrame, day: date) -> None:
    actual, end = channel.rows_on(day), pd.Timestamp(day)
    lines = _between(sales, quarters_back(end, 4), end)
    year = lines.groupby("partner_id")
    revenue = year["amount"].sum()
    before = _between(sales, quarters_back(end, 8), quarters_back(end, 4)).groupby("partner_id")["amount"].sum()
    by_category = lines.pivot_table(index="partner_id", columns="category", values="amount", aggfunc="sum")
    by_category = by_category.reindex(columns=list(CATEGORIES)).fillna(0)
    by_quarter = lines.groupby(["partner_id", lines["date"].dt.to_period("Q")])["amount"].sum().unstack()
    expected = pd.DataFrame(
        {
            "average_order_4q": revenue / year["order_id"].nunique(),
            "growth_4q": revenue.reindex(before.index).fillna(0) / before - 1,
            "bike_share_4q": by_category["Bikes"] / revenue,
            "category_concentration_4q": (by_category**2).sum(axis=1) / revenue**2,
            "discount_share_4q": year["discount"].sum() / (revenue + year["discount"].sum()),
            "margin_4q": 1 - year["cost"].sum() / revenue,
            "largest_quarter_share_4q": by_quarter.max(axis=1) / by_quarter.sum(axis=1),
            "days_since_last_order": (end - sales[sales["date"] <= end].groupby("partner_id")["date"].max()).dt.days,
        },
        index=actual.index,
    )
    assert_metrics(actual, expected)


def test_new_subcategories_and_active_quarters_equal_pandas(channel: Channel, sales: pd.DataFrame) -> None:
    actual, end = channel.rows_on(DAYS[-1]), pd.Timestamp(DAYS[-1])
    first_bought = sales[sales["date"] <= end].groupby(["partner_id", "subcategory"])["date"].min().reset_index()
    added = first_bought[first_bought["date"] > quarters_back(end, 4)].groupby("partner_id").size()
    two_years = _between(sales, quarters_back(end, 8), end)
    active = two_years.assign(quarter=two_years["date"].dt.to_period("Q")).groupby("partner_id")["quarter"].nunique()
    expected = pd.DataFrame({"subcategories_added_4q": added, "active_quarters_8q": active}, index=actual.index)
    assert_metrics(actual, expected.fillna(0))


def test_an_order_on_the_first_of_a_month_counts_from_that_day_on(channel: Channel, sales: pd.DataFrame) -> None:
    day = DAYS[0]
    late = sales[sales["date"] == pd.Timestamp(2011, 7, 1)]
    known = sales[sales["date"] <= pd.Timestamp(day)]
    assert len(late) == 377
    assert channel.rows_on(day)["revenue_ever"].sum() == pytest.approx(known["amount"].sum(), rel=1e-12)


def test_the_gate_keeps_persistence_over_a_whole_year(channel: Channel) -> None:
    workspace = channel.workspace
    spec = load_model_spec(workspace).potential
    model = potential.train(channel.snapshots, model_features(workspace), spec, pd.Timestamp(DAYS[-1]), 1)
    assert model.gate.origins == ("2012-06-30", "2012-09-30", "2012-12-31")
    assert (model.source, model.gate.reason) == ("persistence", "not_proven")
    assert model.gate.gini_model < model.gate.gini_persistence


def test_one_quarter_of_sales_beats_two_only_at_the_turn_of_the_year(sales: pd.DataFrame) -> None:
    gains = {}
    for end in pd.date_range("2012-03-31", "2013-03-31", freq="QE"):
        seen = sales.loc[sales["date"] <= end, "partner_id"].unique()
        label = _amounts(sales, seen, end, end + pd.offsets.QuarterEnd(2))
        one, two = (normalized_gini(label, _amounts(sales, seen, quarters_back(end, n), end)) for n in (1, 2))
        gains[f"{end:%Y-%m}"] = one - two
    assert gains["2012-03"] > 0.04
    assert gains["2013-03"] > 0.04
    assert max(gain for month, gain in gains.items() if not month.endswith("03")) < 0.01


def test_one_recommendation_per_reseller_in_plausible_shares(reviews: dict[date, dict[str, pd.DataFrame]]) -> None:
    for tables in reviews.values():
        assert tables["recommendations"]["partner_id"].nunique() == len(tables["recommendations"]) == RESELLERS
        assert set(tables["reasons"]["partner_id"]) == set(tables["recommendations"]["partner_id"])
    shares = reviews[REVIEWS[-1]]["recommendations"]["recommended_tier"].value_counts(normalize=True)
    assert 0.40 < shares["entry"] < 0.65
    assert 0.20 < shares["growth"] < 0.40
    assert 0.08 < shares["strategic"] < 0.25
    assert 0.005 < shares["flagship"] <= 0.06


def test_the_first_review_places_and_later_ones_move(reviews: dict[date, dict[str, pd.DataFrame]]) -> None:
    first, second, third = (reviews[day]["recommendations"].set_index("partner_id") for day in REVIEWS)
    assert first["current_tier"].isna().all()
    assert set(first["action"]) <= {"place", "insufficient_evidence"}
    assert (second["current_tier"] == first["recommended_tier"]).all()
    assert not {"promote", "demote"} & set(second["action"]), "every tier is held for two reviews"
    assert (third["action"] == "promote").mean() <= 0.15
    assert {"promote", "demote"} <= set(third["action"])


def test_eligible_tiers_and_values_equal_pandas(channel: Channel, reviews: dict[date, dict[str, pd.DataFrame]]) -> None:
    figures = channel.rows_on(DAYS[-1])
    found = reviews[REVIEWS[-1]]["recommendations"].set_index("partner_id").loc[figures.index]
    value = sum(
        points * (figures.join(found["potential"])[name] / full_at).clip(0, 1) for name, full_at, points in COMPONENTS
    )
    # Each component holds its points to nine digits.
    np.testing.assert_allclose(found["value"], value, rtol=0, atol=len(COMPONENTS) * 5e-10)
    revenue = figures["revenue_4q"]
    broad = (figures["categories_4q"] >= 3) | (figures["orders_4q"] >= 4)
    growth = (revenue >= 5_000) & (value >= 15)
    strategic = (revenue >= 90_000) & (value >= 45) & broad
    flagship = (revenue >= 200_000) & (value >= 65) & (found["potential"] >= 60_000)
    highest = np.select([flagship, strategic, growth], ["flagship", "strategic", "growth"], "entry")
    assert found["eligible_tier"].tolist() == highest.tolist()


def _between(events: pd.DataFrame, after: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
    return events[(events["date"] > after) & (events["date"] <= until)]


def _gear(sales: pd.DataFrame, end: pd.Timestamp) -> pd.Series:
    lines = _between(sales, quarters_back(end, 4), end)
    return lines[lines["category"].isin(["Clothing", "Accessories"])].groupby("partner_id")["amount"].sum()


def _amounts(sales: pd.DataFrame, partners: np.ndarray, after: pd.Timestamp, until: pd.Timestamp) -> np.ndarray:
    sums = _between(sales, after, until).groupby("partner_id")["amount"].sum()
    return sums.reindex(partners).fillna(0).to_numpy()


def test_every_placement_is_explained_exactly(reviews: dict[date, dict[str, pd.DataFrame]]) -> None:
    for day in REVIEWS:
        tables = reviews[day]
        check_additivity(tables)
        check_points(tables, sorted(set(tables["components"]["score"])))
        check_margins(tables)
        check_reasons(tables, tables["recommendations"][["partner_id", "partner_name"]].stack().dropna().head(1000))
