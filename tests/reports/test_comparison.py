"""Two versions side by side: the verdict rests on the pooled row, and nothing is said that was not compared."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from tierwise.reports.comparison import HTML, MARKDOWN, MODES, VERDICTS, ComparisonReport

COLUMNS = [
    "origin", "score", "persistence", "first", "second", "difference", "low", "high", "probability", "partners",
]  # fmt: skip
SCORES = pd.DataFrame(
    [
        ("2025-09-30", "gini", 0.70, 0.80, 0.79, -0.01, -0.03, 0.01, 0.2, 900),
        ("2025-12-31", "gini", 0.70, 0.80, 0.85, 0.05, 0.02, 0.08, 0.99, 1000),
        ("all", "gini", 0.70, 0.80, 0.82, 0.02, 0.005, 0.035, 0.97, 1900),
        ("all", "mae", 15000.0, 12000.0, 11000.0, -1000.0, -2500.0, 400.0, 0.08, 1900),
    ],
    columns=COLUMNS,
)
REPORT = ComparisonReport(
    "Shop", 3, 4, (date(2026, 3, 31), date(2026, 6, 30)), date(2026, 9, 30), "better", "as_trained",
    ("2025-09-30", "2025-12-31"), SCORES, 0.9876, 0.754, 0.125, (6, 7), ("quiet", "quiet"), "r9",
)  # fmt: skip
UNTESTED = replace(
    REPORT, verdict="not_shown_better", mode="nothing", origins=(), scores=SCORES.head(0), run_id="",
    potential_correlation=None, archetypes_ari=None, label_change=None, archetypes=(0, 7),
)  # fmt: skip


def test_the_sentence_gives_the_verdict_and_the_figures_of_the_mean() -> None:
    assert REPORT.sentence == (
        "Version 4 is better at ranking partners than version 3: normalised Gini 0.820 against 0.800, difference "
        "+0.020 (+0.005 to +0.035), P(better) 0.97, over 2 past reviews."
    )


@pytest.mark.parametrize(("difference", "said"), [(0.004, True), (-0.004, True), (0.02, False), (0.0, False)])
def test_a_difference_too_small_to_count_is_told_to_be(difference: float, said: bool) -> None:
    report = replace(REPORT, scores=SCORES.assign(difference=difference), least_difference=0.01)
    assert report.sentence.endswith(" A difference below 0.010 counts as none.") == said


def test_one_review_is_one() -> None:
    assert replace(REPORT, origins=("2025-12-31",)).sentence.endswith("over 1 past review.")


@pytest.mark.parametrize("verdict", sorted(VERDICTS))
def test_every_verdict_is_said_in_words(verdict: str) -> None:
    sentence = replace(REPORT, verdict=verdict).sentence
    assert sentence.startswith(f"Version 4 is {VERDICTS[verdict]} at ranking")
    assert "_" not in sentence


@pytest.mark.parametrize("mode", sorted(MODES))
def test_how_it_was_tested_is_told_everywhere(mode: str) -> None:
    report = replace(REPORT, mode=mode)
    assert MODES[mode] in report.as_text()
    assert all(MODES[mode] in page for page in report.documents().values())


def test_the_terminal_shows_the_means_and_then_every_review() -> None:
    parts = REPORT.as_text().split("\n\n")
    assert parts[0].startswith("Version 4 against version 3 of Shop, trained as of 2026-03-31 and 2026-06-30\n")
    means, reviews = (part.splitlines() for part in parts[1:3])
    assert means[0] == "Mean over the past reviews:"
    assert means[-2].split() == [
        "normalised", "Gini", "0.700", "0.800", "0.820", "+0.020", "+0.005", "to", "+0.035", "0.970",
    ]  # fmt: skip
    assert means[-1].split()[3:] == ["15,000", "12,000", "11,000", "-1,000", "-2,500", "to", "+400", "0.080"]
    assert [line.split()[0] for line in reviews[3:]] == ["2025-09-30", "2025-12-31", "mean"]
    assert parts[-1] == "MLflow run: r9"


def test_columns_name_the_versions_and_not_first_and_second() -> None:
    header = next(line for line in REPORT.as_text().splitlines() if line.startswith("origin"))
    assert header.split() == [
        "origin", "persistence", "version", "3", "version", "4", "difference", "interval", "P(higher)",
    ]  # fmt: skip


def test_an_unknown_difference_is_one_dash_and_makes_no_claim() -> None:
    holes = SCORES.assign(difference=np.nan, low=np.nan, high=np.nan, probability=np.nan)
    report = replace(REPORT, verdict="not_shown_better", scores=holes)
    assert report.sentence == f"Version 4 is not shown better: {MODES['nothing']}."
    row = next(line for line in report.as_text().splitlines() if line.startswith("2025-09-30"))
    assert row.split() == ["2025-09-30", "0.700", "0.800", "0.790", "-", "-", "-"]
    assert "nan" not in report.as_text() + report.documents()[MARKDOWN]


def test_without_a_completed_review_there_are_no_tables_but_the_reason() -> None:
    text = UNTESTED.as_text()
    assert text.count(MODES["nothing"]) == 2
    assert "by review" not in text
    assert "Archetypes: 0 and 7; nothing to compare." in text
    assert "MLflow run" not in text
    assert "Potential of today" not in text
    assert [line for line in UNTESTED.documents()[MARKDOWN].splitlines() if line.startswith("## ")] == ["## In short"]


def test_how_far_the_two_agree_on_todays_partners_is_told() -> None:
    text = REPORT.as_text()
    assert "the two rank them with a correlation of 0.988." in text
    assert "6 and 7 archetypes, agreement (ARI) 0.75, 12% of the partners change theirs." in text


@pytest.mark.parametrize(
    ("alarms", "said"),
    [(("fired", "quiet"), "version 3."), (("quiet", "fired"), "version 4."), (("fired", "fired"), "version 3 and 4.")],
)
def test_an_alarm_names_the_version_whose_training_it_fired_in(alarms: tuple[str, str], said: str) -> None:
    assert f"fired in the training of {said}" in replace(REPORT, alarms=alarms).as_text()
    assert "ALARM" not in REPORT.as_text()


def test_the_page_has_one_table_per_score_with_a_capital_and_is_the_same_twice() -> None:
    documents = REPORT.documents()
    assert documents == REPORT.documents()
    titles = [line[3:] for line in documents[MARKDOWN].splitlines() if line.startswith("## ")]
    assert titles == ["In short", "Normalised Gini", "Mean absolute error"]
    assert "| mean | 15,000 | 12,000 | 11,000 | -1,000 | -2,500 to +400 | 0.080 |" in documents[MARKDOWN]
    assert '<td class="number">+0.020</td>' in documents[HTML]


def test_a_workspace_named_by_an_enemy_is_escaped() -> None:
    page = replace(REPORT, workspace="<img src=x>").documents()[HTML]
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page


def test_machines_get_the_rows_and_the_sentence() -> None:
    payload = json.loads(json.dumps(REPORT.as_payload(), default=str, allow_nan=False))
    assert payload["sentence"] == REPORT.sentence
    assert [row["difference"] for row in payload["scores"]] == SCORES["difference"].tolist()
    assert (payload["trained"], payload["as_of"]) == (["2026-03-31", "2026-06-30"], "2026-09-30")
    assert UNTESTED.as_payload()["scores"] == []


def test_two_versions_that_say_the_same_are_told_to_and_others_are_not() -> None:
    same = SCORES.assign(second=SCORES["first"], difference=0.0, low=0.0, high=0.0, probability=0.5)
    assert "the same figures for every partner" in replace(REPORT, scores=same).as_text()
    assert "the same figures" not in REPORT.as_text()
    assert "the same figures" not in UNTESTED.as_text()
