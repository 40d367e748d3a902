"""A measured figure with its Monte-Carlo error and the band that it must lie in: how benchmarks of pilots print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        what: What was measured, and on how much.
        value: The figure.
        error: Its Monte-Carlo standard error; None where it has none.
        band: The lowest and highest value allowed; None where nothing is required.
    """

    what: str
    value: float
    error: float | None = None
    band: tuple[float, float] | None = None

    @property
    def verdict(self) -> str:
        """Whether the figure is inside its band, and if not, whether chance alone could do that."""
        if self.band is None:
            return ""
        low, high = self.band
        if low <= self.value <= high:
            return "inside"
        outside = max(low - self.value, self.value - high)
        return "outside, within two errors" if self.error and outside <= 2 * self.error else "OUTSIDE"

    def line(self) -> str:
        """One row of the table."""
        error = "" if self.error is None else f"{self.error:.4f}"
        band = "" if self.band is None else f"{self.band[0]:.3g}-{self.band[1]:.3g}"
        return f"| {self.what} | {band} | {self.value:.4f} | {error} | {self.verdict} |"


HEADER = "| what | required | ours | error | verdict |\n| --- | --- | --- | --- | --- |"


def share(found: Sequence[float]) -> tuple[float, float]:
    """The mean of what was found in independent repeats, and its standard error."""
    values = np.asarray(found, dtype=float)
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
