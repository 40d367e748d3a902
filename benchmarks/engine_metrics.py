"""Deals of a channel and 24 metrics of them: in the metric language, in SQL by hand, and in pandas.

The metrics are the kinds that partner programs have: windows of quarters, months and days, counts, distinct keys,
rates, averages, quantiles, the largest share, recency, active and best quarters, growth.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
from bench_metrics import deals_workspace

from tierwise.config.load import Workspace
from tierwise.config.workspace import EngineSettings
from tierwise.engine import open_engine

AS_OF = date(2025, 12, 31)
FIRST_DAY, DAYS = date(2021, 1, 1), 6 * 365 - 1
WON, YEAR = {"where": "status = 'won'"}, {"window": "4 quarters"}
BEFORE = {**YEAR, "offset": "4 quarters"}
REVENUE = {"value": "sum(amount)", **WON, "missing": 0}

METRICS = {
    "revenue_4q": {**REVENUE, **YEAR},
    "revenue_prev_4q": {**REVENUE, **BEFORE},
    "revenue_1q": {**REVENUE, "window": "1 quarter"},
    "revenue_90d": {**REVENUE, "window": "90 days"},
    "lifetime_revenue": {**REVENUE, "window": "lifetime"},
    "deals_12m": {"value": "count(*)", "window": "12 months", "missing": 0},
    "deals_30d": {"value": "count(*)", "window": "30 days", "missing": 0},
    "lifetime_deals": {"value": "count(*)", "window": "lifetime", "missing": 0},
    "wins_12m": {"value": "count(*)", **WON, "window": "12 months", "missing": 0},
    "win_rate": {"value": "count(*) filter (where status = 'won') / count(*)", "window": "12 months", "min_rows": 10},
    "average_deal": {"value": "avg(amount)", **WON, **YEAR},
    "median_deal": {"value": "median(amount)", **WON, **YEAR},
    "upper_deal": {"value": "quantile_cont(amount, 0.9)", **WON, **YEAR},
    "largest_deal": {"value": "max(amount)", **WON, "window": "24 months"},
    "largest_share": {"value": "max(amount) / sum(amount)", **WON, **YEAR},
    "customers": {"value": "count(distinct customer_id)", "window": "12 months", "missing": 0},
    "customers_prev": {"value": "count(distinct customer_id)", **BEFORE, "missing": 0},
    "products": {"value": "count(distinct product)", "window": "12 months", "missing": 0},
    "days_since_deal": {"value": "date_diff('day', max(date), as_of)", "window": "lifetime"},
    "active_quarters": {
        "value": "sum(amount)", **WON, "per": "quarter", "then": "count_if(value > 10000)", "window": "8 quarters",
        "missing": 0,
    },
    "best_quarter": {
        "value": "sum(amount)", **WON, "per": "quarter", "then": "max(value)", "window": "8 quarters", "missing": 0,
    },
    "growth": {"formula": "revenue_4q / nullif(revenue_prev_4q, 0) - 1"},
    "revenue_per_customer": {"formula": "revenue_4q / nullif(customers, 0)"},
    "customers_gained": {"formula": "customers - customers_prev"},
}  # fmt: skip

BY_HAND = """
WITH base AS (
  SELECT partner_id,
    sum(amount) FILTER (WHERE status = 'won' AND date > DATE '2024-12-31') AS revenue_4q,
    sum(amount) FILTER (WHERE status = 'won' AND date > DATE '2023-12-31' AND date <= DATE '2024-12-31') AS before,
    sum(amount) FILTER (WHERE status = 'won' AND date > DATE '2025-09-30') AS revenue_1q,
    sum(amount) FILTER (WHERE status = 'won' AND date > DATE '2025-10-02') AS revenue_90d,
    sum(amount) FILTER (WHERE status = 'won') AS lifetime_revenue,
    count(*) FILTER (WHERE date > DATE '2024-12-31') AS deals,
    count(*) FILTER (WHERE date > DATE '2025-12-01') AS deals_30d,
    count(*) AS lifetime_deals,
    count(*) FILTER (WHERE status = 'won' AND date > DATE '2024-12-31') AS wins,
    {median} FILTER (WHERE status = 'won' AND date > DATE '2024-12-31') AS median_deal,
    {upper} FILTER (WHERE status = 'won' AND date > DATE '2024-12-31') AS upper_deal,
    max(amount) FILTER (WHERE status = 'won' AND date > DATE '2023-12-31') AS largest_deal,
    max(amount) FILTER (WHERE status = 'won' AND date > DATE '2024-12-31') AS largest,
    max(date) AS last_day
  FROM deals WHERE date <= DATE '2025-12-31' GROUP BY partner_id),
