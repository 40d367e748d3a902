"""Reading a whole workspace: every settings file, checked against one another, all faults at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from tierwise.config.base import Settings
from tierwise.config.benefits import Benefits
from tierwise.config.catalog import Catalog
from tierwise.config.checks import archetype_faults, benefits_faults, catalog_faults, target_faults, workspace_faults
from tierwise.config.columns import attributes
from tierwise.config.policy import Policy, load_policies
from tierwise.config.validation import check_settings
from tierwise.config.workspace import TableSettings, WorkspaceSettings
from tierwise.config.yaml_reader import Document, read_yaml
from tierwise.errors import Fault, InvalidInput

WORKSPACE_FILE = "tierwise.yaml"
CATALOG_FILE = "metrics.yaml"
BENEFITS_FILE = "benefits.yaml"
POLICY_FOLDER = "policies"

AnySettings = TypeVar("AnySettings", bound=Settings)
AnyResult = TypeVar("AnyResult")


@dataclass(frozen=True)
class Workspace:
    """All settings of one workspace, checked.

    Attributes:
        folder: The workspace's folder.
        data_folder: The folder of the source files, resolved; it need not exist when all sources are databases.
        settings: `tierwise.yaml`.
        catalog: `metrics.yaml`.
        policies: The policies, oldest first.
        benefits: `benefits.yaml`, if there is one.
        documents: The three files as read, by name, for the lines of later faults.
    """

    folder: Path
    data_folder: Path
    settings: WorkspaceSettings
    catalog: Catalog
    policies: tuple[Policy, ...] = ()
    benefits: Benefits | None = None
    documents: Mapping[str, Document] = field(default_factory=dict, compare=False, repr=False)

    def where(self, file: str, *path: str | int) -> str:
        """Say where a key of `tierwise.yaml`, `metrics.yaml` or `benefits.yaml` stands, with its line."""
        return self.documents.get(file, Document(file, {})).where(path)

    @property
    def output_folder(self) -> Path:
        """The folder of the output tables."""
        return self.folder / self.settings.output.folder

    @property
    def partner_table(self) -> str:
        """The name of the one table of kind `partners`."""
        return self.tables_of("partners")[0]

    @property
    def attributes(self) -> dict[str, str]:
        """Each attribute of partners that may be used as of a date, with its table."""
        return attributes(self.settings)

    def tables_of(self, *kinds: str) -> tuple[str, ...]:
        """The names of the tables of some kinds, in the order of the file."""
        return tuple(name for name, table in self.settings.tables.items() if table.kind in kinds)

    def table(self, name: str) -> TableSettings:
        """One table's settings."""
        return self.settings.tables[name]

    def policy_on(self, day: date) -> Policy:
        """The policy in force on a day.

        Raises:
            InvalidInput: If there is no policy at all or none is in force yet on the day.
        """
        in_force = [policy for policy in self.policies if policy.effective_from <= day]
        if in_force:
            return in_force[-1]
        where = str(self.folder / POLICY_FOLDER)
        if not self.policies:
            raise InvalidInput(Fault("the workspace has no policy", where, todo="write one, see `tierwise init`"))
        first = self.policies[0]
        what = f"no policy is in force on {day}; the first is from {first.effective_from}"
        raise InvalidInput(Fault(what, where, todo="take a later as-of date or add an earlier policy"))


def load_workspace(folder: Path | str, data: Path | str | None = None) -> Workspace:
    """Read and check every settings file of a workspace.

    Args:
        folder: The workspace's folder.
        data: Where the source files lie, if not in the workspace (`--data` or `TIERWISE_DATA`).

    Raises:
        InvalidInput: With every fault of every file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        todo = "name the workspace's folder with --workspace, or make one with `tierwise init`"
        what = "this is a file; a workspace is a folder" if folder.exists() else "there is no such folder"
        raise InvalidInput(Fault(what, str(folder), todo=todo))
    reading = _Reading(folder)
    settings_file = reading.settings(WorkspaceSettings, WORKSPACE_FILE)
    catalog_file = reading.settings(Catalog, CATALOG_FILE)
    policies = reading.attempt(lambda: load_policies(folder / POLICY_FOLDER)) or ()
    has_benefits = (folder / BENEFITS_FILE).exists()
    benefits_file = reading.settings(Benefits, BENEFITS_FILE) if has_benefits else None
    reading.check(settings_file, catalog_file, benefits_file, policies)
    if reading.faults or settings_file is None or catalog_file is None:
        raise InvalidInput(reading.faults)
    settings = settings_file[1]
    return Workspace(
        folder=folder,
        data_folder=find_data_folder(folder, settings.data_folder, data),
        settings=settings,
        catalog=catalog_file[1],
        policies=policies,
        benefits=benefits_file[1] if benefits_file else None,
        documents=reading.documents,
    )


def find_data_folder(folder: Path, data_folder: str, data: Path | str | None) -> Path:
    """Find where source files lie: `<data>/<data_folder>` if it is there, else `<data>`, else in the workspace."""
    if data is None:
        return folder / data_folder
    below = Path(data) / data_folder
    return below if below.is_dir() else Path(data)


class _Reading:
    """The faults found so far while the files of one workspace are read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []
        self.documents: dict[str, Document] = {}

    def attempt(self, read: Callable[[], AnyResult]) -> AnyResult | None:
        try:
            return read()
        except InvalidInput as error:
            self.faults.extend(error.faults)
            return None

    def settings(self, model: type[AnySettings], name: str) -> tuple[Document, AnySettings] | None:
        document = self.attempt(lambda: read_yaml(self.folder / name))
        if document is None:
            return None
        self.documents[name] = document
        checked = self.attempt(lambda: check_settings(model, document))
        return None if checked is None else (document, checked)

    def check(
        self,
        settings: tuple[Document, WorkspaceSettings] | None,
        catalog: tuple[Document, Catalog] | None,
        benefits: tuple[Document, Benefits] | None,
        policies: Iterable[Policy],
    ) -> None:
        if settings is not None:
            self.faults.extend(workspace_faults(*settings))
        if settings is not None and catalog is not None:
            self.faults.extend(catalog_faults(*catalog, settings[1]))
            self.faults.extend(target_faults(*settings, catalog[1]))
            self.faults.extend(archetype_faults(*settings, catalog[1]))
        if benefits is not None:
            tiers = [name for policy in policies for name in policy.tier_names]
            self.faults.extend(benefits_faults(*benefits, tiers, catalog[1] if catalog else None))
