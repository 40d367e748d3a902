"""Compare two model versions on the same past reviews, out of time for both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
from pandas import Timestamp

from tierwise import archetypes, potential
from tierwise.config.load import Workspace
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.accept import accepted_tables, refuse_unfit, refuse_unknowable_day
from tierwise.jobs.backtest import last_day
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.snapshots import build_snapshots
from tierwise.potential import Comparison, Contender, PotentialModel
from tierwise.reports.comparison import ComparisonReport
from tierwise.tracking import Champion, Registry, RunContents, log_run

STEPS = 6
_DAYS_PER_MONTH = 30.44
_BY_DATE = frozenset({"partner_id", "as_of", "tenure_days", "first_seen"})


@dataclass(frozen=True)
class CompareRequest:
    """What to compare.

    Attributes:
        today: The day of the run; later event dates are faults.
        first: The version that is in force, or any other.
        second: The version that would replace it.
        as_of: Only labels closed by this date are used; the last review by default.
    """

    today: date
    first: str = "champion"
    second: str = "challenger"
    as_of: date | None = None


def compare(workspace: Workspace, request: CompareRequest, notify: Notify = silent) -> ComparisonReport:
    """Put two versions side by side; the comparison is kept as a run in MLflow.

    Raises:
        InvalidInput: If there is no such version, the two predict different things, or read columns that the workspace
            no longer has; or if the data is at fault.
        Refused: If more of a table is quarantined than the workspace tolerates.
        OutsideFailure: If a source or MLflow fails, or a version's files differ from what was registered.
    """
    steps = Steps(notify, STEPS)
    as_of = request.as_of or last_day(workspace, request.today)
    refuse_unknowable_day(workspace, as_of, request.today)
    registry = Registry.of(workspace)
    steps.begin("load the two versions")
    versions = (registry.load_version(request.first), registry.load_version(request.second))
    models = tuple(potential.from_parts(one.bundle.group("potential")) for one in versions)
    _refuse_unlike(workspace, versions, (models[0], models[1]))
    with accepted_tables(workspace, request.today, steps) as (engine, check):
        refuse_unfit(check)
        steps.begin("compute the metrics of past quarter ends")
        snapshots = build_snapshots(engine, workspace, as_of)
    steps.begin("test both on the same past reviews")
    spec = load_model_spec(workspace).potential
    found = potential.compare(
        snapshots, _contenders(workspace, (models[0], models[1])), spec.backtest, spec.gate.confidence
    )
    steps.begin("compare what they say of today's partners")
    rows = snapshots[snapshots["as_of"] == Timestamp(as_of)].reset_index(drop=True)
    report = _today(_report(workspace, versions, as_of, found), versions, (models[0], models[1]), rows)
    return _kept(registry, replace(report, least_difference=spec.backtest.least_difference))


def _refuse_unlike(
    workspace: Workspace, versions: tuple[Champion, Champion], models: tuple[PotentialModel, PotentialModel]
) -> None:
    """Stop where the versions cannot be compared on the workspace's data."""
    faults = []
    target = workspace.settings.potential.metric
    known = {*workspace.catalog.metrics, *workspace.attributes, *_BY_DATE}
    for version, model in zip(versions, models, strict=True):
        where = f"version {version.version}"
        if model.features.target != target:
            what = f"it predicts {model.features.target!r}, the workspace now asks for {target!r}"
            faults.append(Fault(what, where, todo="train again, then compare"))
        needed = (*model.features.names, *model.features.attributes, *model.features.comparable_by)
        missing = [name for name in dict.fromkeys(needed) if name not in known]
        if missing:
            what = f"it reads what the workspace no longer has: {', '.join(missing)}"
            todo = 'put them back, or promote the other version with --because "..."'
            faults.append(Fault(what, where, todo=todo))
    if faults:
        raise InvalidInput(faults)


def _contenders(workspace: Workspace, models: tuple[PotentialModel, PotentialModel]) -> tuple[Contender, Contender]:
    latest, seed = max(model.as_of for model in models), workspace.settings.seed
    first, second = (Contender(model, round((latest - model.as_of).days / _DAYS_PER_MONTH), seed) for model in models)
    return first, second


def _report(
    workspace: Workspace, versions: tuple[Champion, Champion], as_of: date, found: Comparison
) -> ComparisonReport:
    first, second = versions
    return ComparisonReport(
        workspace=workspace.settings.name,
        first=first.version,
        second=second.version,
        trained=(date.fromisoformat(first.facts["as_of"]), date.fromisoformat(second.facts["as_of"])),
        as_of=as_of,
        verdict=found.verdict,
        mode=found.mode,
        origins=found.origins,
        scores=found.scores,
        alarms=(first.facts.get("alarm", ""), second.facts.get("alarm", "")),
    )


def _today(
    report: ComparisonReport,
    versions: tuple[Champion, Champion],
    models: tuple[PotentialModel, PotentialModel],
    rows: pd.DataFrame,
) -> ComparisonReport:
    """Add how far the two agree on the partners of the as-of date."""
    first, second = (archetypes.from_parts(one.bundle.group("archetypes")) for one in versions)
    agreed = archetypes.agreement(first, second, rows)
    correlation = None
    if len(rows):
        said = [potential.predict(model, rows)["potential"] for model in models]
        value = float(said[0].rank().corr(said[1].rank()))
        correlation = value if value == value else None
    return replace(
        report,
        potential_correlation=correlation,
        archetypes_ari=agreed.ari,
        label_change=agreed.label_change,
        archetypes=(agreed.first, agreed.second),
    )


def _kept(registry: Registry, report: ComparisonReport) -> ComparisonReport:
    facts = {
        "event": "comparison", "first": f"{report.first}", "second": f"{report.second}", "verdict": report.verdict,
        "mode": report.mode, "as_of": report.as_of.isoformat(),
    }  # fmt: skip
    pooled = report.scores[report.scores["origin"] == "all"]
    metrics = {f"difference_{row.score}": float(str(row.difference)) for row in pooled.itertuples()}
    contents = RunContents(metrics=metrics, tables={"scores": report.scores}, documents=report.documents())
    name = f"version {report.second} against {report.first}"
    return replace(report, run_id=log_run(registry, name, facts, contents))
