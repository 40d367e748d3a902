"""The rules of the contract, one after another, and the order in which they are asked."""

from __future__ import annotations

from datetime import date

import pytest

from tests.tables.small_channel import TODAY, add_raw, check, deal, quarantined, small_workspace
from tierwise.errors import InvalidInput
from tierwise.tables import check_tables
from tierwise.tables.contract import make_contract
from tierwise.tables.rules import ADVICE


def with_columns(**columns: object):
    """The small workspace whose deals have these columns beside their own."""
    own = small_workspace().settings.tables["deals"].model_dump(by_alias=True, exclude_defaults=True)
    return small_workspace(tables={"deals": {**own, "columns": {**own["columns"], **columns}}})


def deals_with(**settings: object):
    own = small_workspace().settings.tables["deals"].model_dump(by_alias=True, exclude_defaults=True)
    return small_workspace(tables={"deals": {**own, **settings}})


def test_rows_that_keep_the_contract_become_typed_tables_in_the_order_of_the_source(engine):
    result = check(engine, small_workspace(), {"deals": [deal(2, units="3.0"), deal(1, known_on="2026-05-09")]})

    assert quarantined(engine) == []
    assert result.refusals == ()
    assert engine.columns("deals") == {
        "deal_id": "VARCHAR", "partner_id": "VARCHAR", "date": "DATE", "known_on": "DATE",
        "amount": "DECIMAL(18,4)", "units": "BIGINT",
    }  # fmt: skip
    assert engine.rows("SELECT deal_id, units, known_on FROM deals") == [
        ("D2", 3, None),
        ("D1", None, date(2026, 5, 9)),
    ]
    assert engine.columns("partners")["joined_on"] == "DATE"


@pytest.mark.parametrize(
    ("bad", "rule", "column"),
    [
        ({"_fault": "the line has 2 values, the header 6 columns: 'a,b'"}, "unreadable_row", ""),
        ({"deal_id": None}, "missing_key", "deal_id"),
        ({"partner_id": "  "}, "missing_key", "partner_id"),
        ({"deal_id": "D" * 201}, "too_long", "deal_id"),
        ({"deal_id": "D\x07"}, "control_characters", "deal_id"),
        ({"partner_id": "P1\u200b"}, "control_characters", "partner_id"),
        ({"amount": "NaN"}, "not_finite", "amount"),
        ({"amount": "inf"}, "not_finite", "amount"),
        ({"amount": "ten"}, "wrong_type", "amount"),
        ({"units": "1.5"}, "wrong_type", "units"),
        ({"date": None}, "required_missing", "date"),
        ({"date": "2026-02-30"}, "impossible_date", "date"),
        ({"date": "1812-06-24"}, "impossible_date", "date"),
        ({"date": "2026-10-02"}, "future_date", "date"),
        ({"known_on": "2027-01-01"}, "future_date", "known_on"),
        ({"partner_id": "P9"}, "unknown_partner", "partner_id"),
    ],
)  # fmt: skip
def test_each_rule_turns_its_row_away_and_no_other(engine, bad, rule, column):
    row = bad if "_fault" in bad else deal(1, **bad)
    check(engine, small_workspace(), {"deals": [deal(7), row, deal(8)]})

    assert quarantined(engine) == [("deals", 2, rule, column)]
    assert engine.rows("SELECT deal_id FROM deals ORDER BY 1") == [("D7",), ("D8",)]


