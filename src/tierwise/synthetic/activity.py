"""What partners do beside selling: certifications, MDF claims, portal logins and support cases.

All four follow a partner's engagement of the same quarter, which moves its new opportunities a quarter later and its
revenue two to three quarters later: that is what a model can learn beyond the revenue itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tierwise.synthetic.arrival import known_on
from tierwise.synthetic.calendar import BURN_IN_QUARTERS, Days, Quarters
from tierwise.synthetic.columns import amounts, dates, names, numbered_within, partner_ids, sequence_within
from tierwise.synthetic.deals import event_days, local_cents
from tierwise.synthetic.latent import Partners, Paths
from tierwise.synthetic.profiles import COUNTRY_CURRENCIES, PRODUCT_LINES, by_archetype
from tierwise.synthetic.streams import Floats, Subject, choose, choose_one, stream

LEVELS = ("associate", "professional", "expert")
LEVEL_SHARES = np.array(
    [[0.70, 0.25, 0.05], [0.30, 0.50, 0.20], [0.40, 0.45, 0.15], [0.55, 0.35, 0.10], [0.65, 0.30, 0.05]]
)
CERTIFICATE_DAYS = 730
ACTIVITIES = ("Event", "Digital campaign", "Demo unit", "Training", "Content")
ACTIVITY_SHARES = np.array([0.30, 0.30, 0.15, 0.15, 0.10])
CLAIM_STATUSES = ("approved", "reduced", "rejected")
CLAIM_STATUS_SHARES = np.array([0.74, 0.16, 0.10])
APPROVED_PARTS = np.array([100, 60, 0])
"""Per cent of the claimed amount that each status pays."""
SEVERITIES = ("low", "medium", "high", "critical")
SEVERITY_SHARES = np.array([0.42, 0.38, 0.16, 0.04])
RESOLUTION_DAYS = np.array([9.0, 6.0, 3.5, 1.5])
ANSWER_SHARE = 0.6
"""Share of closed cases whose satisfaction question was answered."""
CLAIM_USD = 3_500.0

ENGAGEMENT_ON_CERTIFICATIONS = 0.55
ENGAGEMENT_ON_CLAIMS = 0.35
ENGAGEMENT_ON_LOGINS = 0.55
ENGAGEMENT_ON_CASES = 0.20


def certification_table(seed: int, chunk: int, partners: Partners, paths: Paths, quarters: Quarters) -> pa.Table:
    """Certifications of people, each valid for two years; those of the burn-in are still valid at the start."""
    random = stream(seed, chunk, Subject.CERTIFICATIONS)
    rates = _rates(partners, paths, by_archetype("certifications"), ENGAGEMENT_ON_CERTIFICATIONS)
    partner, issued = event_days(random, random.poisson(rates * _presence(partners, quarters)), partners, quarters)
    archetype = partners.archetype[partner]
    people = 1.0 + 5.0 * partners.scale[partner]
    person = 1 + np.floor(people * random.random(len(partner))).astype(np.int64)
    return pa.table(
        {
            "certificate_id": numbered_within("Q", partners.number[partner], sequence_within(partner)),
            "partner_id": partner_ids(partners.number[partner]),
            "person_id": numbered_within("H", partners.number[partner], person),
            "product_line": names(PRODUCT_LINES, choose(random, by_archetype("line_shares"), archetype)),
            "level": names(LEVELS, choose(random, LEVEL_SHARES, archetype)),
            "issued_on": dates(issued),
            "expires_on": dates(issued + CERTIFICATE_DAYS),
            "known_on": dates(known_on(random, issued)),
        }
    )


def claim_table(seed: int, chunk: int, partners: Partners, paths: Paths, quarters: Quarters) -> pa.Table:
    """MDF claims, one row per decided claim, dated by the decision."""
    random = stream(seed, chunk, Subject.CLAIMS)
    rates = _rates(partners, paths, by_archetype("claims"), ENGAGEMENT_ON_CLAIMS)
    rates[:, :BURN_IN_QUARTERS] = 0.0
    partner, claimed = event_days(random, random.poisson(rates * _presence(partners, quarters)), partners, quarters)
    decided = claimed + random.integers(15, 61, len(partner))
    status = choose_one(random, CLAIM_STATUS_SHARES, len(partner))
    spread = np.exp(random.normal(0.0, 0.6, len(partner)))
    claimed_cents = local_cents(CLAIM_USD * partners.scale[partner] * spread, partners, partner)
    keep = decided <= np.minimum(quarters.last_day, partners.left[partner])
    arrived = known_on(random, decided)
    activity = choose_one(random, ACTIVITY_SHARES, len(partner))
    table = pa.table(
        {
            "claim_id": numbered_within("M", partners.number[partner], sequence_within(partner)),
            "partner_id": partner_ids(partners.number[partner]),
            "claimed_on": dates(claimed),
            "decided_on": dates(decided),
            "known_on": dates(arrived),
            "activity": names(ACTIVITIES, activity),
            "status": names(CLAIM_STATUSES, status),
            "claimed_amount": amounts(claimed_cents),
            "approved_amount": amounts(claimed_cents * APPROVED_PARTS[status] // 100),
            "currency": names(COUNTRY_CURRENCIES, partners.country[partner]),
        }
    )
    return table.filter(pa.array(keep))


def login_table(seed: int, chunk: int, partners: Partners, paths: Paths, quarters: Quarters) -> pa.Table:
    """Portal logins and downloads by partner and month, dated by its last day; a month without logins has no row."""
    random = stream(seed, chunk, Subject.LOGINS)
    rates = _rates(partners, paths, by_archetype("logins"), ENGAGEMENT_ON_LOGINS)
    month_ends = _month_ends(quarters)
    monthly = np.repeat(rates[:, BURN_IN_QUARTERS:], 3, axis=1)
    monthly *= (month_ends >= partners.joined[:, None]) & (month_ends <= partners.left[:, None])
    logins = random.poisson(monthly)
    partner, month = np.nonzero(logins)
    count = logins[partner, month]
    return pa.table(
        {
            "partner_id": partner_ids(partners.number[partner]),
            "month_end": dates(month_ends[month]),
            "known_on": dates(month_ends[month]),
            "logins": pa.array(count, pa.int64()),
            "downloads": pa.array(random.binomial(count, 0.22), pa.int64()),
        }
    )


def case_table(seed: int, chunk: int, partners: Partners, paths: Paths, quarters: Quarters) -> pa.Table:
    """Support cases, one row per closed case, dated by its closing."""
    random = stream(seed, chunk, Subject.CASES)
    rates = _rates(partners, paths, by_archetype("cases"), ENGAGEMENT_ON_CASES)
    rates[:, :BURN_IN_QUARTERS] = 0.0
    partner, opened = event_days(random, random.poisson(rates * _presence(partners, quarters)), partners, quarters)
    severity = choose_one(random, SEVERITY_SHARES, len(partner))
    slowness = np.exp(-0.3 * partners.care[partner])
    days = np.ceil(random.gamma(1.5, RESOLUTION_DAYS[severity] * slowness / 1.5)).astype(np.int64)
    closed = opened + days
    answered = random.random(len(partner)) < ANSWER_SHARE
    score = by_archetype("satisfaction")[partners.archetype[partner]] + partners.care[partner] - 0.03 * days
    score = np.clip(np.rint(random.normal(score, 0.8)), 1, 5).astype(np.int64)
    table = pa.table(
        {
            "case_id": numbered_within("S", partners.number[partner], sequence_within(partner)),
            "partner_id": partner_ids(partners.number[partner]),
            "opened_on": dates(opened),
            "closed_on": dates(closed),
            "known_on": dates(known_on(random, closed)),
            "severity": names(SEVERITIES, severity),
            "resolution_days": pa.array(days, pa.int64()),
            "satisfaction": pa.array(score, pa.int64(), mask=~answered),
        }
    )
    return table.filter(pa.array(closed <= np.minimum(quarters.last_day, partners.left[partner])))


def _rates(partners: Partners, paths: Paths, per_archetype: Floats, engagement_effect: float) -> Floats:
    """Expected events per period of a partner that is there throughout: shape (partners, quarters)."""
    base = per_archetype[partners.archetype] * partners.scale
    return np.asarray(base[:, None] * np.exp(engagement_effect * paths.engagement))


def _presence(partners: Partners, quarters: Quarters) -> Floats:
    """Share of each quarter's days on which the partner was there: shape (partners, quarters)."""
    start, end = quarters.starts[:-1], quarters.starts[1:]
    days = np.minimum(end, partners.left[:, None] + 1) - np.maximum(start, partners.joined[:, None])
    return np.asarray(np.clip(days / (end - start), 0.0, 1.0))


def _month_ends(quarters: Quarters) -> Days:
    """Last day of each month after the burn-in."""
    first = np.datetime64(quarters.first_observed_day, "D").astype("datetime64[M]")
    last = np.datetime64(quarters.last_day, "D").astype("datetime64[M]")
    months: npt.NDArray[np.datetime64] = np.arange(first + 1, last + 2)
    return months.astype("datetime64[D]").astype(np.int64) - 1
