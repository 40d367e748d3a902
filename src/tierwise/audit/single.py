"""Drift of one feature at a time: Kolmogorov-Smirnov, chi-square, missingness; and how large it is.

Sources: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979);
for the population stability index and its bias Yurdakul, "Statistical properties of population stability index"
(2018).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from tierwise.config.model_spec import FeatureSet

Floats = NDArray[np.float64]
COLUMNS = (
    "feature", "title", "kind", "test", "statistic", "p_value", "p_adjusted", "psi", "size", "drifted", "before",
    "after", "level", "known_before", "known_after", "outcome",
)  # fmt: skip
SIZES = ("slight", "moderate", "large")
_MODERATE, _LARGE = 0.1, 0.25
_LEAST_KNOWN = 20
_LEAST_EXPECTED = 5.0
_TENTHS = np.arange(1, 10) / 10
_UNKNOWN, _OTHER = "unknown", "all other"


def feature_tests(reference: pd.DataFrame, current: pd.DataFrame, features: FeatureSet, level: float) -> pd.DataFrame:
    """Test every feature alone, and whether it is missing more or less often.

    Args:
        reference: Rows of the training, one per partner.
        current: Rows to be scored, one per partner.
        features: The columns; one that a side lacks is named as not tested.
        level: The family-wise level of all these tests together (Holm).

    Returns:
        Columns `COLUMNS`. `before` and `after` are medians of the known values or, where `level` names a level or a
        value, shares of partners: those who are unknown, of the level that moved most, or above the value. `outcome`
        is `tested`, or why not.
    """
    rows = [
        row
        for feature in features.metrics
        for row in _metric_rows(feature.name, feature.title or feature.name, reference, current)
    ]
    rows += [_attribute_row(name, reference, current) for name in features.attributes]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["p_adjusted"] = holm(table["p_value"].to_numpy(np.float64))
    table["drifted"] = (table["p_adjusted"] <= level).astype(bool)
    return table


def holm(p_values: Floats) -> Floats:
    """Return Holm-adjusted p-values; NaN (not tested) stays NaN and does not count."""
    adjusted = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(np.isfinite(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * factors))
    return adjusted


def size_word(psi: float) -> str:
    """Say how large a population stability index is, by the usual marks of .1 and .25; never whether it is real."""
    if not np.isfinite(psi):
        return ""
    return SIZES[int(psi >= _MODERATE) + int(psi >= _LARGE)]


def psi(before: Floats, after: Floats) -> float:
    """Return the population stability index of two count vectors over the same bins, without its bias.

    Counts get half a partner each, so that an empty bin is not infinite. By chance alone the index is about
    (bins - 1)(1/n + 1/m); that is taken off, and never leaves less than 0.
    """
    kept = (before + after) > 0
    bins = int(kept.sum())
    first, second = before[kept] + 0.5, after[kept] + 0.5
    p, q = first / first.sum(), second / second.sum()
    chance = (bins - 1) * (1 / before.sum() + 1 / after.sum())
    return float(max(0.0, np.sum((p - q) * np.log(p / q)) - chance))


def _metric_rows(name: str, title: str, reference: pd.DataFrame, current: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    if name not in reference.columns or name not in current.columns:
        yield _not_tested(name, title, "value", "column_absent")
        return
    before, after = (frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for frame in (reference, current))
    known = before[np.isfinite(before)], after[np.isfinite(after)]
    yield _value_row(name, title, *known)
    if len(known[0]) < len(before) or len(known[1]) < len(after):
        yield _missing_row(name, title, (len(known[0]), len(before)), (len(known[1]), len(after)))


def _value_row(name: str, title: str, before: Floats, after: Floats) -> tuple[object, ...]:
    if min(len(before), len(after)) < _LEAST_KNOWN:
        return _not_tested(name, title, "value", "too_few_known", (len(before), len(after)))
    if np.ptp(np.concatenate((before, after))) == 0:
        return _not_tested(name, title, "value", "constant", (len(before), len(after)))
    found = stats.ks_2samp(before, after, method="asymp")
    edges = np.unique(np.quantile(before, _TENTHS))
    counts = [np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) for values in (before, after)]
    size = psi(counts[0].astype(np.float64), counts[1].astype(np.float64))
    return (
        name, title, "value", "Kolmogorov-Smirnov", float(found.statistic), float(found.pvalue), np.nan, size,
        size_word(size), False, *_told(before, after, float(found.statistic_location)), len(before), len(after),
        "tested",
    )  # fmt: skip


def _told(before: Floats, after: Floats, farthest: float) -> tuple[float, float, str]:
    """Return the two medians; where they are equal the shares above the value at which the two differ most."""
    medians = float(np.median(before)), float(np.median(after))
    if medians[0] != medians[1]:
        return *medians, ""
    return float(np.mean(before > farthest)), float(np.mean(after > farthest)), f"above {figure(farthest)}"


def figure(value: float) -> str:
    """Show an amount: four digits, thousands set apart, no exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _missing_row(name: str, title: str, before: tuple[int, int], after: tuple[int, int]) -> tuple[object, ...]:
    """Test known and unknown counts; `before` and `after` are (known, all)."""
    counts = np.array([[known, total - known] for known, total in (before, after)], dtype=np.float64)
    shares = counts[:, 1] / counts.sum(axis=1)
    p_value = float(stats.fisher_exact(counts.astype(np.int64)).pvalue)
    size = psi(counts[0], counts[1])
    return (
        name, title, "missing", "Fisher", float(abs(shares[1] - shares[0])), p_value, np.nan, size, size_word(size),
        False, float(shares[0]), float(shares[1]), _UNKNOWN, before[0], after[0], "tested",
    )  # fmt: skip


