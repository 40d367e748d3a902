"""Opportunities as they are created, and deals as they are decided.

An opportunity row carries what was known when it was created, and no outcome. Its outcome is a row of the deal table,
dated by the decision: until then there is no such row, so the outcome cannot leak into an earlier as-of date.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierwise.synthetic.arrival import known_on
from tierwise.synthetic.calendar import Days, Quarters, to_days
from tierwise.synthetic.columns import amounts, dates, names, numbered_within, partner_ids, sequence_within
from tierwise.synthetic.latent import Partners, Paths
from tierwise.synthetic.profiles import COUNTRY_CURRENCIES, PRODUCT_LINES, by_archetype
from tierwise.synthetic.settings import ChannelSettings
from tierwise.synthetic.streams import Choices, Floats, Subject, choose, stream

CYCLE_SHAPE = 1.6
"""Shape of the Weibull distribution of the days from creation to decision."""
AMOUNT_SPREAD = 0.85
"""Spread (log) of the amounts of one partner's opportunities."""
AMOUNT_REVISION = 0.20
"""Spread (log) between the estimate at creation and the final amount."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Opportunities:
    """The opportunities of one chunk, sorted by partner and day; one entry per opportunity.

    Attributes:
        partner: Position of the partner in the chunk.
        number: 1, 2, ... within the partner.
        created: Day of creation.
        known: Day on which the creation became known.
        estimate_usd: Amount expected at creation.
        line: Index into `PRODUCT_LINES`.
        registered: Whether the deal was registered.
        joint: Whether it is worked jointly with the vendor.
    """

    partner: Choices
    number: Choices
    created: Days
    known: Days
    estimate_usd: Floats
    line: Choices
    registered: Flags
    joint: Flags


@dataclass(frozen=True)
class Outcomes:
    """How each opportunity ended, in the same order.

    Attributes:
        decided: Day of the decision; later than the channel's last day if still open.
        known: Day on which the decision became known.
        won: Whether it was won.
        cents: Final amount in hundredths of the partner's currency.
        customer: Number of the customer within the partner.
        cross_sell: Whether it sold a further line to a known customer.
    """

    decided: Days
    known: Days
    won: Flags
    cents: Choices
    customer: Choices
    cross_sell: Flags


def draw_opportunities(seed: int, chunk: int, partners: Partners, paths: Paths, quarters: Quarters) -> Opportunities:
    """Draw the opportunities of one chunk from the rates of its paths (Poisson per quarter, even within it)."""
    random = stream(seed, chunk, Subject.OPPORTUNITIES)
    partner, created = event_days(random, random.poisson(paths.rate), partners, quarters)
    archetype = partners.archetype[partner]
    spread = random.normal(-(AMOUNT_SPREAD**2) / 2, AMOUNT_SPREAD, len(partner))
    focus = choose(random, by_archetype("line_shares"), partners.archetype)
    off_focus = choose(random, by_archetype("line_shares"), archetype)
    return Opportunities(
        partner=partner,
        number=sequence_within(partner),
        created=created,
        known=known_on(random, created),
        estimate_usd=partners.deal_usd[partner] * np.exp(spread),
        line=np.where(random.random(len(partner)) < 0.4, focus[partner], off_focus),
        registered=random.random(len(partner)) < by_archetype("registered")[archetype],
        joint=random.random(len(partner)) < by_archetype("joint")[archetype],
    )


def event_days(
    random: np.random.Generator, counts: npt.NDArray[np.int64], partners: Partners, quarters: Quarters
) -> tuple[Choices, Days]:
    """Spread counts per partner and quarter evenly over the days that the partner was there.

    Args:
        random: The stream to draw from.
        counts: Events, shape (partners, quarters); 0 where the partner was not there.
        partners: The partners.
        quarters: The quarters.

    Returns:
        Position of the partner and day of each event, sorted by both.
    """
    cell = np.repeat(np.arange(counts.size, dtype=np.int64), counts.ravel())
    partner, quarter = np.divmod(cell, quarters.count)
    first = np.maximum(quarters.starts[quarter], partners.joined[partner])
    last = np.minimum(quarters.ends[quarter], partners.left[partner])
    day = first + np.floor(random.random(len(cell)) * (last - first + 1)).astype(np.int64)
    order = np.lexsort((day, partner))
    return partner[order], day[order]


def draw_outcomes(
    seed: int, chunk: int, partners: Partners, opportunities: Opportunities, chances: Floats, quarters: Quarters
) -> Outcomes:
    """Decide every opportunity: when, whether it is won, for how much and for which customer.

    `chances` is the chance to win by partner and quarter of the decision: shape (partners, quarters). What is open
    when its partner leaves is lost on that day.
    """
    random = stream(seed, chunk, Subject.OUTCOMES)
    partner = opportunities.partner
    archetype = partners.archetype[partner]
    waits = by_archetype("cycle_days")[archetype] * random.weibull(CYCLE_SHAPE, len(partner))
    decided = opportunities.created + np.maximum(1, np.ceil(waits)).astype(np.int64)
    quarter = np.minimum(quarters.of_day(decided), quarters.count - 1)
    won = (random.random(len(partner)) < chances[partner, quarter]) & (decided <= partners.left[partner])
    decided = np.maximum(opportunities.created, np.minimum(decided, partners.left[partner]))
    revision = np.exp(random.normal(-(AMOUNT_REVISION**2) / 2, AMOUNT_REVISION, len(partner)))
    return Outcomes(
        decided=decided,
        known=np.maximum(known_on(random, decided), opportunities.known),
        won=won,
        cents=local_cents(opportunities.estimate_usd * revision, partners, partner),
        customer=_customers(random, opportunities.number, by_archetype("breadth")[archetype]),
        cross_sell=random.random(len(partner)) < by_archetype("cross_sell")[archetype],
    )


def local_cents(amount_usd: Floats, partners: Partners, partner: Choices) -> Choices:
    """Dollar amounts in hundredths of each partner's currency."""
    return np.maximum(100, np.rint(100.0 * amount_usd / partners.usd_rate[partner])).astype(np.int64)


