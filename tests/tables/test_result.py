"""The verdict over checked tables by hand, the shape of output tables, and texts inside SQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables.small_channel import check, deal, quarantined, small_workspace
from tierwise.config.workspace import Tolerance
from tierwise.tables.output_table import DAY, NUMBER, TEXT, WHOLE, YES_NO, OutputTable, OutputTableError
from tierwise.tables.result import CheckResult, RuleHits, TableCheck
from tierwise.tables.rules import ADVICE, text_literal

DEALS = TableCheck(
    "deals", "events", 200, 190, 10, 0, "amount", Decimal(1000), Decimal(900), Decimal(100), 2, 0.1,
    date(2025, 1, 1), date(2026, 9, 30), Tolerance(rows=0.05, money=0.1),
)  # fmt: skip
PARTNERS = replace(DEALS, table="partners", kind="partners", money="", quarantined=0, accepted=3, received=3)


def _result(*checks: TableCheck, rules: tuple[RuleHits, ...] = ()) -> CheckResult:
    return CheckResult(checks, rules, pd.DataFrame(), (), date(2026, 9, 30))


def test_a_tolerance_that_is_met_exactly_is_kept() -> None:
    assert (DEALS.quarantined_share, DEALS.over_tolerance) == (0.05, False)
    assert replace(DEALS, quarantined=11).over_tolerance
    assert replace(DEALS, quarantined_money_share=0.1001).over_tolerance


def test_an_empty_table_has_no_share_in_quarantine() -> None:
    empty = replace(DEALS, received=0, accepted=0, quarantined=0, quarantined_money_share=0.0)
    assert (empty.quarantined_share, empty.over_tolerance) == (0.0, False)


def test_tables_within_their_tolerance_are_not_refused() -> None:
    result = _result(PARTNERS, DEALS)
    assert (result.over_tolerance, result.refusals) == ((), ())


def test_a_refusal_says_the_shares_the_rules_and_three_keys() -> None:
    hits = tuple(
        RuleHits("deals", rule, column, rows, (f"{rule}-1", f"{rule}-2"), "wrong", "mend")
        for rule, column, rows in (("wrong_type", "amount", 1200), ("future_date", "date", 9), ("own_rule", "", 1))
    )
    other = RuleHits("partners", "duplicate_key", "partner_id", 5, ("P9",), "twice", "mend")
    result = _result(PARTNERS, replace(DEALS, quarantined=20, quarantined_money_share=0.5), rules=(other, *hits))
    assert result.over_tolerance == ("deals",)
    (fault,) = result.refusals
    assert fault.where == "table 'deals'"
    assert fault.what == (
        "10.00% of the rows (allowed 5.00%) and 50.00% of the money (allowed 10.00%) broke the contract:"
        " wrong_type amount 1,200; future_date date 9; own_rule 1"
    )
    assert fault.examples == ("wrong_type-1", "future_date-1", "own_rule-1")


def test_a_table_without_money_is_refused_by_its_rows_alone() -> None:
    (fault,) = _result(replace(PARTNERS, quarantined=1, accepted=2)).refusals
    assert "money" not in fault.what
    assert fault.what.startswith("33.33% of the rows (allowed 5.00%)")


def test_a_workspace_without_a_partner_is_refused() -> None:
    (fault,) = _result(replace(PARTNERS, received=0, accepted=0), replace(DEALS, accepted=0)).refusals
    assert fault.what == "none of its 0 rows was accepted"


def test_the_reconciliation_adds_up_table_by_table() -> None:
    table = _result(PARTNERS, DEALS).reconciliation
    assert table["table"].tolist() == ["partners", "deals"]
    assert (table["received"] == table["accepted"] + table["quarantined"]).all()
    assert (table["received_money"] == table["accepted_money"] + table["quarantined_money"]).all()


def test_every_rule_that_turned_a_row_away_says_what_to_do(engine) -> None:
    rows = [
        deal(1, amount="ten"), deal(2, date="2030-01-01"), deal(3, partner_id="P9"), deal(4, date=None),
        deal(5, amount="nan"), deal(6), deal(6), {**deal(7), "deal_id": None}, deal(8, _fault="line too short"),
    ]  # fmt: skip
    result = check(engine, small_workspace(), {"deals": rows})
    assert {hit.rule for hit in result.rules} <= set(ADVICE)
    assert all(hit.todo == ADVICE[hit.rule] and hit.examples and hit.message for hit in result.rules)
    assert sum(hit.rows for hit in result.rules) == len(quarantined(engine)) == 8
    assert result.over_tolerance == ("deals",)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20))
def test_any_text_inside_sql_is_that_text(engine, text: str) -> None:
    assert engine.rows(f"SELECT {text_literal(text)}") == [(text,)]


TABLE = OutputTable("scores", {"partner_id": TEXT, "rank": WHOLE, "note": TEXT}, ("partner_id",), ("rank",), "rank")


def test_keys_and_required_columns_are_never_null() -> None:
    schema = TABLE.schema()
    assert {field.name for field in schema if not field.nullable} == {"partner_id", "rank"}
    assert TABLE.never_null == {"run_id", "as_of", "partner_id", "rank"}


def test_scores_stand_in_their_place_in_the_order_of_the_policy() -> None:
    schema = TABLE.schema(("value", "breadth"))
    assert schema.names == ["partner_id", "value", "breadth", "rank", "note"]
    assert schema.field("breadth").type == NUMBER


@pytest.mark.parametrize("scores", [("note",), ("a", "a"), ("partner_id", "a")])
def test_a_score_must_have_a_name_of_its_own(scores: tuple[str, ...]) -> None:
    with pytest.raises(OutputTableError, match="taken or given twice"):
        TABLE.schema(scores)


def test_a_table_without_a_place_for_scores_takes_none() -> None:
    with pytest.raises(OutputTableError, match="takes no score columns, found value"):
        replace(TABLE, scores_before=None).schema(("value",))


def test_only_an_open_table_takes_further_columns_typed_as_the_frame_has_them() -> None:
    frame = pd.DataFrame(
        {"partner_id": ["P"], "rank": [1], "note": ["x"], "flag": [True], "count": [3],
         "day": pd.to_datetime(["2026-09-30"]), "text": ["y"]}
    )  # fmt: skip
    assert TABLE.schema_of(frame).names == list(TABLE.columns)
    further = replace(TABLE, is_open=True).schema_of(frame)
    assert [further.field(name).type for name in ("flag", "count", "day", "text")] == [YES_NO, NUMBER, DAY, TEXT]
    assert further.field("rank").type == WHOLE


def test_a_tables_columns_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TABLE.columns["more"] = pa.string()  # type: ignore[index]