@pytest.mark.parametrize(
    ("column", "text", "rule"),
    [
        ({"type": "text", "allowed": ["won", "lost"]}, "Won", "not_allowed"),
        ({"type": "text", "allowed": ["won", "lost"]}, None, None),
        ({"type": "text", "required": True}, " ", "required_missing"),
        ({"type": "money", "min": 0}, "-0.01", "out_of_range"),
        ({"type": "money"}, "-5", None),
        ({"type": "integer", "max": 5}, "6", "out_of_range"),
        ({"type": "decimal", "min": "0.5", "max": "0.5"}, "0.5", None),
        ({"type": "boolean"}, "vielleicht", "wrong_type"),
        ({"type": "timestamp"}, "2026-05-01 24:01", "wrong_type"),
        ({"type": "text"}, "line\nbreak\tand tab", None),
        ({"type": "text"}, "nul\x00", "control_characters"),
        ({"type": "text"}, "../../etc/passwd", None),
        ({"type": "text"}, "=HYPERLINK(1)", None),
        ({"type": "text"}, "é" * 1_000_000, None),
        ({"type": "text"}, "x" * 1_000_001, "too_long"),
        ({"type": "date"}, "1875-01-01", None),
        ({"type": "date"}, "2075-01-01", None),
    ],
)  # fmt: skip
def test_a_column_keeps_the_rules_that_it_declares(engine, column, text, rule):
    check(engine, with_columns(figure=column), {"deals": [deal(figure=text)]})

    assert quarantined(engine) == ([("deals", 1, rule, "figure")] if rule else [])


def test_a_row_is_turned_away_by_the_first_rule_it_breaks(engine):
    rows = [
        deal(1, deal_id=None, amount="ten", date="2030-01-01"),
        deal(2, amount="ten", date="2030-01-01", partner_id="P9"),
    ]
    check(engine, small_workspace(), {"deals": rows})

    assert quarantined(engine) == [("deals", 1, "missing_key", "deal_id"), ("deals", 2, "future_date", "date")]


def test_of_rows_that_are_the_same_in_every_column_the_first_is_kept(engine):
    check(engine, small_workspace(), {"deals": [deal(1, amount="5"), deal(1, amount="5.00 "), deal(2)]})

    assert quarantined(engine) == [("deals", 2, "duplicate_key", "deal_id")]


def test_rows_of_one_key_that_differ_are_all_turned_away(engine):
    check(engine, small_workspace(), {"deals": [deal(1), deal(1, amount="7"), deal(1), deal(2)]})

    assert [row[:3] for row in quarantined(engine)] == [("deals", number, "duplicate_key") for number in (1, 2, 3)]
    assert engine.rows("SELECT DISTINCT message FROM quarantine") == [
        ("'D1' stands in several rows that differ; which of them is right cannot be told",)
    ]


def test_a_key_of_several_columns_is_not_mistaken_for_its_glued_texts(engine):
    workspace = deals_with(key=["deal_id", "units"])
    check(engine, workspace, {"deals": [deal(1, units="11"), deal(11, units="1"), deal(1, units="11.0", amount="3")]})

    assert [row[1] for row in quarantined(engine)] == [1, 3]


def test_without_a_key_only_whole_copies_are_duplicates(engine):
    workspace = deals_with(key=[])
    check(engine, workspace, {"deals": [deal(1), deal(1, amount="7"), deal(1), deal(2, units=None)]})

    assert quarantined(engine) == [("deals", 3, "duplicate_key", "")]


def test_a_partner_stands_once_whatever_key_the_table_declares(engine):
    partners = [{"partner_id": "P1"}, {"partner_id": "P1", "region": "EMEA"}, {"partner_id": "P2"}]
    check(engine, small_workspace(), {"partners": partners})

    assert [row[:3] for row in quarantined(engine)] == [("partners", n, "duplicate_key") for n in (1, 2)]


HISTORY = {
    "sizes": {
        "kind": "history",
        "source": {"csv": "sizes.csv"},
        "columns": {"partner_id": {}, "valid_from": {}, "size": {}},
    }
}


def test_a_history_has_one_row_per_partner_and_day(engine):
    rows = [{"partner_id": "P1", "valid_from": "2026-01-01", "size": size} for size in ("small", "large")]
    check(engine, small_workspace(tables=HISTORY), {"sizes": rows})

    assert [row[:3] for row in quarantined(engine)] == [("sizes", n, "duplicate_key") for n in (1, 2)]


