"""The plots of one training, from what it learned."""

from __future__ import annotations

from tierwise.archetypes.projection import project
from tierwise.audit import Drift
from tierwise.jobs.learned import Learned
from tierwise.reports.plots import ArchetypeMap, BacktestFigures, Plot, training_plots
from tierwise.reports.plots_drift import drift_plot


def plots_of(learned: Learned, drift: Drift) -> tuple[Plot, ...]:
    """Draw everything that is drawn of a training."""
    metric = learned.workspace.catalog.metrics[learned.features.target]
    tested = learned.backtest
    figures = BacktestFigures(
        scores=tested.scores,
        calibration=tested.calibration,
        coverage=tested.coverage,
        stability=tested.stability,
        predictions=tested.predictions,
        target=metric.title or learned.features.target,
        unit=metric.unit,
    )
    return (*training_plots(figures, _map(learned)), drift_plot(drift.tests, drift.sentence))


def _map(learned: Learned) -> ArchetypeMap | None:
    found = project(learned.archetypes, learned.current, learned.workspace.settings.seed)
    if found is None:
        return None
    titles = {feature.name: feature.title or feature.name for feature in learned.archetypes.features.metrics}
    return ArchetypeMap(
        found.points, found.axes, found.partners, found.nearest, learned.archetypes_sentence.rstrip("."), titles
    )
