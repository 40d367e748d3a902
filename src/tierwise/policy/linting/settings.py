"""Settings that cannot work as written, names that nothing uses, metrics that nobody answers for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from tierwise.config.catalog import Metric
from tierwise.config.policy import Policy
from tierwise.policy.criteria import Criterion
from tierwise.policy.linting.findings import Finding
from tierwise.policy.plan import Plan
from tierwise.policy.reading import rule_tracks
from tierwise.policy.texts import flags_of, policy_columns
from tierwise.policy.truth import literal_value

# Currencies and other units of figures that are not counted one by one.
_MEASURED = re.compile(r"[A-Z]{3}|ratio|share|percent|%|points?|days?|hours?|score")


def setting_findings(policy: Policy) -> Iterator[Finding]:
    """Movement settings that can never apply."""
    movement = policy.movement
    below_entry = movement.sunset is not None and movement.sunset.below_entry_for is not None
    if below_entry and policy.tiers[0].when is None:
        message = f"sunset waits for partners below {policy.tiers[0].name}, but that tier has no rule and always holds"
        todo = "use at_entry_for, or give the lowest tier a rule"
        yield Finding("never_applies", "warning", "movement.sunset", message, todo=todo)
    for index, freeze in enumerate(movement.freeze):
        if freeze.until < policy.effective_from:
            message = f"the freeze ends {freeze.until}, before the policy is in force on {policy.effective_from}"
            yield Finding("never_applies", "warning", f"movement.freeze[{index}]", message)


def unused_findings(policy: Policy, used_names: set[str]) -> Iterator[Finding]:
    """Parameters, groups, definitions, scores and tracks that nothing in the policy uses."""
    used = used_names | {name for name, _ in policy_columns(policy)}
    ladders = [*policy.tiers, *(tier for track in policy.tracks.values() for tier in track.tiers)]
    used |= {track.track for tier in ladders if tier.when is not None for track in rule_tracks(tier.when)}
    for kind in ("parameters", "groups", "definitions", "tracks"):
        for name in getattr(policy, kind):
            if not {name, f"{name}_rank", f"{name}_tier"} & used:
                yield Finding("unused", "note", f"{kind}.{name}", f"nothing in the policy uses {name!r}")


def owner_findings(metrics: Mapping[str, Metric], used_names: set[str]) -> Iterator[Finding]:
    """Metrics that a criterion rests on and that have no owner in the catalog."""
    for name in sorted(used_names & metrics.keys()):
        if not metrics[name].owner:
            message = f"the metric {name!r} decides about tiers, but the catalog names no owner for it"
            yield Finding("no_owner", "warning", f"metrics.{name}", message, todo="add `owner` in metrics.yaml")


def flag_findings(policy: Policy, columns: set[str]) -> Iterator[Finding]:
    """Flags that are no column of the inputs: they hold for nobody until they are recorded."""
    for flag in sorted(flags_of(policy) - columns):
        message = f"the flag {flag!r} is no figure of the catalog: it holds for nobody until it is recorded"
        yield Finding("flag_not_recorded", "note", flag, message, todo="record it in the flags table, with its author")


def band_findings(policy: Policy, plan: Plan, units: Mapping[str, str]) -> Iterator[Finding]:
    """Bands on small counts, which ask for one more than the threshold says."""
    measured = {name for name, unit in units.items() if _MEASURED.fullmatch(unit)} | policy.scores.keys()
    band = policy.movement.promote.band
    for ladder in plan.ladders:
        for item in ladder.criteria:
            threshold = _small_count(item.criterion)
            own = item.criterion.options.band
            if threshold is None or not band or own is not None or item.criterion.metric in measured:
                continue
            place = f"{ladder.name or 'tiers'}.{item.tier}.{item.name}"
            message = (
                f"the promotion's band of {band:%} moves {item.criterion.expression} to {threshold * (1 + band):f}: "
                f"if {item.criterion.metric} is a count, a partner needs {threshold + 1:f}"
            )
            yield Finding(
                "band_on_count", "note", place, message, todo="write {check: ..., band: 0} if that is not meant"
            )


def _small_count(criterion: Criterion) -> Decimal | None:
    constant = None if criterion.threshold is None else literal_value(criterion.threshold)
    is_count = constant is not None and constant == constant.to_integral_value() and 0 < constant <= 20
    return constant if is_count and criterion.operator in (">=", ">") else None
