"""Checks of a pilot's file against the workspace: every name is declared, and every number means something."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from tierwise.config.calendar import shift
from tierwise.config.catalog import Catalog, Metric
from tierwise.config.columns import attributes
from tierwise.config.durations import Duration, Window
from tierwise.config.names import hint, known_names
from tierwise.config.pilot_file import PARTNER, ArmSettings, PilotFile
from tierwise.config.policy import Policy
from tierwise.config.workspace import WorkspaceSettings
from tierwise.config.yaml_reader import Document, KeyPath
from tierwise.errors import Fault

MODEL_GROUPS = ("archetype",)
MODEL_FIGURES = ("potential", "headroom")
TIER = "tier"
_MONTHS = {"month": 1, "months": 1, "quarter": 3, "quarters": 3, "calendar_quarters": 3, "year": 12}


def pilot_faults(
    document: Document, pilot: PilotFile, settings: WorkspaceSettings, catalog: Catalog, policies: Iterable[Policy]
) -> Iterator[Fault]:
    """Check a pilot's file against the catalog, the tables and the policies; SQL conditions are checked elsewhere."""
    yield from _arm_faults(document, pilot, tuple(policies))
    yield from _time_faults(document, pilot, settings)
    yield from _outcome_faults(document, pilot, catalog)
    yield from _column_faults(document, pilot, settings, catalog)
    yield from _money_faults(document, pilot)
    yield from _received_faults(document, pilot, settings)


def partner_columns(settings: WorkspaceSettings) -> tuple[str, ...]:
    """Every column of partners that tells who they are or whom they belong to: attributes, and the partner table's."""
    table = next(table for table in settings.tables.values() if table.kind == "partners")
    own = [name for name in table.columns if name not in ("partner_id", "name", "joined_on", "left_on")]
    return tuple(dict.fromkeys((*attributes(settings), *own)))


def needed_metrics(pilot: PilotFile) -> tuple[str, ...]:
    """The metrics of the catalog that outcomes and covariates name, each once; formulas' own metrics are not among."""
    return tuple(dict.fromkeys((*pilot.read_metrics(), *pilot.covariates, *pilot.match_on, *pilot.draw.balance)))


def _arm_faults(document: Document, pilot: PilotFile, policies: tuple[Policy, ...]) -> Iterator[Fault]:
    for name, arm in pilot.arms.items():
        where = document.where(("arms", name))
        if name == pilot.control and arm.kinds:
            what = f"{name!r} is the first arm and so the control, but it gets {arm.kinds[0]!r}"
            yield Fault(what, where, todo="put the arm that gets nothing new first")
        elif name != pilot.control and len(arm.kinds) != 1:
            found = ", ".join(arm.kinds) or "none"
            todo = "say what the arm changes, so that it is known what the effect is one of"
            what = f"an arm is one of policy_change, incentive, mdf_budget, service_level; found {found}"
            yield Fault(what, where, todo=todo)
        yield from _policy_faults(document, ("arms", name, "policy_change"), pilot, arm, policies)


def _policy_faults(
    document: Document, path: KeyPath, pilot: PilotFile, arm: ArmSettings, policies: tuple[Policy, ...]
) -> Iterator[Fault]:
    change = arm.policy_change
    if change is None:
        return
    policy = policy_of(pilot, arm, policies)
    if policy is None:
        known = [found.policy for found in policies]
        what = f"no policy {change.policy!r} is in force on {pilot.starts}; {hint(change.policy or '', known)}"
        if change.policy is None:
            what = f"no policy is in force on {pilot.starts}"
        yield Fault(what, document.where((*path, "policy") if change.policy else path))
        return
    for name in change.parameters:
        if name not in policy.parameters:
            offer = hint(name, policy.parameters)
            what = f"the policy {policy.version} has no parameter {name!r}; {offer or 'it has none'}"
            yield Fault(what, document.where((*path, "parameters", name)))


def policy_of(pilot: PilotFile, arm: ArmSettings, policies: Iterable[Policy]) -> Policy | None:
    """The policy that an arm changes: the one it names, as in force on the first day."""
    change = arm.policy_change
    started = [found for found in policies if found.effective_from <= pilot.starts]
    if change is not None and change.policy is not None:
        started = [found for found in started if found.policy == change.policy]
    return started[-1] if started else None


