"""Hostile policies are refused in words; nothing but a refusal or a valid policy comes out of the reader."""

from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.policy.case_files import CASES, inputs_of
from tests.policy.hostile import HEAD, HOSTILE, Hostile, read, refusal, table
from tierwise.config.policy import Policy
from tierwise.engine import Engine
from tierwise.errors import InvalidInput
from tierwise.policy import place

PAGE = Path(__file__).parents[2] / "docs" / "policy-hostile-input.md"
VALID = [path.read_bytes() for path in sorted(CASES.rglob("policy.yaml"))]
fuzzed = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("item", HOSTILE, ids=lambda item: item.tries)
def test_hostile_policy_is_refused_in_words(item: Hostile) -> None:
    message = refusal(item.text)
    assert message is not None
    assert item.says.lower() in message.lower()
    assert len(message) < 2_000
    assert "Traceback" not in message


def test_page_shows_what_happens() -> None:
    assert table() in PAGE.read_text(encoding="utf-8")


# One text, split when the module is loaded: a list of sixty words would fill a page.
WORDS_TEXT = (
    "a b revenue >= <= > < = <> and or not ( ) ( ) , + - * / 1 0 0.5 1e9 'x' null true "
    "case when then else end in between like coalesce( least( nullif( sum( rank() over "
    "select from ; -- /* */ :: date interval cast( as varchar ) read_csv( \u0430 \u200b \\ $1 ?"
)
WORDS = st.sampled_from(WORDS_TEXT.split())
EXPRESSIONS = st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=25).map(" ".join))


@fuzzed
@given(EXPRESSIONS)
@example("a >= 1")
@example("a" + " and a" * 900)
def test_any_expression_is_refused_or_places_partners(engine: Engine, text: str) -> None:
    """What the reader lets out also compiles and runs; whatever is wrong is a refusal, never another error."""
    try:
        policy = Policy.model_validate(
            {
                "policy": "f",
                "effective_from": "2026-01-01",
                "owner": "o",
                "reason": "r",
                "tiers": [{"name": "a", "when": text}],
            }
        )
    except ValueError:
        return
    inputs = pd.DataFrame({"partner_id": ["P1", "P2"], "a": [1.0, None], "b": [0.0, 2.0], "revenue": [5.0, 6.0]})
    with suppress(InvalidInput):
        assert place(engine, policy, inputs).tiers["partner_id"].tolist() == ["P1", "P2"]


@fuzzed
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (HEAD + text).encode("utf-8", "replace")))
def test_any_bytes_are_refused_or_a_policy(content: bytes) -> None:
    with suppress(InvalidInput):
        assert isinstance(read(content), Policy)


@fuzzed
@given(st.sampled_from(VALID), st.data())
def test_any_damage_to_a_policy_is_refused_or_leaves_a_policy(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 30))
    damaged = content[:at] + data.draw(st.binary(max_size=8)) + content[at + length :]
    with suppress(InvalidInput):
        assert read(damaged).tiers


def test_names_of_columns_are_never_sql(engine: Engine) -> None:
    """Tier, flag and partner names may hold anything that a file may hold; they are quoted or bound."""
    policy = Policy.model_validate(
        {
            "policy": "quotes",
            "effective_from": "2026-01-01",
            "owner": "o",
            "reason": "r",
            "parameters": {"goal": {"by": "region", "O'Brien\"; drop table x": 1, "default": 9}},
            "tiers": [{"name": "low"}, {"name": "high", "when": "a >= goal"}],
        }
    )
    inputs = inputs_of(policy, {"a": 5, "region": "O'Brien\"; drop table x"})
    assert place(engine, policy, inputs).tiers["eligible_tier"].tolist() == ["high"]
