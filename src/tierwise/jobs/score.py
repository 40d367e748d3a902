"""Score: from the accepted tables and the model in force to a tier recommendation per partner, with its reasons."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pandas as pd

import tierwise
from tierwise import archetypes, potential
from tierwise.config.environment import expand_environment
from tierwise.config.load import Workspace
from tierwise.config.policy import Policy
from tierwise.engine import EmbeddedEngine, Engine
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.accept import accepted_tables, refuse_unfit, refuse_unknowable_day
from tierwise.jobs.changes import ReviewNow, previous_review
from tierwise.jobs.contributions import split_review
from tierwise.jobs.engines import computing_on, outputs_on, rows_per_file, splitting_on
from tierwise.jobs.explain_review import prepare_explaining
from tierwise.jobs.explain_scope import explained_partners, refuse_unknown_scope
from tierwise.jobs.guardrail_report import guardrail_documents
from tierwise.jobs.policy_inputs import inputs_for, with_recorded_flags
from tierwise.jobs.policy_lock import refuse_edited_policies
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.review_summary import Written, summarise
from tierwise.jobs.review_tables import ReviewLayout, ScoredReview
from tierwise.jobs.stability import retrained_models
from tierwise.jobs.tier_history import history_before, track_histories_before
from tierwise.metrics import compute
from tierwise.policy import Placement, move, move_tracks, place
from tierwise.reports.review import ReviewSummary
from tierwise.store import OutputLock, Review, lock_output, read_parts, read_review, write_blocks, write_postgresql
from tierwise.tables import fingerprint
from tierwise.tracking import Champion, Registry

STEPS = 8
RUN_ID_LENGTH = 16


@dataclass(frozen=True)
class ScoreRequest:
    """What to score, and where to.

    Attributes:
        as_of: The as-of date.
        today: The day of the run; later event dates are faults.
        out: The output folder; the workspace's by default.
        dry_run: Whether to do all of it but write nothing.
        engine: The engine that computes metrics, placement and models: `duckdb` or `spark`.
        explain: Whose recommendations are explained: `all`, `movers` or `none`.
    """

    as_of: date
    today: date
    out: Path | None = None
    dry_run: bool = False
    engine: str = "duckdb"
    explain: str = "all"


def score(workspace: Workspace, request: ScoreRequest, notify: Notify = silent) -> ReviewSummary:
    """Recommend a tier for every partner known as of a date.

    The result is a pure function of what the accepted tables show as of the date, the model in force, the policy in
    force and the tier history; the same run writes the same bytes.

    Raises:
        InvalidInput: If the workspace or its data is at fault, the sources can say nothing about the date, or no
            policy is in force on it.
        Refused: If no model is in force, a policy that decided an earlier review was edited since, or more of a table
            is quarantined than the workspace tolerates.
        OutsideFailure: If a source, the disk or MLflow fails; an earlier output stays readable.
    """
    steps = Steps(notify, STEPS)
    refuse_unknown_scope(request.explain)
    refuse_unknowable_day(workspace, request.as_of, request.today)
    output = request.out or workspace.output_folder
    policy = workspace.policy_on(request.as_of)
    refuse_edited_policies(workspace, output)
    steps.begin("load the model in force")
    champion = Registry.of(workspace).load_champion()
    with ExitStack() as held:
        lock = None if request.dry_run else held.enter_context(lock_output(output))
        engine, check = held.enter_context(accepted_tables(workspace, request.today, steps))
        refuse_unfit(check)
        context = _Context(workspace, request.as_of, output, policy, champion, request.explain)
        with computing_on(request.engine, engine, workspace.settings.engine) as computing:
            review = _review(engine, computing, context, steps)
        if review.explaining is not None:
            review = replace(review, explaining=held.enter_context(review.explaining.with_workers()))
        layout = ReviewLayout.of(engine, workspace, review)
        steps.begin("explain and write the review")
        return summarise(layout, _counted(layout) if lock is None else _write(lock, request, layout))


@dataclass(frozen=True)
class _Context:
    workspace: Workspace
    as_of: date
    output: Path
    policy: Policy
    champion: Champion
    explain: str


def _review(engine: EmbeddedEngine, computing: Engine, context: _Context, steps: Steps) -> ScoredReview:
    """Score on an engine of choice; what is small then (history, plans, reasons) asks the one that holds the tables."""
    workspace, as_of, bundle = context.workspace, context.as_of, context.champion.bundle
    model, found = potential.from_parts(bundle.group("potential")), archetypes.from_parts(bundle.group("archetypes"))
    with engine.beside() as reader, ThreadPoolExecutor(2) as second_core:
        printing = second_core.submit(fingerprint, reader, workspace, as_of)
        steps.begin("compute the metrics")
        rows = _metric_rows(computing, workspace, as_of)
        steps.begin("apply the models")
        inputs = with_recorded_flags(engine, workspace, outputs_on(computing, rows, model, found), as_of)
        del rows  # of a large channel, some hundred megabytes that are in `inputs` as well
        steps.begin("place and move the partners")
        placed = _placed(engine, computing, context, inputs)
        steps.begin("split the potentials and look at the whole channel")
        explained = explained_partners(context.explain, placed.moves)
        splitting = second_core.submit(
            split_review, workspace, model, inputs, placed.moves, splitting_on(computing), explained
        )
        version = f"{context.champion.version}"
        now = ReviewNow(as_of, version, model, found, context.policy, inputs, placed.placement, placed.moves)
        explaining = prepare_explaining(engine, workspace, context.output, now, retrained_models(bundle), explained)
        split, data_fingerprint = splitting.result(), printing.result()
    return ScoredReview(
        as_of=as_of,
        run_id=_run_id(context, data_fingerprint, placed.past),
        model_version=version,
        policy=context.policy,
        data_fingerprint=data_fingerprint,
        inputs=inputs,
        placement=placed.placement,
        moves=placed.moves,
        contributions=split,
        explaining=explaining,
        tracks=placed.tracks,
        scope=context.explain,
    )


@dataclass(frozen=True, eq=False)
class _Placed:
    """Where the policy and the movement rules place every partner, and the digest of the past that they looked at."""

    placement: Placement
    moves: pd.DataFrame
    tracks: pd.DataFrame
    past: str


def _placed(engine: Engine, computing: Engine, context: _Context, inputs: pd.DataFrame) -> _Placed:
    workspace, as_of, policy = context.workspace, context.as_of, context.policy
    placement = place(computing, policy, inputs_for(computing, workspace, policy, {as_of: inputs})[as_of])
    history = history_before(engine, workspace, context.output, as_of)
    on_tracks = track_histories_before(engine, workspace, context.output, as_of, policy.tracks)
    return _Placed(
        placement,
        move(policy, placement, history, as_of, workspace.settings.calendar),
        move_tracks(policy, placement, on_tracks, as_of, workspace.settings.calendar),
        "\n".join(_digest(past) for past in (history, *on_tracks.values())),
    )


def _metric_rows(computing: Engine, workspace: Workspace, as_of: date) -> pd.DataFrame:
    rows = compute(computing, workspace, [as_of])
    _check_known(rows, as_of)
    return rows


def _check_known(rows: pd.DataFrame, as_of: date) -> None:
    if rows.empty:
        todo = "take a later as-of date"
        raise InvalidInput(Fault(f"no partner is known yet on {as_of}", "partners", todo=todo))


def _run_id(context: _Context, data_fingerprint: str, past: str) -> str:
    """Name the run after everything that its result depends on."""
    earlier = previous_review(context.output, context.as_of)
    parts = (
        tierwise.__version__, context.as_of.isoformat(), data_fingerprint, str(context.champion.version),
        context.champion.bundle.sha256, context.policy.version, context.policy.sha256, past,
        earlier.run_id if earlier else "", *([] if context.explain == "all" else [context.explain]),
    )  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:RUN_ID_LENGTH]


def _digest(history: pd.DataFrame) -> str:
    """The SHA-256 of a history's row hashes: as text, the history of a large channel would fill the memory."""
    rows = pd.util.hash_pandas_object(history, index=False).to_numpy()
    return hashlib.sha256(rows.astype("<u8").tobytes()).hexdigest()


