"""The hidden side of a synthetic channel: who the partners are and how their level moves from quarter to quarter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tierwise.synthetic.calendar import BURN_IN_QUARTERS, Days, Quarters, to_days
from tierwise.synthetic.profiles import (
    COUNTRY_CURRENCIES,
    INDUSTRY_SHARES,
    REGIONS,
    SEASON_BY_QUARTER,
    SIZE_FACTORS,
    USD_RATES,
    by_archetype,
)
from tierwise.synthetic.settings import CHUNK_PARTNERS, Shock
from tierwise.synthetic.streams import Choices, Floats, Subject, choose, choose_one, stream

NEVER = 10**6
"""A day or quarter that is never reached."""

LEVEL_SD = 0.52
"""Spread (log) of lasting differences between partners of one archetype and size."""
GROWTH_SD = 0.06
ENGAGEMENT_MEMORY = 0.75
"""Share of a partner's engagement that carries over to the next quarter."""
ENGAGEMENT_EFFECT = 0.45
"""Log change in new opportunities for one standard deviation of the *previous* quarter's engagement."""
DRIFT_SD = 0.11
"""Quarterly spread (log) of the random walk of a partner's level; its expectation is 1."""
DECLINE_A_QUARTER = 0.13
"""Log fall a quarter once a lasting decline has set in."""
LEAVE_HAZARD = 0.003
LEAVE_HAZARD_IN_DECLINE = 0.03
PRESENT_AT_START = 0.64
LONGEST_TENURE_QUARTERS = 44


@dataclass(frozen=True)
class Partners:
    """The partners of one chunk with their hidden traits; every array has one entry per partner.

    Attributes:
        number: 1, 2, ... over the whole channel.
        archetype: Index into `ARCHETYPES`.
        region: Index into `REGIONS`.
        country: Index into `COUNTRIES`.
        industry: Index into `INDUSTRIES`.
        size: Index into `SIZES`, when it joined.
        partner_type: Index into `PARTNER_TYPES`.
        joined: First day.
        left: Last day, or `NEVER`.
        join_quarter: Quarter of the first day, below 0 before the burn-in.
        decline_quarter: Quarter in which a lasting decline sets in, or `NEVER`.
        base_rate: Opportunities a quarter of the mature partner at engagement 0.
        growth: Log growth a year.
        deal_usd: Mean amount of its deals.
        win_chance: Chance to win, before season and shock.
        scale: Size of its activity beside a small partner's.
        care: Its satisfaction beside its archetype's.
    """

    number: Choices
    archetype: Choices
    region: Choices
    country: Choices
    industry: Choices
    size: Choices
    partner_type: Choices
    joined: Days
    left: Days
    join_quarter: Choices
    decline_quarter: Choices
    base_rate: Floats
    growth: Floats
    deal_usd: Floats
    win_chance: Floats
    scale: Floats
    care: Floats

    @property
    def count(self) -> int:
        """How many partners the chunk has."""
        return len(self.number)

    @property
    def usd_rate(self) -> Floats:
        """US dollars per unit of each partner's currency."""
        return np.array([USD_RATES[currency] for currency in COUNTRY_CURRENCIES])[self.country]


@dataclass(frozen=True)
class Paths:
    """How the partners of one chunk moved; every array has the shape (partners, quarters).

    Attributes:
        engagement: Standard normal, carried over from quarter to quarter.
        drift: Factor of the random walk.
        rate: Expected new opportunities of the quarter, 0 before joining and after leaving.
    """

    engagement: Floats
    drift: Floats
    rate: Floats


def draw_partners(seed: int, chunk: int, quarters: Quarters) -> Partners:
    """Draw the lasting traits of one chunk of partners, and when each joins, declines and leaves."""
    random = stream(seed, chunk, Subject.PARTNERS)
    n = CHUNK_PARTNERS
    archetype = choose_one(random, by_archetype("share"), n)
    size = choose(random, by_archetype("size_shares"), archetype)
    region = choose_one(random, np.array([entry.share for entry in REGIONS]), n)
    joined = _join_days(random, quarters, n)
    join_quarter = quarters.of_day(joined)
    decline = _decline_quarters(random, quarters, archetype, join_quarter)
    factor = SIZE_FACTORS[size] * np.array([entry.revenue_factor for entry in REGIONS])[region]
    level = np.exp(random.normal(0.0, LEVEL_SD, n))
    return Partners(
        number=np.arange(1, n + 1, dtype=np.int64) + chunk * n,
        archetype=archetype,
        region=region,
        country=_countries(random, region),
        industry=choose_one(random, INDUSTRY_SHARES, n),
        size=size,
        partner_type=choose(random, by_archetype("type_shares"), archetype),
        joined=joined,
        left=_leave_days(random, quarters, join_quarter, decline),
        join_quarter=join_quarter,
        decline_quarter=decline,
        base_rate=by_archetype("opportunities")[archetype] * (factor * level) ** 0.6,
        growth=random.normal(by_archetype("growth")[archetype], GROWTH_SD),
        deal_usd=by_archetype("deal_usd")[archetype] * (factor * level) ** 0.4 * np.exp(random.normal(0.0, 0.2, n)),
        win_chance=_shifted_chance(by_archetype("win_chance")[archetype], random.normal(0.0, 0.3, n)),
        scale=(SIZE_FACTORS[size] / SIZE_FACTORS[1]) ** 0.35 * level**0.25,
        care=random.normal(0.0, 0.25, n),
    )


