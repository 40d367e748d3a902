"""What keeps training on very many partners within minutes: bounded, seeded samples, and checks without sorting.

Data below the bounds is used whole, so its results do not depend on them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

import numpy as np
import pandas as pd
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

MOST_GLM_ROWS = 200_000
"""Rows that a regression of a dozen coefficients sees; the sampling error left is below one in four hundred."""
MOST_CELLS = 10_000_000
"""Partners times bootstrap samples; with more partners fewer samples are drawn."""
LEAST_DRAWS = 100
_SEED = 20


def thinned(rows: pd.DataFrame, most: int = MOST_GLM_ROWS) -> pd.DataFrame:
    """Return the rows, or a sample of them that depends on their number alone, in their order."""
    return rows if len(rows) <= most else rows.iloc[thinned_places(len(rows), most)].reset_index(drop=True)


def thinned_places(rows: int, most: int = MOST_GLM_ROWS) -> np.ndarray:
    """Return the places of the rows that are kept, in order."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng([_SEED, rows]).choice(rows, most, replace=False))


def of_some_partners(rows: pd.DataFrame, most: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows, or those of a sample of partners where there are more partners, in their order."""
    partners = np.sort(rows["partner_id"].astype("str").unique())
    if len(partners) <= most:
        return rows
    kept = rng.choice(partners, most, replace=False)
    return rows[rows["partner_id"].astype("str").isin(kept)].reset_index(drop=True)


def bounded_draws(draws: int, partners: int) -> int:
    """Return how many bootstrap samples are drawn: all that are asked for unless partners are very many."""
    return min(draws, max(LEAST_DRAWS, MOST_CELLS // max(partners, 1)))


def varies(column: pd.Series, unknown_counts: bool) -> bool:
    """Tell whether a column has more than one value, unknown counted as a value or not."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return False
    return (unknown_counts and len(known) < len(values)) or bool((known != known[0]).any())


def one_thread() -> AbstractContextManager[object]:
    """Let linear algebra in the block use one thread: on a dozen columns threads wait for one another longer."""
    found: AbstractContextManager[object] = _libraries().limit(limits=1)
    return found


@cache
def _libraries() -> ThreadpoolController:
    # Looking for the loaded libraries takes longer than a regression of a few thousand rows, so it is done once.
    return ThreadpoolController()
