"""What tiers cause: partners just above a threshold against those just below; tiers side by side; before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from tierwise import pilots
from tierwise.config.pilot import AnalysisSettings, OutcomeSettings, ThresholdSettings
from tierwise.jobs.attribute_costs import extra_cost
from tierwise.jobs.attribute_history import AFTER, BEFORE, NOW, History, Reviewed, placed, reviewed
from tierwise.jobs.attribute_pictures import threshold_picture
from tierwise.jobs.attribute_rows import row_without
from tierwise.pilots.families import adjust
from tierwise.pilots.results import Result
from tierwise.policy.deciding import Deciding, deciding_criteria
from tierwise.reports.attribution_findings import Finding

FIGURE, RECEIVED = "figure", "received"
_ANY = ("the tier above", "the tier below")
# A figure with fewer values than this does not come close to its threshold from both sides.
_LEAST_VALUES = 20
# Crossing the threshold must change the tier of at least this share of partners.
_LEAST_FOLLOWED = 0.1
_EARLIER_REVIEWS = 3


def threshold_findings(history: History) -> tuple[Finding, ...]:
    """Judge every tier at every threshold that decides by itself, at the latest review whose time after has passed.

    The latest such review is the one that counts, whatever it shows; earlier ones are further rows beside it.
    """
    reviews = history.reviews
    if not reviews:
        return (_nothing_on_record(history),)
    found = list(_at_review(history, reviewed(history, reviews[0])))
    for day in reviews[1 : 1 + _EARLIER_REVIEWS]:
        earlier = {finding.subject: finding for finding in _at_review(history, reviewed(history, day))}
        for place, finding in enumerate(found):
            if finding.subject in earlier:
                row = earlier[finding.subject].main
                row = replace(row, role="exploratory", scope=f"review: {day.isoformat()}")
                found[place] = replace(finding, rows=(*finding.rows, row))
    corrected = adjust([finding.main for finding in found])
    return tuple(finding.with_main(row) for finding, row in zip(found, corrected, strict=True))


def _nothing_on_record(history: History) -> Finding:
    unit = history.workspace.catalog.metrics[history.declared.outcome].unit
    row = _without("no_history", _ANY, history)
    note = (
        "No tier is recorded: the workspace has no table of kind `tier_history`."
        if history.tiers.empty
        else f"No review with recorded tiers lies {history.declared.horizon} or more before {history.as_of}."
    )
    return Finding("threshold", "all tiers", "Do tiers change what partners bring?", (row,), unit, notes=(note,))


def _without(reason_code: str, arms: tuple[str, str], history: History) -> Result:
    return row_without("threshold", reason_code, history.declared.outcome, arms, history.declared.settings.alpha)


def _at_review(history: History, review: Reviewed) -> Iterator[Finding]:
    placement = placed(history, review.policy, review.day)
    names = review.policy.tier_names
    if placement is None:
        row = _without("no_model_then", _ANY, history)
        unit = history.workspace.catalog.metrics[history.declared.outcome].unit
        yield Finding("threshold", "all tiers", "Do tiers change what partners bring?", (row,), unit, review.day)
        return
    eligible = pd.Series(placement.ranks()["eligible"], index=placement.tiers["partner_id"].to_numpy())
    judged: set[str] = set()
    for one in deciding_criteria(placement):
        figures = pd.DataFrame({FIGURE: one.value, "threshold": one.threshold, "alone": one.alone}, eligible.index)
        figures = figures[one.alone & np.isin(eligible, (one.rank - 1, one.rank))]
        rows = review.rows.merge(figures, left_on="partner_id", right_index=True)
        if one.rank > 0 and len(rows):
            judged.add(one.tier)
            yield _threshold(history, review, one, rows)
    for place, name in enumerate(names[1:], start=1):
        if name not in judged:
            row = _without("too_few_near_threshold", (name, names[place - 1]), history)
            note = "No single figure of its rule decides over the tier for any partner."
            yield _finding(history, review, name, "", (row,), (note,))


def _finding(
    history: History, review: Reviewed, tier: str, criterion: str, rows: tuple[Result, ...], notes: tuple[str, ...] = ()
) -> Finding:
    outcome = history.workspace.catalog.metrics[history.declared.outcome]
    subject = f"{tier}: {criterion}" if criterion else tier
    title = (outcome.title or history.declared.outcome)[:1].lower() + (outcome.title or history.declared.outcome)[1:]
    question = f"Does the tier {tier} change {title}, {history.declared.horizon} after the review?"
    return Finding("threshold", subject, question, rows, outcome.unit, review.day, notes)


def _threshold(history: History, review: Reviewed, one: Deciding, rows: pd.DataFrame) -> Finding:
    names, outcome = review.policy.tier_names, history.declared.outcome
    frame, cutoff, criterion = _running(one, rows)
    frame = frame.rename(columns={AFTER: outcome, BEFORE: f"{outcome}_before", NOW: f"{outcome}_at_review"})
    frame[RECEIVED] = (frame["held"] >= one.rank).astype(float)
    settings = ThresholdSettings(
        running=FIGURE,
        outcome=outcome,
        cutoff=cutoff,
        received=None if (frame[RECEIVED] == (frame[FIGURE] >= cutoff)).all() else RECEIVED,
        covariates=_placebos(history, one),
        alpha=history.declared.settings.alpha,
    )
    found = _estimated(frame, settings)
    named = tuple(replace(row, arm=one.tier, control=names[one.rank - 1]) for row in found)
    notes = (
        f"Compared are {len(frame):,} partners of the review of {review.day} for whom {one.metric} alone decides "
        f"between {names[one.rank - 1]} and {one.tier}.",
        *(
            []
            if settings.received is None
            else ["Some held another tier than the figure gives; the effect is on those that follow it."]
        ),
    )
    finding = _finding(history, review, one.tier, criterion, named, notes)
    picture = threshold_picture(frame, settings, found[0].diagnostics.get("bandwidth"))
    money = extra_cost(history, review, (one.rank - 1, one.rank), frame, found[0].diagnostics.get("bandwidth"), cutoff)
    return replace(finding, picture=picture, money=money)


def _running(one: Deciding, rows: pd.DataFrame) -> tuple[pd.DataFrame, float, str]:
    """The figure against its threshold, turned so that more is nearer the tier.

    Where thresholds differ, by region for example, the figure is a share of each partner's own.
    """
    sign = 1.0 if one.operator in (">=", ">") else -1.0
    thresholds = rows["threshold"].unique()
    same = len(thresholds) == 1
    share = not same and bool((rows["threshold"] > 0).all())
    figure = rows[FIGURE] / rows["threshold"] if share else rows[FIGURE] - (0.0 if same else rows["threshold"])
    cutoff = sign * (float(thresholds[0]) if same else 1.0 if share else 0.0)
    if one.operator in (">", "<"):
        cutoff = float(np.nextafter(cutoff, np.inf))
    shown = f"{thresholds[0]:,.10g}" if same else "its threshold"
    return rows.assign(**{FIGURE: sign * figure}), cutoff, f"{one.metric} {one.operator} {shown}"


def _placebos(history: History, one: Deciding) -> tuple[str, ...]:
    outcome = history.declared.outcome
    own = [name for name in history.declared.settings.covariates if name != one.metric]
    now = [] if one.metric == outcome else [f"{outcome}_at_review"]
    return (f"{outcome}_before", "tenure_days", *now, *own)


def _estimated(frame: pd.DataFrame, settings: ThresholdSettings) -> tuple[Result, ...]:
    """The effect, or why there is none: too few values to come close, or a threshold that does not decide."""
    if frame[FIGURE].nunique() < _LEAST_VALUES:
        plain = pilots.threshold_effect(frame.head(0), settings)
        return (replace(plain[0], reason_code="too_few_near_threshold"),)
    if settings.received is None:
        return pilots.threshold_effect(frame, settings)
    found = pilots.threshold_effect(frame, settings)
    followed = _followed(frame, settings, found[0].diagnostics.get("bandwidth", np.inf))
    main = replace(found[0], diagnostics={**found[0].diagnostics, "followed_share": followed})
    if main.reason_code != "manipulated_threshold" and not followed >= _LEAST_FOLLOWED:
        return (main.without_value("rule_not_followed"),)
    return (main, *found[1:])


def _followed(frame: pd.DataFrame, settings: ThresholdSettings, bandwidth: float) -> float:
    """By how much the share of partners with the tier differs above and below the threshold, near it."""
    away = frame[FIGURE] - settings.cutoff
    near = away.abs() <= bandwidth
    above, below = (frame.loc[near & side, RECEIVED] for side in (away >= 0, away < 0))
    return float(above.mean() - below.mean()) if len(above) and len(below) else 0.0


def compared_findings(history: History) -> tuple[Finding, ...]:
    """Put neighbouring tiers side by side: the naive difference, and the one adjusted for what was known before."""
    if not history.reviews:
        return ()
    review = reviewed(history, history.reviews[0])
    names, outcome = review.policy.tier_names, history.declared.outcome
    metric = history.workspace.catalog.metrics[outcome]
    frame = review.rows.rename(columns={AFTER: outcome})
    found = []
    for place in range(1, len(names)):
        two = frame[frame["held"].isin((place - 1, place))]
        two = two.assign(arm=two["held"].map({place - 1: names[place - 1], place: names[place]}).astype("str"))
        if two["arm"].nunique() < 2:
            continue
        settings = AnalysisSettings(
            control=names[place - 1],
            outcomes={outcome: OutcomeSettings()},
            covariates=(NOW, BEFORE, "tenure_days", *history.declared.settings.covariates),
            alpha=history.declared.settings.alpha,
        )
        rows = pilots.compare_observed(two, settings)
        question = f"How far are partners of {names[place]} from those of {names[place - 1]}?"
        note = "The first row is the plain difference, the second is adjusted for what was known at the review."
        found.append(Finding("tiers_compared", names[place], question, rows, metric.unit, review.day, (note,)))
    return tuple(found)


def before_after_findings(history: History) -> tuple[Finding, ...]:
    """Describe partners that rose at the review: the time before against the time after."""
    if not history.reviews:
        return ()
    review = reviewed(history, history.reviews[0])
    places = {name: place for place, name in enumerate(review.policy.tier_names)}
    earlier = history.held(review.day - timedelta(days=1)).map(places)
    rows = review.rows.assign(earlier=review.rows["partner_id"].map(earlier))
    metric = history.workspace.catalog.metrics[history.declared.outcome]
    found = []
    for verb, moved in (("rose", rows["held"] > rows["earlier"]), ("fell", rows["held"] < rows["earlier"])):
        row = pilots.before_after(rows[moved], NOW, AFTER, history.declared.settings.alpha)
        row = replace(row, metric=history.declared.outcome)
        note = "Who rises after a good year falls back by chance alone, and the other way round."
        question = f"What became of partners whose tier {verb} at the review?"
        found.append(Finding("before_after", f"tier {verb}", question, (row,), metric.unit, review.day, (note,)))
    return tuple(found)
