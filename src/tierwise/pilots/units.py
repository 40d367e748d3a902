"""The rows of a pilot, one per partner: checked, ordered, with outcomes and covariates as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tierwise.config.names import hint
from tierwise.config.pilot import AnalysisSettings, OutcomeSettings
from tierwise.errors import Fault, InvalidInput

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
KEY, ARM, RECEIVED, LEFT = "partner_id", "arm", "received", "left"
# Squares of larger figures, added up over all partners, would leave the range of numbers.
LARGEST_VALUE = 1e100
_RAREST_LEVEL = 0.02
# Blocks with more units than this, or fewer blocks than that, are strata: their error is that of single units.
_LARGEST_BLOCK = 10
_FEWEST_BLOCKS = 10


@dataclass(frozen=True)
class Units:
    """The units of a pilot.

    Attributes:
        rows: One row per partner, sorted by `partner_id`.
        arms: The arms, the control first.
        arm: The arm's place in `arms` of each row.
        clusters: Cluster codes, or None.
        left: Which partners left.
        blocks: Codes of the matched pairs or small blocks that arms were drawn in, or None.
    """

    rows: pd.DataFrame
    arms: tuple[str, ...]
    arm: Codes
    clusters: Codes | None
    left: NDArray[np.bool_]
    blocks: Codes | None = None

    @property
    def groups(self) -> Codes | None:
        """The groups by which errors are computed: matched blocks, else clusters; None for single units."""
        return self.clusters if self.blocks is None else self.blocks

    def subset(self, keep: NDArray[np.bool_]) -> Units:
        """Some of the units, with the same arms."""
        clusters, blocks = (None if codes is None else recode(codes[keep]) for codes in (self.clusters, self.blocks))
        return Units(self.rows[keep], self.arms, self.arm[keep], clusters, self.left[keep], blocks)


def recode(values: NDArray[np.generic]) -> Codes:
    """Number the values 0.. in sorted order."""
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def read_units(frame: pd.DataFrame, settings: AnalysisSettings) -> Units:
    """Check and order the rows of a pilot.

    Args:
        frame: One row per partner with `partner_id`, `arm` and the columns that the settings name; optionally
            `received` (the arm that the partner really got) and `left` (true for a partner that left).
        settings: How the pilot is read.

    Raises:
        InvalidInput: With every fault of the frame.
    """
    faults = list(frame_faults(frame, settings))
    if faults:
        raise InvalidInput(faults)
    rows = by_partner(frame)
    names = [str(name) for name in (settings.shares or sorted(rows[ARM].astype(str).unique()))]
    arms = (settings.control, *(name for name in names if name != settings.control))
    arm = pd.Index(arms).get_indexer(pd.Index(rows[ARM].astype(str))).astype(np.int64)
    clusters = recode(rows[settings.cluster].astype(str).to_numpy(dtype=object)) if settings.cluster else None
    left = rows[LEFT].to_numpy(dtype=bool) if LEFT in rows else np.zeros(len(rows), dtype=bool)
    return Units(rows, arms, arm, clusters, left, _blocks(rows, settings, clusters))


def _blocks(rows: pd.DataFrame, settings: AnalysisSettings, clusters: Codes | None) -> Codes | None:
    if settings.pair is None:
        return None
    codes = recode(rows[settings.pair].astype(str).to_numpy(dtype=object))
    if clusters is None:
        return fine_blocks(codes, len(codes))
    # A cluster in two blocks was not matched as a whole: the draw is then that of the clusters.
    whole = len(np.unique(np.column_stack([clusters, codes]), axis=0)) == clusters.max() + 1
    return fine_blocks(codes, int(clusters.max()) + 1) if whole else None


def fine_blocks(blocks: Codes, drawn: int) -> Codes | None:
    """The blocks where they are small and many, as matched pairs are; else None.

    A small block has no spread of its own arms to measure: the spread among blocks is what the draw leaves to chance.

    Args:
        blocks: Block codes, shape (n,).
        drawn: How many units, or clusters, were drawn.

    Source: de Chaisemartin & Ramirez-Cuellar, "At what level should one cluster standard errors in paired and
    small-strata experiments?", American Economic Journal: Applied Economics 16 (2024).
    """
    count = int(blocks.max()) + 1
    return blocks if count >= _FEWEST_BLOCKS and drawn <= _LARGEST_BLOCK * count else None


def by_partner(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in the order of `partner_id`: numbers by size, else by their text."""
    key = None if pd.api.types.is_numeric_dtype(frame[KEY]) else lambda names: names.astype(str)
    return frame.sort_values(KEY, kind="stable", ignore_index=True, key=key)


