"""Planted bad rows: each is listed in the truth, and the good rows are untouched."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.synthetic.conftest import SEED, query
from tierwise.synthetic import ChannelSettings, generate
from tierwise.synthetic.faults import FAULTS, KEYS


def test_good_rows_are_the_clean_channel(clean, dirty):
    for name, table in clean.tables.items():
        assert dirty.tables[name].slice(0, table.num_rows).equals(table)


@pytest.mark.parametrize("table", sorted(KEYS))
def test_the_share_of_bad_rows_is_as_asked_for(clean, dirty, table):
    rows = clean.tables[table].num_rows
    planted = query(dirty, f"SELECT count(*) FROM truth_planted_faults WHERE \"table\" = '{table}'")[0][0]
    assert planted == dirty.tables[table].num_rows - rows == round(0.003 * rows)


def test_every_kind_is_planted(dirty):
    planted = Counter(query(dirty, 'SELECT "table", rule FROM truth_planted_faults'))
    assert set(planted) == {(fault.table, fault.rule) for fault in FAULTS}
    assert min(planted.values()) >= 1


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        ("unknown_partner", "SELECT count(*) FROM deals ANTI JOIN partners USING (partner_id)"),
        ("impossible_date", "SELECT count(*) FROM deals WHERE decided_on < DATE '1930-01-01'"),
        ("duplicate_key", "SELECT count(*) - count(DISTINCT deal_id) FROM deals"),
        ("negative_amount", "SELECT count(*) FROM deals WHERE amount < 0"),
        ("unknown_currency", "SELECT count(*) FROM deals WHERE currency = 'XXX'"),
    ],
)
def test_bad_deals_are_what_the_truth_says(dirty, rule, sql):
    told = query(dirty, f"SELECT count(*) FROM truth_planted_faults WHERE \"table\" = 'deals' AND rule = '{rule}'")
    assert query(dirty, sql) == told


def test_no_faults_when_none_are_asked_for():
    channel = generate(ChannelSettings(partners=30, fault_share=0.0), SEED)
    assert channel.truth["planted_faults"].num_rows == 0
