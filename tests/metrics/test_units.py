"""Metrics by unit: each unit's figures are those of its rows alone, by the same definitions."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.metrics.small_workspaces import fill, made_up_rows, make_workspace
from tests.metrics.test_catalog_contract import OWN_CATALOG, TOLD
from tierwise.config.catalog import NO_UNIT, Catalog
from tierwise.config.load import Workspace, load_workspace
from tierwise.engine import open_engine
from tierwise.errors import InvalidInput
from tierwise.metrics import compute

DAYS = [date(2024, 8, 15), date(2024, 12, 31)]
TEXT: dict[str, object] = {}
TABLES = {
    "partners": {
        "kind": "partners",
        "columns": {"partner_id": TEXT, "region": {"static": True}, "staff": {"static": True, "type": "integer"}},
    },
    "segments": {"kind": "history", "columns": {"partner_id": TEXT, "valid_from": TEXT, "segment": TEXT}},
    "deals": {
        "kind": "events",
        "columns": {
            "partner_id": TEXT, "date": TEXT, "known_on": TEXT, "status": TEXT, "customer": TEXT, "country": TEXT,
            "amount": {"type": "money"}, "quantity": {"type": "integer"},
        },
    },
    "certifications": {
        "kind": "events",
        "columns": {"partner_id": TEXT, "date": TEXT, "person": TEXT, "expires_on": {"type": "date"}, "country": TEXT},
    },
}  # fmt: skip
UNITS = {"market": {"columns": {"deals": "country", "certifications": "country"}, "home": "region"}}
COMPARES_PARTNERS = ("rank_in_region", "rank_of_growth", "share_of_region")
ADDITIVE = ("revenue_4q", "settled", "deals_won")


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    given = {"deals_won": {"value": "count_if(status = 'won')", "window": "12 months", "missing": 0}, **OWN_CATALOG}
    metrics = {name: TOLD | ({} if "formula" in one else {"from": "deals"}) | one for name, one in given.items()}
    metrics["revenue_world"] = metrics["revenue_4q"] | {"scope": "partner"}
    metrics["share_of_world"] = TOLD | {"formula": "revenue_4q / revenue_world"}
    return make_workspace(metrics, TABLES, UNITS, calendar={"fiscal_year_starts": "february"})


@pytest.fixture(scope="module")
def tables(workspace: Workspace) -> dict[str, pd.DataFrame]:
    rows = made_up_rows(workspace, seed=3, partners=30, events=30)
    rng = np.random.default_rng(4)
    for name in ("deals", "certifications"):
        rows[name]["country"] = rng.choice(["k1", "k2", "k3", None], len(rows[name]), p=[0.5, 0.3, 0.1, 0.1])
    rows["partners"]["region"] = rng.choice(["k1", "far", None], len(rows["partners"]))
    return rows


@pytest.fixture(scope="module")
def by_unit(workspace: Workspace, tables: dict) -> pd.DataFrame:
    return computed(workspace, tables, "market")


def computed(workspace: Workspace, tables: dict[str, pd.DataFrame], unit: str | None) -> pd.DataFrame:
    with open_engine() as engine:
        fill(engine, workspace, {name: rows.to_dict(orient="records") for name, rows in tables.items()})
        return compute(engine, workspace, DAYS, unit)


def only(tables: dict[str, pd.DataFrame], unit: str) -> dict[str, pd.DataFrame]:
    """The tables with the rows of one unit alone, where they name units."""
    return {
        name: rows if "country" not in rows else rows[rows["country"].fillna(NO_UNIT) == unit].reset_index(drop=True)
        for name, rows in tables.items()
    }


@pytest.mark.parametrize("unit", ["k1", "k2", "k3", NO_UNIT])
def test_a_units_figures_are_those_of_its_rows_alone(
    workspace: Workspace, tables: dict, by_unit: pd.DataFrame, unit: str
) -> None:
    names = [
        name
        for name in workspace.catalog.metrics
        if name not in (*COMPARES_PARTNERS, "revenue_world", "share_of_world")
    ]
    found = by_unit[by_unit["market"] == unit].set_index(["as_of", "partner_id"])[names]
    alone = computed(workspace, only(tables, unit), None).set_index(["as_of", "partner_id"])[names]
    assert len(found) > 5
    pd.testing.assert_frame_equal(found, alone.loc[found.index])


def test_units_add_up_to_the_partner(workspace: Workspace, tables: dict, by_unit: pd.DataFrame) -> None:
    whole = computed(workspace, tables, None).set_index(["as_of", "partner_id"])
    sums = by_unit.groupby(["as_of", "partner_id"])[list(ADDITIVE)].sum(min_count=1)
    np.testing.assert_allclose(sums, whole.loc[sums.index, list(ADDITIVE)], rtol=0, atol=1e-6)


def test_figures_of_the_partner_are_the_same_in_every_unit(
    workspace: Workspace, tables: dict, by_unit: pd.DataFrame
) -> None:
    whole = computed(workspace, tables, None)
    columns = ["first_seen", "tenure_days", "region", "segment", "segments_ever", "revenue_world"]
    keys = ["as_of", "partner_id"]
    joined = by_unit[keys].merge(whole[[*keys, *columns]], on=keys, how="left")
    pd.testing.assert_frame_equal(by_unit[[*keys, *columns]], joined)
    share = by_unit.groupby(keys)["share_of_world"].sum()
    assert share[share > 0].to_numpy() == pytest.approx(1)


def test_ranks_compare_the_same_unit(by_unit: pd.DataFrame) -> None:
    """As pandas ranks them within a day, a unit and a region; a partner without revenue has no rank."""
    groups = by_unit.groupby(["as_of", "market", "region"], dropna=False)["revenue_4q"]
    expected = (groups.rank(method="min") - 1) / (groups.transform("count") - 1).clip(lower=1)
    pd.testing.assert_series_equal(by_unit["rank_in_region"], expected, check_names=False)


def test_every_partner_has_a_row_and_rows_are_sorted(workspace: Workspace, tables: dict, by_unit: pd.DataFrame) -> None:
    keys = ["as_of", "partner_id", "market"]
    assert list(by_unit.columns[:3]) == keys
    assert not by_unit.duplicated(keys).any()
    pd.testing.assert_frame_equal(by_unit, by_unit.sort_values(keys, ignore_index=True))
    whole = computed(workspace, tables, None)[keys[:2]]
    pd.testing.assert_frame_equal(by_unit[keys[:2]].drop_duplicates(ignore_index=True), whole)


def rows_of(deals: list[dict], partners: list[dict], home: str | None = None) -> dict[str, dict]:
    metrics = {"sales": {"from": "deals", "value": "sum(amount)", "window": "12 months", "missing": 0}}
    unit = {"columns": {"deals": "country"}} | ({} if home is None else {"home": home})
    made = make_workspace(metrics, TABLES, {"market": unit})
    with open_engine() as engine:
        fill(engine, made, {"partners": partners, "deals": deals})
        rows = compute(engine, made, [date(2026, 6, 30)], "market")
    return {(row.partner_id, row.market): row.sales for row in rows.itertuples()}


DEALS = [
    {"partner_id": "a", "date": "2026-03-01", "known_on": "2026-03-01", "country": "DE", "amount": 5},
    {"partner_id": "a", "date": "2020-03-01", "known_on": "2020-03-01", "country": "FR", "amount": 7},
    {"partner_id": "a", "date": "2026-07-01", "known_on": "2026-07-01", "country": "US", "amount": 9},
    {"partner_id": "a", "date": "2026-06-01", "known_on": "2026-08-01", "country": "JP", "amount": 9},
    {"partner_id": "a", "date": "2026-06-01", "known_on": "2026-06-02", "country": None, "amount": 1},
]  # fmt: skip


def test_a_unit_is_there_from_its_first_known_row() -> None:
    found = rows_of(DEALS, [{"partner_id": "a"}, {"partner_id": "b"}])
    assert found == {("a", "DE"): 5, ("a", "FR"): 0, ("a", NO_UNIT): 1, ("b", NO_UNIT): 0}


def test_the_home_unit_is_there_without_a_row() -> None:
    found = rows_of(
        DEALS[:1],
        [{"partner_id": "a", "region": "FR"}, {"partner_id": "b", "region": "DE"}, {"partner_id": "c"}],
        "region",
    )
    assert found == {("a", "DE"): 5, ("a", "FR"): 0, ("b", "DE"): 0, ("c", NO_UNIT): 0}


def test_an_unknown_unit_is_refused_with_the_nearest_name(workspace: Workspace) -> None:
    with (
        open_engine() as engine,
        pytest.raises(InvalidInput, match=r"'markt' is no unit of the catalog; did you mean 'market'\?"),
    ):
        compute(engine, workspace, DAYS, "markt")


def test_rows_that_must_exist_must_exist_for_the_partner_not_for_every_unit() -> None:
    metrics = {
        "sales": {"from": "deals", "value": "sum(amount)", "window": "12 months", "missing": "fail"},
        "people": {"from": "certifications", "value": "count(*)", "window": "12 months", "missing": 0},
    }
    made = make_workspace(metrics, TABLES, UNITS)
    certified = {"partner_id": "a", "date": "2026-06-01", "person": "Ann", "country": "FR"}
    with open_engine() as engine:
        fill(engine, made, {"partners": [{"partner_id": "a"}], "deals": DEALS[:1], "certifications": [certified]})
        rows = compute(engine, made, [date(2026, 6, 30)], "market").set_index("market")
    assert rows["people"].to_dict() == {"DE": 0, "FR": 1}
    assert rows["sales"].isna().to_dict() == {"DE": False, "FR": True}


CATALOG = """
metrics:
  sales: {{from: deals, value: "sum(amount)", window: 4 quarters, title: Sales, unit: USD, owner: me}}
