"""The drift report: one finding, told alike on a terminal, on a page and to a machine."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tests.audit.panels import Panel, drifted, stationary
from tierwise.audit import DriftSettings, detect_drift, reference_rows
from tierwise.reports.drift import DriftReport

PANEL = Panel(partners=80)
TRAINED = (date(2024, 3, 31), date(2024, 12, 31))


def _report(partners: int = 80, shift: float = 0.0) -> DriftReport:
    past, today = drifted(PANEL, 1, "shift", shift) if shift else stationary(PANEL, 1)
    reference = reference_rows(past, PANEL.features, 7)
    found = detect_drift(reference, today.head(partners), PANEL.features, 7, DriftSettings(permutations=59))
    return DriftReport("Shop", date(2026, 9, 30), 3, found, TRAINED)


def test_the_terminal_hears_the_finding_first_then_the_largest_tests() -> None:
    text = _report(shift=2.0).as_text()
    lines = text.splitlines()
    assert lines[0] == "Drift as of 2026-09-30 beside the training of version 3, rows of 2024-03-31 to 2024-12-31"
    assert lines[3].startswith("Drift is shown")
    tests = text.split("Tests:")[1]
    first = next(line for line in tests.splitlines() if line.startswith("Metric"))
    assert first.startswith("Metric 0 ")
    assert first.endswith("shown")
    assert "not beyond chance" in tests


def test_every_answer_agrees_with_its_p_value_at_the_promised_level() -> None:
    for report in (_report(), _report(shift=2.0)):
        tests = report.drift.tests
        tested = tests[tests["outcome"] == "tested"]
        assert ((tested["p_adjusted"] <= 0.05) == tested["drifted"].astype(bool)).all()


def test_too_few_partners_are_told_without_tables_of_nothing() -> None:
    report = _report(partners=5)
    assert "Not enough evidence: 5 partners" in report.as_text()
    assert "Tests:" not in report.as_text()
    assert "not enough evidence" in report.page().lower()
    assert report.as_payload()["tests"] == []


@pytest.mark.parametrize("partners", [5, 80])
def test_a_machine_gets_plain_values(partners: int) -> None:
    payload = _report(partners).written_to(Path("somewhere")).as_payload()
    assert json.loads(json.dumps(payload, allow_nan=False)) == payload
    assert payload["folder"] == "somewhere"
    assert payload["verdict"] in ("no_drift", "not_enough_evidence")


def test_what_comes_from_data_is_escaped_on_the_page() -> None:
    past, today = stationary(PANEL, 1)
    today = today.assign(region="<script>alert(1)</script>")
    found = detect_drift(
        reference_rows(past, PANEL.features, 7), today, PANEL.features, 7, DriftSettings(permutations=9)
    )
    page = DriftReport("Shop", date(2026, 9, 30), 3, found, None).page()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