def walk(seed: int, chunk: int, partners: Partners, quarters: Quarters) -> Paths:
    """Draw engagement and drift, and derive the expected new opportunities of every quarter."""
    random = stream(seed, chunk, Subject.PATHS)
    shape = (partners.count, quarters.count)
    shocks = random.standard_normal(shape)
    engagement = np.empty(shape)
    engagement[:, 0] = shocks[:, 0]
    for quarter in range(1, quarters.count):
        carried = ENGAGEMENT_MEMORY * engagement[:, quarter - 1]
        engagement[:, quarter] = carried + np.sqrt(1 - ENGAGEMENT_MEMORY**2) * shocks[:, quarter]
    steps = random.normal(-(DRIFT_SD**2) / 2, DRIFT_SD, shape)
    # A partner's drift starts at 1 on joining: the lasting level holds the differences before.
    steps[np.arange(quarters.count) <= partners.join_quarter[:, None]] = 0.0
    drift = np.exp(np.cumsum(steps, axis=1))
    return Paths(engagement, drift, _rates(partners, engagement, drift, quarters))


def expected_level(partners: Partners, quarter: int) -> Floats:
    """The factor of ramp-up and growth in one quarter, without engagement, drift and decline: shape (partners,)."""
    tenure = quarter - partners.join_quarter
    ramp = 1.0 - np.exp(-(np.maximum(tenure, 0) + 0.5) / by_archetype("ramp_quarters")[partners.archetype])
    years = (quarter - BURN_IN_QUARTERS - 8) / 4
    return np.asarray(np.where(tenure >= 0, ramp * np.exp(partners.growth * years), 0.0))


def win_factors(partners: Partners, quarters: Quarters, shock: Shock | None) -> Floats:
    """What season and shock multiply the chance to win by: shape (partners, quarters)."""
    season = SEASON_BY_QUARTER[quarters.calendar_quarter]
    factors = np.ones((len(REGIONS), quarters.count)) * season
    if shock is not None:
        hit = np.isin(quarters.ends, [to_days(day) for day in shock.quarter_ends])
        by_region = dict(shock.win_factors)
        regional = np.array([by_region.get(region.name, 1.0) for region in REGIONS])
        factors[:, hit] *= regional[:, None]
    return np.asarray(factors[partners.region])


def _join_days(random: np.random.Generator, quarters: Quarters, count: int) -> Days:
    start = quarters.first_observed_day
    earlier = start - 1 - (LONGEST_TENURE_QUARTERS * 91 * random.random(count) ** 1.3).astype(np.int64)
    # The last fortnight takes no newcomers: a partner that nobody could know yet tells nothing.
    later = start + (random.random(count) * (quarters.last_day - 14 - start)).astype(np.int64)
    return np.where(random.random(count) < PRESENT_AT_START, earlier, later)


def _decline_quarters(random: np.random.Generator, quarters: Quarters, archetype: Choices, joined: Choices) -> Choices:
    """Geometric waiting time from joining or the start of the burn-in, whichever is later."""
    hazard = by_archetype("decline_hazard")[archetype]
    waits = np.floor(np.log(1.0 - random.random(len(archetype))) / np.log(1.0 - hazard)).astype(np.int64) + 1
    onset = np.maximum(joined, 0) + waits
    return np.where(onset < quarters.count, onset, NEVER)


def _leave_days(random: np.random.Generator, quarters: Quarters, joined: Choices, decline: Choices) -> Days:
    """First quarter after the burn-in, and after the quarter of joining, in which the hazard strikes."""
    index = np.arange(quarters.count)
    hazard = np.where(index >= decline[:, None], LEAVE_HAZARD_IN_DECLINE, LEAVE_HAZARD)
    strikes = random.random(hazard.shape) < hazard
    strikes &= (index >= BURN_IN_QUARTERS) & (index > joined[:, None])
    quarter = np.argmax(strikes, axis=1)
    length = quarters.starts[quarter + 1] - quarters.starts[quarter]
    day = quarters.starts[quarter] + (random.random(len(joined)) * length).astype(np.int64)
    return np.where(strikes.any(axis=1), day, NEVER)


def _countries(random: np.random.Generator, region: Choices) -> Choices:
    widest = max(len(entry.countries) for entry in REGIONS)
    shares = np.zeros((len(REGIONS), widest))
    for row, entry in enumerate(REGIONS):
        shares[row, : len(entry.countries)] = [share for _, _, share in entry.countries]
    first = np.cumsum([0] + [len(entry.countries) for entry in REGIONS[:-1]])
    return first[region] + choose(random, shares, region)


def _shifted_chance(chance: Floats, log_odds: Floats) -> Floats:
    odds = chance / (1.0 - chance) * np.exp(log_odds)
    return np.asarray(np.clip(odds / (1.0 + odds), 0.05, 0.80))


def _rates(partners: Partners, engagement: Floats, drift: Floats, quarters: Quarters) -> Floats:
    rates = np.empty_like(drift)
    for quarter in range(quarters.count):
        falls = np.maximum(quarter - partners.decline_quarter + 1, 0) * DECLINE_A_QUARTER
        spur = ENGAGEMENT_EFFECT * engagement[:, max(quarter - 1, 0)]
        rates[:, quarter] = expected_level(partners, quarter) * np.exp(spur - falls) * drift[:, quarter]
    start, end = quarters.starts[:-1], quarters.starts[1:]
    days_there = np.minimum(end, partners.left[:, None] + 1) - np.maximum(start, partners.joined[:, None])
    return np.asarray(rates * partners.base_rate[:, None] * np.clip(days_there / (end - start), 0.0, 1.0))
