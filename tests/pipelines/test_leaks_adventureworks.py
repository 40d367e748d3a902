"""The guards against leaks on real resellers: the profile columns that describe the whole history are named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.pipelines.real_channel import TODAY
from tierwise.config.load import Workspace, load_workspace
from tierwise.jobs.accept import accepted_tables
from tierwise.jobs.init import InitRequest, init
from tierwise.jobs.leak_guards import guard
from tierwise.jobs.learning import LearningData, learning_data
from tierwise.jobs.model_files import load_model_spec
from tierwise.jobs.progress import Steps, silent
from tierwise.jobs.snapshots import model_features
from tierwise.potential import Leaks
from tierwise.potential.leaks import find_leaks

AS_OF = date(2013, 9, 30)
# Found in the file as they stand, and mapped as if someone took them for traits of all time.
PROFILE = {"first_order": "FirstOrderYear", "last_order": "LastOrderYear", "order_month": "OrderMonth"}
HARMLESS = {"order_frequency": "OrderFrequency", "payment": "MinPaymentType", "bank": "BankName"}


def _data(workspace: Workspace) -> LearningData:
    with accepted_tables(workspace, TODAY, Steps(silent, 2)) as (engine, _):
        return learning_data(engine, workspace, AS_OF)


def _leaks(workspace: Workspace, data: LearningData) -> Leaks:
    spec = load_model_spec(workspace)
    features = model_features(workspace, spec)
    tested = find_leaks(data.snapshots, features, spec.potential.leaks, pd.Timestamp(AS_OF), 1)
    return guard(workspace, spec, data.snapshots, tested, data.facts)


@pytest.fixture(scope="module")
def profiled(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Workspace:
    folder = tmp_path_factory.mktemp("profiled") / "channel"
    init(InitRequest(folder, "adventureworks"))
    file = folder / "tierwise.yaml"
    settings = yaml.safe_load(file.read_text("utf-8"))
    columns = settings["tables"]["resellers"]["columns"]
    columns |= {name: {"from": source, "static": True} for name, source in {**PROFILE, **HARMLESS}.items()}
    file.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return load_workspace(folder, shared_data)


@pytest.fixture(scope="module")
def found(profiled: Workspace) -> Leaks:
    return _leaks(profiled, _data(profiled))


def test_the_columns_that_describe_the_whole_history_are_named_and_no_other(found: Leaks) -> None:
    assert set(found.fired["subject"]) == set(PROFILE)
    assert found.alarm == "fired"


def test_the_year_of_the_last_order_is_named_for_what_it_tells_of_the_future_as_well(found: Leaks) -> None:
    named = found.fired[found.fired["subject"] == "last_order"]
    assert set(named["code"]) == {"attribute_ahead", "attribute_from_history"}


def test_the_ready_workspace_is_quiet(shared_data: Path, repository: Path) -> None:
    workspace = load_workspace(repository / "pipelines" / "adventureworks", shared_data)
    assert _leaks(workspace, _data(workspace)).alarm == "quiet"


def test_a_metric_made_of_the_future_is_named(shared_data: Path, repository: Path) -> None:
    workspace = load_workspace(repository / "pipelines" / "adventureworks", shared_data)
    data = _data(workspace)
    planted = data.snapshots.assign(orders_4q=data.snapshots["label"].fillna(0) * 0.01)
    spec = load_model_spec(workspace)
    tested = find_leaks(planted, model_features(workspace, spec), spec.potential.leaks, pd.Timestamp(AS_OF), 1)
    assert tested.loc[tested["fired"], "subject"].tolist() == ["orders_4q"]