def test_a_partner_cannot_leave_before_it_joined(engine):
    partners = [
        {"partner_id": "P1", "joined_on": "2026-03-01", "left_on": "2026-02-28"},
        {"partner_id": "P2", "joined_on": "2026-03-01", "left_on": "2026-03-01"},
        {"partner_id": "P3", "left_on": "2027-01-01"},
    ]
    check(engine, small_workspace(), {"partners": partners})

    assert quarantined(engine) == [("partners", 1, "left_before_joined", "left_on")]


def test_events_of_a_partner_in_quarantine_say_so(engine):
    partners = [{"partner_id": "P1", "joined_on": "tomorrow"}, {"partner_id": "P2"}]
    check(engine, small_workspace(), {"partners": partners, "deals": [deal(1), deal(2, partner_id="P3")]})

    messages = engine.rows("SELECT message FROM quarantine WHERE rule = 'unknown_partner' ORDER BY row")
    assert messages == [("'P1': the partner's own row is in quarantine",), ("'P3' is no partner of the partner table",)]


def test_a_history_may_introduce_partners(engine):
    leads = {"sizes": {**HISTORY["sizes"], "introduces_partners": True}}
    rows = {
        "deals": [deal(1, partner_id="N1")],
        "sizes": [{"partner_id": "N1", "valid_from": "2026-01-01", "size": "s"}],
    }
    check(engine, small_workspace(tables=leads), rows)

    assert quarantined(engine) == []


def test_rows_of_prospects_are_accepted_and_counted_where_the_table_allows_them(engine):
    result = check(engine, deals_with(unknown_partner="prospect"), {"deals": [deal(1), deal(2, partner_id="X")]})

    deals = result.tables[1]
    assert (deals.received, deals.accepted, deals.quarantined, deals.prospects) == (2, 2, 0, 1)


def test_columns_may_have_the_names_of_the_quarantine_and_of_sql(engine):
    names = ["key", "rule", "value", "message", "table", "row", "column", "order", "group", "select", "end"]
    workspace = deals_with(
        columns={"partner_id": {}, "date": {}, **{name: {"type": "integer"} for name in names}},
        key=["key", "order"],
        money=None,
    )
    good = {name: str(number) for number, name in enumerate(names)}
    rows = [deal(**good), deal(**{**good, "key": "50", "value": "x"}), deal(**{**good, "key": "51", "end": "y"})]
    check(engine, workspace, {"deals": rows})

    assert quarantined(engine) == [("deals", 2, "wrong_type", "value"), ("deals", 3, "wrong_type", "end")]
    assert engine.rows('SELECT key, value, message FROM quarantine ORDER BY "row"') == [
        ("50 / 7", "x", "'x' is not a whole number"),
        ("51 / 7", "y", "'y' is not a whole number"),
    ]
    assert engine.rows('SELECT "end", "group" FROM deals') == [(10, 8)]


CURRENCIES = {"currency": {"program": "USD", "rates": {"EUR": "1.10", "JPY": "0.0068"}}}


def test_mixed_currencies_are_converted_at_the_program_rates(engine):
    own = small_workspace().settings.tables["deals"].model_dump(by_alias=True, exclude_defaults=True)
    own["columns"]["amount"] = {"type": "money", "currency_from": "currency"}
    workspace = small_workspace(tables={"deals": own}, **CURRENCIES)
    currencies = ["USD", "eur", " JPY ", "CHF", None]
    rows = [deal(n, _currency_of_amount=code) for n, code in enumerate(currencies, start=1)]
    rows.append(deal(6, amount=None, _currency_of_amount=None))
    check(engine, workspace, {"deals": rows})

    assert engine.rows("SELECT deal_id, CAST(amount AS VARCHAR) FROM deals ORDER BY 1") == [
        ("D1", "100.0000"), ("D2", "110.0000"), ("D3", "0.6800"), ("D6", None),
    ]  # fmt: skip
    assert quarantined(engine) == [("deals", n, "unknown_currency", "amount") for n in (4, 5)]
    assert engine.rows("SELECT message FROM quarantine ORDER BY row") == [
        ("there is no program rate for the currency 'CHF'; there are rates for USD, EUR, JPY",),
        ("the row does not say in which currency the amount is",),
    ]


