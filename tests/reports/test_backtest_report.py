"""The back-test's text, page and values: one set of rows, told alike, with nothing made up where nothing is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tierwise.reports.backtest import HTML, MARKDOWN, BacktestReport, records
from tierwise.reports.backtest_sections import backtest_sections
from tierwise.reports.sections import Section

FIRST, SECOND = "2025-09-30", "2025-12-31"
SCORE_COLUMNS = ["origin", "candidate", "score", "value", "low", "high", "partners"]
SCORES = [
    (SECOND, "chosen", "gini", 0.82, 0.75, 0.9, 1300), (SECOND, "persistence", "gini", 0.70, 0.6, 0.8, 1300),
    (FIRST, "chosen", "gini", 0.60, 0.5, 0.7, 1200), (FIRST, "persistence", "gini", 0.64, 0.5, 0.7, 1200),
    ("all", "chosen", "gini", 0.71, 0.6, 0.8, 2500), ("all", "persistence", "gini", 0.67, 0.6, 0.75, 2500),
    (SECOND, "model", "gini", 0.82, 0.75, 0.9, 1300),
    ("all", "chosen", "coverage", 0.78, 0.74, 0.82, 2500), ("all", "chosen", "relative_width", 1.44, 1.2, 1.6, 2500),
    ("all", "chosen", "total_ratio", 0.96, 0.9, 1.1, 2500), ("all", "median", "mae", 12345.6, np.nan, np.nan, 2500),
]  # fmt: skip
GATE = [
    (FIRST, "persistence", "too few reviews", np.nan, np.nan, 0.64, 1200, 4000),
    (SECOND, "model", "gain is shown", 0.99, 0.8, 0.7, 1300, 5200),
]
GAINS = [
    (SECOND, "chosen", 0.12, 0.05, 0.2, 0.98), (FIRST, "model", np.nan, np.nan, np.nan, np.nan),
    (FIRST, "chosen", -0.04, -0.1, 0.02, 0.1), ("all", "chosen", 0.04, -0.01, 0.09, 0.93),
]  # fmt: skip
COVERAGE = [
    (FIRST, "model", 0, 900, 0.81, 0.78, 0.84, 0.8, 5000.0, 1.2),
    (FIRST, "cold_start", 0, 0, *[np.nan] * 3, 0.8, *[np.nan] * 2),
]  # fmt: skip


def _tables() -> dict[str, pd.DataFrame]:
    gate = ["origin", "chosen", "reason", "probability", "gini_model", "gini_persistence", "partners", "training_rows"]
    interval = ["low", "high"]
    calibration = ["origin", "candidate", "decile", "partners", "predicted", "actual", "actual_low", "actual_high"]
    segments = [
        "segment",
        "level",
        "candidate",
        "partners",
        "mae",
        "mae_low",
        "mae_high",
        "bias",
        "total_ratio",
        "gini",
    ]
    return {
        "scores": pd.DataFrame(SCORES, columns=SCORE_COLUMNS),
        "gate": pd.DataFrame(GATE, columns=gate),
        "gains": pd.DataFrame(GAINS, columns=["origin", "candidate", "gain", *interval, "probability"]),
        "calibration": pd.DataFrame(
            [("all", "chosen", 1, 250, 10.0, 12.5, np.nan, np.nan),
             ("all", "persistence", 1, 250, 9.0, 12.5, 11.0, 14.0),
             (FIRST, "chosen", 1, 120, 777.0, 888.0, 1.0, 2.0), ("all", "glm", 1, 250, 666.0, 12.5, 11.0, 14.0)],
            columns=calibration,
        ),
        "coverage": pd.DataFrame(
            COVERAGE,
            columns=["origin", "source", "band", "partners", "coverage", *interval, "nominal", "width",
                     "relative_width"],
        ),
        "segments": pd.DataFrame(
            [("region", "EMEA", "chosen", 400, 5000.0, 4000.0, 6000.0, -120.5, 0.97, 0.7),
             ("region", "<APAC & co>", "chosen", 1, 10.0, np.nan, np.nan, 1.0, np.nan, np.nan),
             ("size", "small", "trees", 3, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)],
            columns=segments,
        ),
        "stability": pd.DataFrame(
            [(FIRST, SECOND, "chosen", 1150, 0.934, 0.92, 0.95), (FIRST, SECOND, "model", 1150, 0.5, 0.4, 0.6)],
            columns=["earlier", "origin", "candidate", "partners", "spearman", *interval],
        ),
        "leaks": pd.DataFrame(columns=["subject", "kind", "code", "share", "yardstick", "probability", "fired"]),
        "predictions": pd.DataFrame({"partner_id": ["P1"], "predicted": [1.0]}),
    }  # fmt: skip


REPORT = BacktestReport(
    "Shop & Sons", date(2026, 9, 30), "Won revenue", "USD", "4 quarters", _tables(), "quiet", (), None, "",
)  # fmt: skip


def _with(**tables: pd.DataFrame) -> BacktestReport:
    return replace(REPORT, tables={**REPORT.tables, **tables})


def _sections(report: BacktestReport = REPORT, pictures: Mapping[str, str] | None = None) -> dict[str, Section]:
    found = backtest_sections(report.summary(), report.tables, pictures or {}, report.alarm)
    return {section.title: section for section in found}


def test_the_terminal_lists_reviews_by_day_and_their_mean_last() -> None:
    lines = REPORT.as_text().splitlines()
    at = lines.index("Normalised Gini out of time:")
    assert lines[at + 1].split() == ["origin", "partners", "persistence", "model", "chosen", "gate"]
    assert [line.split()[:5] for line in lines[at + 3 : at + 6]] == [
        [FIRST, "1,200", "0.640", "-", "0.600"],
        [SECOND, "1,300", "0.700", "0.820", "0.820"],
        ["mean", "2,500", "0.670", "-", "0.710"],
    ]
    assert lines[at + 3].endswith("persistence: too few reviews")


def test_the_head_names_what_is_predicted_how_far_and_by_how_many_reviews() -> None:
    assert REPORT.as_text().splitlines()[:2] == [
        "Back-test of Shop & Sons as of 2026-09-30",
        "Potential: Won revenue over 4 quarters; 2 past reviews, 2025-09-30 to 2025-12-31, each predicted by a model "
        "trained on what had closed by then",
    ]


def test_one_review_is_counted_as_one_and_stands_for_the_mean() -> None:
    single = {name: table[table["origin"] == SECOND] for name, table in REPORT.tables.items() if "origin" in table}
    text = _with(**single).as_text()
    assert "; 1 past review, 2025-12-31 to 2025-12-31" in text
    assert "Chosen against persistence: +0.120 of normalised Gini on average; least gain +0.120 (2025-12-31)." in text
    assert "Intervals: none could be tested." in text


def test_the_summary_says_the_figures_of_the_rows() -> None:
    assert REPORT.summary() == (
        "Gate: the model was in use in 1 of 2 past reviews.",
        "Chosen against persistence: +0.040 (-0.010 to +0.090) of normalised Gini on average; worst loss -0.040 "
        "(2025-09-30).",
        "Intervals: 78% (74% to 82%) held, 80% were promised; their mean width is 1.4 times the mean prediction.",
        "Level: predicted total is 0.96 of the actual; mean absolute error of the median 12,346 USD.",
        "Retrains: successive ones rank the same partners with a correlation of at least 0.934.",
        "Leaks: no column and no model knew more of the future than it can.",
    )


def test_what_could_not_be_tested_is_left_out_or_said_never_a_number() -> None:
    gini = REPORT.tables["scores"][REPORT.tables["scores"]["score"] == "gini"]
    unknown = _with(
        scores=gini, gains=REPORT.tables["gains"].assign(gain=np.nan), stability=REPORT.tables["stability"].head(0)
    )
    assert replace(unknown, alarm="not_tested").summary() == (
        "Gate: the model was in use in 1 of 2 past reviews.",
        "Intervals: none could be tested.",
        "Leaks: not testable.",
    )


def test_an_alarm_names_every_column_in_the_summary() -> None:
    fired = replace(REPORT, alarm="fired", alarms=("‘seats’ tells 80%", "the model tells 90%"))
    assert fired.summary()[-1] == "ALARM, too good to be true: ‘seats’ tells 80%; the model tells 90%."


def test_where_it_is_kept_is_told_once_it_is_kept() -> None:
    assert "MLflow run" not in REPORT.as_text()
    assert REPORT.stored(Path("out"), "r1").as_text().endswith("Tables and page: out\nMLflow run: r1")


def test_machines_get_every_table_but_the_predictions_with_null_for_unknown() -> None:
    payload = REPORT.stored(Path("out"), "r1").as_payload()
    plain = json.loads(json.dumps(payload, default=str, allow_nan=False))
    assert set(plain["tables"]) == set(REPORT.tables) - {"predictions"}
    assert plain["tables"]["gate"][0]["probability"] is None
    assert (plain["as_of"], plain["folder"], plain["run_id"]) == ("2026-09-30", "out", "r1")
    assert plain["summary"] == list(REPORT.summary())
    assert REPORT.as_payload()["folder"] is None


def test_records_keep_types_and_order() -> None:
    frame = pd.DataFrame({"b": [2, 1], "a": ["x", None]})
    assert records(frame) == [{"b": 2, "a": "x"}, {"b": 1, "a": None}]
    assert records(frame.head(0)) == []


def test_the_gate_and_the_gains_stand_in_tables_by_day_without_untested_rows() -> None:
    sections = _sections()
    assert sections["What the gate chose"].rows[0] == (
        FIRST, "persistence", "too few reviews", "-", "-", "0.640", "1,200", "4,000",
    )  # fmt: skip
    assert sections["Gain over persistence"].rows == (
        (FIRST, "chosen", "-0.040", "-0.100 to 0.020", "0.100"),
        (SECOND, "chosen", "+0.120", "0.050 to 0.200", "0.980"),
        ("all", "chosen", "+0.040", "-0.010 to 0.090", "0.930"),
    )


def test_each_score_has_a_table_with_the_baselines_first_and_dashes_for_holes() -> None:
    sections = _sections()
    gini = sections["Normalised Gini"]
    assert gini.header == ("origin", "persistence", "model", "chosen")
    assert gini.rows[0] == (FIRST, "0.640 (0.500–0.700)", "-", "0.600 (0.500–0.700)")
    assert [row[0] for row in gini.rows] == [FIRST, SECOND, "all"]
    assert sections["Share of intervals that held"].rows == (("all", "78% (74% to 82%)"),)
    assert sections["Mean absolute error"].rows == (("all", "12,346"),)
    assert "Spearman rank correlation" not in sections


def test_calibration_shows_the_mean_of_the_compared_candidates_alone() -> None:
    rows = _sections()["Calibration by tenth of the prediction"].rows
    assert rows == (
        ("persistence", "1", "250", "9", "12.5", "11 to 14"),
        ("chosen", "1", "250", "10", "12.5", "-"),
    )


def test_an_interval_nobody_was_tested_by_is_unknown_not_zero() -> None:
    tested, untested = _sections()["How often the interval held"].rows
    assert tested == (FIRST, "model", "0", "900", "81%", "78% to 84%", "80%", "5,000", "1.200")
    assert untested == (FIRST, "cold_start", "0", "0", "-", "-", "80%", "-", "-")


def test_segments_have_a_table_each_and_a_level_of_one_partner_shows_what_it_lacks() -> None:
    sections = _sections()
    assert sections["Error by region"].rows == (
        ("EMEA", "chosen", "400", "5,000", "4,000 to 6,000", "-120.5", "0.970", "0.700"),
        ("<APAC & co>", "chosen", "1", "10", "-", "1", "-", "-"),
    )
    assert "trees" not in str(sections["Error by size"])


def test_every_plot_stands_in_its_section_and_only_there() -> None:
    plots = {
        "gini-by-origin": "Gain over persistence", "calibration-by-decile": "Calibration by tenth of the prediction",
        "interval-coverage": "How often the interval held", "rank-stability": "Do retrains agree?",
    }  # fmt: skip
    sections = _sections(pictures={name: f"<svg>{name}</svg>" for name in plots})
    shown = {section.picture: title for title, section in sections.items() if section.picture}
    assert shown == {f"<svg>{name}</svg>": title for name, title in plots.items()}


def test_the_page_and_the_markdown_are_whole_escaped_and_the_same_twice() -> None:
    documents = REPORT.documents({})
    assert documents == REPORT.documents({})
    assert sorted(documents) == sorted([MARKDOWN, HTML])
    assert "<h1>Back-test of Shop &amp; Sons as of 2026-09-30</h1>" in documents[HTML]
    assert "&lt;APAC &amp; co&gt;" in documents[HTML]
    assert "nan" not in documents[MARKDOWN]
    titles = [line[3:] for line in documents[MARKDOWN].splitlines() if line.startswith("## ")]
    assert [titles[0], titles[-1]] == ["In short", "How it was done"]


@pytest.mark.parametrize("sentence", REPORT.summary())
def test_the_summary_reads_alike_on_the_terminal_and_the_page(sentence: str) -> None:
    assert sentence in REPORT.as_text()
    assert sentence in REPORT.documents({})[MARKDOWN]
