"""Before any effect is read: are the arms of the sizes that were drawn, and who got what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from tierwise.config.pilot import AnalysisSettings
from tierwise.pilots.units import RECEIVED, Units

# Below this p-value the arms are not what was drawn (Fabijan et al., "Diagnosing sample ratio mismatch", KDD 2019).
SAMPLE_RATIO_ALPHA = 0.001


@dataclass(frozen=True)
class SampleRatio:
    """The sample ratio check.

    Attributes:
        observed: Units (clusters, where clusters were drawn) by arm.
        expected: What the drawn shares would give.
        p: Of the chi-square test.
    """

    observed: Mapping[str, int]
    expected: Mapping[str, float]
    p: float

    @property
    def passed(self) -> bool:
        """Whether the arms are of the sizes that were drawn."""
        return self.p >= SAMPLE_RATIO_ALPHA


def sample_ratio(units: Units, settings: AnalysisSettings) -> SampleRatio:
    """Test the sizes of the arms against the shares that were drawn."""
    arm = units.arm
    if units.clusters is not None:
        arm = arm[np.unique(units.clusters, return_index=True)[1]]
    observed = np.bincount(arm, minlength=len(units.arms))
    shares = np.array([settings.shares.get(name, 1.0) if settings.shares else 1.0 for name in units.arms])
    expected = shares / shares.sum() * observed.sum()
    p = float(stats.chisquare(observed, expected).pvalue)
    return SampleRatio(
        dict(zip(units.arms, observed.tolist(), strict=True)), dict(zip(units.arms, expected.tolist(), strict=True)), p
    )


@dataclass(frozen=True)
class Compliance:
    """What the units of one arm really got.

    Attributes:
        arm: The arm as drawn.
        units: Units drawn into it.
        received: Units by the arm that they got; `unknown` where nothing was recorded.
        share: The share that got what was drawn, of those where it was recorded; None where none was.
    """

    arm: str
    units: int
    received: Mapping[str, int] = field(default_factory=dict)
    share: float | None = None


def compliance(units: Units) -> tuple[Compliance, ...]:
    """Count what was received per arm; empty where the frame has no column `received`."""
    if RECEIVED not in units.rows:
        return ()
    received = units.rows[RECEIVED]
    names = received.astype(str).where(received.notna(), "unknown").to_numpy(dtype=object)
    rows = []
    for place, arm in enumerate(units.arms):
        got, counts = np.unique(names[units.arm == place], return_counts=True)
        by_arm = {str(name): int(number) for name, number in zip(got, counts, strict=True)}
        recorded = sum(by_arm.values()) - by_arm.get("unknown", 0)
        share = by_arm.get(arm, 0) / recorded if recorded else None
        rows.append(Compliance(arm, sum(by_arm.values()), by_arm, share))
    return tuple(rows)