def _customers(random: np.random.Generator, number: Choices, breadth: Floats) -> Choices:
    """A customer out of a pool that widens with the partner's opportunities; the early ones come back more often."""
    pool = 1.0 + breadth * (number - 1)
    return 1 + np.floor(pool * random.random(len(number)) ** 1.5).astype(np.int64)


def opportunity_table(
    partners: Partners, found: Opportunities, outcomes: Outcomes, settings: ChannelSettings
) -> pa.Table:
    """The opportunities that were open at the start of the first year or created since."""
    start, last, extracted = _bounds(settings)
    keep = (outcomes.decided >= start) & (found.created <= last) & (found.known <= extracted)
    partner, found_number = found.partner[keep], found.number[keep]
    return pa.table(
        {
            "opportunity_id": numbered_within("D", partners.number[partner], found_number),
            "partner_id": partner_ids(partners.number[partner]),
            "created_on": dates(found.created[keep]),
            "known_on": dates(found.known[keep]),
            "estimated_amount": amounts(local_cents(found.estimate_usd[keep], partners, partner)),
            "currency": names(COUNTRY_CURRENCIES, partners.country[partner]),
            "product_line": names(PRODUCT_LINES, found.line[keep]),
            "registered": pa.array(found.registered[keep]),
            "joint": pa.array(found.joint[keep]),
        }
    )


def deal_table(partners: Partners, found: Opportunities, outcomes: Outcomes, settings: ChannelSettings) -> pa.Table:
    """The deals decided in the years of the channel, sorted by partner and decision."""
    start, last, extracted = _bounds(settings)
    keep = np.flatnonzero((outcomes.decided >= start) & (outcomes.decided <= last) & (outcomes.known <= extracted))
    keep = keep[np.lexsort((found.number[keep], outcomes.decided[keep], found.partner[keep]))]
    partner = found.partner[keep]
    return pa.table(
        {
            "deal_id": numbered_within("D", partners.number[partner], found.number[keep]),
            "partner_id": partner_ids(partners.number[partner]),
            "decided_on": dates(outcomes.decided[keep]),
            "known_on": dates(outcomes.known[keep]),
            "status": names(("lost", "won"), outcomes.won[keep].astype(np.int64)),
            "amount": amounts(outcomes.cents[keep]),
            "currency": names(COUNTRY_CURRENCIES, partners.country[partner]),
            "product_line": names(PRODUCT_LINES, found.line[keep]),
            "customer_id": numbered_within("C", partners.number[partner], outcomes.customer[keep]),
            "cross_sell": pa.array(outcomes.cross_sell[keep]),
            "joint": pa.array(found.joint[keep]),
            "registered": pa.array(found.registered[keep]),
            "cycle_days": pa.array(outcomes.decided[keep] - found.created[keep], pa.int64()),
        }
    )


def _bounds(settings: ChannelSettings) -> tuple[int, int, int]:
    last = to_days(settings.ends_on)
    start = to_days(settings.ends_on.replace(year=settings.ends_on.year - settings.years)) + 1
    return start, last, to_days(settings.extracted_on)