def test_a_column_in_one_foreign_currency_is_converted(engine):
    workspace = with_columns(cost={"type": "money", "currency": "EUR"})
    workspace = small_workspace(
        tables={"deals": workspace.settings.tables["deals"].model_dump(by_alias=True)}, **CURRENCIES
    )
    check(engine, workspace, {"deals": [deal(cost="2")]})

    assert engine.rows("SELECT CAST(cost AS VARCHAR) FROM deals") == [("2.2000",)]


def test_own_rules_turn_rows_away_and_unknown_counts_as_kept(engine):
    workspace = deals_with(rules={"units_are_sold": "units > 0", "small": "amount <= 1000"})
    rows = [deal(1, units="0"), deal(2, units=None), deal(3, units="2", amount="1000.01"), deal(4, units="1")]
    check(engine, workspace, {"deals": rows})

    assert quarantined(engine) == [("deals", 1, "units_are_sold", ""), ("deals", 3, "small", "")]
    assert engine.rows("SELECT message FROM quarantine WHERE row = 1") == [("the rule is not kept: units > 0",)]


@pytest.mark.parametrize(
    "text",
    ["1; DROP TABLE deals", "(SELECT count(*) FROM partners) > 0", "read_text('x') = ''", "unit > 0", "sum(units) > 0"],
)
def test_an_own_rule_that_is_no_plain_condition_is_refused(text):
    with pytest.raises(InvalidInput, match=r"tables\.deals\.rules\.own"):
        make_contract("deals", deals_with(rules={"own": text}).settings, TODAY)


def test_all_faulty_rules_and_rates_are_reported_at_once(engine):
    workspace = deals_with(rules={"one": "unit > 0", "two": "amount >"})
    workspace = small_workspace(
        tables={"deals": workspace.settings.tables["deals"].model_dump(by_alias=True)},
        currency={"program": "USD", "rates": {"IDR": "0.00006151234", "EUR": "1.1"}},
    )
    add_raw(engine, workspace, {})
    with pytest.raises(InvalidInput) as caught:
        check_tables(engine, workspace, TODAY)

    where = [fault.where for fault in caught.value.faults]
    assert where == [
        f"tierwise.yaml ({place})"
        for place in ("currency.rates.IDR", "tables.deals.rules.one", "tables.deals.rules.two")
    ]


def test_the_day_of_the_extraction_comes_before_the_day_of_the_run(engine):
    result = check(engine, small_workspace(extracted_on="2026-06-30"), {"deals": [deal(1, date="2026-07-01")]})

    assert result.newest == date(2026, 6, 30)
    assert quarantined(engine) == [("deals", 1, "future_date", "date")]


def test_a_long_value_is_shortened_and_control_characters_are_not_repeated(engine):
    check(engine, small_workspace(), {"deals": [deal(1, amount="x" * 300), deal(2, deal_id="\x1b[2JD\n2")]})

    (long,), (control,) = engine.rows("SELECT value FROM quarantine ORDER BY row")
    assert long == "x" * 200 + "..."
    assert control == "?[2JD?2"
    assert engine.rows("SELECT key FROM quarantine WHERE row = 2") == [("?[2JD?2",)]


def test_every_rule_has_advice():
    columns = {
        "status": {"allowed": ["a"]},
        "price": {"type": "money", "currency_from": "c", "min": 0, "required": True},
    }
    workspace = with_columns(**columns)
    rules = {
        rule.name for name in ("partners", "deals") for rule in make_contract(name, workspace.settings, TODAY).rules
    }

    assert rules == set(ADVICE)
