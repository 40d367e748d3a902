"""What attribution answers: every status in words, one answer everywhere, pictures that can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.reports.drawn_figures import figures, unreadable
from tierwise.pilots.results import Counts, Estimate, Result
from tierwise.reports.attribution import AttributionReport
from tierwise.reports.attribution_findings import Analysis, Finding, Money, answers_table, results_table, signed_amount
from tierwise.reports.attribution_plots import finding_plots, overview_plot

__all__ = ["figures"]

DOTS = pd.DataFrame(
    {
        "side": [-1, -1, 1, 1],
        "figure": [40_000.0, 55_000.0, 70_000.0, 90_000.0],
        "mean": [30_000.0, 35_000.0, 52_000.0, 60_000.0],
        "low": [25_000.0, 30_000.0, 47_000.0, 50_000.0],
        "high": [35_000.0, 40_000.0, 57_000.0, 70_000.0],
        "partners": [20.0, 20.0, 20.0, 15.0],
    }
)
LINES = pd.DataFrame(
    {"side": [-1, -1, 1, 1], "figure": [45_000.0, 65_000.0, 65_000.0, 85_000.0], "value": [31e3, 38e3, 50e3, 58e3]}
)
CUTOFF = pd.DataFrame({"cutoff": [65_000.0], "bandwidth": [20_000.0]})
EXPOSURES = pd.DataFrame(
    {"exposure": [-3.0, -2.0, 0.0, 1.0], "estimate": [1.0, -2.0, 20.0, 25.0], "low": [-5.0, -8.0, 12.0, 15.0],
     "high": [7.0, 4.0, 28.0, 35.0]}
)  # fmt: skip
SERIES = pd.DataFrame(
    {"period": [1, 2, 3, 4], "until": pd.date_range("2025-03-31", periods=4, freq="QE"),
     "treated": [10.0, 11.0, 5.0, 4.0], "others": [9.0, 10.0, 11.0, 12.0], "after": [False, False, True, True]}
)  # fmt: skip


def row(value: Estimate | None, **more: object) -> Result:
    body = {
        "metric": "revenue_4q", "role": "primary", "arm": "growth", "control": "entry", "method": "rdrobust",
        "estimand": "effect of the tier", "grade": "discontinuity", "assumptions": ("no_manipulation",),
        "value": value, "counts": Counts(100, 120), "reason_code": None if value else "too_few_near_threshold",
    }  # fmt: skip
    return Result(**{**body, **more})  # type: ignore[arg-type]


UP = Estimate(20_000.0, 5_000.0, 10_000.0, 30_000.0, 0.0001)
OPEN = Estimate(2_000.0, 5_000.0, -8_000.0, 12_000.0, 0.69)
BESIDE = Estimate(-26_000.0, 10_000.0, -46_000.0, -6_000.0, 0.1)


def finding(
    main: Result, analysis: Analysis = "threshold", subject: str = "growth: revenue_4q >= 65,000", **more: object
) -> Finding:
    body: Mapping[str, object] = {"unit": "USD", "review": date(2025, 9, 30), **more}
    return Finding(analysis, subject, "Does the tier change revenue?", (main,), **body)  # type: ignore[arg-type]


STEPS = row(OPEN, grade="difference_in_differences")
REGION = row(BESIDE, grade="difference_in_differences")
FINDINGS = (
    finding(row(UP), picture={"dots": DOTS, "lines": LINES, "cutoff": CUTOFF}, money=Money(4_000.0, 0.5, "growth")),
    finding(row(None), subject="flagship: value >= 80"),
    finding(STEPS, "rollout", "new funds", review=None, picture={"exposures": EXPOSURES}),
    finding(REGION, "region", "the strike", review=None, picture={"series": SERIES}),
    finding(row(UP, grade="observational"), "tiers_compared", "growth"),
    finding(row(OPEN, grade="descriptive"), "before_after", "tier rose"),
)  # fmt: skip
REPORT = AttributionReport("Shop", date(2026, 9, 30), "revenue_4q", "4 quarters", FINDINGS)


@pytest.mark.parametrize(
    ("main", "status", "told"),
    [
        (row(UP), "shown_up", "An effect is shown: +20,000 USD (+10,000 USD to +30,000 USD)."),
        (
            row(replace(UP, estimate=-20_000.0, low=-30_000.0, high=-10_000.0)),
            "shown_down",
            "An effect is shown: -20,000 USD",
        ),
        (row(UP, p_adjusted=0.08), "not_enough_evidence", "chance alone often gives as much"),
        (row(OPEN), "not_enough_evidence", "the effect may lie anywhere from -8,000 USD to +12,000 USD"),
        (row(BESIDE), "not_enough_evidence", "(p = 0.100)"),
        (
            row(UP, diagnostics={"placebo_p": 0.01}),
            "doubtful",
            "a placebo threshold or a figure from before the review jumps too",
        ),
        (row(UP, diagnostics={"pre_trend_p": 0.02}), "doubtful", "the groups moved apart before the start already"),
        (row(UP, diagnostics={"placebo_p": 0.4}), "shown_up", "An effect is shown"),
        (row(None), "not_computed", "Not computed: too few partners near the threshold."),
        (row(UP, grade="observational"), "association", "An association"),
        (row(UP, grade="descriptive"), "description", "A description"),
    ],
)
def test_every_status_has_its_words(main: Result, status: str, told: str) -> None:
    found = finding(main)
    assert found.status == status
    assert told in found.answer


def test_only_what_is_shown_is_called_an_effect() -> None:
    for found in FINDINGS:
        assert ("An effect is shown" in found.answer) == (found.status in ("shown_up", "shown_down"))


def test_net_is_margin_on_the_effect_less_cost_with_its_ends() -> None:
    assert FINDINGS[0].net == (6_000.0, 1_000.0, 11_000.0)
    assert finding(row(UP, grade="observational"), money=Money(4_000.0, 0.5, "x")).net is None
    assert finding(row(UP), money=Money(4_000.0, None, "x")).net is None
    assert finding(row(UP)).money_text == ""


def test_the_summary_says_what_is_shown_first_and_what_stays_open() -> None:
    first, *rest = REPORT.in_short
    assert first.startswith("Growth: revenue_4q >= 65,000: An effect is shown")
    text = " ".join(rest)
    assert "2 questions are without an answer either way" in text
    assert "Not computed, with the reason beside each: flagship: value >= 80." in text
    assert "tierwise pilot design" in text


def test_a_history_that_shows_nothing_says_so_plainly() -> None:
    nothing = replace(REPORT, findings=(finding(row(OPEN)),))
    assert nothing.in_short[0].startswith("Not enough evidence: nothing in this history shows")
    assert "One question is without an answer either way." in nothing.in_short


def test_terminal_page_tables_and_payload_tell_the_same() -> None:
    text, page, payload = REPORT.as_text(), REPORT.page(), REPORT.as_payload()
    plain = " ".join(re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ").replace("&gt;", ">").split())
    for found in FINDINGS:
        assert found.answer in plain
        assert found.subject in text
    assert [entry["answer"] for entry in payload["findings"]] == [found.answer for found in FINDINGS]
    assert json.loads(json.dumps(payload, allow_nan=False)) == payload
    assert list(answers_table(FINDINGS)["answer"]) == [found.answer for found in FINDINGS]
    assert len(results_table(FINDINGS)) == len(FINDINGS)


def test_the_page_is_small_and_asks_for_nothing_else() -> None:
    page = REPORT.page()
    assert len(page.encode()) < 150_000
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_hostile_names_are_escaped_everywhere() -> None:
    hostile = "<script>alert(1)</script> & 'x'"
    found = replace(FINDINGS[0], subject=hostile, notes=(hostile,), question=hostile)
    page = replace(REPORT, workspace=hostile, findings=(found,)).page()
    assert "<script" not in page


def test_no_findings_give_empty_tables_and_a_page() -> None:
    empty = replace(REPORT, findings=())
    assert all(len(table) == 0 for table in empty.tables().values())
    assert "Not enough evidence" in empty.page()
    assert overview_plot(()) is None


@pytest.mark.parametrize("place", [0, 2, 3])
def test_pictures_can_be_read_and_have_words(place: int, figures: list[Figure]) -> None:
    (plot,) = finding_plots(FINDINGS[place])
    assert unreadable(figures[0]) == []
    element = ElementTree.fromstring(plot.inline)
    assert FINDINGS[place].answer in element.attrib["aria-label"]
    axes = figures[0].axes[0]
    assert axes.get_xlabel()
    assert "USD" in axes.get_ylabel()


def test_a_finding_without_figures_has_no_picture() -> None:
    assert finding_plots(FINDINGS[1]) == ()


def test_the_overview_draws_one_unit_and_counts_effects(figures: list[Figure]) -> None:
    other = finding(row(UP), subject="cases", unit="cases")
    plot = overview_plot((*FINDINGS, other))
    assert plot is not None
    assert len(plot.table) == 5
    assert plot.sentence.startswith("3 of 5 estimates may be called effects")
    assert unreadable(figures[0]) == []


def test_the_picture_of_a_threshold_draws_its_slices(figures: list[Figure]) -> None:
    finding_plots(FINDINGS[0])
    xs = [x for container in figures[0].axes[0].containers for x in container.lines[0].get_xdata()]
    assert sorted(xs) == sorted(DOTS["figure"])


@pytest.mark.parametrize(
    ("value", "text"),
    [(12_345.0, "+12,300 USD"), (-0.0123, "-0.0123 USD"), (None, "without end"), (float("nan"), "without end"),
     (0.0, "+0 USD")],
)  # fmt: skip
def test_amounts_have_a_sign_and_three_digits(value: float | None, text: str) -> None:
    assert signed_amount(value, "USD") == text
