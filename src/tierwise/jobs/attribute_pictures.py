"""The figures that the pictures of an attribution are drawn from: means of many partners, never single ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from tierwise.config.pilot import ThresholdSettings

Floats = npt.NDArray[np.float64]
# A dot stands for at least so many partners.
LEAST_IN_DOT = 10
_MOST_DOTS = 12
# How far from the threshold dots are shown, in bandwidths.
_REACH = 3.0
_NORMAL = 1.959963984540054


def threshold_picture(
    frame: pd.DataFrame, settings: ThresholdSettings, bandwidth: float | None
) -> dict[str, pd.DataFrame]:
    """Means of the outcome in slices on either side of a threshold, and the lines that the estimate rests on.

    Args:
        frame: One row per partner with the columns that the settings name.
        settings: The threshold.
        bandwidth: How far the estimate looks; none where there is no estimate.

    Returns:
        `dots`: `side` (-1 below, 1 above), `figure`, `mean`, `low`, `high`, `partners`, by figure; `lines`: `side`,
        `figure`, `value`, two ends each. Slices hold at least ten partners.
    """
    known = frame[np.isfinite(frame[settings.outcome]) & np.isfinite(frame[settings.running])]
    figure = known[settings.running].to_numpy(dtype=float)
    outcome = known[settings.outcome].to_numpy(dtype=float)
    reach = np.inf if bandwidth is None else _REACH * bandwidth
    dots, lines = [], []
    for side in (-1, 1):
        own = ((figure >= settings.cutoff) == (side > 0)) & (np.abs(figure - settings.cutoff) <= reach)
        dots += [{"side": side, **dot} for dot in _dots(figure[own], outcome[own])]
        if bandwidth is not None:
            lines += [
                {"side": side, **end} for end in _line(figure[own], outcome[own], settings.cutoff, side * bandwidth)
            ]
    cutoff = pd.DataFrame({"cutoff": [settings.cutoff], "bandwidth": [np.nan if bandwidth is None else bandwidth]})
    return {"dots": pd.DataFrame(dots), "lines": pd.DataFrame(lines), "cutoff": cutoff}


def _dots(figure: Floats, outcome: Floats) -> Iterator[dict[str, float]]:
    slices = min(_MOST_DOTS, len(figure) // LEAST_IN_DOT)
    order = np.argsort(figure, kind="stable")
    for part in np.array_split(order, slices) if slices else []:
        mean, spread = float(outcome[part].mean()), float(outcome[part].std(ddof=1))
        half = _NORMAL * spread / np.sqrt(len(part))
        yield {
            "figure": float(figure[part].mean()), "mean": mean, "low": mean - half, "high": mean + half,
            "partners": float(len(part)),
        }  # fmt: skip


def _line(figure: Floats, outcome: Floats, cutoff: float, towards: float) -> list[dict[str, float]]:
    """The local linear fit on one side, triangular weights: its ends at the bandwidth and at the threshold."""
    away = np.abs(figure - cutoff) / abs(towards)
    weight = np.sqrt(np.maximum(1 - away, 0.0))
    if (weight > 0).sum() < LEAST_IN_DOT or np.ptp(figure[weight > 0]) == 0:
        return []
    columns = np.column_stack([np.ones(len(figure)), figure - cutoff])
    fitted = np.linalg.lstsq(columns * weight[:, None], outcome * weight, rcond=None)[0]
    ends = sorted((cutoff + towards, cutoff))
    return [{"figure": end, "value": float(fitted[0] + fitted[1] * (end - cutoff))} for end in ends]


def exposure_picture(rows: list[dict[str, float]]) -> dict[str, pd.DataFrame]:
    """The effects before and after the start of a roll-out, in the order of the time since it."""
    names = ["exposure", "estimate", "low", "high"]
    return {"exposures": pd.DataFrame(rows, columns=names).sort_values("exposure", ignore_index=True)}


def region_picture(panel: pd.DataFrame, treated: npt.NDArray[np.bool_], starts: int) -> dict[str, pd.DataFrame]:
    """The mean of the treated regions beside that of the others, by period.

    Args:
        panel: `region`, `period`, `outcome`, `until` (the period's last day).
        treated: Which rows are of treated regions.
        starts: The first treated period.
    """
    marked = panel.assign(treated=treated)
    means = marked.pivot_table(index=["period", "until"], columns="treated", values="outcome", aggfunc="mean")
    means = means.rename(columns={True: "treated", False: "others"}).reset_index()
    return {"series": means.rename_axis(columns=None).assign(after=means["period"] >= starts)}
