"""Drift: quiet where nothing changed, loud where something did, and plain about what and how much."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.audit.panels import Panel, drifted, stationary
from tierwise.audit import Drift, DriftSettings, detect_drift, reference_rows

SMALL, MIDDLE = Panel(partners=100), Panel(partners=300)
QUICK = DriftSettings(permutations=59)


def _found(panel: Panel, sides: tuple[pd.DataFrame, pd.DataFrame], settings: DriftSettings = QUICK) -> Drift:
    past, today = sides
    return detect_drift(reference_rows(past, panel.features, 7), today, panel.features, 7, settings)


@pytest.mark.parametrize("turnover", [0.0, 1.0])
def test_a_channel_that_stays_as_it_is_raises_no_more_alarms_than_promised(turnover: float) -> None:
    panel = replace(SMALL, turnover=turnover)
    alarms = sum(_found(panel, stationary(panel, seed)).verdict == "drift" for seed in range(30))
    # At exactly 5 % five alarms or more of 30 have probability .06. The long run is benchmarks/bench_drift.py.
    assert alarms <= 4


@pytest.mark.parametrize(
    ("change", "amount", "feature", "kind"),
    [
        ("shift", 0.6, "m00", "value"),
        ("spread", 2.0, "m00", "value"),
        ("missing", 0.15, "m02", "missing"),
        ("region", 0.4, "region", "level"),
    ],
)
def test_a_change_of_one_feature_is_found_and_named(change: str, amount: float, feature: str, kind: str) -> None:
    for seed in range(5):
        found = _found(MIDDLE, drifted(MIDDLE, seed, change, amount))
        assert found.verdict == "drift"
        assert (feature, kind) in list(zip(found.drifted["feature"], found.drifted["kind"], strict=True))


def test_a_change_of_how_features_go_together_is_found_though_none_shows_it_alone() -> None:
    alone, together = 0, 0
    for seed in range(12):
        found = _found(MIDDLE, drifted(MIDDLE, seed, "together", 0.8))
        kinds = set(found.drifted["kind"])
        together += "together" in kinds
        alone += bool(kinds - {"together"})
        assert set(found.pairs.iloc[0][["feature", "other"]]) == {"m00", "m01"}
        assert found.pairs.iloc[0]["after"] > 0.6
    assert together == 12
    assert alone <= 2


def test_the_sentence_says_which_features_go_together_otherwise_now() -> None:
    found = _found(MIDDLE, drifted(MIDDLE, 1, "together", 0.8))
    assert "no feature alone shows it" in found.sentence
    assert "“m00” with “m01”" in found.sentence


def test_the_sentence_says_what_moved_how_far_and_what_to_do() -> None:
    found = _found(MIDDLE, drifted(MIDDLE, 1, "missing", 0.3))
    assert found.sentence.startswith("Drift is shown (300 partners to be scored beside 300 of the training;")
    assert "“Metric 2” is unknown for 29 % of partners, was 0 %" in found.sentence
    assert found.todo.startswith("First rule out a fault")
    assert found.is_at_least("moderate")


def test_drift_may_be_real_and_slight() -> None:
    panel = Panel(partners=1500)
    found = _found(panel, drifted(panel, 1, "shift", 0.25), DriftSettings(permutations=19))
    single = found.drifted[found.drifted["kind"] == "value"]
    assert list(single["feature"]) == ["m00"]
    assert list(single["size"]) == ["slight"]
    assert found.is_at_least("slight")
    assert not found.is_at_least("moderate")
    assert found.todo.startswith("It is slight")


def test_nothing_shown_is_said_with_what_was_looked_at() -> None:
    found = _found(SMALL, stationary(SMALL, 1))
    assert found.verdict == "no_drift"
    assert found.sentence == (
        "No drift is shown: 100 partners to be scored beside 100 of the training; the chance of a false alarm is at "
        "most 5 %."
    )
    assert found.todo == "Nothing has to be done."
    assert not found.is_at_least("slight")


@pytest.mark.parametrize("partners", [0, 1, 29])
def test_too_few_partners_are_no_evidence_of_anything(partners: int) -> None:
    past, today = stationary(SMALL, 1)
    found = _found(SMALL, (past, today.head(partners)))
    assert found.verdict == "not_enough_evidence"
    assert found.tests.empty
    assert f"{partners} partners to be scored" in found.sentence
    assert not found.is_at_least("slight")


def test_rows_that_share_no_column_with_the_training_are_no_evidence() -> None:
    past, today = stationary(SMALL, 1)
    found = _found(SMALL, (past, today[["partner_id", "as_of"]]))
    assert found.verdict == "not_enough_evidence"


def test_a_metric_that_left_the_catalog_is_named_and_the_rest_is_tested() -> None:
    past, today = stationary(SMALL, 1)
    found = _found(SMALL, (past, today.drop(columns="m03")))
    tests = found.tests.set_index(["feature", "kind"])
    assert tests.loc[("m03", "value"), "outcome"] == "column_absent"
    assert tests.loc[("m02", "value"), "outcome"] == "tested"


def test_the_order_of_rows_and_the_unit_of_money_do_not_matter() -> None:
    past, today = drifted(SMALL, 1, "shift", 0.5)
    first = _found(SMALL, (past, today))
    second = _found(SMALL, (past, today.sample(frac=1, random_state=1)))
    pd.testing.assert_frame_equal(first.tests, second.tests)
    in_cents = [side.assign(m00=side["m00"] * 100) for side in (past, today)]
    cents = _found(SMALL, (in_cents[0], in_cents[1]))
    pd.testing.assert_frame_equal(
        first.tests.drop(columns=["before", "after", "level"]), cents.tests.drop(columns=["before", "after", "level"])
    )


def test_very_many_partners_are_sampled_and_it_is_said() -> None:
    past, today = stationary(MIDDLE, 1)
    found = _found(MIDDLE, (past, today), replace(QUICK, most_partners=80))
    assert (found.after, found.known) == (80, 300)
    assert "80 partners to be scored (a sample of 300)" in found.sentence


def test_a_channel_of_wholly_unknown_metrics_does_not_fail() -> None:
    past, today = (side.assign(**dict.fromkeys(SMALL.features.names, np.nan)) for side in stationary(SMALL, 1))
    found = _found(SMALL, (past, today))
    assert found.verdict == "no_drift"
    assert set(found.tests.loc[found.tests["kind"] == "value", "outcome"]) == {"too_few_known"}


def test_the_tables_are_what_the_sentence_is_made_of() -> None:
    found = _found(SMALL, stationary(SMALL, 1))
    assert set(found.tables()) == {"drift", "drift_pairs"}
    assert list(found.tests["kind"])[-1] == "together"
