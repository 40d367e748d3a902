"""What a pilot leaves in MLflow: its design, its draw, its amendments, and each analysis."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from tierwise.config.load import Workspace
from tierwise.reports.plots import Plot, plot_files
from tierwise.store.pilot_folder import FROZEN_FILE, PAGE, Kept
from tierwise.store.pilot_parts import PilotRecord, Record, SourceRecord
from tierwise.store.pilot_records import AmendmentRecord, AnalysisRecord, AssignmentRecord, DesignRecord
from tierwise.tracking import Registry, RunContents
from tierwise.tracking.pilots import PilotEntry, log_amendment, log_analysis, log_assignment, log_design

_FIGURES = ("estimate", "low", "high", "relative", "relative_low", "relative_high", "p", "p_adjusted", "control_value")


def track_design(workspace: Workspace, record: DesignRecord, tables: Mapping[str, pd.DataFrame], frozen: str) -> str:
    """Log a design; the same one again is the same run."""
    entry = PilotEntry(
        slug=record.pilot.slug,
        name=f"design as of {record.source.as_of}",
        record_sha256=_sha256(record),
        facts={**_facts(record.pilot, record.source), "can_detect": str(record.can_detect).lower()},
        contents=RunContents(
            params=_params(record.pilot),
            metrics=dict(_power(record)),
            tables=tables,
            documents={"design.json": record.as_json(), FROZEN_FILE: frozen},
        ),
    )
    return log_design(Registry.of(workspace), entry)


def track_assignment(workspace: Workspace, kept: Kept[AssignmentRecord]) -> str:
    """Log a draw: the frozen file, the hash of who is in which arm, the balance; never who the partners are."""
    record = kept.record
    entry = PilotEntry(
        slug=record.pilot.slug,
        name=f"draw as of {record.source.as_of}",
        record_sha256=_sha256(record),
        facts={**_facts(record.pilot, record.source), "drawn_by": record.by, "drawn_on": record.on.isoformat()},
        contents=RunContents(
            params=_params(record.pilot),
            metrics={"partners": record.population.partners, "units": record.population.units,
                     "imbalance": record.imbalance},
            tables={"balance": kept.tables["balance"]},
            documents={"assignment.json": record.as_json(),
                       FROZEN_FILE: (kept.folder / FROZEN_FILE).read_text("utf-8")},
        ),
    )  # fmt: skip
    return log_assignment(Registry.of(workspace), entry, record.pilot.sha256, record.sha256)


def track_amendment(workspace: Workspace, drawn: AssignmentRecord, amendment: AmendmentRecord) -> None:
    """Log an amendment to the run of the draw."""
    documents = {f"amendment-{amendment.number:04d}.json": amendment.as_json()}
    log_amendment(Registry.of(workspace), drawn.pilot.slug, drawn.sha256, amendment.number, documents)


def track_analysis(
    workspace: Workspace,
    drawn: Kept[AssignmentRecord],
    kept: Kept[AnalysisRecord],
    plots: Sequence[Plot],
) -> str:
    """Log an analysis below the run of the draw, which is logged first where it never was."""
    track_assignment(workspace, drawn)
    record = kept.record
    verdicts = {f"verdict.{one.arm}": one.answer for one in record.verdicts}
    entry = PilotEntry(
        slug=record.pilot.slug,
        name=f"{'analysis' if record.final else 'look'} as of {record.source.as_of}",
        record_sha256=_sha256(record),
        facts={**_facts(record.pilot, record.source), **verdicts, "final": str(record.final).lower()},
        contents=RunContents(
            params={"as_of": record.source.as_of, "until": record.until, "look": record.look,
                    "alpha": record.pilot.alpha, "amendments": len(record.amendments),
                    "covariates": ", ".join(record.pilot.covariates),
                    "primary": ", ".join(one.name for one in record.pilot.outcomes if one.role == "primary")},
            metrics=dict(_results(record)),
            tables=kept.tables,
            plots=plot_files(plots),
            plot_tables={plot.name: plot.table for plot in plots},
            documents={"analysis.json": record.as_json(), PAGE: (kept.folder / PAGE).read_text("utf-8")},
        ),
    )  # fmt: skip
    return log_analysis(Registry.of(workspace), entry, record.assignment_sha256)


def _sha256(record: Record) -> str:
    return hashlib.sha256(record.as_json().encode()).hexdigest()


def _facts(pilot: PilotRecord, source: SourceRecord) -> dict[str, str]:
    return {
        "title": pilot.title,
        "owner": pilot.owner,
        "starts": pilot.starts.isoformat(),
        "ends": pilot.ends.isoformat(),
        "pilot_sha256": pilot.sha256,
        "as_of": source.as_of.isoformat(),
        "data_fingerprint": source.data_fingerprint,
        "program_version": source.program_version,
        **({} if source.model_version is None else {"model_version": source.model_version}),
    }


def _params(pilot: PilotRecord) -> dict[str, object]:
    body: dict[str, Any] = pilot.model_dump(mode="json", exclude={"arms", "outcomes", "sha256"})
    plain = {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in body.items()}
    arms = {f"arm.{arm.name}": f"{arm.share:.4g} of the {arm.kind} kind: {arm.gets}" for arm in pilot.arms}
    outcomes = {f"outcome.{one.name}": f"{one.role}: {one.metric}, {one.window}" for one in pilot.outcomes}
    return {**plain, **arms, **outcomes}


def _power(record: DesignRecord) -> Iterator[tuple[str, float]]:
    yield "partners", float(record.population.partners)
    yield "units", float(record.population.units)
    for plan in record.plans:
        planned = plan.rows[0]
        yield f"{plan.metric}/effect_that_matters", plan.effect
        yield f"{plan.metric}/units_needed", float(planned.units_needed)
        for name in ("power_formula", "power_simulated", "detectable_formula", "detectable_simulated"):
            value = getattr(planned, name)
            if value is not None:
                yield f"{plan.metric}/{name}", value


def _results(record: AnalysisRecord) -> Iterator[tuple[str, float]]:
    yield "partners", float(record.partners)
    yield "left", float(record.left)
    yield "sample_ratio_p", record.sample_ratio.p
    money = [row for one in record.money for row in one.rows]
    for row in (*record.results, *money):
        if row["scope"] == "all":
            known = {name: row[name] for name in _FIGURES if row[name] is not None}
            yield from ((f"{row['metric']}/{row['arm']}/{name}", float(value)) for name, value in known.items())
