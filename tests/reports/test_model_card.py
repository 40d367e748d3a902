from __future__ import annotations

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from tierwise.reports.model_card import ModelCard, model_card_documents
from tierwise.reports.numbers import number

EMPTY = ModelCard(
    workspace="Demo channel",
    as_of=date(2026, 9, 30),
    data_fingerprint="f00d",
    program_version="0.1.0",
    target="Won revenue, last 4 quarters",
    unit="USD",
    horizon="4 quarters",
    snapshots=0,
    partners=12,
    gate="persistence",
    gate_sentence="no label window has closed yet",
)


def scores() -> pd.DataFrame:
    rows = [
        ("2026-03-31", "persistence", "gini", 0.8, 0.75, 0.85, 100),
        ("2026-03-31", "chosen", "gini", 0.9, 0.85, 0.95, 100),
        ("all", "persistence", "gini", 0.8, 0.75, 0.85, 1100),
        ("all", "chosen", "gini", 0.9, 0.85, 0.95, 1100),
        ("all", "persistence", "mae", 1234.5, np.nan, np.nan, 1100),
    ]
    return pd.DataFrame(rows, columns=["origin", "candidate", "score", "value", "low", "high", "partners"])


FULL = replace(
    EMPTY,
    snapshots=1200,
    gate="model",
    gate_sentence="the model ranked partners better than persistence out of time",
    gate_probability=0.987,
    features=pd.DataFrame({"name": ["Revenue | net"], "family": ["sales"], "direction": ["up"]}),
    scores=scores(),
    calibration=pd.DataFrame(
        {
            "origin": ["2025-12-31", "2026-03-31", "2026-03-31"],
            "candidate": ["chosen", "chosen", "model"],
            "decile": [1, 10, 10],
            "partners": [10, 11, 12],
            "predicted": [1.0, 90_000.0, 5.0],
            "actual": [0.0, 60_000.0, 5.0],
        }
    ),
    coverage=pd.DataFrame(
        {
            "origin": ["2026-03-31"],
            "source": ["model"],
            "band": [0],
            "partners": [50],
            "coverage": [0.78],
            "nominal": [0.8],
        }
    ),
    archetypes=pd.DataFrame({"archetype": ["<script>alert(1)</script>"], "partners": [7], "share": [0.5]}),
    archetypes_sentence="1 archetype",
    notes=("too few completed reviews to tell whether the regime changed",),
    contact="channel-finance",
)


class Texts(HTMLParser):
    """Collects headings and tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)


def markdown(card: ModelCard) -> str:
    return model_card_documents(card)["model-card.md"]


def test_both_forms_have_the_same_sections():
    documents = model_card_documents(FULL)
    assert sorted(documents) == ["model-card.html", "model-card.md"]
    headings = [line[3:] for line in documents["model-card.md"].splitlines() if line.startswith("## ")]
    for heading in headings:
        assert f"<h2>{heading}</h2>" in documents["model-card.html"]
    assert headings[:3] == ["What it is", "Is the model used?", "What it was trained on"]
    assert headings[-2:] == ["Limits", "Who to ask"]


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (FULL, "Yes: partners with a history get the model's figure."),
        (EMPTY, "No: partners with a history get their last period's figure"),
    ],
)
def test_the_gate_is_told_in_words(card, words):
    assert words in markdown(card)
    assert f"Why: {card.gate_sentence}." in markdown(card)


def test_the_probability_is_told_only_where_there_is_one():
    assert "Bootstrap probability that it ranks better than persistence: 0.99." in markdown(FULL)
    assert "Bootstrap probability" not in markdown(EMPTY)


def test_the_back_test_stands_with_its_baseline_and_the_mean_last():
    lines = markdown(FULL).splitlines()
    start = lines.index("| origin | partners | persistence | chosen |")
    assert lines[start + 2 : start + 4] == ["| 2026-03-31 | 100 | 0.800 | 0.900 |", "| all | 1,100 | 0.800 | 0.900 |"]


def test_all_scores_have_their_interval_or_none():
    text = markdown(FULL)
    assert "| score | persistence | chosen |" in text
    assert "| normalised Gini | 0.800 (0.750–0.850) | 0.900 (0.850–0.950) |" in text
    assert "| mean absolute error | 1,234 | - |" in text


def test_a_fired_alarm_and_the_tier_are_the_first_warning():
    leaks = pd.DataFrame(
        {
            "subject": ["region", "revenue"], "kind": ["attribute", "metric"],
            "code": ["attribute_ahead", "metric_ahead"], "share": [0.4, 0.1], "yardstick": [0.1, 0.2],
            "probability": [1.0, np.nan], "fired": [True, False],
        }
    )  # fmt: skip
    card = replace(
        FULL, leaks=leaks, alarm="fired", alarms=("region: knows too much",), tier_effect="It rests on the tier."
    )
    text = markdown(card)
    assert text.index("## Warning") < text.index("## Is the model used?")
    assert "region: knows too much." in text
    assert "It rests on the tier." in text
    assert "| region | attribute | attribute_ahead | 40% | 10% | 1 | ALARM |" in text
    assert "| revenue | metric | metric_ahead | 10% | 20% | - | quiet |" in text
    assert "## Warning" not in markdown(replace(FULL, leaks=leaks.tail(1), alarm="quiet"))


def test_calibration_is_of_the_last_review_and_of_what_was_in_use():
    text = markdown(FULL)
    assert "| 10 | 11 | 90,000 | 60,000 | 1.500 |" in text
    assert "| 10 | 12 |" not in text


def test_intervals_say_what_was_promised_and_what_held():
    assert "| 2026-03-31 | model | 0 | 50 | 78% | 80% |" in markdown(FULL)


def test_what_could_not_be_done_is_a_limit():
    assert "Not done in this training: too few completed reviews" in markdown(FULL)


def test_a_card_without_any_test_says_so():
    text = markdown(EMPTY)
    assert "No past review has completed, so nothing could be tested out of time." in text
    assert "No interval could be tested" in text


def test_what_comes_from_data_is_escaped():
    documents = model_card_documents(FULL)
    page = Texts()
    page.feed(documents["model-card.html"])
    assert "script" not in page.tags
    assert "&lt;script&gt;" in documents["model-card.html"]
    assert "Revenue \\| net" in documents["model-card.md"]


def test_the_same_card_gives_the_same_text():
    assert model_card_documents(FULL) == model_card_documents(replace(FULL))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"), (float("nan"), "-"), (np.float64("nan"), "-"), (pd.NA, "-"), (0.12345, "0.123"), (12.34, "12.3"),
        (1234.5, "1,234"), (np.int64(5000), "5,000"), (-0.5, "-0.500"), ("text", "text"), (True, "True"), (0.0, "0"),
    ],
)  # fmt: skip
def test_numbers_are_shown_as_people_read_them(value, shown):
    assert number(value) == shown


def test_what_profiles_say_in_words_is_a_table_of_its_own() -> None:
    profiles = pd.DataFrame(
        {"archetype_id": ["A1"], "archetype": ["Steady"], "partners": [7], "sets_apart": ["many logins"],
         "rule": ["Portal logins above 9"], "rule_recall": [0.9]}
    )  # fmt: skip
    documents = model_card_documents(replace(FULL, archetypes=profiles))
    parts = {part.partition("\n")[0]: part for part in documents["model-card.md"].split("\n## ")}
    figures, words = parts["Archetypes"], parts["What sets the archetypes apart"]
    assert "| A1 | Steady | 7 |" in figures
    assert "those that had left do not shape archetypes" in figures
    assert "| A1 | many logins | Portal logins above 9 | 0.900 |" in words