customers AS (
  SELECT partner_id, count_if(now) AS customers, count_if(before) AS customers_prev
  FROM (SELECT partner_id, customer_id,
          bool_or(date > DATE '2024-12-31') AS now, bool_or(date <= DATE '2024-12-31') AS before
        FROM deals WHERE date > DATE '2023-12-31' AND date <= DATE '2025-12-31'
        GROUP BY partner_id, customer_id) AS c GROUP BY partner_id),
products AS (
  SELECT partner_id, count(*) AS products
  FROM (SELECT DISTINCT partner_id, product FROM deals
        WHERE date > DATE '2024-12-31' AND date <= DATE '2025-12-31') AS d GROUP BY partner_id),
quarters AS (
  SELECT partner_id, count_if(total > 10000) AS active, max(total) AS best
  FROM (SELECT partner_id, year(date) * 4 + quarter(date) AS number, sum(amount) AS total
        FROM deals WHERE date > DATE '2023-12-31' AND date <= DATE '2025-12-31' AND status = 'won'
        GROUP BY partner_id, year(date) * 4 + quarter(date)) AS q GROUP BY partner_id),
joined AS (
  SELECT p.partner_id,
    CAST(coalesce(revenue_4q, 0) AS DOUBLE) AS revenue_4q, CAST(coalesce(before, 0) AS DOUBLE) AS revenue_prev_4q,
    CAST(coalesce(revenue_1q, 0) AS DOUBLE) AS revenue_1q, CAST(coalesce(revenue_90d, 0) AS DOUBLE) AS revenue_90d,
    CAST(coalesce(lifetime_revenue, 0) AS DOUBLE) AS lifetime_revenue,
    CAST(coalesce(deals, 0) AS DOUBLE) AS deals_12m, CAST(coalesce(deals_30d, 0) AS DOUBLE) AS deals_30d,
    CAST(coalesce(lifetime_deals, 0) AS DOUBLE) AS lifetime_deals, CAST(coalesce(wins, 0) AS DOUBLE) AS wins_12m,
    CASE WHEN deals >= 10 THEN CAST(wins AS DOUBLE) / deals END AS win_rate,
    CASE WHEN wins > 0 THEN CAST(revenue_4q AS DOUBLE) / wins END AS average_deal, median_deal, upper_deal,
    CAST(largest_deal AS DOUBLE) AS largest_deal,
    CAST(largest AS DOUBLE) / nullif(CAST(revenue_4q AS DOUBLE), 0) AS largest_share,
    CAST(coalesce(customers, 0) AS DOUBLE) AS customers, CAST(coalesce(customers_prev, 0) AS DOUBLE) AS customers_prev,
    CAST(coalesce(products, 0) AS DOUBLE) AS products, CAST({days} AS DOUBLE) AS days_since_deal,
    CAST(coalesce(active, 0) AS DOUBLE) AS active_quarters, CAST(coalesce(best, 0) AS DOUBLE) AS best_quarter
  FROM partners AS p LEFT JOIN base USING (partner_id) LEFT JOIN customers USING (partner_id)
  LEFT JOIN products USING (partner_id) LEFT JOIN quarters USING (partner_id))
SELECT *, revenue_4q / nullif(revenue_prev_4q, 0) - 1 AS growth,
  revenue_4q / nullif(customers, 0) AS revenue_per_customer, customers - customers_prev AS customers_gained