units:
{units}
"""
WORKSPACE = """
tierwise: 1
name: units
tables:
  partners: {kind: partners, source: {csv: p.csv}, columns: {partner_id: , region: {static: true}}}
  deals: {kind: events, source: {csv: d.csv}, columns: {partner_id: , date: , country: , amount: {type: money}}}
potential: {metric: sales, horizon: 4 quarters}
"""


@pytest.mark.parametrize(
    ("units", "says"),
    [
        ("  region: {columns: {deals: country}}", "has the name of a column of table 'partners'"),
        ("  sales: {columns: {deals: country}}", "the unit name 'sales' is taken"),
        ("  tier: {columns: {deals: country}}", "the unit name 'tier' is taken"),
        ("  market: {columns: {deal: country}}", "'deal' is no table of dated rows; did you mean 'deals'?"),
        ("  market: {columns: {partners: region}}", "'partners' is no table of dated rows"),
        ("  market: {columns: {deals: contry}}", "did you mean 'country'?"),
        ("  market: {columns: {deals: date}}", "no column of 'deals' that can name a unit"),
        ("  market: {columns: {deals: country}, home: regio}", "did you mean 'region'?"),
        ("  market: {columns: {}}", "at least 1"),
    ],
)
def test_units_that_cannot_be_are_refused_when_the_workspace_is_read(tmp_path, units: str, says: str) -> None:
    (tmp_path / "tierwise.yaml").write_text(WORKSPACE, encoding="utf-8")
    (tmp_path / "metrics.yaml").write_text(CATALOG.format(units=units), encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        load_workspace(tmp_path)
    assert says in str(refused.value)


def test_a_formula_takes_no_scope() -> None:
    with pytest.raises(ValueError, match="a formula takes no 'scope'"):
        Catalog.model_validate({"metrics": {"twice": {"formula": "2 * sales", "scope": "partner"}}})