def frame_faults(frame: pd.DataFrame, settings: AnalysisSettings) -> Iterator[Fault]:
    """Everything wrong with the rows of a pilot."""
    outcomes = [name for top, outcome in settings.outcomes.items() for name in (top, outcome.per) if name]
    others = [settings.pair, settings.cluster, settings.archetype]
    named = [KEY, ARM, *outcomes, *settings.covariates, *settings.strata, *(name for name in others if name)]
    faults = list(column_faults(frame, named))
    yield from faults
    if {fault.where for fault in faults} & {KEY, ARM} or not frame.columns.is_unique:
        return
    yield from _key_faults(frame)
    yield from _arm_faults(frame, settings)
    whole = [name for name in (settings.pair, settings.cluster, *settings.strata) if name and name in frame]
    yield from (_rows_fault(frame, frame[name].isna(), name, "the value is missing") for name in whole
                if frame[name].isna().any())  # fmt: skip
    for name in dict.fromkeys(outcomes):
        if name in frame:
            yield from number_faults(frame, name)
    for name in settings.covariates:
        if name in frame and pd.api.types.is_numeric_dtype(frame[name]):
            yield from number_faults(frame, name)
    yield from _left_faults(frame)
    yield from _cluster_faults(frame, settings)


def _rows_fault(frame: pd.DataFrame, bad: pd.Series, where: str, what: str, todo: str = "") -> Fault:
    examples = tuple(sorted(frame.loc[bad, KEY].astype(str))[:3]) if KEY in frame else ()
    return Fault(f"{what} ({int(bad.sum())} of {len(frame)} rows)", where, examples, todo)


def _key_faults(frame: pd.DataFrame) -> Iterator[Fault]:
    if frame[KEY].isna().any():
        yield Fault(f"{int(frame[KEY].isna().sum())} rows have no partner", KEY)
    twice = frame[KEY].astype(str).duplicated(keep=False) & frame[KEY].notna()
    if twice.any():
        yield _rows_fault(frame, twice, KEY, "a partner stands twice", "give one row per partner")


def _arm_faults(frame: pd.DataFrame, settings: AnalysisSettings) -> Iterator[Fault]:
    if frame[ARM].isna().any():
        yield _rows_fault(frame, frame[ARM].isna(), ARM, "the arm is missing")
    found = sorted(frame[ARM].dropna().astype(str).unique())
    if settings.control not in found:
        yield Fault(f"no unit is in the control arm {settings.control!r}", ARM, todo=hint(settings.control, found))
    if len(found) < 2:
        yield Fault(f"a pilot needs two arms or more, found {len(found)}", ARM)
    if settings.shares:
        for name in sorted(set(found) - set(settings.shares)):
            bad = frame[ARM].astype(str) == name
            yield _rows_fault(frame, bad, ARM, f"the arm {name!r} has no share", hint(name, settings.shares))


