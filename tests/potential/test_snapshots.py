"""Snapshots: what counts as closed, new, silent or current, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.config.model_spec import Feature, FeatureSet
from tierwise.errors import InvalidInput
from tierwise.potential.folds import fold_at, inner_folds
from tierwise.potential.snapshots import (
    check_columns,
    closed,
    current_value,
    has_events,
    is_newcomer,
    origins,
    run_rate,
)

FEATURES = FeatureSet(
    (Feature("sales", direction="up"), Feature("idle", direction="down"), Feature("odd")),
    "sales",
    attributes=("region",),
    comparable_by=("size",),
)
DAYS = pd.to_datetime(["2024-12-31", "2025-12-31", "2024-12-31", "2025-12-31"])
YEAR = pd.DateOffset(years=1)


def _rows(**columns: object) -> pd.DataFrame:
    rows = pd.DataFrame({"as_of": DAYS, "partner_id": ["B", "A", "A", "B"], "label": [1.0, 2.0, -3.0, np.nan]})
    return rows.assign(label_until=rows["as_of"] + YEAR, tenure_days=900.0, sales=5.0, idle=1.0, odd=1.0, **columns)


def test_what_is_closed_is_sorted_and_refunds_count_as_nothing() -> None:
    found = closed(_rows(), pd.Timestamp("2026-12-31"))
    assert found[["as_of", "partner_id", "label"]].to_numpy().tolist() == [
        [DAYS[0], "A", 0.0],
        [DAYS[0], "B", 1.0],
        [DAYS[1], "A", 2.0],
    ]


@pytest.mark.parametrize(("day", "rows"), [("2025-12-30", 0), ("2025-12-31", 2), ("2026-12-30", 2), ("2026-12-31", 3)])
def test_a_window_closes_on_its_last_day(day: str, rows: int) -> None:
    assert len(closed(_rows(), pd.Timestamp(day))) == rows


@pytest.mark.parametrize("endless", [np.inf, -np.inf])
def test_an_infinite_label_is_refused_with_its_partner(endless: float) -> None:
    with pytest.raises(InvalidInput, match=r"finite(.|\n)*example: B"):
        closed(_rows().assign(label=[endless, 1.0, 1.0, 1.0]), pd.Timestamp("2026-12-31"))


def test_an_infinite_label_of_an_open_window_is_not_looked_at() -> None:
    rows = _rows().assign(label=[1.0, np.inf, 1.0, np.inf])
    assert len(closed(rows, pd.Timestamp("2026-06-30"))) == 2


def test_every_missing_column_is_a_fault_of_its_own() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_columns(_rows(), FEATURES, labelled=True)
    named = [fault.what for fault in caught.value.faults]
    assert named == [f"column {name!r} is missing" for name in ("region", "size", "persistence")]
    check_columns(_rows(region="N", size="S", persistence=1.0), FEATURES, labelled=True)


def test_labels_are_asked_for_in_training_only() -> None:
    rows = _rows(region="N", size="S").drop(columns=["label", "label_until", "as_of"])
    check_columns(rows, FEATURES, labelled=False)
    with pytest.raises(InvalidInput, match="'label'"):
        check_columns(rows, FEATURES, labelled=True)


def test_only_metrics_that_grow_with_activity_show_activity() -> None:
    rows = pd.DataFrame({"sales": [0.0, np.nan, 1.0, -2.0], "idle": 400.0, "odd": 9.0})
    assert has_events(rows, FEATURES).tolist() == [False, False, True, False]
    plain = FeatureSet((Feature("odd"),), "sales")
    assert has_events(rows, plain).tolist() == [True] * 4


def test_the_new_the_silent_and_those_of_unknown_tenure_are_newcomers() -> None:
    rows = pd.DataFrame({"tenure_days": [181.0, 182.0, np.nan, 2000.0], "sales": [9.0, 9.0, 9.0, 0.0]})
    assert is_newcomer(rows.assign(idle=0.0, odd=0.0), FEATURES, 182).tolist() == [True, False, True, True]


def test_the_current_value_is_never_negative_or_unknown() -> None:
    rows = pd.DataFrame({"sales": [3.0, -1.0, np.nan]})
    assert current_value(rows, "sales").tolist() == [3, 0, 0]
    assert current_value(rows.assign(persistence=[np.nan, 7.0, -2.0]), "sales").tolist() == [0, 7, 0]


def test_a_short_tenure_is_scaled_to_the_horizon_from_four_weeks_on() -> None:
    rows = _rows(persistence=10.0).assign(tenure_days=[365.0, 730.0, 73.0, 1.0])
    np.testing.assert_allclose(run_rate(rows, "sales"), [10, 10, 50, 10 * 365 / 28])


def test_a_run_rate_on_record_counts_and_is_never_negative() -> None:
    rows = _rows(run_rate=[5.0, -5.0, np.nan, 0.0])
    assert run_rate(rows, "sales").tolist() == [5, 0, 0, 0]


def test_folds_are_the_latest_with_something_to_learn_from_oldest_first() -> None:
    days = pd.to_datetime([f"{year}-12-31" for year in range(2020, 2025)])
    rows = pd.DataFrame({"as_of": days, "partner_id": "A", "label": 1.0, "label_until": days + YEAR})
    assert origins(rows.iloc[::-1]) == list(days)
    assert [fold.origin.year for fold in inner_folds(rows, 2)] == [2023, 2024]
    assert [fold.origin.year for fold in inner_folds(rows, 9)] == [2021, 2022, 2023, 2024]
    first = fold_at(rows, days[0])
    assert (len(first.training), len(first.test)) == (0, 1)
