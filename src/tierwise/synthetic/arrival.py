"""How late rows reach the systems of record."""

from __future__ import annotations

import numpy as np

from tierwise.synthetic.calendar import Days

SAME_DAY_SHARE, PROMPT_SHARE, SLOW_SHARE = 0.60, 0.20, 0.17
PROMPT_DAYS, SLOW_DAYS, LATE_DAYS = 3, 14, 75


def known_on(random: np.random.Generator, happened: Days) -> Days:
    """The day each row becomes known: most the same day, some within a fortnight, 3 % up to eleven weeks later."""
    kind = random.random(len(happened))
    share = random.random(len(happened))
    prompt = 1 + np.floor(share * PROMPT_DAYS)
    slow = PROMPT_DAYS + 1 + np.floor(share * (SLOW_DAYS - PROMPT_DAYS))
    late = SLOW_DAYS + 1 + np.floor(share * (LATE_DAYS - SLOW_DAYS))
    bounds = np.cumsum([SAME_DAY_SHARE, PROMPT_SHARE, SLOW_SHARE])
    lag = np.select([kind < bound for bound in bounds], [np.zeros_like(share), prompt, slow], late)
    return np.asarray(happened + lag.astype(np.int64))
