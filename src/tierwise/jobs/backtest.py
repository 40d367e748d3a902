"""Back-test: what the present recipe would have predicted at past reviews, as tables, a page and an MLflow run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import tierwise
from tierwise.config.calendar import last_review_day
from tierwise.config.load import Workspace
from tierwise.config.model_spec import ModelSpec
from tierwise.errors import Fault, Refused
from tierwise.jobs.accept import accepted_tables, refuse_unfit, refuse_unknowable_day
from tierwise.jobs.learning import LearningData, find_archetypes, judge_on_past_reviews, learning_data
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.snapshots import model_features
from tierwise.jobs.training_plots import figures_of
from tierwise.jobs.training_record import pooled_scores
from tierwise.potential import Backtest, Leaks
from tierwise.reports.backtest import BacktestReport
from tierwise.reports.plots import backtest_plots, plot_files
from tierwise.store.report_folder import Report, write_report
from tierwise.tracking import Registry, RunContents, log_run

STEPS = 6
FOLDER = "backtest"


@dataclass(frozen=True)
class BacktestRequest:
    """What to test, and where to write it.

    Attributes:
        today: The day of the run; later event dates are faults.
        as_of: Only labels closed by this date are used; the last review by default.
        out: The folder for the results; `backtest` in the output folder by default.
        origins: At most how many past reviews; the model file says so by default.
    """

    today: date
    as_of: date | None = None
    out: Path | None = None
    origins: int | None = None


def backtest(workspace: Workspace, request: BacktestRequest, notify: Notify = silent) -> BacktestReport:
    """Test the workspace's recipe on its past reviews; no version is registered.

    Raises:
        InvalidInput: If the workspace or its data is at fault, the sources can say nothing about the date, or no
            partner is known on it.
        Refused: If no past review has completed by the date, or more of a table is quarantined than the workspace
            tolerates.
        OutsideFailure: If a source, the disk or MLflow fails; an earlier result stays readable.
    """
    steps = Steps(notify, STEPS)
    as_of = request.as_of or last_day(workspace, request.today)
    refuse_unknowable_day(workspace, as_of, request.today)
    registry, spec = Registry.of(workspace), _spec(workspace, request)
    with accepted_tables(workspace, request.today, steps) as (engine, check):
        refuse_unfit(check)
        steps.begin("compute the metrics of past quarter ends")
        data = learning_data(engine, workspace, as_of)
    refuse_untestable(data)
    steps.begin("find the archetypes")
    found = find_archetypes(workspace, spec, data, registry)
    steps.begin("train and test at each past review")
    tested, leaks = judge_on_past_reviews(workspace, spec, model_features(workspace, spec), data, found)
    steps.begin("write the results")
    return _store(registry, request.out or workspace.output_folder / FOLDER, _Result(workspace, data, tested, leaks))


def last_day(workspace: Workspace, today: date) -> date:
    """The last review day that the sources can tell of."""
    return last_review_day(workspace.settings.extracted_on or today, workspace.settings.calendar)


def refuse_untestable(data: LearningData) -> None:
    """Stop where nothing can be tested out of time.

    Raises:
        Refused: If no label window has closed by the as-of date.
    """
    if data.snapshots["label"].notna().any():
        return
    opened = data.snapshots["label_until"].min()
    what = f"nothing can be tested: no past review's label window has closed by {data.as_of}"
    todo = f"take a later as-of date; the first window still open ends on {opened:%Y-%m-%d}"
    raise Refused(Fault(what, "--as-of", todo=todo))


def _spec(workspace: Workspace, request: BacktestRequest) -> ModelSpec:
    spec = load_model_spec(workspace)
    if request.origins is None:
        return spec
    changed = spec.potential.backtest.model_copy(update={"origins": request.origins})
    return spec.model_copy(update={"potential": spec.potential.model_copy(update={"backtest": changed})})


@dataclass(frozen=True)
class _Result:
    workspace: Workspace
    data: LearningData
    tested: Backtest
    leaks: Leaks

    @property
    def facts(self) -> dict[str, str]:
        return {
            "as_of": self.data.as_of.isoformat(),
            "data_fingerprint": self.data.data_fingerprint,
            "alarm": self.leaks.alarm,
            "program_version": tierwise.__version__,
        }


def _store(registry: Registry, folder: Path, result: _Result) -> BacktestReport:
    """Write the tables and pages, then log them as a run."""
    report = _report(result)
    plots = backtest_plots(figures_of(result.workspace, result.tested))
    documents = report.documents({plot.name: plot.inline for plot in plots})
    place = write_report(folder, Report(result.data.as_of, report.tables, documents, result.facts))
    contents = RunContents(
        metrics=pooled_scores(result.tested.scores),
        tables=report.tables,
        plots=plot_files(plots),
        plot_tables={plot.name: plot.table for plot in plots},
        documents=documents,
    )
    facts = {"event": "backtest", **result.facts}
    return report.stored(place, log_run(registry, f"back-test as of {result.data.as_of}", facts, contents))


def _report(result: _Result) -> BacktestReport:
    settings = result.workspace.settings
    metric = result.workspace.catalog.metrics[settings.potential.metric]
    return BacktestReport(
        workspace=settings.name,
        as_of=result.data.as_of,
        target=metric.title or settings.potential.metric,
        unit=metric.unit,
        horizon=str(settings.potential.horizon),
        tables=result.tested.tables(),
        alarm=result.leaks.alarm,
        alarms=result.leaks.sentences,
    )
