"""How late rows reach the systems of record."""

from __future__ import annotations

import numpy as np

from tierwise.synthetic.calendar import Days

PROMPT_SHARE, SLOW_SHARE = 0.80, 0.17
PROMPT_DAYS, SLOW_DAYS, LATE_DAYS = 3, 14, 75


def known_on(random: np.random.Generator, happened: Days) -> Days:
    """The day each row becomes known: most within three days, some within a fortnight, 3 % up to eleven weeks later."""
    kind = random.random(len(happened))
    share = random.random(len(happened))
    prompt = np.floor(share * (PROMPT_DAYS + 1))
    slow = PROMPT_DAYS + 1 + np.floor(share * (SLOW_DAYS - PROMPT_DAYS))
    late = SLOW_DAYS + 1 + np.floor(share * (LATE_DAYS - SLOW_DAYS))
    lag = np.where(kind < PROMPT_SHARE, prompt, np.where(kind < PROMPT_SHARE + SLOW_SHARE, slow, late))
    return happened + lag.astype(np.int64)
