"""The pilots' files of a workspace: found, read and checked, all faults at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tierwise.config.calendar import shift
from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.config.pilot_checks import MODEL_FIGURES, MODEL_GROUPS, TIER, closure, partner_columns, pilot_faults
from tierwise.config.pilot_file import PilotFile
from tierwise.config.validation import check_settings
from tierwise.config.yaml_reader import Document, read_yaml
from tierwise.engine import check_names, parse_expression
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.policy_inputs import ARCHETYPE_COLUMNS, POTENTIAL_COLUMNS
from tierwise.store.pilot_freeze import canonical, settings_sha256

PILOT_FOLDER = "pilots"
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_BUILT_IN = ("first_seen", "tenure_days")


@dataclass(frozen=True)
class OpenPilot:
    """A pilot's file, read and checked.

    Attributes:
        slug: The file's name without `.yaml`.
        settings: What it says.
        text: The file as it stands, byte for byte.
        document: The file as read, for the lines of later faults.
        metrics: The definitions of every metric that it reads, by name.
        starts: The first day.
        ends: The last day.
    """

    slug: str
    settings: PilotFile
    text: str
    document: Document
    metrics: dict[str, dict[str, Any]]
    starts: date
    ends: date

    @property
    def eve(self) -> date:
        """The day before the start: what was known by then is known before the pilot."""
        return self.starts - timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days it lasts."""
        return (self.ends - self.starts).days + 1

    @property
    def canonical(self) -> dict[str, Any]:
        """The settings in the form that is frozen."""
        return canonical(self.settings)

    @property
    def sha256(self) -> str:
        """The hash of the canonical settings."""
        return settings_sha256(self.canonical)

    def seed(self, workspace: Workspace) -> int:
        """The seed of the draw: its own, or made from the workspace's and the name: no two pilots draw alike."""
        if self.settings.draw.seed is not None:
            return self.settings.draw.seed
        text = f"{workspace.settings.seed}\n{self.slug}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:6], "big")


def pilot_slugs(workspace: Workspace) -> tuple[str, ...]:
    """The pilots that have a file, sorted."""
    folder = workspace.folder / PILOT_FOLDER
    found = [*folder.glob("*.yaml"), *folder.glob("*.yml")] if folder.is_dir() else []
    return tuple(sorted(path.stem for path in found))


def open_pilot(workspace: Workspace, slug: str) -> OpenPilot:
    """Read and check one pilot's file.

    Raises:
        InvalidInput: If there is no such pilot, or with every fault of its file.
    """
    path = _path(workspace, slug)
    document = read_yaml(path)
    settings = check_settings(PilotFile, document)
    found = list(pilot_faults(document, settings, workspace.settings, workspace.catalog, workspace.policies))
    found += _condition_faults(workspace, settings, document)
    if found:
        raise InvalidInput(found)
    return pilot_of(workspace, slug, settings, path.read_text("utf-8-sig"), document)


def pilot_of(workspace: Workspace, slug: str, settings: PilotFile, text: str, document: Document) -> OpenPilot:
    """Put checked settings together with what follows from the workspace."""
    names = [*settings.read_metrics(), *settings.covariates]
    return OpenPilot(
        slug=slug,
        settings=settings,
        text=text,
        document=document,
        metrics={name: definition(workspace, name) for name in closure(names, workspace.catalog)},
        starts=settings.starts,
        ends=shift(settings.starts, settings.lasts, workspace.settings.calendar) - timedelta(days=1),
    )


def definition(workspace: Workspace, name: str) -> dict[str, Any]:
    """What the catalog says of a metric; what says nothing of its value (title, owner, family, ...) is left out."""
    means = {
        "unit",
        "from_",
        "value",
        "where",
        "window",
        "offset",
        "lag",
        "per",
        "then",
        "min_rows",
        "missing",
        "formula",
    }
    found = workspace.catalog.metrics[name].model_dump(mode="json", by_alias=True, include=means, exclude_none=True)
    return {key: value if not isinstance(value, dict) else _in_words(value) for key, value in found.items()}


def _in_words(period: dict[str, Any]) -> str:
    return f"{period['count']} {period.get('unit') or period.get('kind')}"


def names_in(condition: str | None) -> frozenset[str]:
    """The names that a checked SQL condition uses."""
    return frozenset() if condition is None else parse_expression(condition, where="population.where").names


def needs_models(settings: PilotFile) -> bool:
    """Whether the pilot asks for archetypes or potential."""
    return bool(model_names(settings)) or settings.by_archetype


def model_names(settings: PilotFile) -> frozenset[str]:
    """The outputs of the models that the pilot names."""
    named = {*settings.strata, *settings.match_on, *settings.draw.balance, *settings.covariates}
    named |= names_in(settings.population.where)
    return frozenset(named & (ARCHETYPE_COLUMNS | POTENTIAL_COLUMNS))


def known_names(workspace: Workspace) -> tuple[str, ...]:
    """Every name that a condition on the population may use."""
    own = (*workspace.catalog.metrics, *partner_columns(workspace.settings), *_BUILT_IN, TIER)
    return (*own, *MODEL_GROUPS, *MODEL_FIGURES, *sorted(ARCHETYPE_COLUMNS | POTENTIAL_COLUMNS))


def _path(workspace: Workspace, slug: str) -> Path:
    folder = workspace.folder / PILOT_FOLDER
    places = [folder / f"{slug}{end}" for end in (".yaml", ".yml")]
    path = next((place for place in places if place.is_file()), None)
    if path is not None and _SLUG.fullmatch(slug):
        return path
    known = pilot_slugs(workspace)
    todo = f"write {PILOT_FOLDER}/<name>.yaml, see docs/pilots.md" if not known else "see 'tierwise pilot list'"
    if path is not None and path.parent.resolve() == folder.resolve():
        what = f"{slug!r} is no name of a pilot: small letters, digits, '-' and '_', at most 63 characters"
        raise InvalidInput(Fault(what, str(path), todo="rename the file"))
    offer = hint(slug, known) or "there is no pilot yet"
    raise InvalidInput(Fault(f"there is no pilot {slug[:80]!r}; {offer}", str(folder), todo=todo))


def _condition_faults(workspace: Workspace, settings: PilotFile, document: Document) -> Iterator[Fault]:
    condition = settings.population.where
    if condition is None:
        return
    where = document.where(("population", "where"))
    try:
        parsed = parse_expression(condition, where=where)
    except InvalidInput as error:
        yield from error.faults
        return
    yield from check_names(parsed, known_names(workspace), where)
