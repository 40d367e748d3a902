"""Reading a randomised pilot: gate, effects, families, archetypes (METHODS section 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tierwise.config.pilot import AnalysisSettings
from tierwise.pilots.by_archetype import shrink
from tierwise.pilots.effects import effects_of
from tierwise.pilots.families import adjust
from tierwise.pilots.gates import Compliance, SampleRatio, compliance, sample_ratio
from tierwise.pilots.randomisation import free_of_covariates, p_by_redrawing
from tierwise.pilots.regression import independent_columns
from tierwise.pilots.results import Result
from tierwise.pilots.units import Units, covariate_columns, outcome_values, read_units, recode

# Up to this many drawn units the randomisation test stands beside the t-test.
MOST_REDRAWN = 400


@dataclass(frozen=True)
class Analysis:
    """All that was read from a pilot.

    Attributes:
        results: One row per outcome and arm, then one per archetype.
        sample_ratio: The gate; where it fails no row has an estimate.
        compliance: What each arm really got; empty where it was not recorded.
        units: How many partners were drawn.
        left: How many of them left.
    """

    results: tuple[Result, ...]
    sample_ratio: SampleRatio
    compliance: tuple[Compliance, ...]
    units: int
    left: int


def analyse(frame: pd.DataFrame, settings: AnalysisSettings) -> Analysis:
    """Read a randomised pilot by intention to treat.

    Args:
        frame: One row per partner with `partner_id`, `arm` (as drawn) and the columns that the settings name;
            optionally `received` (the arm it really got) and `left` (true where the partner left).
        settings: How the pilot is read.

    Returns:
        The result rows with the gate and the compliance. Where the sizes of the arms are not those that were drawn
        (p < .001), every row has the reason code `sample_ratio_mismatch` and no number.

    Raises:
        InvalidInput: With every fault of the frame: a missing column, a partner twice, an arm without a share, a
            cluster in two arms, an infinite value.
    """
    units = read_units(frame, settings)
    gate = sample_ratio(units, settings)
    rows = effects_of(units, settings, tuple(settings.outcomes))
    rows = [_with_randomisation_test(row, units, settings) for row in rows]
    if settings.archetype:
        rows += _by_archetype(units, settings, settings.archetype)
    if not gate.passed:
        rows = [row.without_value("sample_ratio_mismatch") for row in rows]
    return Analysis(adjust(rows), gate, compliance(units), len(units.rows), int(units.left.sum()))


def _by_archetype(units: Units, settings: AnalysisSettings, column: str) -> list[Result]:
    primary = settings.named("primary") or tuple(settings.outcomes)
    names = units.rows[column].astype(str).fillna("unknown").to_numpy(dtype=object)
    without = settings.model_copy(update={"strata": tuple(name for name in settings.strata if name != column)})
    found: list[Result] = []
    for name in sorted(set(names)):
        rows = effects_of(units.subset(names == name), without, primary, f"archetype: {name}")
        found += [replace(row, role="exploratory") for row in rows]
    drawn: list[Result] = []
    for outcome in primary:
        for arm in units.arms[1:]:
            drawn += shrink([row for row in found if (row.metric, row.arm) == (outcome, arm)])
    return drawn


def _with_randomisation_test(row: Result, units: Units, settings: AnalysisSettings) -> Result:
    place = units.arms.index(row.arm)
    drawn = units.clusters if units.clusters is not None else np.arange(len(units.rows))
    values = outcome_values(units, row.metric, settings.outcomes[row.metric])
    keep = np.isfinite(values) & np.isin(units.arm, (0, place))
    if row.value is None or len(np.unique(drawn[keep])) > MOST_REDRAWN:
        return row
    some, codes = units.subset(keep), recode(drawn[keep])
    covariates = covariate_columns(some, settings)
    if units.clusters is not None:
        covariates = covariates[:, :0]
    columns = independent_columns(covariates - covariates.mean(axis=0), np.ones((len(some.rows), 1)))
    free = free_of_covariates(values[keep], columns)
    means = np.bincount(codes, free) / np.bincount(codes)
    first = np.unique(codes, return_index=True)[1]
    blocks = _blocks(some, settings)[first]
    rng = np.random.default_rng([settings.seed, place])
    p = p_by_redrawing(means, some.arm[first] == place, blocks, settings.permutations, rng)
    return replace(row, diagnostics={**row.diagnostics, "p_randomisation": p})


def _blocks(units: Units, settings: AnalysisSettings) -> np.ndarray:
    codes = np.zeros(len(units.rows), dtype=np.int64)
    for name in (settings.pair,) if settings.pair else settings.strata:
        further = recode(units.rows[name].astype(str).to_numpy(dtype=object))
        codes = recode(codes * (further.max() + 1) + further)
    return codes