def _counted(layout: ReviewLayout) -> Written:
    """Make every table, and write none."""
    rows: Counter[str] = Counter()
    for block in layout.blocks():
        rows.update({name: len(frame) for name, frame in block().items()})
    return Written(None, rows)


def _write(lock: OutputLock, request: ScoreRequest, layout: ReviewLayout) -> Written:
    review, settings = layout.review, layout.workspace.settings.output
    about = Review(
        as_of=review.as_of,
        run_id=review.run_id,
        tables={},
        versions={
            "model": review.model_version,
            "policy": review.policy.version,
            "policy_sha256": review.policy.sha256,
            "data_fingerprint": review.data_fingerprint,
            "explain": review.scope,
            "tierwise": tierwise.__version__,
        },
        score_columns=tuple(review.policy.scores),
        documents=guardrail_documents(review),
        formats=settings.formats,
        rows_per_file=rows_per_file(request.engine, settings),
        basis=_basis(request, layout),
    )
    lock.sign(review.run_id)
    folder = write_blocks(lock, about, layout.blocks())
    rows = read_review(lock.folder, review.as_of).rows
    if settings.postgresql is not None:
        address = expand_environment(settings.postgresql, os.environ)
        tables = {name: read_parts(lock.folder, review.as_of, name) for name in rows}
        write_postgresql(address, settings.schema_, about, tables)
    return Written(folder, rows)


def _basis(request: ScoreRequest, layout: ReviewLayout) -> str:
    """Name what the tables follow from beside the run's name: after an edit no run goes on with the blocks before."""
    settings, catalog, benefits = layout.workspace.settings, layout.workspace.catalog, layout.workspace.benefits
    parts = (
        f"{request.engine} {settings.engine.partners_at_once}",
        settings.model_dump_json(exclude={"output", "engine", "mlflow"}),
        catalog.model_dump_json(),
        benefits.model_dump_json() if benefits is not None else "",
        pd.util.hash_pandas_object(layout.quarantine, index=False).to_numpy().tobytes().hex(),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