def _time_faults(document: Document, pilot: PilotFile, settings: WorkspaceSettings) -> Iterator[Fault]:
    if pilot.starts <= settings.earliest_date:
        what = f"the pilot starts on {pilot.starts}, not after the workspace's earliest date {settings.earliest_date}"
        yield Fault(what, document.where(("starts",)))
    end = shift(pilot.starts, pilot.lasts, settings.calendar)
    if pilot.lasts.count < 1:
        yield Fault("a pilot lasts one day or more", document.where(("lasts",)))
    for index, look in enumerate(pilot.looks):
        where = document.where(("looks", index))
        if not pilot.starts < shift(pilot.starts, look, settings.calendar) < end:
            what = f"the look after {look} is not between the first day and the end after {pilot.lasts}"
            yield Fault(what, where)
        elif look in pilot.looks[:index]:
            yield Fault(f"the look after {look} stands twice", where)


def _outcome_faults(document: Document, pilot: PilotFile, catalog: Catalog) -> Iterator[Fault]:
    if not pilot.named("primary"):
        todo = "mark the metric that decides with 'role: primary'"
        yield Fault("no outcome is primary", document.where(("outcomes",)), todo=todo)
    for name, outcome in pilot.outcomes.items():
        path: KeyPath = ("outcomes", name)
        if name in ("revenue", "margin", "cost"):
            what = f"the name {name!r} stands for the amounts of the pilot's return"
            yield Fault(what, document.where(path), todo=f"call it for example '{name}_in_pilot' and name its metric")
        metric = pilot.metric_of(name)
        own = (*path, "metric") if outcome.metric else path
        yield from _metric_faults(document, own, metric, catalog)
        if outcome.per is not None:
            yield from _metric_faults(document, (*path, "per"), outcome.per, catalog)
        if metric in catalog.metrics:
            yield from _meaning_faults(document, pilot, name, catalog.metrics[metric])
        if outcome.role == "primary" and outcome.minimum_effect is None:
            todo = "say what change is worth acting on, as a share: 0.05 is 5 %"
            yield Fault("a primary outcome needs 'minimum_effect'", document.where(path), todo=todo)


def _metric_faults(document: Document, path: KeyPath, name: str, catalog: Catalog) -> Iterator[Fault]:
    if name not in catalog.metrics:
        yield Fault(f"{name!r} is no metric of the catalog; {hint(name, catalog.metrics)}", document.where(path))
        return
    shifted = [each for each in closure([name], catalog) if catalog.metrics[each].offset is not None]
    if shifted:
        through = "" if shifted[0] == name else f" through {shifted[0]!r}"
        what = f"the metric {name!r} looks back to an earlier window{through}; a pilot counts from its first day on"
        yield Fault(what, document.where(path), todo="name a metric without 'offset'")


def _meaning_faults(document: Document, pilot: PilotFile, name: str, metric: Metric) -> Iterator[Fault]:
    outcome, path = pilot.outcomes[name], ("outcomes", name)
    if outcome.direction is None and metric.direction == "none":
        what = f"whether more of {pilot.metric_of(name)!r} is better is not said"
        yield Fault(what, document.where(path), todo="write 'direction: up' or 'direction: down'")
    window = metric.window
    if outcome.metric in (None, name) and window is not None and _length(window) not in (None, _length(pilot.lasts)):
        todo = f"give the outcome a name of its own: {name.rstrip('0123456789_qm')}_in_pilot: {{metric: {name}}}"
        what = f"the metric {name!r} tells of {window}, but the pilot counts {pilot.lasts}"
        yield Fault(what, document.where(path), todo=todo)


def _length(period: Window | Duration) -> tuple[str, int] | None:
    kind = period.kind if isinstance(period, Window) else period.unit
    if kind in ("lifetime", "as_of"):
        return None
    return ("months", period.count * _MONTHS[kind]) if kind in _MONTHS else (kind.rstrip("s"), period.count)


