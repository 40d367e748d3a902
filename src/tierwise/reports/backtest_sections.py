"""The sections of a back-test's page: every table beside its plot, baselines beside the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from tierwise.reports.leaks import leaks_section
from tierwise.reports.numbers import SCORE_TITLES, UNKNOWN, number, share, spread
from tierwise.reports.sections import Section

POOLED = "all"
_CANDIDATES = ("persistence", "run_rate", "glm", "trees", "model", "chosen", "median")
_SEGMENT_CANDIDATES = ("persistence", "model", "chosen")
_SHARES = frozenset({"coverage"})


def backtest_sections(
    summary: Sequence[str], tables: Mapping[str, pd.DataFrame], pictures: Mapping[str, str], alarm: str
) -> list[Section]:
    """Lay a back-test out.

    Args:
        summary: The answer in a few sentences.
        tables: The back-test's tables by name.
        pictures: SVG elements by the name of the plot.
        alarm: What the guards against leaks say.
    """
    return [
        Section("In short", text=tuple(summary)),
        _gate(tables["gate"]),
        _gains(tables["gains"], pictures.get("gini-by-origin", "")),
        *_scores(tables["scores"], pictures),
        _calibration(tables["calibration"], pictures.get("calibration-by-decile", "")),
        _coverage(tables["coverage"], pictures.get("interval-coverage", "")),
        *_segments(tables["segments"]),
        _stability(tables["stability"], pictures.get("rank-stability", "")),
        leaks_section(tables["leaks"], alarm),
        Section("How it was done", text=_METHOD),
    ]


_METHOD = (
    "At each past review the whole training ran again on the labels that had closed by then, gate included; `chosen` "
    "is what scoring would have shown. Persistence is the last period's figure, run rate is persistence scaled up for "
    "partners younger than the horizon, glm and trees are the two halves of the model.",
    "Intervals are percentile intervals of a bootstrap over partners, the same samples for every figure. `all` is the "
    "mean over the reviews at which every candidate could be scored.",
)


def _gate(gate: pd.DataFrame) -> Section:
    rows = [
        (row.origin, row.chosen, row.reason, number(row.probability), number(row.gini_model),
         number(row.gini_persistence), number(row.partners), number(row.training_rows))
        for row in _lines(gate)
    ]  # fmt: skip
    header = ("origin", "in use", "why", "P(gain > 0)", "Gini model", "Gini persistence", "partners", "training rows")
    text = ("The gate judges on reviews before the origin; what it chose is then tested on the origin itself.",)
    return Section("What the gate chose", header, tuple(rows), frozenset(range(3, 8)), text)


def _gains(gains: pd.DataFrame, picture: str) -> Section:
    rows = [
        (row.origin, row.candidate, f"{row.gain:+.3f}", spread(row.low, row.high), number(row.probability))
        for row in _lines(_ordered(gains.dropna(subset=["gain"])))
    ]
    header = ("origin", "candidate", "gain", "interval", "P(gain > 0)")
    text = ("Normalised Gini minus that of persistence on the same partners.",)
    return Section("Gain over persistence", header, tuple(rows), frozenset({2, 3, 4}), text, picture)


def _scores(scores: pd.DataFrame, pictures: Mapping[str, str]) -> list[Section]:
    found = []
    for score in [name for name in SCORE_TITLES if (scores["score"] == name).any()]:
        own = scores[scores["score"] == score]
        candidates = [name for name in _CANDIDATES if (own["candidate"] == name).any()]
        cells = {(row.origin, row.candidate): _cell(row, score) for row in _lines(own)}
        origins = sorted(own["origin"].unique(), key=lambda origin: (origin == POOLED, origin))
        rows = tuple((origin, *(cells.get((origin, name), "-") for name in candidates)) for origin in origins)
        picture = pictures.get("gain-curve", "") if score == "top_decile_capture" else ""
        right = frozenset(range(1, len(candidates) + 1))
        found.append(Section(_capital(SCORE_TITLES[score]), ("origin", *candidates), rows, right, picture=picture))
    return found


def _capital(title: str) -> str:
    return title[0].upper() + title[1:]


def _cell(row: object, score: str) -> str:
    value, low, high = (getattr(row, name) for name in ("value", "low", "high"))
    if score in _SHARES:
        return share(value) if pd.isna(low) else f"{share(value)} ({share(low)} to {share(high)})"
    return number(value) if pd.isna(low) else f"{number(value)} ({number(low)}–{number(high)})"


def _calibration(calibration: pd.DataFrame, picture: str) -> Section:
    pooled = calibration[(calibration["origin"] == POOLED) & calibration["candidate"].isin(_SEGMENT_CANDIDATES)]
    rows = [
        (row.candidate, f"{row.decile}", number(row.partners), number(row.predicted), number(row.actual),
         spread(row.actual_low, row.actual_high))
        for row in _lines(_ordered(pooled))
    ]  # fmt: skip
    header = ("candidate", "tenth", "partners", "predicted", "actual", "interval of the actual")
    text = (
        "Means over the reviews, by tenth of the prediction, lowest first; every review by itself is in the table.",
    )
    return Section(
        "Calibration by tenth of the prediction", header, tuple(rows), frozenset({1, 2, 3, 4, 5}), text, picture
    )


def _coverage(coverage: pd.DataFrame, picture: str) -> Section:
    rows = [
        (row.origin, row.source, f"{row.band}", number(row.partners), share(row.coverage),
         UNKNOWN if pd.isna(row.low) else f"{share(row.low)} to {share(row.high)}", share(row.nominal),
         number(row.width), number(row.relative_width))
        for row in _lines(coverage)
    ]  # fmt: skip
    header = (
        "origin",
        "source",
        "size band",
        "partners",
        "held",
        "interval",
        "promised",
        "mean width",
        "width / value",
    )
    text = (
        "Size bands from the smallest prediction (0) up, as they were calibrated for that source; -1 are those "
        "predicted to have nothing. Where more of them than promised stay at nothing, their interval holds more often.",
    )
    return Section("How often the interval held", header, tuple(rows), frozenset(range(2, 9)), text, picture)


def _segments(segments: pd.DataFrame) -> list[Section]:
    found = []
    for segment in segments["segment"].unique():
        own = segments[(segments["segment"] == segment) & segments["candidate"].isin(_SEGMENT_CANDIDATES)]
        rows = [
            (row.level, row.candidate, number(row.partners), number(row.mae), spread(row.mae_low, row.mae_high),
             number(row.bias), number(row.total_ratio), number(row.gini))
            for row in _lines(own)
        ]  # fmt: skip
        header = (segment, "candidate", "rows", "mean absolute error", "interval", "bias", "predicted / actual", "Gini")
        found.append(Section(f"Error by {segment}", header, tuple(rows), frozenset(range(2, 8))))
    return found


def _stability(stability: pd.DataFrame, picture: str) -> Section:
    rows = [
        (row.earlier, row.origin, row.candidate, number(row.partners), number(row.spearman), spread(row.low, row.high))
        for row in _lines(stability)
    ]
    header = ("trained as of", "and as of", "candidate", "partners", "rank correlation", "interval")
    text = ("Both retrains rank the partners of the later review.",)
    return Section("Do retrains agree?", header, tuple(rows), frozenset({3, 4, 5}), text, picture)


def _lines(frame: pd.DataFrame) -> Iterable[Any]:
    return frame.itertuples()


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    place = {name: position for position, name in enumerate(_CANDIDATES)}
    keys = pd.DataFrame(
        {"last": frame["origin"] == POOLED, "origin": frame["origin"], "place": frame["candidate"].map(place)}
    )
    return frame.loc[keys.sort_values(["last", "origin", "place"], kind="stable").index]