def _attribute_row(name: str, reference: pd.DataFrame, current: pd.DataFrame) -> tuple[object, ...]:
    if name not in reference.columns or name not in current.columns:
        return _not_tested(name, name, "level", "column_absent")
    counts = _level_counts(reference[name], current[name])
    known = len(reference), len(current)
    if len(counts) < 2:
        return _not_tested(name, name, "level", "constant", known)
    found = stats.chi2_contingency(counts.to_numpy().T, correction=False)
    shares = counts / counts.sum()
    moved = int(np.argmax((shares["after"] - shares["before"]).abs().to_numpy()))
    size = psi(counts["before"].to_numpy(np.float64), counts["after"].to_numpy(np.float64))
    return (
        name, name, "level", "chi-square", float(found.statistic), float(found.pvalue), np.nan, size, size_word(size),
        False, float(shares["before"].iloc[moved]), float(shares["after"].iloc[moved]), str(shares.index[moved]),
        *known, "tested",
    )  # fmt: skip


def _level_counts(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """Count levels on both sides; those expected less than five times on a side are taken together."""
    sides = {"before": before, "after": after}
    counted = {
        side: column.astype("object").fillna(_UNKNOWN).astype(str).value_counts() for side, column in sides.items()
    }
    counts = pd.DataFrame(counted).fillna(0.0).sort_index()
    smaller = min(len(before), len(after)) / max(len(before) + len(after), 1)
    rare = counts.sum(axis=1) * smaller < _LEAST_EXPECTED
    kept, other = counts[~rare], counts[rare].sum()
    if other.sum() == 0:
        return kept
    if other.sum() * smaller < _LEAST_EXPECTED and len(kept):
        return kept  # too few even together; they count in neither side
    return pd.concat([kept, other.rename(_OTHER).to_frame().T])


def _not_tested(name: str, title: str, kind: str, why: str, known: tuple[int, int] = (0, 0)) -> tuple[object, ...]:
    nothing = (np.nan, np.nan, np.nan, np.nan, "", False, np.nan, np.nan, "")
    return (name, title, kind, "", *nothing, *known, why)
