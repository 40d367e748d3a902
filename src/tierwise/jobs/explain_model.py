"""A partner's scores and potential as people read them: every point, the interval, and the families behind it."""

from __future__ import annotations

import math
from collections import defaultdict

from tierwise.config.load import Workspace
from tierwise.explain.figures import UNKNOWN, factor, figure
from tierwise.explain.wording import Wording
from tierwise.reports.partner import Comparison, Family, Potential, Score, ScorePart
from tierwise.reports.partner_words import BASELINES, SOURCES
from tierwise.store.partner_rows import Record

TARGET = "potential"


def scores_of(rows: list[Record], recommendation: Record, wording: Wording) -> tuple[Score, ...]:
    """Word the scores, in the order of the stored rows, each with all of its parts."""
    by_score: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        by_score[row["score"]].append(row)
    return tuple(
        Score(
            name=name,
            title=wording.titles.get(name, name),
            total=recommendation.get(name, math.fsum(row["points"] or 0 for row in parts)),
            parts=tuple(_part(row, wording) for row in parts),
        )
        for name, parts in by_score.items()
    )


def _part(row: Record, wording: Wording) -> ScorePart:
    title = wording.titles.get(row["component"], row["component"].replace("_", " ").capitalize())
    dimension = (row["dimension"] or "").replace("_", " ")
    return ScorePart(title, dimension, row["points"], row["max_points"])


def potential_of(recommendation: Record, metrics: Record, workspace: Workspace) -> Potential:
    """Word the potential with its interval, its source and the same figure of the last period."""
    settings = workspace.settings.potential
    metric = workspace.catalog.metrics[settings.metric]
    value, low, high, headroom = (
        recommendation.get(name) for name in ("potential", "potential_low", "potential_high", "headroom")
    )
    shown = figure(value, metric.unit)
    ends = (figure(low, metric.unit), figure(high, metric.unit))
    interval = "no interval yet" if ends == (UNKNOWN, UNKNOWN) else f"{ends[0]} to {ends[1]}"
    source = SOURCES.get(str(recommendation.get("potential_source")), "source unknown")
    in_words = interval if low is None and high is None else f"interval {interval}"
    now = metrics.get(settings.metric)
    return Potential(
        value=value,
        low=low,
        high=high,
        now=now,
        line=f"Potential over the next {settings.horizon}: {shown} ({in_words}); {source}",
        shown=shown,
        shown_interval=interval,
        shown_now=figure(now, metric.unit),
        now_title=metric.title or settings.metric,
        shown_headroom=figure(headroom, metric.unit),
        source=source,
    )


def comparisons_of(rows: list[Record], recommendation: Record) -> tuple[Comparison, ...]:
    """Sum the contributions to the potential by family, against each stored baseline, the strongest first."""
    by_baseline: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["target"] == TARGET:
            by_baseline[row["baseline"]][row["family"]].append(row["contribution"])
    ordered = sorted(by_baseline, key=lambda name: (list(BASELINES).index(name) if name in BASELINES else 9, name))
    return tuple(_comparison(name, by_baseline[name], recommendation) for name in ordered)


def _comparison(baseline: str, effects: dict[str, list[float]], recommendation: Record) -> Comparison:
    sums = {name: math.fsum(values) for name, values in effects.items()}
    strongest = sorted(sums, key=lambda name: (-abs(sums[name]), name))
    families = tuple(Family(name, sums[name], math.exp(sums[name]), factor(math.exp(sums[name]))) for name in strongest)
    title = BASELINES.get(baseline, baseline)
    tier = recommendation.get("next_tier")
    title = f"peers in {tier}" if baseline == "peers" and tier else title
    return Comparison(baseline, title, families, math.fsum(sums.values()))
