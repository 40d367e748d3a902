"""The declarations of `attribution.yaml`, held against the workspace: every name must be known there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tierwise.config.attribution import AttributionSettings, RegionDeclaration, RolloutDeclaration
from tierwise.config.catalog import Metric
from tierwise.config.durations import Duration
from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.config.policy import Policy, load_policy
from tierwise.config.validation import check_settings
from tierwise.config.yaml_reader import Document, KeyPath, read_yaml
from tierwise.errors import Fault, InvalidInput

FILE = "attribution.yaml"


@dataclass(frozen=True)
class Declared:
    """What is to be judged.

    Attributes:
        settings: The file, or its defaults where there is none.
        outcome: The metric that tiers should change.
        horizon: How long after a review it is read.
        alternatives: The policies to be judged beside the one in force.
    """

    settings: AttributionSettings
    outcome: str
    horizon: Duration
    alternatives: tuple[Policy, ...]


def load_declared(workspace: Workspace) -> Declared:
    """Read `attribution.yaml`, which may be absent.

    Raises:
        InvalidInput: With every fault of the file: a key, a metric, an attribute, a table, a policy file.
    """
    path = workspace.folder / FILE
    document = read_yaml(path) if path.exists() else Document(FILE, {})
    settings = check_settings(AttributionSettings, document)
    faults = list(_faults(document, settings, workspace))
    policies = []
    for place, name in enumerate(settings.alternatives):
        try:
            policies.append(load_policy(_inside(workspace, name, document.where(("alternatives", place)))))
        except InvalidInput as error:
            faults += error.faults
    if faults:
        raise InvalidInput(faults)
    potential = workspace.settings.potential
    return Declared(
        settings, settings.outcome or potential.metric, settings.horizon or potential.horizon, tuple(policies)
    )


def _inside(workspace: Workspace, name: str, where: str) -> Path:
    path = (workspace.folder / name).resolve()
    if not path.is_relative_to(workspace.folder.resolve()) or not path.is_file():
        todo = "name a policy file inside the workspace, such as alternatives/lower-growth.yaml"
        raise InvalidInput(Fault(f"there is no policy file {name!r}", where, todo=todo))
    return path


def _faults(document: Document, settings: AttributionSettings, workspace: Workspace) -> Iterator[Fault]:
    metrics = workspace.catalog.metrics
    named: list[tuple[KeyPath, str | None]] = [(("outcome",), settings.outcome)]
    named += [(("covariates", place), name) for place, name in enumerate(settings.covariates)]
    named += [(("rollouts", key, "gained_by"), rollout.gained_by) for key, rollout in settings.rollouts.items()]
    yield from _unknown(document, ((path, name, "metric") for path, name in named if name), metrics)
    for kind, found in (("rollouts", settings.rollouts), ("regions", settings.regions)):
        for key, one in found.items():
            yield from _declared_faults(document, (kind, key), one, settings, workspace)
    if settings.chances is not None:
        yield from _chances_faults(document, settings, workspace)


def _unknown(document: Document, named: Iterable[tuple[KeyPath, str, str]], known: Iterable[str]) -> Iterator[Fault]:
    names = tuple(known)
    for path, name, kind in named:
        if name not in names:
            yield Fault(f"{name!r} is no {kind}; {hint(name, names)}", document.where(path))


def _declared_faults(
    document: Document,
    path: KeyPath,
    one: RolloutDeclaration | RegionDeclaration,
    settings: AttributionSettings,
    workspace: Workspace,
) -> Iterator[Fault]:
    if one.by is not None:
        yield from _unknown(document, [((*path, "by"), one.by, "attribute of partners")], workspace.attributes)
    outcome = one.metric or settings.outcome or workspace.settings.potential.metric
    metric = workspace.catalog.metrics.get(outcome)
    where = document.where((*path, "metric") if one.metric else path)
    if metric is None:
        yield Fault(f"{outcome!r} is no metric; {hint(outcome, workspace.catalog.metrics)}", where)
    elif not adds_up(metric):
        todo = "name a metric that adds up rows of a table in a window of days, months or quarters, with `missing: 0`"
        yield Fault(f"the metric {outcome!r} cannot be added up quarter by quarter", where, todo=todo)


def adds_up(metric: Metric) -> bool:
    """Whether a metric can be taken quarter by quarter: an aggregate over a window, 0 where there are no rows."""
    has_length = metric.window is not None and metric.window.kind not in ("lifetime", "as_of")
    return metric.formula is None and has_length and metric.per is None and metric.missing == 0


def _chances_faults(document: Document, settings: AttributionSettings, workspace: Workspace) -> Iterator[Fault]:
    chances = settings.chances
    if chances is None:
        return
    events = workspace.tables_of("events")
    yield from _unknown(document, [(("chances", "table"), chances.table, "event table")], events)
    if chances.table in events:
        columns = workspace.table(chances.table).columns
        named = [(("chances", key), getattr(chances, key), f"column of {chances.table}") for key in ("tier", "chance")]
        yield from _unknown(document, named, columns)
