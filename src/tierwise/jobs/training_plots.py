"""The plots of one training, from what it learned."""

from __future__ import annotations

from tierwise.archetypes.projection import project
from tierwise.audit import Drift
from tierwise.config.load import Workspace
from tierwise.jobs.learned import Learned
from tierwise.potential import Backtest
from tierwise.reports.plots import POOLED, ArchetypeMap, BacktestFigures, Plot, training_plots
from tierwise.reports.plots_drift import drift_plot


def plots_of(learned: Learned, drift: Drift) -> tuple[Plot, ...]:
    """Draw everything that is drawn of a training."""
    figures = figures_of(learned.workspace, learned.backtest)
    return (*training_plots(figures, _map(learned)), drift_plot(drift.tests, drift.sentence))


def figures_of(workspace: Workspace, tested: Backtest) -> BacktestFigures:
    """What the plots of a back-test are drawn from: each past review by itself, and the model's retrains."""
    target = workspace.settings.potential.metric
    metric = workspace.catalog.metrics[target]
    stability = tested.stability[tested.stability["candidate"] == "model"]
    return BacktestFigures(
        scores=tested.scores,
        calibration=tested.calibration[tested.calibration["origin"] != POOLED],
        coverage=tested.coverage[tested.coverage["origin"] != POOLED],
        stability=stability.drop(columns="candidate"),
        predictions=tested.predictions,
        target=metric.title or target,
        unit=metric.unit,
    )


def _map(learned: Learned) -> ArchetypeMap | None:
    found = project(learned.archetypes, learned.current, learned.workspace.settings.seed)
    if found is None:
        return None
    titles = {feature.name: feature.title or feature.name for feature in learned.archetypes.features.metrics}
    return ArchetypeMap(
        found.points, found.axes, found.partners, found.nearest, learned.archetypes_sentence.rstrip("."), titles
    )
