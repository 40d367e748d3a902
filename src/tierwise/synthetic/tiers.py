"""The tier history under the older policy of the demo channel: revenue thresholds and nothing else.

Each quarter's last day is a review. A partner is promoted at once to the tier that its won revenue of the last four
quarters reaches; it is demoted, one tier, only at the review of 30 September, the end of the program's fiscal year.
One that has left is back at entry at the next review. What was not yet known on the day of the review does not count.
The same rules stand in the demo workspace's policy file of 2024-10-01; a test holds the two together.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tierwise.synthetic.calendar import BURN_IN_QUARTERS, Quarters
from tierwise.synthetic.columns import dates, names, partner_ids
from tierwise.synthetic.deals import Opportunities, Outcomes
from tierwise.synthetic.latent import Partners
from tierwise.synthetic.streams import Choices, Floats

TIERS = ("entry", "growth", "strategic", "flagship")
THRESHOLDS_USD = (65_000.0, 420_000.0, 1_100_000.0)
"""Won revenue of the last four quarters that reaches growth, strategic and flagship."""
REVIEWS = 7
"""Past reviews in the history; the last is one quarter before the channel's last day, whose review is due."""


def tier_table(partners: Partners, found: Opportunities, outcomes: Outcomes, quarters: Quarters) -> pa.Table:
    """One row per partner and review, valid from the day of the review, sorted by partner and date."""
    due = quarters.count - 1
    reviewed = range(max(due - REVIEWS, BURN_IN_QUARTERS + 3), due)
    tier = np.full((partners.count, len(reviewed)), -1, dtype=np.int64)
    current = np.full(partners.count, -1, dtype=np.int64)
    for column, index in enumerate(reviewed):
        review = int(quarters.ends[index])
        revenue = won_usd(partners, found, outcomes, (int(quarters.starts[index - 3]), review))
        reached = np.searchsorted(THRESHOLDS_USD, revenue, side="right")
        fiscal_year_end = quarters.calendar_quarter[index] == 2
        current = _moved(current, reached, bool(fiscal_year_end))
        current[partners.left < review] = 0
        current[partners.joined > review] = -1
        tier[:, column] = current
    row, review_number = np.nonzero(tier >= 0)
    review_days = quarters.ends[reviewed.start : reviewed.stop]
    return pa.table(
        {
            "partner_id": partner_ids(partners.number[row]),
            "valid_from": dates(review_days[review_number]),
            "tier": names(TIERS, tier[row, review_number]),
        }
    )


def won_usd(partners: Partners, found: Opportunities, outcomes: Outcomes, days: tuple[int, int]) -> Floats:
    """Won revenue in US dollars between two days, both included, as known on the second: shape (partners,)."""
    first, last = days
    counts = outcomes.won & (outcomes.decided >= first) & (outcomes.decided <= last) & (outcomes.known <= last)
    partner = found.partner[counts]
    usd = outcomes.cents[counts] / 100 * partners.usd_rate[partner]
    return np.bincount(partner, weights=usd, minlength=partners.count).astype(np.float64)


def _moved(current: Choices, reached: Choices, demotes: bool) -> Choices:
    down = np.maximum(current - 1, reached) if demotes else current
    return np.where(current < 0, reached, np.where(reached >= current, reached, down))
