"""The regime alarm: did the last completed review turn out otherwise than the one a year or more before it?

What is compared is each partner's log change from the target as of the review to the target over the horizon; it needs
no model, so it works as soon as two label windows that do not overlap have closed. Two rank tests for clustered
observations (a partner may be in both reviews: Rosner, Glynn & Lee, Biometrics 62, 2006, with partners as clusters):
one of the level of the change, one of its spread. Together they alarm in a stationary market as often as
`intervals.alarm` says, which benchmarks/bench_intervals.py measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from tierwise.config.model_spec import IntervalSpec
from tierwise.potential.findings import Finding
from tierwise.potential.folds import fold_at, same_season
from tierwise.potential.intervals import LogScale, log_scale
from tierwise.potential.snapshots import current_value, origins

Floats = NDArray[np.float64]
_LEAST_PARTNERS = 30


@dataclass(frozen=True)
class Shift:
    """How far the later review's values lie from the earlier one's.

    Attributes:
        size: P(a partner of the later review has the greater value) - .5: 0 where nothing changed.
        p_value: How often chance alone gives at least this.
    """

    size: float
    p_value: float


@dataclass(frozen=True)
class Regime:
    """The last completed review beside the latest comparable one that had closed by then.

    Attributes:
        earlier: As-of date of the earlier review.
        later: As-of date of the later review.
        level: Shift of the log change.
        spread: Shift of its distance from the review's own median.
        partners: Partners of the later review with any value before or after.
    """

    earlier: pd.Timestamp
    later: pd.Timestamp
    level: Shift
    spread: Shift
    partners: int

    def alarms(self, spec: IntervalSpec) -> bool:
        """Whether either shift is beyond chance (Bonferroni over the two) and large enough to matter."""
        return any(s.p_value < spec.alarm / 2 and abs(s.size) >= spec.alarm_shift for s in (self.level, self.spread))

    @property
    def figures(self) -> str:
        """Both shifts, in words."""
        better = 0.5 + self.level.size
        return (
            f"review of {self.later.date()} against {self.earlier.date()}, {self.partners} partners: a partner of the"
            f" later did better than one of the earlier with probability {better:.2f} ({_p(self.level)}),"
            f" and lay farther from the middle with {0.5 + self.spread.size:.2f} ({_p(self.spread)})"
        )


def _p(shift: Shift) -> str:
    return f"p {shift.p_value:.3f}" if shift.p_value >= 0.001 else "p < 0.001"


def regime(labelled: pd.DataFrame, spec: IntervalSpec) -> Iterator[Finding]:
    """Raise the alarm when what was learned earlier does not hold for the last completed review."""
    found = compare_regimes(labelled)
    if found is None:
        yield Finding("regime_unknown")
    elif found.alarms(spec):
        yield Finding("regime_change", found.figures)


def compare_regimes(labelled: pd.DataFrame) -> Regime | None:
    """Compare the last completed review with the latest of the same season whose label had closed by then.

    Returns:
        None where there is no such review, or fewer than 30 partners in either.
    """
    if labelled.empty:
        return None
    fold = fold_at(labelled, origins(labelled)[-1])
    same = [day for day in origins(fold.training) if same_season(fold.origin - day)]
    if not same:
        return None
    reviews = (fold.training[fold.training["as_of"] == same[-1]], fold.test)
    scale = log_scale(pd.concat([rows["label"] for rows in reviews]).to_numpy(dtype=np.float64))
    changes = [_changes(rows, scale) for rows in reviews]
    if min(len(change) for change in changes) < _LEAST_PARTNERS:
        return None
    earlier, later = changes
    distances = [(change - change.median()).abs() for change in changes]
    level, spread = clustered_shift(earlier, later), clustered_shift(*distances)
    return Regime(same[-1], fold.origin, level, spread, len(later))


def _changes(rows: pd.DataFrame, scale: LogScale) -> pd.Series:
    """Return the log change of every partner that sold before or after, by partner."""
    before, after = current_value(rows, "persistence"), rows["label"].to_numpy(dtype=np.float64)
    alive = (before > 0) | (after > 0)
    return pd.Series((scale.log(after) - scale.log(before))[alive], index=rows["partner_id"].to_numpy()[alive])


def clustered_shift(earlier: pd.Series, later: pd.Series) -> Shift:
    """Test whether two sets of values, indexed by partner, are alike; a partner may be in both.

    The statistic is the difference of mean ranks over the number of values; its variance is the sum over partners of
    the squared difference of their deviations, which allows for a partner's two values being alike.
    """
    ranks = rankdata(np.concatenate([earlier.to_numpy(), later.to_numpy()])) / (len(earlier) + len(later))
    first = pd.Series(ranks[: len(earlier)], index=earlier.index)
    second = pd.Series(ranks[len(earlier) :], index=later.index)
    size = float(second.mean() - first.mean())
    everyone = earlier.index.union(later.index)
    parts = [(one - one.mean()).reindex(everyone, fill_value=0.0) / len(one) for one in (second, first)]
    error = float(np.sqrt(np.sum((parts[0] - parts[1]).to_numpy() ** 2)))
    return Shift(size, float(2 * norm.sf(abs(size) / error)) if error > 0 else 1.0)