def closure(names: Iterable[str], catalog: Catalog) -> tuple[str, ...]:
    """The metrics and all that their formulas may need, in the order of the catalog.

    A formula's names are found as words of its text: a word that is no metric is none here, and one too many only
    costs time.
    """
    wanted: set[str] = set()
    queue = [name for name in names if name in catalog.metrics]
    while queue:
        name = queue.pop()
        if name in wanted:
            continue
        wanted.add(name)
        queue += [word for word in _words(catalog.metrics[name].formula or "") if word in catalog.metrics]
    return tuple(name for name in catalog.metrics if name in wanted)


def _words(text: str) -> list[str]:
    return "".join(character if character.isalnum() or character == "_" else " " for character in text).split()


def _column_faults(
    document: Document, pilot: PilotFile, settings: WorkspaceSettings, catalog: Catalog
) -> Iterator[Fault]:
    groups = (*attributes(settings), TIER, *MODEL_GROUPS)
    figures = (*catalog.metrics, *MODEL_FIGURES)
    both = (*attributes(settings), *figures)
    people = partner_columns(settings)
    yield from _listed(document, ("strata",), pilot.strata, groups, "no attribute of partners")
    yield from _listed(document, ("match_on",), pilot.match_on, figures, "no metric of the catalog")
    yield from _listed(document, ("draw", "balance"), pilot.draw.balance, figures, "no metric of the catalog")
    yield from _listed(document, ("covariates",), pilot.covariates, both, "no metric and no attribute")
    yield from _listed(document, ("spills_over",), pilot.spills_over, people, "no column of partners")
    if pilot.unit != PARTNER and pilot.unit not in people:
        what = f"{pilot.unit!r} is no column of partners; {hint(pilot.unit, (PARTNER, *people))}"
        yield Fault(what, document.where(("unit",)))
    for key in ("opt_out", "consent"):
        name = getattr(pilot.population, key)
        if name is not None and name not in people:
            where = document.where(("population", key))
            yield Fault(f"{name!r} is no column of partners; {hint(name, people)}", where)


def _listed(
    document: Document, path: KeyPath, names: Iterable[str], known: Collection[str], is_not: str
) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        where = document.where((*path, index))
        if name not in known:
            yield Fault(f"{name!r} is {is_not}; {hint(name, known)}", where)
        if name in seen:
            yield Fault(f"{name!r} stands twice", where)
        seen.add(name)


def _money_faults(document: Document, pilot: PilotFile) -> Iterator[Fault]:
    money = pilot.money
    if money is None:
        if pilot.decision.least_return is not None:
            todo = "say which outcomes are revenue and margin under 'money'"
            yield Fault("a least return needs 'money'", document.where(("decision", "least_return")), todo=todo)
        return
    for key in ("revenue", "margin", "cost"):
        name = getattr(money, key)
        if isinstance(name, str) and name not in pilot.outcomes:
            what = f"{name!r} is no outcome of the pilot; {hint(name, pilot.outcomes)}"
            yield Fault(what, document.where(("money", key)))
        elif isinstance(name, str) and pilot.outcomes[name].per is not None:
            yield Fault(f"the outcome {name!r} is a ratio, not an amount", document.where(("money", key)))
    for name, arm in pilot.arms.items():
        if money.cost is None and name != pilot.control and arm.cost_per_partner is None:
            todo = "give the arm 'cost_per_partner', or name the outcome that is cost under 'money'"
            yield Fault(f"the cost of the arm {name!r} is not said", document.where(("arms", name)), todo=todo)


def _received_faults(document: Document, pilot: PilotFile, settings: WorkspaceSettings) -> Iterator[Fault]:
    received = pilot.received
    if received is None:
        return
    tables = [name for name, table in settings.tables.items() if table.kind == "events"]
    if received.table not in tables:
        what = f"{received.table!r} is no table of events; {hint(received.table, tables)}"
        yield Fault(what, document.where(("received", "table")))
    elif received.arm not in settings.tables[received.table].columns:
        columns = settings.tables[received.table].columns
        what = f"the table {received.table!r} has no column {received.arm!r}; {hint(received.arm, columns)}"
        yield Fault(what, document.where(("received", "arm")))
    if received.otherwise is not None and received.otherwise not in pilot.arms:
        what = f"{received.otherwise!r} is no arm; {known_names(pilot.arms)}"
        yield Fault(what, document.where(("received", "otherwise")))