FROM joined ORDER BY partner_id
"""
_WORDS = {
    "duckdb": {
        "median": "quantile_cont(CAST(amount AS DOUBLE), 0.5)", "upper": "quantile_cont(CAST(amount AS DOUBLE), 0.9)",
        "days": "date_diff('day', last_day, DATE '2025-12-31')",
    },
    "spark": {
        "median": "percentile(CAST(amount AS DOUBLE), 0.5)", "upper": "percentile(CAST(amount AS DOUBLE), 0.9)",
        "days": "datediff(DATE '2025-12-31', last_day)",
    },
}  # fmt: skip


def by_hand(dialect: str) -> str:
    """The 24 metrics as SQL for `duckdb` or `spark`, as somebody who knows the engine would write it."""
    return BY_HAND.format(**_WORDS[dialect])


def workspace() -> Workspace:
    """The workspace of the benchmark: partners and one table of deals."""
    columns = {
        "partner_id": {},
        "date": {},
        "customer_id": {},
        "product": {},
        "status": {},
        "amount": {"type": "money", "required": True},
    }
    return deals_workspace(columns, METRICS)


def make_data(folder: Path, events: int, partners: int) -> None:
    """Write the deals as Parquet, in no order: partners of very unequal size, amounts with cents.

    The numbers are made from a hash of the row's number, so that 100 million rows need no memory.
    """
    share = "(hash(i * 16 + {}) / 18446744073709551616.0)"
    normal = f"sqrt(-2 * ln(1 - {share.format(6)})) * cos(2 * pi() * {share.format(7)})"
    rows = f"""
      SELECT printf('P%07d', CAST(floor({partners} * {share.format(1)} ** 2) AS BIGINT)) AS partner_id,
        DATE '{FIRST_DAY}' + CAST(floor({share.format(2)} * {DAYS}) AS INTEGER) AS date,
        printf('C%03d', CAST(floor({share.format(3)} * 40) AS BIGINT)) AS customer_id,
        list_extract(
          ['core', 'cloud', 'support', 'training', 'add-on'], CAST(floor({share.format(4)} * 5) AS INTEGER) + 1
        ) AS product,
        CASE WHEN {share.format(5)} < 0.4 THEN 'won' ELSE 'lost' END AS status,
        CAST(floor(exp(7 + 1.2 * {normal}) * 100) / 100 AS DECIMAL(18,4)) AS amount
      FROM range({events}) AS r(i)"""
    with open_engine(EngineSettings(threads=2, memory_limit="2GB")) as engine:
        engine.run(f"COPY ({rows}) TO '{folder}/deals.parquet' (FORMAT parquet)")


def in_pandas(deals: pd.DataFrame) -> pd.DataFrame:
    """The 24 metrics in pandas, vectorised; partners and keys are categories, which pandas groups fastest."""
    as_of = pd.Timestamp(AS_OF)
    known = deals[deals["date"] <= as_of]
    won = known[known["status"] == "won"]
    year, before = known[known["date"] > "2024-12-31"], known["date"].between("2024-01-01", "2024-12-31")
    won_2y = won[won["date"] > "2023-12-31"]
    won_1y, won_before = won_2y[won_2y["date"] > "2024-12-31"], won_2y[won_2y["date"] <= "2024-12-31"]
    amounts, deals_12m = _by_partner(won_1y)["amount"], _by_partner(year).size()
    revenue, wins = amounts.sum(), amounts.size()
    earlier = _by_partner(won_before)["amount"].sum()
    customers, customers_prev = _distinct(year, "customer_id"), _distinct(known[before], "customer_id")
    number = won_2y["date"].dt.year * 4 + won_2y["date"].dt.quarter
    quarters = won_2y["amount"].groupby([won_2y["partner_id"], number], observed=True).sum()
    columns = {
        "revenue_4q": revenue,
        "revenue_prev_4q": earlier,
        "revenue_1q": _by_partner(won[won["date"] > "2025-09-30"])["amount"].sum(),
        "revenue_90d": _by_partner(won[won["date"] > as_of - pd.Timedelta(days=90)])["amount"].sum(),
        "lifetime_revenue": _by_partner(won)["amount"].sum(),
        "deals_12m": deals_12m,
        "deals_30d": _by_partner(known[known["date"] > as_of - pd.Timedelta(days=30)]).size(),
        "lifetime_deals": _by_partner(known).size(),
        "wins_12m": wins,
        "win_rate": (wins / deals_12m).where(deals_12m >= 10),
        "average_deal": revenue / wins.where(wins > 0),
        "median_deal": amounts.median(),
        "upper_deal": amounts.quantile(0.9),
        "largest_deal": _by_partner(won_2y)["amount"].max(),
        "largest_share": amounts.max() / revenue.where(revenue != 0),
        "customers": customers,
        "customers_prev": customers_prev,
        "products": _distinct(year, "product"),
        "days_since_deal": (as_of - _by_partner(known)["date"].max()).dt.days,
        "active_quarters": (quarters > 10_000).groupby(level=0, observed=False).sum(),
        "best_quarter": quarters.groupby(level=0, observed=False).max().fillna(0),
        "growth": revenue / earlier.where(earlier != 0) - 1,
        "revenue_per_customer": revenue / customers.where(customers > 0),
        "customers_gained": customers - customers_prev,
    }
    return pd.DataFrame(columns).astype("float64").reset_index(names="partner_id")


def _by_partner(rows: pd.DataFrame) -> pd.api.typing.DataFrameGroupBy:
    return rows.groupby("partner_id", observed=False)


def _distinct(rows: pd.DataFrame, key: str) -> pd.Series:
    return _by_partner(rows[["partner_id", key]].drop_duplicates()).size()
