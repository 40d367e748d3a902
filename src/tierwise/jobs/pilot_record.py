"""A pilot's file in the form that its records and pages show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

import pandas as pd

import tierwise
from tierwise.config.calendar import shift
from tierwise.config.load import Workspace
from tierwise.config.pilot_file import ArmSettings, PilotFile
from tierwise.jobs.pilot_files import OpenPilot
from tierwise.jobs.pilot_snapshot import Channel
from tierwise.store.pilot_parts import ArmRecord, OutcomeRecord, PilotRecord, SourceRecord
from tierwise.tables import fingerprint

_ROLES = ("primary", "guardrail", "exploratory")
_SHOWS = {
    "better": "every primary metric is shown to be better than in the control arm",
    "minimum_effect": "every primary metric is shown to be better by the effect that matters",
}
_GUARDS = {
    "no_harm_shown": "no guardrail is shown to be worse by more than its tolerance",
    "shown_safe": "every guardrail is shown not to be worse by more than its tolerance",
}


def pilot_record(workspace: Workspace, pilot: OpenPilot, units: pd.DataFrame | None = None) -> PilotRecord:
    """The pilot as pages show it; with the drawn units, how many are in each arm."""
    settings = pilot.settings
    shares = sum(arm.share for arm in settings.arms.values())
    counts = _counts(units)
    names = sorted(settings.outcomes, key=lambda name: _ROLES.index(settings.outcomes[name].role))
    return PilotRecord(
        slug=pilot.slug,
        title=settings.title,
        hypothesis=settings.hypothesis,
        owner=settings.owner,
        starts=pilot.starts,
        ends=pilot.ends,
        unit=settings.unit,
        strata=settings.strata,
        match_on=settings.match_on,
        arms=tuple(
            _arm(name, arm, arm.share / shares, counts.get(name, (0, 0))) for name, arm in settings.arms.items()
        ),
        outcomes=tuple(_outcome(workspace, settings, name) for name in names),
        covariates=covariate_names(settings),
        looks=tuple(sorted(shift(pilot.starts, look, workspace.settings.calendar) for look in settings.looks)),
        stop_rule=tuple(_stop_rule(settings)),
        decision_rule=tuple(_decision_rule(settings)),
        alpha=settings.alpha,
        currency=settings.currency or workspace.settings.currency.program,
        sha256=pilot.sha256,
    )


def covariate_names(settings: PilotFile) -> tuple[str, ...]:
    """The columns known before the start by which estimates are sharpened: `before_` and the name."""
    named = (*settings.named("primary"), *(name for name in settings.covariates if name not in settings.strata))
    return tuple(dict.fromkeys(f"before_{name}" for name in named))


def source_record(channel: Channel, as_of: date) -> SourceRecord:
    """What a record is made from."""
    return SourceRecord(
        as_of=as_of,
        program_version=tierwise.__version__,
        data_fingerprint=fingerprint(channel.engine, channel.workspace, as_of),
        model_version=None if channel.champion is None else str(channel.champion.version),
    )


def _counts(units: pd.DataFrame | None) -> Mapping[str, tuple[int, int]]:
    if units is None:
        return {}
    by_arm = units.groupby("arm")
    partners, drawn = by_arm.size(), by_arm["cluster"].nunique()
    return {str(arm): (int(partners[arm]), int(drawn[arm])) for arm in partners.index}


def _arm(name: str, arm: ArmSettings, share: float, counts: tuple[int, int]) -> ArmRecord:
    kind = arm.kinds[0] if arm.kinds else "control"
    return ArmRecord(
        name=name,
        title=arm.title or name.replace("_", " ").capitalize(),
        kind=kind,
        gets=arm.gets,
        share=share,
        partners=counts[0],
        units=counts[1],
        cost_per_partner=arm.cost_per_partner,
    )


def _outcome(workspace: Workspace, settings: PilotFile, name: str) -> OutcomeRecord:
    outcome, metric = settings.outcomes[name], workspace.catalog.metrics[settings.metric_of(name)]
    window = metric.window
    is_state = window is not None and window.kind in ("lifetime", "as_of")
    own = outcome.metric is None or outcome.metric == name
    title = outcome.title or (metric.title if own else "") or name.replace("_", " ").capitalize()
    return OutcomeRecord(
        name=name,
        metric=settings.metric_of(name),
        title=title,
        unit=metric.unit,
        role=outcome.role,
        direction=direction_of(workspace, settings, name),
        window="on the last day" if is_state else f"{settings.lasts} from {settings.starts} on",
        per=outcome.per,
        minimum_effect=outcome.minimum_effect,
        tolerance=outcome.tolerance if outcome.role == "guardrail" else None,
    )


def direction_of(workspace: Workspace, settings: PilotFile, name: str) -> Literal["up", "down"]:
    """Whether more of an outcome is better: as the file says, else as the catalog does."""
    said = settings.outcomes[name].direction or workspace.catalog.metrics[settings.metric_of(name)].direction
    return "down" if said == "down" else "up"


def _stop_rule(settings: PilotFile) -> Iterator[str]:
    if not settings.looks:
        yield "The pilot is read once, at its end."
        return
    if settings.stop.for_harm:
        yield (
            "At a look it is stopped when a primary metric is shown to be worse, or a guardrail worse by more than "
            "its tolerance."
        )
    if settings.stop.for_benefit:
        yield "At a look it is stopped when the decision rule is met."
    if not settings.stop.for_harm and not settings.stop.for_benefit:
        yield "Looks inform; none of them stops the pilot."


def _decision_rule(settings: PilotFile) -> Iterator[str]:
    rule = settings.decision
    yield f"An arm is rolled out when {_SHOWS[rule.show]}."
    if settings.named("guardrail"):
        yield f"It is rolled out only if {_GUARDS[rule.guardrails]}."
    if rule.least_return is not None:
        yield f"The interval of its return on cost must lie above {rule.least_return:.0%}."
