"""Lint finds each trap it is meant to find, with an example partner, and is quiet about a plain policy."""

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.policy.case_files import CASES, inputs_of
from tierwise.config.catalog import Catalog
from tierwise.config.policy import Policy, load_policy
from tierwise.engine import Engine
from tierwise.policy import Finding, lint, place, worst

HEAD = {"policy": "x", "effective_from": "2026-01-01", "owner": "o", "reason": "r"}
PAGE = Path(__file__).parents[2] / "docs" / "policy-language.md"


def policy(**body: object) -> Policy:
    return Policy.model_validate({**HEAD, "movement": "none", **body})


def two_tiers(rule: object, **body: object) -> Policy:
    return policy(tiers=[{"name": "low"}, {"name": "high", "when": rule}], **body)


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


def of(findings: tuple[Finding, ...], code: str) -> list[Finding]:
    return [finding for finding in findings if finding.code == code]


def test_red_hat_gap_is_found_with_a_partner_who_falls_into_it(engine: Engine) -> None:
    published = load_policy(CASES / "programs" / "redhat_demo_reseller" / "policy.yaml")
    gap = next(finding for finding in of(lint(published), "gap") if "points" in finding.message)
    assert "99,999 → 100,000" in gap.message
    assert "Advanced → NO_TIER" in gap.message
    placed = place(engine, published, inputs_of(published, dict(gap.example)))
    assert placed.tiers["eligible_tier"].tolist() == ["NO_TIER"]
    worse = inputs_of(published, {**gap.example, "points": 99_999})
    assert place(engine, published, worse).tiers["eligible_tier"].tolist() == ["Advanced"]


def test_atlassian_is_not_nested_and_the_example_shows_it(engine: Engine) -> None:
    published = load_policy(CASES / "programs" / "atlassian_marketplace_sales" / "policy.yaml")
    found = of(lint(published), "not_nested")
    gold = next(finding for finding in found if finding.message.endswith("Gold without meeting Silver"))
    criteria = place(engine, published, inputs_of(published, dict(gold.example))).criteria
    silver = criteria[criteria["tier"] == "Silver"]
    assert "false" in set(silver["met"])
    gold_routes = criteria[(criteria["tier"] == "Gold") & (criteria["met"] == "true")]
    assert "gross >= 3000000" in set(gold_routes["expression"])


def test_published_programs_without_a_trap_are_left_alone() -> None:
    for name in ("odoo_v11_2023", "odoo_v9b_2021", "citrix_advisor", "quickbooks"):
        assert lint(load_policy(CASES / "programs" / name / "policy.yaml")) == ()


@pytest.mark.parametrize(
    ("code", "found_in"),
    [
        ("invalid", two_tiers("read_csv('x') = 1")),
        ("unreachable", two_tiers("a >= 5 and a < 3")),
        ("unreachable", policy(tiers=[{"name": "low", "when": "a >= 5"}, {"name": "high", "when": "a >= 1"}])),
        ("gap", two_tiers("a between 5 and 9")),
        ("no_tier", policy(tiers=[{"name": "low", "when": "a >= 1"}, {"name": "high", "when": "a >= 2"}])),
        ("not_nested", policy(tiers=[{"name": "low", "when": "a >= 1"}, {"name": "high", "when": "b >= 2"}])),
        ("overlap", policy(tiers=[{"name": "low", "when": "a between 1 and 9"}, {"name": "high", "when": "a >= 8"}])),
        ("boundary", policy(tiers=[{"name": "low", "when": "a > 1"}, {"name": "high", "when": "a >= 2"}])),
        ("zero_divisor", two_tiers("won / deals >= 0.5")),
        ("keep_stricter", two_tiers({"check": "a >= 5", "keep": "a >= 6"})),
        ("never_applies", two_tiers("a >= 5", movement={"sunset": {"below_entry_for": "4 reviews"}})),
        (
            "never_applies",
            two_tiers(
                "a >= 5", movement={"freeze": [{"from": "2024-01-01", "until": "2025-01-01", "reason": "long ago"}]}
            ),
        ),
        ("band_on_count", two_tiers("people >= 2", movement={"promote": {"band": 0.05}})),
        ("unused", two_tiers("a >= 5", parameters={"forgotten": 3})),
        ("flag_not_recorded", two_tiers({"flag": "paid"})),
    ],
)
def test_trap_is_found(code: str, found_in: Policy) -> None:
    assert code in codes(lint(found_in))


@pytest.mark.parametrize(
    "rule", ["a >= 5", "won / nullif(deals, 0) >= 0.5", "won / greatest(deals, 1) >= 0.5", "a / 4 >= 1"]
)
def test_plain_rule_is_left_alone(rule: str) -> None:
    assert codes(lint(two_tiers(rule))) == set()


CATALOG = Catalog.model_validate(
    {
        "metrics": {
            "revenue_4q": {
                "from": "deals",
                "value": "sum(amount)",
                "window": "4 quarters",
                "unit": "USD",
                "owner": "fin",
            },
            "margin_eur": {
                "from": "deals",
                "value": "sum(margin)",
                "window": "4 quarters",
                "unit": "EUR",
                "owner": "fin",
            },
            "logins": {"from": "logins", "value": "count(*)", "window": "90 days", "unit": "logins"},
        }
    }
)


def test_unknown_name_comes_with_the_nearest_one() -> None:
    (finding,) = lint(two_tiers("revenu_4q >= 5"), CATALOG)
    assert (finding.code, finding.severity) == ("invalid", "error")
    assert "did you mean 'revenue_4q'?" in finding.message


def test_all_unknown_names_are_reported_at_once() -> None:
    found = lint(two_tiers("revenu_4q >= 5 and login > 3", guardrails={"evidence": {"min_deals": 2}}), CATALOG)
    assert len(found) == 3


def test_metric_without_owner_and_units_that_do_not_match() -> None:
    found = lint(two_tiers("revenue_4q + margin_eur >= 100 and logins >= 30"), CATALOG)
    assert of(found, "no_owner")[0].place == "metrics.logins"
    assert "revenue_4q (USD) and margin_eur (EUR)" in of(found, "unit_mismatch")[0].message


def test_data_show_criteria_that_nobody_meets_or_fails(engine: Engine) -> None:
    rule = {"all": ["a >= 1", "b >= 100", "c >= 1"]}
    inputs = pd.DataFrame({"partner_id": ["P1", "P2"], "a": [1.0, 2.0], "b": [3.0, 4.0], "c": [None, None]})
    found = lint(two_tiers(rule), inputs=inputs.astype({"c": "float64"}), engine=engine)
    assert {finding.code: finding.place.split(".")[-1] for finding in found} == {
        "never_failed": "c01",
        "never_met": "c02",
        "always_unknown": "c03",
        "empty_tier": "high",
    }


def test_worst_is_first() -> None:
    found = lint(policy(tiers=[{"name": "low", "when": "a >= 5"}, {"name": "high", "when": "a > 1"}]))
    assert worst(found) == found[0].severity == "error"
    assert worst(()) is None


def test_every_code_is_explained_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sources = (Path(__file__).parents[2] / "src" / "tierwise" / "policy" / "linting").glob("*.py")
    made = {code for path in sources for code in re.findall(r'Finding\(\s*"(\w+)"', path.read_text(encoding="utf-8"))}
    assert {code for code in made if f"| `{code}` |" not in page} == set()
