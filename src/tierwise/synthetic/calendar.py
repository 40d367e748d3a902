"""Quarters of a synthetic channel, counted in days since 1970-01-01."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tierwise.synthetic.settings import ChannelSettings

Days = npt.NDArray[np.int64]

BURN_IN_QUARTERS = 8
"""Quarters simulated before the first year, so that the channel starts with a pipeline and with certified people."""

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def to_days(day: date) -> int:
    """Days from 1970-01-01 to `day`."""
    return day.toordinal() - _EPOCH_ORDINAL


def to_date(days: int) -> date:
    """The date so many days after 1970-01-01."""
    return date.fromordinal(days + _EPOCH_ORDINAL)


@dataclass(frozen=True)
class Quarters:
    """Simulated quarters, the burn-in included.

    Attributes:
        starts: First day of each quarter, and of the one after the last: shape (count + 1,).
        calendar_quarter: 0 for January to March, ..., 3 for October to December: shape (count,).
    """

    starts: Days
    calendar_quarter: npt.NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many quarters are simulated."""
        return len(self.calendar_quarter)

    @property
    def first_observed_day(self) -> int:
        """The first day after the burn-in."""
        return int(self.starts[BURN_IN_QUARTERS])

    @property
    def last_day(self) -> int:
        """The last day on which something happens."""
        return int(self.starts[-1]) - 1

    @property
    def ends(self) -> Days:
        """Last day of each quarter: shape (count,)."""
        return self.starts[1:] - 1

    def of_day(self, days: Days) -> Days:
        """The quarter that each day lies in; below 0 before the burn-in, `count` or more after the end."""
        return np.searchsorted(self.starts, days, side="right").astype(np.int64) - 1


def simulated_quarters(settings: ChannelSettings) -> Quarters:
    """The quarters of a channel, from the burn-in to `ends_on`."""
    count = 4 * settings.years + BURN_IN_QUARTERS
    last_month = settings.ends_on.year * 12 + settings.ends_on.month
    months = [last_month - 3 * back for back in range(count, -1, -1)]
    starts = np.array([to_days(date(month // 12, month % 12 + 1, 1)) for month in months], dtype=np.int64)
    calendar_quarter = np.array([month % 12 // 3 for month in months[:-1]], dtype=np.int64)
    return Quarters(starts, calendar_quarter)
