"""What figures, scores and settings of a workspace are called in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tierwise.config.catalog import Metric
from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.explain.figures import figure, in_sentence, over_period
from tierwise.explain.sentences import PHRASES
from tierwise.explain.wording import Wording

MODEL_OUTPUTS = {
    "potential": "Potential",
    "potential_low": "Cautious outlook (low end of the potential)",
    "potential_high": "High end of the potential",
    "headroom": "Headroom",
}
_NAME = re.compile(r"[A-Za-z_]\w*")


def wording_of(workspace: Workspace, policy: Policy) -> Wording:
    """Collect titles and units from the catalog and the policy."""
    metrics, potential = workspace.catalog.metrics, workspace.settings.potential
    target_unit = metrics[potential.metric].unit
    titles = {name: metric.title or name for name, metric in metrics.items()}
    titles |= {name: score.title or name for name, score in policy.scores.items()}
    titles |= {name: definition.title or name for name, definition in policy.definitions.items()}
    units = {name: metric.unit for name, metric in metrics.items()}
    units |= {name: score.unit for name, score in policy.scores.items()}
    units |= {name: definition.unit for name, definition in policy.definitions.items()}
    kept = internal_figures(metrics, policy)
    parts = dict(_parts(workspace, policy))
    return Wording(
        titles={**titles, **MODEL_OUTPUTS},
        units={**units, **dict.fromkeys(MODEL_OUTPUTS, target_unit)},
        tier_names=policy.tier_names,
        target_unit=target_unit,
        horizon=str(potential.horizon),
        settings=_settings(workspace, policy),
        parts=parts,
        internal=frozenset((*policy.scores, *MODEL_OUTPUTS, *kept)),
        hidden=frozenset(_called(kept, titles, metrics)),
        conditions=_condition_titles(policy),
    )


def internal_figures(metrics: Mapping[str, Metric], policy: Policy) -> frozenset[str]:
    """The metrics that the catalog keeps in the house, and every figure whose formula uses one of them."""
    formulas = {name: metric.formula for name, metric in metrics.items() if metric.formula}
    formulas |= {name: definition.formula for name, definition in policy.definitions.items()}
    used = {name: set(_NAME.findall(formula)) for name, formula in formulas.items()}
    kept = {name for name, metric in metrics.items() if metric.internal}
    while more := {name for name, names in used.items() if names & kept} - kept:
        kept |= more
    return frozenset(kept)


def _called(kept: frozenset[str], titles: Mapping[str, str], metrics: Mapping[str, Metric]) -> Iterator[str]:
    """What internal figures are called in sentences: by title, by name, and by a family that holds nothing else."""
    for name in sorted(kept):
        yield from {name, name.replace("_", " "), titles[name], over_period(titles[name])}
    families = {metrics[name].family for name in kept & metrics.keys()}
    yield from families - {metric.family for name, metric in metrics.items() if name not in kept}


def _condition_titles(policy: Policy) -> dict[tuple[str, str], str]:
    """The titles that the policy gives to its named checks, by tier and name."""
    return {
        (tier.name, part.name): part.title
        for tier in policy.tiers
        for part in _checks(tier.when)
        if getattr(part, "name", None) and getattr(part, "title", "")
    }


def _checks(rule: Any) -> Iterator[Any]:
    """Every part of a tier's rule, the rule itself included."""
    if rule is None or isinstance(rule, str):
        return
    yield rule
    nested = getattr(rule, "all", None) or getattr(rule, "any", None) or ()
    if (count := getattr(rule, "at_least", None)) is not None:
        nested = count.of
    for part in nested:
        yield from _checks(part)


def _parts(workspace: Workspace, policy: Policy) -> Iterator[tuple[str, str]]:
    """Components are called as the figure they reward; one of a formula or of none keeps its own name."""
    titles = {name: metric.title for name, metric in workspace.catalog.metrics.items()} | MODEL_OUTPUTS
    for score in policy.scores.values():
        for card in score.scorecards.values():
            for component in card.components:
                name = component.name or component.dimension
                if name is not None and titles.get(component.of or ""):
                    yield name, titles[component.of or ""]


def _settings(workspace: Workspace, policy: Policy) -> dict[str, str]:
    """The settings that sentences name."""
    metrics, movement = workspace.catalog.metrics, policy.movement
    floors = []
    for key, least in policy.guardrails.evidence.items():
        name = key.removeprefix("min_")
        metric = metrics.get(name)
        title = over_period(in_sentence(metric.title)) if metric else name.replace("_", " ")
        asked = figure(float(least), metric.unit if metric else "")
        floors.append(PHRASES["floor"].format(title=title, asked=asked))
    return {
        "promotion_band": figure(float(movement.promote.band), "share"),
        "demotion_band": figure(float(movement.demote.band), "share"),
        "evidence": PHRASES["and"].join(floors) or PHRASES["more_activity"],
    }
