"""Nothing is lost: received = accepted + quarantined, by rows and by money, whatever the rows hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables.small_channel import check, deal, small_workspace
from tierwise.engine import open_engine

GARBAGE = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "nan", "1e5", "-3", "12,5", "P1", "P2", "P9", "2026-05-01", "2026-02-30", "2031-01-01", "0"]
    ),
    st.text(max_size=8),
)
DEALS = st.fixed_dictionaries(
    {"deal_id": st.one_of(GARBAGE, st.sampled_from(["D1", "D2", "D3"])), "partner_id": GARBAGE, "date": GARBAGE},
    optional={"amount": GARBAGE, "units": GARBAGE, "known_on": GARBAGE, "_fault": st.just("unreadable")},
)
PARTNERS = st.fixed_dictionaries({"partner_id": GARBAGE}, optional={"joined_on": GARBAGE, "left_on": GARBAGE})


@given(deals=st.lists(DEALS, max_size=12), partners=st.lists(PARTNERS, max_size=6))
@settings(max_examples=25, deadline=None)
def test_every_row_and_every_amount_ends_in_exactly_one_place(deals, partners):
    with open_engine() as engine:
        result = check(engine, small_workspace(), {"deals": deals, "partners": partners})

        for table, rows in zip(result.tables, (partners, deals), strict=True):
            assert table.received == len(rows) == table.accepted + table.quarantined
            assert table.received_money == table.accepted_money + table.quarantined_money
            places = engine.rows(f'SELECT "row", count(*) FROM quarantine WHERE "table" = \'{table.table}\' GROUP BY 1')
            assert len(places) == table.quarantined
            assert all(count == 1 for _, count in places)
        assert sum(hits.rows for hits in result.rules) == sum(table.quarantined for table in result.tables)


def test_money_is_summed_in_the_program_currency_and_refunds_do_not_hide_what_is_lost(engine):
    rows = [deal(1, amount="100"), deal(2, amount="-100", date="2030-01-01"), deal(3, amount="100", partner_id="P9"),
            deal(4, amount="many"), deal(5, amount=None)]  # fmt: skip
    deals = check(engine, small_workspace(), {"deals": rows}).tables[1]

    assert (deals.received_money, deals.accepted_money, deals.quarantined_money) == (
        Decimal(100),
        Decimal(100),
        Decimal(0),
    )
    assert deals.unreadable_money == 1
    assert deals.quarantined_money_share == pytest.approx(2 / 3)
    assert deals.over_tolerance


def test_rules_are_counted_with_three_keys_and_the_first_message(engine):
    rows = [*(deal(n, amount="x") for n in range(1, 6)), deal(6, date=None), deal(7)]
    result = check(engine, small_workspace(), {"deals": rows})

    first, second = result.rules
    assert (first.table, first.rule, first.column, first.rows) == ("deals", "wrong_type", "amount", 5)
    assert first.examples == ("D1", "D2", "D3")
    assert first.message == "'x' is not an amount"
    assert second.rule == "required_missing"
    assert "2026-10-01" in first.todo


@pytest.mark.parametrize(("tolerance", "refused"), [(0.49, True), (0.5, False)])
def test_the_tolerance_decides(engine, tolerance, refused):
    workspace = small_workspace(tolerance={"rows": tolerance, "money": 1})
    result = check(engine, workspace, {"deals": [deal(1), deal(2, date=None)]})

    assert result.over_tolerance == (("deals",) if refused else ())
    assert [fault.where for fault in result.refusals] == (["table 'deals'"] if refused else [])


def test_a_table_may_have_its_own_tolerance(engine):
    own = small_workspace().settings.tables["deals"].model_dump(by_alias=True, exclude_defaults=True)
    workspace = small_workspace(tables={"deals": {**own, "tolerance": {"rows": 1, "money": 1}}})
    result = check(engine, workspace, {"deals": [deal(1, date=None)]})

    assert result.refusals == ()


def test_the_refusal_names_shares_rules_and_keys(engine):
    (fault,) = check(engine, small_workspace(), {"deals": [deal(1), deal(2, date=None)]}).refusals

    assert fault.what == (
        "50.00% of the rows (allowed 1.00%) and 50.00% of the money (allowed 1.00%) broke the contract:"
        " required_missing date 1"
    )
    assert fault.examples == ("D2",)


def test_without_any_partner_nothing_may_be_scored(engine):
    result = check(engine, small_workspace(), {"partners": [], "deals": []})

    assert [fault.what for fault in result.refusals] == ["none of its 0 rows was accepted"]
    assert result.tables[1].quarantined_share == 0


def test_the_reconciliation_is_a_frame_with_one_row_per_table(engine):
    frame = check(engine, small_workspace(), {"deals": [deal(1), deal(2, date=None)]}).reconciliation

    assert list(frame["table"]) == ["partners", "deals"]
    assert list(frame["received"]) == [2, 2]
    assert list(frame["quarantined"]) == [0, 1]


@pytest.mark.parametrize(
    ("month", "quarter"),
    [("january", "2026-04-01"), ("february", "2026-05-01"), ("march", "2026-03-01"), ("october", "2026-04-01")],
)
def test_rows_are_counted_per_fiscal_quarter(engine, month, quarter):
    workspace = small_workspace(calendar={"fiscal_year_starts": month})
    periods = check(engine, workspace, {"deals": [deal(1), deal(2, amount="5"), deal(3, date="2026-05-31")]}).periods

    assert list(periods["quarter_start"]) == [pd.Timestamp(quarter)]
    assert list(periods["rows"]) == [3]
    assert list(periods["money"]) == [Decimal(205)]


def test_the_range_of_dates_is_that_of_the_accepted_rows(engine):
    rows = [deal(1), deal(2, date="2026-01-31"), deal(3, date="2099-01-01")]
    deals = check(engine, small_workspace(), {"deals": rows}).tables[1]

    assert (deals.first_date, deals.last_date) == (date(2026, 1, 31), date(2026, 5, 1))
