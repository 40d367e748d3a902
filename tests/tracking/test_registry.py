from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tracking.conftest import registry_in
from tierwise import archetypes, potential
from tierwise.config.catalog import Catalog
from tierwise.config.load import Workspace
from tierwise.config.workspace import WorkspaceSettings
from tierwise.errors import InvalidInput, OutsideFailure, Refused
from tierwise.tracking import Registry, log_training
from tierwise.tracking.connection import connected
from tierwise.tracking.training_log import FIRST


@pytest.fixture
def workspace_settings(tmp_path: Path) -> Callable[..., Workspace]:
    """Makes a workspace with some MLflow settings."""

    def make(**mlflow: str) -> Workspace:
        table = {"kind": "partners", "source": {"csv": "partners.csv"}, "columns": {"partner_id": "id"}}
        potential_settings = {"metric": "revenue_4q", "horizon": "4 quarters"}
        written = {"tierwise": 1, "name": "My Channel: EMEA", "tables": {"partners": table}}
        settings = WorkspaceSettings.model_validate({**written, "potential": potential_settings, "mlflow": mlflow})
        catalog = Catalog.model_validate({"metrics": {"revenue_4q": {"formula": "1"}}})
        return Workspace(tmp_path, tmp_path, settings, catalog)

    return make


def test_the_first_version_is_in_force_and_later_ones_wait(read_only):
    assert [(one["version"], one["aliases"]) for one in read_only.versions()] == [
        (1, ["champion"]),
        (2, []),
        (3, ["challenger"]),
    ]


def test_a_version_tells_what_it_was_made_from(read_only, record):
    facts = read_only.versions()[0]["facts"]
    assert {name: facts[name] for name in ("as_of", "data_fingerprint", "gate")} == {
        "as_of": "2026-09-30",
        "data_fingerprint": "f00d",
        "gate": record.gate,
    }
    assert len(facts["bundle_sha256"]) == 64


def test_show_gives_figures_card_and_history(read_only):
    shown = read_only.show("champion")
    assert shown["metrics"] == {"chosen_gini": 0.8}
    assert shown["params"]["trees"] == "5"
    assert shown["card"] == "# Model card\n"
    assert [entry["because"] for entry in shown["history"]] == [FIRST]
    assert read_only.show("2")["history"] == []


def test_promotion_moves_the_alias_and_is_recorded(three):
    entry = three.promote("challenger", by="Ada", because="better on every review")
    assert (entry["version"], entry["by"], entry["because"]) == (3, "Ada", "better on every review")
    assert entry["at"].endswith("+00:00")
    assert [(one["version"], one["aliases"]) for one in three.versions()] == [(1, []), (2, []), (3, ["champion"])]
    assert [(one["version"], one["by"]) for one in three.history()] == [(1, "training"), (3, "Ada")]


def test_going_back_is_a_promotion_like_any_other(three):
    three.promote("3", by="Ada", because="better")
    three.promote("1", by="Bo", because="it was not")
    assert [one["version"] for one in three.history()] == [1, 3, 1]
    assert three.load_champion().version == 1


def test_the_version_in_force_is_not_promoted_again(read_only):
    with pytest.raises(Refused, match="version 1 is in force already"):
        read_only.promote("champion", by="Ada", because="again")
    assert len(read_only.history()) == 1


@pytest.mark.parametrize(("by", "because"), [("", "x"), ("Ada", "  ")])
def test_a_promotion_needs_an_author_and_a_reason(read_only, by, because):
    with pytest.raises(InvalidInput, match="needs who decides and why"):
        read_only.promote("3", by=by, because=because)
    assert read_only.load_champion().version == 1


@pytest.mark.parametrize(("asked", "told"), [("9", "known are '1', '2', '3'"), ("champoin", "did you mean 'champion'")])
def test_an_unknown_version_is_told_with_the_known_ones(read_only, asked, told):
    with pytest.raises(InvalidInput, match=told):
        read_only.show(asked)


def test_an_alias_that_was_moved_in_mlflow_shows_in_the_history(three):
    with connected(three.tracking_uri) as client:
        client.set_registered_model_alias(three.model_name, "champion", "2")
    assert three.history()[-1] == {
        "version": 2,
        "at": "",
        "by": "",
        "because": "the alias was moved in MLflow, not by Tierwise",
    }


def test_a_promotion_that_fails_half_way_is_not_in_the_history(three, monkeypatch):
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    def refuse(*_: object) -> None:
        raise MlflowException("the store is read-only")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_registered_model_alias", refuse)
        with pytest.raises(OutsideFailure, match="the store is read-only"):
            three.promote("3", by="Ada", because="better")
    assert three.load_champion().version == 1
    assert [one["version"] for one in three.history()] == [1]


def test_the_champion_comes_back_as_the_models_that_were_logged(read_only, trained, record):
    champion = read_only.load_champion()
    assert champion.version == 1
    assert champion.facts["bundle_sha256"] == champion.bundle.sha256
    model = potential.from_parts(champion.bundle.group("potential"))
    groups = archetypes.from_parts(champion.bundle.group("archetypes"))
    again = potential.predict(model, trained.rows)
    assert again.equals(potential.predict(trained.potential, trained.rows))
    assert archetypes.assign(groups, trained.rows).equals(archetypes.assign(trained.archetypes, trained.rows))


def test_equal_models_have_equal_bundles(read_only):
    hashes = {one["facts"]["bundle_sha256"] for one in read_only.versions()}
    assert len(hashes) == 1


def bundle_folder(registry: Registry) -> Path:
    with connected(registry.tracking_uri) as client:
        source = client.get_model_version(registry.model_name, "1").source
    return registry.artifact_folder / "models" / source.removeprefix("models:/") / "artifacts" / "artifacts" / "bundle"


