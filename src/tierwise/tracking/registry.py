"""The registered versions of a workspace's model: which there are, which is in force, since when and by whom."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypedDict

from tierwise.config.environment import expand_environment
from tierwise.config.load import Workspace
from tierwise.config.names import hint
from tierwise.engine.scratch import Scratch
from tierwise.errors import Fault, InvalidInput, Refused
from tierwise.store.bundle import Bundle, load_bundle
from tierwise.tracking.connection import connected
from tierwise.tracking.history import InForce, history, in_force_at, put_in_force
from tierwise.tracking.names import BUNDLE, CHALLENGER, CHAMPION, TAG_PREFIX

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment
    from mlflow.entities.model_registry import ModelVersion

LOCAL_FOLDER = ".tierwise"
_SQLITE = "sqlite:///"
_CHANNEL = f"{TAG_PREFIX}channel"
_MODEL_NAME = re.compile(r"[\w .-]{1,100}")


class VersionSummary(TypedDict):
    """One registered version; `facts` are what was registered with it (as_of, gate, data_fingerprint, ...)."""

    version: int
    aliases: list[str]
    run_id: str
    facts: dict[str, str]


class VersionDetails(VersionSummary):
    """One registered version with its figures and the times it was put in force."""

    metrics: dict[str, float]
    params: dict[str, str]
    card: str
    history: list[InForce]


@dataclass(frozen=True)
class Champion:
    """The version in force, loaded and held against its hashes."""

    version: int
    bundle: Bundle
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Registry:
    """Where a workspace keeps its training runs and model versions.

    Attributes:
        tracking_uri: The MLflow server or database.
        experiment: The experiment that holds the training runs.
        model_name: The registered model.
        artifact_folder: The folder of the artefacts, for the default store only; a server has its own.
    """

    tracking_uri: str
    experiment: str
    model_name: str
    artifact_folder: Path | None = None

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        """Return the registry of a workspace: that of its settings, or the SQLite file in its `.tierwise` folder.

        Raises:
            InvalidInput: If the address names an environment variable that is not set, or the model's name holds
                characters that MLflow cannot search for.
        """
        settings = workspace.settings
        folder = workspace.folder.resolve() / LOCAL_FOLDER
        experiment = settings.mlflow.experiment or settings.name
        model_name = settings.mlflow.model_name or _slug(settings.name)
        if not _MODEL_NAME.fullmatch(model_name):
            what = f"{model_name!r} is not a model name; letters, digits, space, '-', '_' and '.' are allowed"
            raise InvalidInput(Fault(what, "tierwise.yaml: mlflow.model_name"))
        if settings.mlflow.tracking_uri is None:
            return cls(f"{_SQLITE}{folder / 'mlflow.db'}", experiment, model_name, folder / "artifacts")
        uri = expand_environment(settings.mlflow.tracking_uri, os.environ)
        return cls(_absolute(uri, workspace.folder), experiment, model_name)

    def versions(self) -> list[VersionSummary]:
        """Return all registered versions, oldest first.

        Raises:
            OutsideFailure: If MLflow fails.
        """
        if self.is_new():
            return []
        with connected(self.tracking_uri) as client:
            return [_summary(found) for found in self._versions(client)]

    def find(self, version: str) -> VersionSummary:
        """Return one version.

        Args:
            version: A version number, `champion` or `challenger`.

        Raises:
            InvalidInput: If there is no such version.
            OutsideFailure: If MLflow fails.
        """
        with self._client_for(version) as client:
            return _summary(self._find(client, version))

    def show(self, version: str) -> VersionDetails:
        """Return one version's facts, figures, model card and history.

        Args:
            version: A version number, `champion` or `challenger`.

        Raises:
            InvalidInput: If there is no such version.
            OutsideFailure: If MLflow fails.
        """
        with self._client_for(version) as client:
            summary = _summary(self._find(client, version))
            run = client.get_run(summary["run_id"])
            card = client.get_model_version(self.model_name, str(summary["version"])).description
            put = [entry for entry in self._history(client) if entry["version"] == summary["version"]]
        metrics, params = dict(sorted(run.data.metrics.items())), dict(sorted(run.data.params.items()))
        return VersionDetails(**summary, metrics=metrics, params=params, card=card or "", history=put)

    def promote(self, version: str, *, by: str, because: str) -> InForce:
        """Put a version in force, and record when, by whom and why.

        Args:
            version: A version number or `challenger`.
            by: Who decides.
            because: Why; not empty.

        Raises:
            InvalidInput: If there is no such version or no reason.
            Refused: If the version is in force already.
            OutsideFailure: If MLflow fails; then the version in force is unchanged.
        """
        if not by.strip() or not because.strip():
            raise InvalidInput(Fault("a promotion needs who decides and why", todo='give --by and --because "..."'))
        with self._client_for(version) as client:
            summary = _summary(self._find(client, version))
            if CHAMPION in summary["aliases"]:
                raise Refused(Fault(f"version {summary['version']} is in force already"))
            entry = put_in_force(client, self.experiment_id(client), self.model_name, summary["version"], by, because)
            if CHALLENGER in summary["aliases"]:
                client.delete_registered_model_alias(self.model_name, CHALLENGER)
        return entry

    def history(self) -> list[InForce]:
        """Return which version was put in force when, by whom and why, oldest first.

        Raises:
            OutsideFailure: If MLflow fails.
        """
        if self.is_new():
            return []
        with connected(self.tracking_uri) as client:
            return self._history(client)

    def in_force_on(self, day: date) -> InForce | None:
        """Return the version that was in force at the end of a day (UTC); None where none was yet.

        Raises:
            OutsideFailure: If MLflow fails.
        """
        return in_force_at(self.history(), day)

    def load_champion(self) -> Champion:
        """Download the version in force and load it, if every file is the one that was registered.

        Raises:
            Refused: If no version is in force.
            OutsideFailure: If MLflow fails, or a file differs from what was registered.
        """
        if self.is_new():
            raise _no_champion(self.model_name)
        with connected(self.tracking_uri) as client:
            found = next((item for item in self._versions(client) if CHAMPION in item.aliases), None)
            if found is None:
                raise _no_champion(self.model_name)
            return self._loaded(client, found)

    def load_version(self, version: str) -> Champion:
        """Download any version and load it, if every file is the one that was registered.

        Args:
            version: A version number, `champion` or `challenger`.

        Raises:
            InvalidInput: If there is no such version.
            OutsideFailure: If MLflow fails, or a file is missing or differs from what was registered.
        """
        with self._client_for(version) as client:
            return self._loaded(client, self._find(client, version))

    def _loaded(self, client: MlflowClient, found: ModelVersion) -> Champion:
        facts = _summary(found)["facts"]
        with Scratch("model") as folder:
            bundle = load_bundle(self._bundle_folder(client, found, folder), facts.get("bundle_sha256"))
        return Champion(int(found.version), bundle, facts)

    def is_new(self) -> bool:
        """Whether this is the default store and nothing was ever kept in it."""
        return self.artifact_folder is not None and not (self.artifact_folder.parent / "mlflow.db").exists()

    @contextmanager
    def _client_for(self, version: str) -> Iterator[MlflowClient]:
        if self.is_new():
            raise _no_version(version, [])
        with connected(self.tracking_uri) as client:
            yield client

    def _versions(self, client: MlflowClient) -> list[ModelVersion]:
        """All versions with their aliases, which a search alone does not always fill in."""
        found, token = [], None
        while True:
            page = client.search_model_versions(f"name = '{self.model_name}'", max_results=1000, page_token=token)
            found += list(page)
            token = page.token
            if not token:
                break
        if found:
            aliases: dict[str, str] = client.get_registered_model(self.model_name).aliases
            for item in found:
                item.aliases = sorted(name for name, version in aliases.items() if str(version) == str(item.version))
        return sorted(found, key=lambda item: int(item.version))

    def _find(self, client: MlflowClient, version: str) -> ModelVersion:
        versions = self._versions(client)
        for item in versions:
            if version == str(item.version) or version in item.aliases:
                return item
        raise _no_version(version, [name for item in versions for name in (str(item.version), *item.aliases)])

    def experiment_id(self, client: MlflowClient) -> str:
        """Return the id of the experiment that new runs go to; made if it is absent.

        MLflow keeps an experiment's folder as an absolute path. After a workspace was moved or copied, new runs go to
        a further experiment of the folder where it is now, never to where it was.
        """
        earlier = self._experiments(client)
        location = self.artifact_folder.as_uri() if self.artifact_folder else None
        for found in earlier:
            if location in (None, found.artifact_location):
                return str(found.experiment_id)
        name = f"{self.experiment} ({len(earlier) + 1})" if earlier else self.experiment
        return str(client.create_experiment(name, artifact_location=location, tags={_CHANNEL: self.experiment}))

    def _experiments(self, client: MlflowClient) -> list[Experiment]:
        if self.artifact_folder is None:
            found = client.get_experiment_by_name(self.experiment)
            return [found] if found else []
        return [one for one in client.search_experiments() if one.tags.get(_CHANNEL) == self.experiment]

    def _history(self, client: MlflowClient) -> list[InForce]:
        if not self._versions(client):
            return []
        return history(client, [str(one.experiment_id) for one in self._experiments(client)], self.model_name)

    def _bundle_folder(self, client: MlflowClient, found: ModelVersion, folder: Path) -> Path:
        """Return the bundle's folder: in place for the default store, also after the workspace was moved."""
        if self.artifact_folder is not None:
            model_id = str(found.source).removeprefix("models:/")
            return self.artifact_folder / "models" / model_id / "artifacts" / "artifacts" / BUNDLE
        from mlflow.artifacts import download_artifacts

        uri = f"models:/{self.model_name}/{found.version}"
        local = download_artifacts(
            artifact_uri=uri, dst_path=str(folder), tracking_uri=self.tracking_uri, registry_uri=self.tracking_uri
        )
        return Path(local) / "artifacts" / BUNDLE


def _summary(found: ModelVersion) -> VersionSummary:
    facts = {name.removeprefix(TAG_PREFIX): value for name, value in sorted(found.tags.items())}
    return VersionSummary(
        version=int(found.version), aliases=list(found.aliases), run_id=str(found.run_id), facts=facts
    )


def _no_version(version: str, known: list[str]) -> InvalidInput:
    offer = hint(version, known) if known else "none is registered yet"
    return InvalidInput(
        Fault(f"there is no model version {version!r}; {offer}", todo="see 'tierwise models list', or train one first")
    )


def _no_champion(model_name: str) -> Refused:
    return Refused(
        Fault(
            f"no version of the model {model_name!r} is in force",
            todo="run 'tierwise train --as-of DATE' first, or 'tierwise models promote VERSION'",
        )
    )


def _absolute(uri: str, folder: Path) -> str:
    """Let a relative SQLite file of the settings be relative to the workspace, not to where the command runs."""
    path = uri.removeprefix(_SQLITE)
    if path == uri or path.startswith("/"):
        return uri
    return f"{_SQLITE}{folder.resolve() / path}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "channel"
