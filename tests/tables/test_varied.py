"""Rows varied from a table: the same as a frame of them would be, but made column by column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tierwise.tables.varied import VariedRows, chosen_rows

TABLE = pd.DataFrame(
    {
        "partner_id": pd.Series(["P1", "P2", "P3"], dtype="str"),
        "sales": [10.0, np.nan, 30.0],
        "deals": [1, 2, 3],
        "is_member": [True, False, True],
        "region": pd.Series(["EMEA", None, "APAC"], dtype="category"),
        "city": pd.Series(["Ulm", None, "Lyon"], dtype="str"),
        "as_of": pd.Series(pd.to_datetime(["2026-03-31"] * 3)).astype("datetime64[us]"),
    },
    index=[7, 8, 9],
)
AT = np.array([2, 0, 2, 1, 1], dtype=np.int64)
SALES = np.array([1.0, 2.0, 3.0, 4.0, np.nan])


def _frame(**changed: np.ndarray) -> pd.DataFrame:
    return TABLE.iloc[AT].reset_index(drop=True).assign(**changed)


def test_it_reads_as_the_frame_of_its_rows() -> None:
    varied = VariedRows(TABLE, AT, {"sales": SALES})
    assert len(varied) == 5
    assert varied.columns.tolist() == TABLE.columns.tolist()
    pd.testing.assert_frame_equal(varied.frame(), _frame(sales=SALES), check_names=False)
    pd.testing.assert_frame_equal(varied[["city", "deals"]], _frame()[["city", "deals"]])
    for name in TABLE.columns:
        pd.testing.assert_series_equal(varied[name], _frame(sales=SALES)[name], check_names=False)


def test_columns_are_replaced_and_added_without_touching_what_was_there() -> None:
    varied = VariedRows(TABLE, AT)
    assert varied["sales"].tolist()[:3] == [30.0, 10.0, 30.0]
    more = varied.assign(sales=SALES, margin=SALES * 2)
    pd.testing.assert_frame_equal(more.frame(), _frame(sales=SALES, margin=SALES * 2))
    assert "margin" not in varied.columns
    assert varied["sales"].tolist()[:3] == [30.0, 10.0, 30.0]


def test_a_column_is_made_once() -> None:
    varied = VariedRows(TABLE, AT)
    assert varied["region"] is varied["region"]
    assert varied.assign(sales=SALES)["region"] is varied["region"]


@pytest.mark.parametrize("mask", [[True] * 5, [False] * 5, [True, False, False, True, True]])
def test_a_mask_chooses_as_it_does_of_a_frame(mask: list[bool]) -> None:
    chosen = np.array(mask)
    rows = chosen_rows(VariedRows(TABLE, AT, {"sales": SALES}), chosen)
    assert isinstance(rows, VariedRows)
    expected = chosen_rows(_frame(sales=SALES), chosen)
    assert isinstance(expected, pd.DataFrame)
    assert len(rows) == len(expected) == chosen.sum()
    pd.testing.assert_frame_equal(rows.frame(), expected, check_names=False)


def test_the_table_cannot_be_changed_through_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        VariedRows(TABLE, AT)["deals"].to_numpy()[:] = 0


def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(KeyError, match="margin"):
        VariedRows(TABLE, AT)["margin"]
