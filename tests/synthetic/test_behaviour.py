"""The channel looks like a channel: sizes, concentration, seasons, shock, leads of revenue, no early outcome."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from tests.synthetic.conftest import query, won_deals
from tierwise.synthetic import Channel, ChannelSettings, generate
from tierwise.synthetic.profiles import ARCHETYPES, REGIONS, USD_RATES


def shares(channel: Channel, table: str, column: str) -> dict[str, float]:
    """The share of rows by value."""
    return dict(query(channel, f"SELECT {column}, count(*) / sum(count(*)) OVER () FROM {table} GROUP BY 1"))


def gini(values: np.ndarray) -> float:
    """The Gini coefficient of non-negative values."""
    ordered = np.sort(values)
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def last_year(won: pd.DataFrame, channel: Channel) -> pd.Series:
    """Won revenue of the last four quarters of every partner that is still there."""
    present = query(channel, "SELECT partner_id FROM partners WHERE left_on IS NULL ORDER BY 1")
    sums = won[won["decided_on"] > "2025-09-30"].groupby("partner_id")["usd"].sum()
    return sums.reindex([partner for (partner,) in present], fill_value=0.0)


def test_regions_and_archetypes_have_their_shares(large):
    regions = shares(large, "partners", "region")
    assert regions == pytest.approx({region.name: region.share for region in REGIONS}, abs=0.03)
    archetypes = shares(large, "truth_partners", "archetype")
    assert archetypes == pytest.approx({profile.code: profile.share for profile in ARCHETYPES}, abs=0.03)


def test_sizes_are_of_very_different_numbers(large):
    sizes = shares(large, "(SELECT arg_max(size, valid_from) AS size FROM partner_history GROUP BY partner_id)", "size")
    assert sizes["micro"] > 0.3
    assert sizes["large"] < 0.12


def test_a_tenth_of_the_partners_brings_about_half_of_the_revenue():
    """Over five channels; single ones of 1,000 partners scatter by about .02."""
    tops, ginis = [], []
    for seed in range(1, 6):
        channel = generate(ChannelSettings(partners=1_000, fault_share=0.0), seed)
        revenue = np.sort(last_year(won_deals(channel), channel).to_numpy())
        tops.append(revenue[-(len(revenue) // 10) :].sum() / revenue.sum())
        ginis.append(gini(revenue))
    assert 0.40 <= np.mean(tops) <= 0.60
    assert 0.65 <= min(ginis) <= max(ginis) <= 0.80


def test_many_small_partners_have_quarters_without_revenue(won, large):
    quarters = won.assign(quarter=won["decided_on"].dt.to_period("Q")).groupby("partner_id")["quarter"].nunique()
    active = quarters.reindex([partner for (partner,) in query(large, "SELECT partner_id FROM partners")], fill_value=0)
    assert (active < 15).mean() > 0.5
    assert (last_year(won, large) == 0).mean() == pytest.approx(0.2, abs=0.08)


def test_partners_join_and_leave_all_along(large):
    by_year = query(
        large,
        """SELECT count(*) FILTER (joined_on > DATE '2021-09-30'), count(left_on), min(left_on), count(*)
           FROM partners""",
    )[0]
    joined, left, first_leaving, count = by_year
    assert joined / count == pytest.approx(0.36, abs=0.03)
    assert 0.05 <= left / count <= 0.15
    assert first_leaving >= date(2021, 10, 1)


def test_the_shock_halves_emea_and_spares_nobody_else_as_much(won, large):
    region = dict(query(large, "SELECT partner_id, region FROM partners"))
    yearly = won.assign(region=won["partner_id"].map(region), quarter=won["decided_on"].dt.to_period("Q").astype(str))
    counts = yearly.pivot_table(index="quarter", columns="region", values="deal_id", aggfunc="count")
    shocked, before = counts.loc[["2024Q2", "2024Q3", "2024Q4"]].sum(), counts.loc[["2023Q2", "2023Q3", "2023Q4"]].sum()
    fall = shocked / before
    assert fall["EMEA"] == pytest.approx(0.5, abs=0.1)
    assert 0.75 <= fall["AMER"] <= 1.0


def test_without_a_shock_nothing_falls():
    calm = generate(ChannelSettings(partners=1_000, shock=None, fault_share=0.0), 7)
    wins = dict(
        query(
            calm,
            "SELECT year(decided_on), count(*) FROM deals WHERE status = 'won' AND quarter(decided_on) > 1 GROUP BY 1",
        )
    )
    assert wins[2024] > 0.9 * wins[2023]


def test_the_last_calendar_quarter_is_the_strongest(large):
    """Read from the win rate: season moves the chance to win, by the quarter of the decision."""
    rates = dict(
        query(
            large,
            """SELECT quarter(decided_on), avg((status = 'won')::INT) FROM deals
               WHERE decided_on NOT BETWEEN DATE '2024-04-01' AND DATE '2024-12-31' GROUP BY 1""",
        )
    )
    assert rates[4] / rates[1] == pytest.approx(1.18 / 0.90, rel=0.05)


def test_archetypes_behave_differently(large):
    joint = dict(
        query(
            large,
            """SELECT archetype, avg(joint::INT) FROM deals JOIN truth_partners USING (partner_id) GROUP BY 1""",
        )
    )
    assert joint == pytest.approx({profile.code: profile.joint for profile in ARCHETYPES}, abs=0.03)
    deal = dict(
        query(
            large,
            """SELECT archetype, median(cycle_days) FROM deals JOIN truth_partners USING (partner_id) GROUP BY 1""",
        )
    )
    assert deal["volume_reseller"] < deal["cloud_native"] < deal["referral_advisor"] < deal["solution_integrator"]


def test_opportunities_carry_no_outcome(large):
    """What was known at creation, and nothing that only the decision tells."""
    assert set(large.tables["opportunities"].column_names) == {
        "opportunity_id", "partner_id", "created_on", "known_on", "estimated_amount", "currency", "product_line",
        "registered", "joint",
    }  # fmt: skip


def test_an_outcome_is_dated_and_known_after_its_opportunity(large):
    wrong = query(
        large,
        """SELECT count(*) FROM deals d JOIN opportunities o ON d.deal_id = o.opportunity_id
           WHERE d.decided_on < o.created_on OR d.known_on < o.known_on OR d.known_on < d.decided_on""",
    )
    assert wrong == [(0,)]


def test_every_deal_was_an_opportunity_and_some_are_open(large):
    orphans = query(
        large, "SELECT count(*) FROM deals WHERE deal_id NOT IN (SELECT opportunity_id FROM opportunities)"
    )[0][0]
    still_open = query(
        large, "SELECT count(*) FROM opportunities WHERE opportunity_id NOT IN (SELECT deal_id FROM deals)"
    )[0][0]
    assert orphans == 0
    assert still_open > 1_000


def test_status_and_size_change_with_dates(large):
    """`left` begins on the day after the last day, and no partner table column repeats what changes."""
    mismatched = query(
        large,
        """SELECT count(*) FROM partners LEFT JOIN
             (SELECT partner_id, valid_from FROM partner_history WHERE status = 'left') USING (partner_id)
           WHERE (left_on IS NULL) <> (valid_from IS NULL) OR valid_from <> left_on + 1""",
    )
    assert mismatched[0][0] <= query(large, "SELECT count(*) FROM partners WHERE left_on = DATE '2026-09-30'")[0][0]
    resized = query(
        large,
        "SELECT count(*) FROM (SELECT partner_id FROM partner_history GROUP BY 1 HAVING count(DISTINCT size) > 1)",
    )
    assert 0.05 <= resized[0][0] / 3_000 <= 0.2


LOGINS = """SELECT partner_id, sum(logins) FROM portal_logins
            WHERE month_end BETWEEN DATE '2026-01-01' AND DATE '2026-03-31' GROUP BY 1"""
OPEN_PIPELINE = """SELECT o.partner_id, count(*) FROM opportunities o
                   ANTI JOIN deals d ON d.deal_id = o.opportunity_id AND d.decided_on <= DATE '2026-03-31'
                   WHERE created_on <= DATE '2026-03-31' GROUP BY 1"""


@pytest.mark.parametrize("signal", [LOGINS, OPEN_PIPELINE], ids=["logins", "open pipeline"])
def test_engagement_and_pipeline_tell_more_than_revenue_alone(large, won, signal):
    """Partial rank correlation with the next two quarters' revenue, given that of the last four."""
    as_of, until = pd.Timestamp("2026-03-31"), pd.Timestamp("2026-09-30")
    partners = query(large, "SELECT partner_id FROM partners WHERE joined_on < DATE '2025-03-31' AND left_on IS NULL")
    past = won[(won["decided_on"] <= as_of) & (won["decided_on"] > as_of - pd.DateOffset(years=1))]
    future = won[(won["decided_on"] > as_of) & (won["decided_on"] <= until)]
    frame = pd.DataFrame(index=[partner for (partner,) in partners])
    frame["signal"] = pd.Series({key: float(value) for key, value in query(large, signal)})
    frame["past"] = past.groupby("partner_id")["usd"].sum()
    frame["future"] = future.groupby("partner_id")["usd"].sum()
    ranks = frame.fillna(0.0).rank()
    assert spearmanr(beyond(ranks, "signal"), beyond(ranks, "future")).statistic > 0.1


def beyond(ranks: pd.DataFrame, name: str) -> pd.Series:
    """What is left of a column after a straight line in the past revenue's rank."""
    return ranks[name] - np.polyval(np.polyfit(ranks["past"], ranks[name], 1), ranks["past"])


def test_currencies_belong_to_countries(large):
    """Each partner trades in one currency, and each has a program rate."""
    several = query(
        large, "SELECT count(*) FROM (SELECT partner_id FROM deals GROUP BY 1 HAVING count(DISTINCT currency) > 1)"
    )
    assert several == [(0,)]
    assert {currency for (currency,) in query(large, "SELECT DISTINCT currency FROM deals")} == set(USD_RATES)
