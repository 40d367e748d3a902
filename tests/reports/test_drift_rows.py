"""The drift report from hand-made rows: figures, units and order as in the table, what was not tested said as such."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tierwise.audit import Drift, DriftSettings
from tierwise.audit.single import COLUMNS
from tierwise.reports.drift import DriftReport

_UNTESTED = (np.nan, np.nan, np.nan, np.nan, "", False)
TESTS = pd.DataFrame(
    [
        ("b", "Visits", "value", "KS", 0.1, 0.4, 0.8, 0.02, "slight", False, 1.0, 1.25, "", 90, 95, "tested"),
        ("a", "Revenue", "value", "KS", 0.5, 1e-6, 1e-5, 0.31, "large", True, 1234.5, 98765.4, "", 90, 95, "tested"),
        ("c", "Region", "level", "chi", 0.2, 0.01, 0.04, 0.12, "moderate", True, 0.25, 0.5, "<EMEA>", 90, 95, "tested"),
        ("d", "Seats", "missing", "", *_UNTESTED, np.nan, np.nan, "", 3, 2, "too_few_known"),
        ("", "all", "together", "AUC", 0.71, 0.005, 0.02, np.nan, "large", True, np.nan, np.nan, "", 90, 95, "tested"),
    ],
    columns=list(COLUMNS),
)
PAIRS = pd.DataFrame(
    [("a", "b", 0.8, -0.125, -0.925), ("a", "d", 0.1, 0.2, 0.1)],
    columns=["feature", "other", "before", "after", "change"],
)
DRIFT = Drift(TESTS, PAIRS, "drift", DriftSettings(), 90, 95, 95)
REPORT = DriftReport("Shop", date(2026, 9, 30), 3, DRIFT, None)


def test_the_largest_shown_drift_stands_first_and_what_was_not_tested_last() -> None:
    _, tests, _ = REPORT.sections()
    assert [row[0] for row in tests.rows] == ["Revenue", "Region", "all", "Visits", "Seats"]
    assert [row[-1] for row in tests.rows] == [
        "shown", "shown", "shown", "not beyond chance", "not tested: too few known",
    ]  # fmt: skip


def test_figures_are_the_rows_and_unknown_ones_are_dashes() -> None:
    rows = {row[0]: row for row in REPORT.sections()[1].rows}
    assert rows["Revenue"][1:8] == ("values", "", "1,234", "98,765", "0.31", "large", "< .001")
    assert rows["Region"][1:8] == ("levels", "<EMEA>", "0.25", "0.5", "0.12", "moderate", "0.040")
    assert rows["Seats"][1:8] == ("unknown or not", "", "-", "-", "-", "", "-")
    assert rows["all"][3:6] == ("-", "-", "-")


def test_pairs_are_shown_with_the_sign_of_their_change() -> None:
    assert REPORT.sections()[2].rows == (
        ("Revenue", "Visits", "0.80", "-0.12", "-0.93"),
        ("Revenue", "Seats", "0.10", "0.20", "+0.10"),
    )


@pytest.mark.parametrize(
    ("most", "said"),
    [(None, None), (5, None), (4, "1 further test is in the table."), (2, "3 further tests are in the table.")],
)
def test_how_many_tests_are_left_out_is_said(most: int | None, said: str | None) -> None:
    section = REPORT.sections(most)[1]
    assert len(section.rows) == (most or 5)
    assert section.text[1:] == (() if said is None else (said,))


def test_the_title_names_the_days_of_the_training_rows_where_there_are_some() -> None:
    assert REPORT.title == "Drift as of 2026-09-30 beside the training of version 3"
    dated = replace(REPORT, trained=(date(2024, 3, 31), date(2025, 12, 31)))
    assert dated.title == f"{REPORT.title}, rows of 2024-03-31 to 2025-12-31"
    assert (REPORT.as_payload()["trained"], dated.as_payload()["trained"]) == (None, ["2024-03-31", "2025-12-31"])


def test_the_place_of_the_tables_is_the_last_word() -> None:
    assert "Written to" not in REPORT.as_text()
    assert REPORT.written_to(Path("out/drift")).as_text().endswith("Written to:\nout/drift")


def test_the_page_holds_the_plot_the_finding_and_no_markup_from_data() -> None:
    page = REPORT.page()
    assert page.count("<svg") == 1
    assert "&lt;EMEA&gt;" in page
    assert "<EMEA>" not in page
    assert page == REPORT.page()


@pytest.mark.parametrize(
    ("size", "largest", "answer"),
    [("slight", 3, True), ("moderate", 3, True), ("large", 3, True), ("large", 1, False), ("moderate", 1, True)],
)
def test_the_answer_for_the_exit_code_is_that_of_the_shown_rows(size: str, largest: int, answer: bool) -> None:
    tests = TESTS if largest == 3 else TESTS[TESTS["size"] != "large"]
    assert replace(DRIFT, tests=tests).is_at_least(size) is answer


def test_drift_that_is_not_shown_never_answers_yes() -> None:
    assert not replace(DRIFT, tests=TESTS.assign(drifted=False), verdict="no_drift").is_at_least("slight")


def test_machines_get_the_tests_in_the_tables_order_with_null_for_unknown() -> None:
    payload = REPORT.as_payload()
    assert [row["feature"] for row in payload["tests"]] == ["b", "a", "c", "d", ""]
    assert payload["tests"][3]["psi"] is None
    assert payload["pairs"][0]["change"] == -0.925
    assert payload["sentence"] == DRIFT.sentence
