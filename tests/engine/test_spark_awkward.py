"""Rows that engines like to read differently: nulls, unicode, leap days, ends of quarters, clocks of other zones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.engine.spark_here import SETTINGS, accepted, skip_without_spark
from tests.metrics.small_workspaces import fill, make_workspace
from tierwise.engine import EmbeddedEngine
from tierwise.errors import InvalidInput
from tierwise.metrics import compute

if TYPE_CHECKING:
    from tierwise.engine.spark import SparkEngine

__all__ = ["accepted"]

ZONE = "Pacific/Apia"
"""Whose clocks know no 2011-12-30, and change in April and September."""
TEXT: dict[str, object] = {}
TABLES: dict[str, dict[str, object]] = {
    "firms": {"kind": "partners", "columns": {"partner_id": TEXT, "joined_on": TEXT, "region": {"static": True}}},
    "grades": {
        "kind": "history", "columns": {"partner_id": TEXT, "valid_from": TEXT, "known_on": TEXT, "grade": TEXT},
    },
    "sales": {
        "kind": "events",
        "columns": {
            "partner_id": TEXT, "date": TEXT, "known_on": TEXT, "status": TEXT, "customer": TEXT,
            "amount": {"type": "money"}, "stamp": {"type": "timestamp"}, "ends_on": {"type": "date"},
            "joint": {"type": "boolean"},
        },
    },
}  # fmt: skip
SALES = {"from": "sales", "window": "lifetime", "missing": "unknown"}
METRICS: dict[str, dict[str, object]] = {
    "won": SALES | {"value": "sum(amount)", "where": "status = 'gewonnen ✓'", "window": "4 quarters"},
    "won_a_year_ago": SALES | {"value": "sum(amount)", "window": "1 quarter", "offset": "1 year"},
    "rows_12m": SALES | {"value": "count(*)", "window": "12 months", "missing": 0},
    "rows_1m_before": SALES | {"value": "count(*)", "window": "1 month", "lag": "1 month", "missing": 0},
    "customers": SALES | {"value": "count(distinct customer)", "window": "24 months", "missing": 0},
    "statuses": SALES | {"value": "count(distinct lower(status))", "where": "joint is not true"},
    "typical": SALES | {"value": "median(amount)"},
    "of_two_characters": SALES | {"value": "count_if(length(customer) = 2)"},
    "last_stamp": SALES | {"value": "date_diff('day', max(stamp), as_of)"},
    "stamped_late": SALES | {"value": "count_if(cast(stamp as date) > date)", "missing": 0},
    "stamped_in_leap_year": SALES | {"value": "count(*) filter (where year(stamp) = 2024)"},
    "months_left": SALES | {"value": "max(date_diff('month', as_of, ends_on))"},
    "quarters_left": SALES | {"value": "min(date_diff('quarter', date, ends_on))"},
    "busy_quarters": SALES | {"per": "quarter", "value": "count(*)", "then": "count_if(value > 1)",
                              "window": "8 quarters"},
    "best_month": SALES | {"per": "month", "value": "sum(amount)", "then": "max(value)", "window": "12 months"},
    "joint_share": SALES | {"value": "count(*) filter (where joint) / nullif(count(joint), 0)"},
    "per_customer": {"formula": "won / nullif(customers, 0)"},
    "place": {"formula": "percent_rank() over (partition by region order by typical desc)"},
    "is_gold": {"formula": "if(grade = 'Größe ≥ 1', 1, 0)"},
}  # fmt: skip
PARTNERS = [
    "Ångström AB", "\u00c5", "A\u030a", "日本電気", "ß", "SS", "\ufb00", "👩\u200d👧 & co", "'; --", 'q"uote',
    " padded ", "\\", "z", "Z",
]  # fmt: skip
DAYS = [
    "2011-12-29", "2011-12-31", "2020-02-29", "2022-12-31", "2023-02-28", "2023-03-01", "2023-03-31", "2023-09-30",
    "2024-01-31", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-31", "2024-06-30", "2024-12-31", "2025-01-01",
]  # fmt: skip
STAMPS = [
    "2024-02-29 00:00:00", "2024-02-29 23:59:59.999999", "2024-03-31 02:30:00", "2024-04-07 03:30:00",
    "2011-12-30 12:00:00", "2023-12-31 23:59:59", "2024-01-01 00:00:00", "1969-12-31 23:00:00", None,
]  # fmt: skip
AS_OF_DATES = [date(2023, 2, 28), date(2024, 2, 29), date(2024, 3, 31), date(2024, 12, 31)]


def drawn(rng: np.random.Generator, values: list[object], rows: int) -> pd.Series:
    return pd.Series([values[place] for place in rng.integers(0, len(values), rows)], dtype="object")


def rows_of(seed: int) -> dict[str, list[dict[str, object]]]:
    """Some hundred rows of awkward values; a third of those that may be null are."""
    rng, rows = np.random.default_rng(seed), 600
    firms = {"partner_id": PARTNERS, "joined_on": drawn(rng, [*DAYS, None, None], len(PARTNERS))}
    grades = {"partner_id": drawn(rng, [*PARTNERS], 40), "valid_from": drawn(rng, [*DAYS], 40)}
    sales = {
        "partner_id": drawn(rng, [*PARTNERS[:-1]], rows), "date": drawn(rng, [*DAYS], rows),
        "known_on": drawn(rng, [*DAYS, *[None] * 30], rows), "stamp": drawn(rng, [*STAMPS], rows),
        "status": drawn(rng, ["gewonnen ✓", "GEWONNEN ✓", "", " ", "verloren", None], rows),
        "customer": drawn(rng, ["\u00e9", "e\u0301", "E", "", None, "客"], rows),
        "amount": drawn(rng, ["0", "-0.0001", "99999999999.9999", "0.005", "12.5", None, None], rows),
        "ends_on": drawn(rng, [*DAYS, None], rows), "joint": drawn(rng, ["true", "false", None], rows),
    }  # fmt: skip
    grades |= {"known_on": drawn(rng, [None, "2024-03-01"], 40), "grade": drawn(rng, ["Größe ≥ 1", "b", None], 40)}
    firms["region"] = drawn(rng, ["Süd", "sud", None], len(PARTNERS))
    tables = {"firms": firms, "grades": grades, "sales": sales}
    return {name: pd.DataFrame(columns).to_dict("records") for name, columns in tables.items()}


@pytest.fixture(scope="module")
def spark(accepted: EmbeddedEngine) -> Iterator[SparkEngine]:
    """Spark over awkward rows, in a process and a Java machine whose clocks are in another zone."""
    skip_without_spark()
    from tierwise.engine.spark import SparkEngine

    fill(accepted, make_workspace(METRICS, TABLES), rows_of(seed=17))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", ZONE)
        time.tzset()
        with SparkEngine(accepted, SETTINGS) as engine:
            zones = engine.session.sparkContext._jvm.java.util.TimeZone
            before = zones.getDefault()
            zones.setDefault(zones.getTimeZone(ZONE))  # the machine may have been started by another file's tests
            yield engine
            zones.setDefault(before)
    time.tzset()


def test_awkward_rows_give_the_same_metrics(accepted: EmbeddedEngine, spark: SparkEngine) -> None:
    workspace = make_workspace(METRICS, TABLES)
    for days in (AS_OF_DATES, AS_OF_DATES[1:2]):
        ours, theirs = compute(accepted, workspace, days), compute(spark, workspace, days)
        pd.testing.assert_frame_equal(theirs, ours, rtol=1e-9)
    everything = compute(accepted, workspace, AS_OF_DATES)
    told_apart = {name: everything[name].nunique() for name in [*METRICS, "grade", "region", "partner_id"]}
    assert [name for name, values in told_apart.items() if values < 2] == []
    assert everything[[*METRICS, "grade", "region", "first_seen"]].isna().any().sum() > len(METRICS) / 2


def test_the_metric_that_does_not_suit_the_data_is_named_on_both(accepted: EmbeddedEngine, spark: SparkEngine) -> None:
    metrics = {"cubed": SALES | {"value": "sum(amount * amount * amount)"}, "rows_12m": METRICS["rows_12m"]}
    workspace = make_workspace(metrics, TABLES)
    for engine in (accepted, spark):
        with pytest.raises(InvalidInput, match="it does not suit the data") as caught:
            compute(engine, workspace, AS_OF_DATES[:1])
        assert [fault.where for fault in caught.value.faults] == ["metrics.yaml: metrics.cubed"]


def test_a_table_is_kept_from_its_second_use_on_or_beside_another(spark: SparkEngine) -> None:
    def kept(*names: str) -> list[bool]:
        return [spark.session.catalog.isCached(name) for name in names]

    for number, name in enumerate(("one", "two", "three")):
        spark.create_table(name, f"SELECT partner_id, {number} AS number FROM firms")
    spark.rows("SELECT count(*) FROM one")
    assert kept("one", "two", "three") == [False, False, False]
    spark.rows("SELECT max(number) FROM one")
    assert kept("one", "two", "three") == [True, False, False]
    assert spark.rows("SELECT count(*) FROM two JOIN three USING (partner_id)") == [(len(PARTNERS),)]
    assert kept("one", "two", "three") == [True, True, True]
    for name in ("one", "two", "three"):
        spark.run(f"DROP TABLE IF EXISTS {name}")
        assert not spark.has_table(name)
