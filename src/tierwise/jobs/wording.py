"""What figures, scores and settings of a workspace are called in sentences."""

from __future__ import annotations

from collections.abc import Iterator

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
    return Wording(
        titles={**titles, **MODEL_OUTPUTS},
        units={**units, **dict.fromkeys(MODEL_OUTPUTS, target_unit)},
        tier_names=policy.tier_names,
        target_unit=target_unit,
        horizon=str(potential.horizon),
        settings=_settings(workspace, policy),
        parts=dict(_parts(workspace, policy)),
        internal=frozenset((*policy.scores, *MODEL_OUTPUTS)),
    )


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