def test_a_champion_whose_files_were_changed_is_not_loaded(three):
    path = bundle_folder(three) / "potential.potential.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(OutsideFailure, match=r"changed since they were saved: potential\.potential\.json"):
        three.load_champion()


def test_a_bundle_that_was_replaced_with_its_manifest_is_not_loaded(three):
    path = bundle_folder(three) / "manifest.json"
    path.write_text(path.read_text().replace("f00d", "beef"))
    with pytest.raises(OutsideFailure, match="the manifest is not the one that was registered"):
        three.load_champion()


def test_a_workspace_that_was_moved_keeps_its_models_and_trains_on(three, record, tmp_path):
    three.promote("2", by="Ada", because="better")
    moved = registry_in(tmp_path / "moved")
    (tmp_path / "copy").rename(tmp_path / "moved")
    assert moved.load_champion().version == 2
    assert log_training(moved, record).version == 4
    moved.promote("4", by="Bo", because="newer")
    assert moved.load_champion().version == 4
    assert [one["version"] for one in moved.history()] == [1, 2, 4]
    assert not (tmp_path / "copy").exists()


def test_before_the_first_training_there_is_nothing_and_no_store_is_made(tmp_path):
    folder = tmp_path / ".tierwise"
    fresh = Registry(f"sqlite:///{folder / 'mlflow.db'}", "x", "x", folder / "artifacts")
    assert (fresh.versions(), fresh.history()) == ([], [])
    with pytest.raises(Refused, match=r"no version of the model 'x' is in force"):
        fresh.load_champion()
    with pytest.raises(InvalidInput, match="none is registered yet"):
        fresh.show("1")
    assert not folder.exists()


def test_a_store_without_this_model_has_no_champion(read_only):
    other = dataclasses.replace(read_only, model_name="other", experiment="other")
    assert (other.versions(), other.history()) == ([], [])
    with pytest.raises(Refused, match="train --as-of"):
        other.load_champion()


def test_the_run_holds_figures_tables_plots_and_documents(read_only):
    run_id = read_only.versions()[0]["run_id"]
    with connected(read_only.tracking_uri) as client:
        run = client.get_run(run_id)
        files = [item.path for name in ("", "tables", "plots") for item in client.list_artifacts(run_id, name)]
    assert run.info.status == "FINISHED"
    assert len(run.data.params["long"]) == 500
    assert run.data.tags["tierwise.data_fingerprint"] == "f00d"
    assert {"model-card.md", "model-card.html", "tables/scores.csv", "plots/gain.svg"} <= set(files)


def test_a_long_card_is_cut_after_a_line_in_the_description(three, record):
    card = "# Model card\n" + "| a row of a table |\n" * 1000
    version = log_training(three, dataclasses.replace(record, documents={"model-card.md": card})).version
    shown = three.show(str(version))["card"]
    assert len(shown) <= 5000
    assert shown.endswith("| a row of a table |\n\n(The whole card is the run's file `model-card.md`.)\n")


def test_a_training_that_fails_leaves_a_failed_run_and_no_version(three, record):
    broken = dataclasses.replace(record, parts={"potential.x": object()})
    with pytest.raises(ValueError, match="is a object"):
        log_training(three, broken)
    assert len(three.versions()) == 3
    with connected(three.tracking_uri) as client:
        runs = client.search_runs([three.experiment_id(client)])
    assert [run.info.status for run in runs] == ["FAILED"]


@pytest.mark.parametrize("name", ["a/b", "a:b", "it's", 'a"b', "x" * 101])
def test_a_model_name_that_cannot_be_searched_for_is_refused(workspace_settings, name):
    with pytest.raises(InvalidInput, match=r"mlflow\.model_name: .* is not a model name"):
        Registry.of(workspace_settings(model_name=name))


def test_the_default_store_is_in_the_workspace(workspace_settings, tmp_path):
    registry = Registry.of(workspace_settings())
    assert registry.tracking_uri == f"sqlite:///{tmp_path / '.tierwise' / 'mlflow.db'}"
    assert (registry.experiment, registry.model_name) == ("My Channel: EMEA", "my-channel-emea")
    assert registry.artifact_folder == tmp_path / ".tierwise" / "artifacts"


def test_addresses_of_the_settings(workspace_settings, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKING", "http://mlflow:5000")
    assert Registry.of(workspace_settings(tracking_uri="${TRACKING}")).tracking_uri == "http://mlflow:5000"
    assert Registry.of(workspace_settings(tracking_uri="sqlite:///a.db")).tracking_uri == f"sqlite:///{tmp_path}/a.db"
    assert Registry.of(workspace_settings(tracking_uri="sqlite:////a.db")).tracking_uri == "sqlite:////a.db"
    monkeypatch.delenv("TRACKING")
    with pytest.raises(InvalidInput, match="'TRACKING' is not set"):
        Registry.of(workspace_settings(tracking_uri="${TRACKING}"))


def test_mlflow_is_left_as_it_was_found(read_only, monkeypatch):
    assert "MLFLOW_TRACKING_URI" not in os.environ
    monkeypatch.setenv("MLFLOW_TRACKING_URI", read_only.tracking_uri)
    read_only.versions()
    assert os.environ["MLFLOW_TRACKING_URI"] == read_only.tracking_uri
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_a_server_that_is_down_is_told_without_its_password(record, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    down = Registry("http://user:secret@127.0.0.1:9", "x", "x")
    for use in (down.versions, down.history, down.load_champion, lambda: log_training(down, record)):
        with pytest.raises(OutsideFailure) as caught:
            use()
        assert "http://***@127.0.0.1:9" in str(caught.value)
        assert "secret" not in str(caught.value)
        assert "tierwise.yaml" in str(caught.value)
