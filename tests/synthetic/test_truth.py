"""The oracle is the expectation of the generating process: right on average, and better than persistence in rank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from tests.synthetic.conftest import query
from tierwise.synthetic import ChannelSettings, generate
from tierwise.synthetic.calendar import simulated_quarters, to_date
from tierwise.synthetic.truth import HORIZON_QUARTERS


@pytest.fixture(scope="module")
def potential(large) -> pd.DataFrame:
    frame = large.truth["potential"].to_pandas()
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]))


def test_one_row_per_partner_that_was_there(large):
    extra = query(
        large,
        """SELECT count(*) FROM truth_potential t JOIN partners p USING (partner_id)
           WHERE joined_on > as_of OR coalesce(left_on, DATE '9999-12-31') <= as_of""",
    )
    missing = query(
        large,
        """SELECT count(*) FROM partners p CROSS JOIN (SELECT DISTINCT as_of FROM truth_potential) d
           ANTI JOIN truth_potential t ON t.partner_id = p.partner_id AND t.as_of = d.as_of
           WHERE joined_on <= d.as_of AND coalesce(left_on, DATE '9999-12-31') > d.as_of""",
    )
    assert (extra, missing) == ([(0,)], [(0,)])
    assert len(query(large, "SELECT DISTINCT as_of FROM truth_potential")) == 12


def test_what_came_is_what_the_deals_say(large):
    """The truth's realised revenue is the won revenue of the deal table, but for rows that had not arrived."""
    realised, summed = query(
        large,
        """WITH usd AS (SELECT *, CAST(amount AS DOUBLE) * CASE currency WHEN 'EUR' THEN 1.1 WHEN 'GBP' THEN 1.27
             WHEN 'CAD' THEN .74 WHEN 'JPY' THEN .0068 WHEN 'AUD' THEN .66 WHEN 'INR' THEN .012 WHEN 'SGD' THEN .75
             WHEN 'BRL' THEN .2 WHEN 'MXN' THEN .055 ELSE 1 END AS usd FROM deals WHERE status = 'won')
           SELECT (SELECT sum(realised_usd) FROM truth_potential WHERE as_of = DATE '2025-03-31'),
                  (SELECT sum(usd) FROM usd JOIN truth_potential t USING (partner_id) WHERE as_of = DATE '2025-03-31'
                   AND decided_on BETWEEN DATE '2025-04-01' AND DATE '2026-03-31')""",
    )[0]
    assert realised == pytest.approx(summed, rel=1e-4)


def test_the_oracle_is_right_on_average_outside_the_shock(potential):
    calm = potential[potential["as_of"].isin(pd.to_datetime(["2024-12-31", "2025-03-31", "2025-06-30", "2025-09-30"]))]
    sums = calm.groupby("as_of")[["oracle_usd", "realised_usd"]].sum()
    assert (sums["oracle_usd"] / sums["realised_usd"]).to_numpy() == pytest.approx(1.0, abs=0.06)


def test_the_oracle_is_right_on_average_in_every_fifth(potential):
    """Calibration: sorted by the oracle into fifths, each brought about what was expected."""
    calm = potential[potential["as_of"] >= "2024-12-31"].dropna(subset="realised_usd")
    calm = calm[calm["oracle_usd"] > 0]
    fifth = pd.qcut(calm["oracle_usd"], 5, labels=False)
    ratio = calm.groupby(fifth)["realised_usd"].sum() / calm.groupby(fifth)["oracle_usd"].sum()
    assert ratio.to_numpy() == pytest.approx(np.ones(5), abs=0.15)


def test_the_oracle_does_not_foresee_the_shock(potential):
    before = potential[potential["as_of"] == "2024-03-31"]
    assert before["oracle_usd"].sum() > 1.2 * before["realised_usd"].sum()


def test_the_oracle_ranks_better_than_persistence(potential, won):
    as_of = pd.Timestamp("2025-09-30")
    rows = potential[potential["as_of"] == as_of].set_index("partner_id")
    past = won[(won["decided_on"] <= as_of) & (won["decided_on"] > as_of - pd.DateOffset(years=1))]
    persistence = past.groupby("partner_id")["usd"].sum().reindex(rows.index, fill_value=0.0)
    oracle = spearmanr(rows["oracle_usd"], rows["realised_usd"]).statistic
    naive = spearmanr(persistence, rows["realised_usd"]).statistic
    assert oracle > 0.80
    assert oracle - naive > 0.08


def test_years_that_are_not_over_are_empty(potential):
    over = potential.groupby("as_of")["realised_usd"].apply(lambda column: column.notna().all())
    quarters = simulated_quarters(ChannelSettings())
    last_over = pd.Timestamp(to_date(int(quarters.ends[-1 - HORIZON_QUARTERS])))
    assert over[over.index <= last_over].all()
    assert potential[potential["as_of"] > last_over]["realised_usd"].isna().all()


def test_no_truth_is_in_the_tables(dirty):
    columns = {column for table in dirty.tables.values() for column in table.column_names}
    assert not columns & {"archetype", "oracle_usd", "realised_usd", "win_chance", "growth", "declines_from"}


def test_declines_show_in_revenue(large):
    """Partners two years into their decline bring less than half of what they brought at its onset."""
    before, after = query(
        large,
        """SELECT count(*) FILTER (decided_on BETWEEN declines_from - 365 AND declines_from),
                  count(*) FILTER (decided_on BETWEEN declines_from + 730 AND declines_from + 1095)
           FROM deals JOIN truth_partners t USING (partner_id)
           WHERE declines_from BETWEEN DATE '2022-10-01' AND DATE '2023-09-30' AND t.left_on IS NULL""",
    )[0]
    assert after < 0.5 * before


def test_a_partner_keeps_its_truth_when_the_shock_is_taken_out(clean):
    calm = generate(replace(ChannelSettings(fault_share=0.0), shock=None), 1)
    assert calm.truth["partners"].equals(clean.truth["partners"])
    assert calm.tables["opportunities"]["opportunity_id"].equals(clean.tables["opportunities"]["opportunity_id"])
