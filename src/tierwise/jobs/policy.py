"""The jobs about policies: lint them, tell two apart, preview one on today's data, replay one over past reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from tierwise.config.calendar import last_review_day, review_days
from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.config.policy import Policy, load_policy
from tierwise.engine import Engine
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.accept import accepted_tables, refuse_unfit, refuse_unknowable_day
from tierwise.jobs.policy_inputs import asks_for_models, inputs_for, policy_inputs, versions_then
from tierwise.jobs.progress import Notify, Steps, silent
from tierwise.jobs.snapshots import first_event_date
from tierwise.jobs.tier_history import history_before
from tierwise.policy import Finding, Replay, Stakes, Today, diff, in_force, lint, preview, replay
from tierwise.reports.policy import DiffReport, LintReport, PreviewReport, ReplayReport
from tierwise.reports.policy_page import preview_page, replay_page
from tierwise.store.writer import write_text

FOLDER = "policy"
ROWS = {"preview": 5, "replay": 4}


def find_policy(workspace: Workspace, text: str) -> Policy:
    """The policy that a user names: by its file, its date, its version, or its name (the latest of that name).

    Raises:
        InvalidInput: If there is none, or the file has faults.
    """
    path = Path(text)
    if path.suffix in (".yaml", ".yml"):
        return load_policy(path if path.is_file() else workspace.folder / "policies" / path.name)
    matching = [
        policy
        for policy in workspace.policies
        if text in (policy.effective_from.isoformat(), policy.version, policy.policy)
    ]
    if matching:
        return matching[-1]
    known = [policy.version for policy in workspace.policies]
    what = f"no policy {text!r}; {hint(text, known)}"
    raise InvalidInput(Fault(what, str(workspace.folder), todo="give a file, a date, or a name"))


def lint_policies(workspace: Workspace, names: Sequence[str], notify: Notify = silent) -> LintReport:
    """Lint policies against the workspace's catalog and attributes, without reading data.

    Args:
        workspace: The workspace.
        names: The policies; all of the workspace by default.
        notify: Told of each step.

    Raises:
        InvalidInput: If a policy is not found or cannot be read.
    """
    policies = [find_policy(workspace, name) for name in names] or list(workspace.policies)
    steps = Steps(notify, len(policies))
    findings: dict[str, tuple[Finding, ...]] = {}
    for policy in policies:
        steps.begin(f"lint {policy.version}")
        findings[policy.version] = lint(policy, workspace.catalog, attributes=workspace.attributes)
    return LintReport(workspace.settings.name, findings)


@dataclass(frozen=True)
class PolicyRequest:
    """What to try a policy on.

    Attributes:
        policy: The new policy, as the user names it; for a replay none replays the policies in force.
        today: The day of the run.
        as_of: The day of the preview, or the last review of the replay; the last review by default.
        since: The first review of a replay; the first with data by default.
        out: The folder for the pages; `policy` in the output folder by default.
    """

    policy: str | None
    today: date
    as_of: date | None = None
    since: date | None = None
    out: Path | None = None


def lint_on_data(workspace: Workspace, request: PolicyRequest, notify: Notify = silent) -> LintReport:
    """Lint one policy on the partners of the last review as well: which criteria nobody meets, or fails.

    Raises:
        InvalidInput: If the policy is not found or does not fit the data.
        Refused: If the data is unfit, or the policy needs a model and none is in force.
    """
    policy = find_policy(workspace, request.policy or "")
    steps = Steps(notify, 4)
    with accepted_tables(workspace, request.today, steps) as (engine, check):
        refuse_unfit(check)
        steps.begin("compute the policy's inputs")
        day = _last_day(workspace, request)
        panel = policy_inputs(engine, workspace, [day], asks_for_models([policy]))
        steps.begin("lint the policy on today's partners")
        inputs = inputs_for(engine, workspace, policy, panel).get(day)
        found = lint(policy, workspace.catalog, inputs, tuple(workspace.attributes), engine)
    return LintReport(workspace.settings.name, {policy.version: found})


def diff_policies(workspace: Workspace, before: str, after: str) -> DiffReport:
    """Say in words what changed from one policy to another.

    Raises:
        InvalidInput: If one is not found or cannot be read.
    """
    old, new = find_policy(workspace, before), find_policy(workspace, after)
    return DiffReport(old.version, new.version, diff(old, new))


def preview_policy(workspace: Workspace, request: PolicyRequest, notify: Notify = silent) -> PreviewReport:
    """Review today's partners by a new policy and by the one in force; nothing is stored but the page.

    Raises:
        InvalidInput: If the policy is not found or does not fit the data.
        Refused: If the data is unfit, or the policy needs a model and none is in force.
    """
    new = find_policy(workspace, request.policy or "")
    steps = Steps(notify, ROWS["preview"])
    with accepted_tables(workspace, request.today, steps) as (engine, check):
        refuse_unfit(check)
        day = _last_day(workspace, request)
        current = _in_force_or_none(workspace, day)
        steps.begin("compute the policy's inputs")
        given = [new] if current is None else [new, current]
        inputs = policy_inputs(engine, workspace, [day], asks_for_models(given)).get(day)
        if inputs is None:
            raise InvalidInput(Fault(f"no partner is known yet on {day}", "--as-of"))
        steps.begin("place and move the partners by both policies")
        history = history_before(engine, workspace, workspace.output_folder, day)
        by_unit = {
            policy.per.column: inputs_for(engine, workspace, policy, {day: inputs})[day]
            for policy in given
            if policy.per
        }
        today = Today(day, inputs, history, workspace.settings.calendar, by_unit)
        seen = preview(engine, new, current, today, _stakes(workspace, list(inputs.columns)))
    report = PreviewReport(workspace.settings.name, day, new, current, seen, workspace.settings.currency.program)
    steps.begin("write the page")
    page = _folder(workspace, request) / f"preview-{new.policy}-{new.effective_from}.html"
    write_text(page, preview_page(report))
    return report.with_page(page)


def replay_policy(workspace: Workspace, request: PolicyRequest, notify: Notify = silent) -> ReplayReport:
    """Review every past review day by a policy, side by side with the policies in force.

    The models' outputs on a day are those of the version in force then; before there was one, of today's.

    Raises:
        InvalidInput: If the policy is not found, does not fit the data, or there is no review to replay.
        Refused: If the data is unfit, or a policy needs a model and none is in force.
    """
    new = None if request.policy is None else find_policy(workspace, request.policy)
    steps = Steps(notify, ROWS["replay"])
    with accepted_tables(workspace, request.today, steps) as (engine, check):
        refuse_unfit(check)
        steps.begin("compute the policy's inputs on every review day")
        days = _review_days(workspace, request, first_event_date(engine, workspace))
        policies = list(workspace.policies) if new is None else [new, *workspace.policies]
        with_models = asks_for_models(policies)
        versions = versions_then(workspace, days) if with_models else {}
        panel = policy_inputs(engine, workspace, days, with_models, versions)
        steps.begin("replay")
        calendar = workspace.settings.calendar
        series: dict[str, Replay] = {}
        if new is not None:
            series[new.version] = replay(engine, new, inputs_for(engine, workspace, new, panel), calendar)
        in_time = _inputs_in_force(engine, workspace, panel)
        if in_time:
            series["policies in force"] = replay(engine, workspace.policies, in_time, calendar)
    in_hindsight = tuple(day for day in panel if day not in versions) if with_models else ()
    report = ReplayReport(workspace.settings.name, tuple(panel), series, with_models, in_hindsight)
    name = "in-force" if new is None else f"{new.policy}-{new.effective_from}"
    page = _folder(workspace, request) / f"replay-{name}.html"
    write_text(page, replay_page(report))
    return report.with_page(page)


def _last_day(workspace: Workspace, request: PolicyRequest) -> date:
    if request.as_of is not None:
        refuse_unknowable_day(workspace, request.as_of, request.today)
        return request.as_of
    return last_review_day(workspace.settings.extracted_on or request.today, workspace.settings.calendar)


def _review_days(workspace: Workspace, request: PolicyRequest, first_event: date | None) -> tuple[date, ...]:
    last = _last_day(workspace, request)
    since = max(request.since or first_event or last, workspace.settings.earliest_date)
    days = review_days(since, last, workspace.settings.calendar)
    if not days:
        raise InvalidInput(Fault(f"there is no review between {request.since} and {last}", "--from"))
    return days


def _in_force_or_none(workspace: Workspace, day: date) -> Policy | None:
    started = [policy for policy in workspace.policies if policy.effective_from <= day]
    return in_force(started, day) if started else None


def _inputs_in_force(
    engine: Engine, workspace: Workspace, panel: Mapping[date, pd.DataFrame]
) -> dict[date, pd.DataFrame]:
    """On each day on which a policy was in force, what that policy places."""
    found: dict[date, pd.DataFrame] = {}
    for policy in workspace.policies:
        days = {day: rows for day, rows in panel.items() if _in_force_or_none(workspace, day) is policy}
        found |= inputs_for(engine, workspace, policy, days)
    return found


def _stakes(workspace: Workspace, columns: Sequence[str]) -> Stakes:
    """Revenue by the potential's metric, cost by the benefits file, cut by region and archetype."""
    region = workspace.settings.segments.region
    cuts = [name for name in (region, "archetype") if name is not None and name in columns]
    return Stakes(workspace.settings.potential.metric, _unit_costs(workspace), cuts)


def _unit_costs(workspace: Workspace) -> Mapping[str, float]:
    if workspace.benefits is None:
        return {}
    return {name: float(tier.unit_cost) for name, tier in workspace.benefits.tiers.items()}


def _folder(workspace: Workspace, request: PolicyRequest) -> Path:
    return request.out or workspace.output_folder / FOLDER