def column_faults(frame: pd.DataFrame, names: Iterable[str]) -> Iterator[Fault]:
    """Columns that are not there, or more than once.

    Raises:
        InvalidInput: If there is no frame at all.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidInput(Fault(f"the rows must be a pandas frame, found {type(frame).__name__}"))
    columns = [str(name) for name in frame.columns]
    for name in dict.fromkeys(names):
        if name not in columns:
            yield Fault("there is no such column", name, todo=hint(name, columns))
        elif columns.count(name) > 1:
            yield Fault(f"there are {columns.count(name)} columns of this name", name, todo="rename all but one")


def number_faults(frame: pd.DataFrame, name: str) -> Iterator[Fault]:
    """What is wrong with a column of numbers: it holds text, or infinite values, or such whose squares would be."""
    if not pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_complex_dtype(frame[name]):
        yield Fault(f"the column is not numeric but {frame[name].dtype}", name)
        return
    values = frame[name].to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        yield _rows_fault(frame, pd.Series(np.isinf(values), frame.index), name, "the value is infinite")
    elif (np.abs(values) > LARGEST_VALUE).any():
        bad = pd.Series(np.abs(values) > LARGEST_VALUE, frame.index)
        yield _rows_fault(frame, bad, name, f"the value is above {LARGEST_VALUE:g}")


def _left_faults(frame: pd.DataFrame) -> Iterator[Fault]:
    if LEFT in frame and not frame[LEFT].isin([0, 1]).all():
        bad = ~frame[LEFT].isin([0, 1])
        yield _rows_fault(frame, bad, LEFT, "the value is neither true nor false", "say false where a partner stayed")


def _cluster_faults(frame: pd.DataFrame, settings: AnalysisSettings) -> Iterator[Fault]:
    name = settings.cluster
    if name is None or name not in frame:
        return
    arms = frame.groupby(frame[name].astype(str), sort=True)[ARM].nunique()
    mixed = tuple(arms.index[arms > 1].astype(str))
    if mixed:
        what = f"{len(mixed)} clusters have partners in more than one arm"
        yield Fault(
            what, name, mixed[:3], "a cluster is drawn as a whole; leave `cluster` out where partners were drawn"
        )


def outcome_values(units: Units, name: str, outcome: OutcomeSettings) -> Floats:
    """One outcome per unit, NaN where missing; a ratio becomes each unit's part of its arm's ratio.

    A ratio's part is R + (above - R * below) / mean(below), with R and the mean of the unit's arm: its mean is R and
    its variance is the delta method's. Source: Deng, Knoblich & Lu, "Applying the delta method in metric analytics",
    KDD 2018.
    """
    above = _filled(units, name, outcome)
    if outcome.per is None:
        return above
    below = _filled(units, outcome.per, outcome)
    known = np.isfinite(above) & np.isfinite(below)
    parts = np.full(len(above), np.nan)
    for arm in range(len(units.arms)):
        rows = known & (units.arm == arm)
        total = below[rows].sum()
        if total > 0:
            ratio = above[rows].sum() / total
            parts[rows] = ratio + (above[rows] - ratio * below[rows]) / below[rows].mean()
    return parts


def _filled(units: Units, name: str, outcome: OutcomeSettings) -> Floats:
    values = units.rows[name].to_numpy(dtype=float, na_value=np.nan, copy=True)
    if outcome.left is not None:
        values[units.left] = outcome.left
    if outcome.missing is not None:
        values[np.isnan(values)] = outcome.missing
    return values


def covariate_columns(units: Units, settings: AnalysisSettings) -> Floats:
    """Covariates and strata as numbers, shape (n, c): missing values at the mean with an indicator, levels as dummies.

    Levels of fewer than 2 % of the units are put together.
    """
    columns: list[Floats] = []
    for name in dict.fromkeys((*settings.covariates, *settings.strata)):
        values = units.rows[name]
        if pd.api.types.is_numeric_dtype(values) and name not in settings.strata:
            columns += _numeric(values.to_numpy(dtype=float, na_value=np.nan, copy=True))
        else:
            columns += _levels(values.astype(str).fillna("unknown").to_numpy(dtype=object))
    return np.column_stack(columns) if columns else np.empty((len(units.rows), 0))


def _numeric(values: Floats) -> list[Floats]:
    absent = np.isnan(values)
    if absent.all():
        return []
    values[absent] = values[~absent].mean()
    return [values, absent.astype(float)] if absent.any() else [values]


def _levels(values: NDArray[np.object_]) -> list[Floats]:
    names, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    common = [code for code in range(len(names)) if counts[code] >= _RAREST_LEVEL * len(values)]
    return [(codes == code).astype(float) for code in common]
