"""Effects by archetype, drawn towards their common mean: small groups show large effects by chance.

Empirical Bayes with the variance between archetypes by Paule and Mandel (statsmodels) and Morris's correction for
having estimated it; with three archetypes or fewer nothing can be borrowed and nothing is drawn.

Source: Morris, "Parametric empirical Bayes inference", JASA 78 (1983).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from tierwise.pilots.results import Estimate, Result

_FEWEST_TO_BORROW = 4


def shrink(results: Sequence[Result]) -> list[Result]:
    """Draw the effects of one outcome and arm on several archetypes towards their mean.

    Args:
        results: One row per archetype.

    Returns:
        The rows in order with shrunken estimates and intervals; the p-value stays that of the archetype's own effect.
        Diagnostics hold the estimate before (`own_estimate`, `own_standard_error`), the weight of the common mean
        (`shrinkage`), and the p-value of all effects being equal (`p_equal`).
    """
    known = [row for row in results if row.value and row.value.standard_error]
    if len(known) < _FEWEST_TO_BORROW:
        return list(results)
    own = np.array([row.value.estimate for row in known if row.value])
    variance = np.array([(row.value.standard_error or 0.0) ** 2 for row in known if row.value])
    combined = combine_effects(own, variance, method_re="iterated")
    between, mean, mean_variance = (
        float(combined.tau2),
        float(combined.mean_effect_re),
        float(combined.sd_eff_w_re) ** 2,
    )
    groups = len(known)
    weight = (groups - 3) / (groups - 1) * variance / (variance + between)
    drawn = mean + (1 - weight) * (own - mean)
    spread = (1 - weight) * variance + weight**2 * mean_variance + 2 / (groups - 3) * weight**2 * (own - mean) ** 2
    p_equal = float(stats.chi2.sf(combined.q, groups - 1))
    shrunken = {
        row.scope: _drawn(row, float(drawn[place]), float(np.sqrt(spread[place])), float(weight[place]), p_equal)
        for place, row in enumerate(known)
    }
    return [shrunken.get(row.scope, row) for row in results]


def _drawn(row: Result, estimate: float, error: float, weight: float, p_equal: float) -> Result:
    own = row.value
    if own is None or own.standard_error is None:
        return row
    reach = float(stats.norm.ppf((1 + row.level) / 2)) * error
    value = Estimate(estimate, error, estimate - reach, estimate + reach, own.p)
    figures = {"own_estimate": own.estimate, "own_standard_error": own.standard_error}
    figures |= {"shrinkage": weight, "p_equal": p_equal}
    return replace(
        row,
        value=value,
        relative=None,
        method=f"{row.method}, empirical Bayes",
        diagnostics={**row.diagnostics, **figures},
    )
