"""The registered model as users of MLflow meet it: loaded in Python, served, and kept on a server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pandas as pd
import pytest

from tests.tracking.mlflow_server import serving
from tierwise import archetypes, potential
from tierwise.tracking import Registry, TrainingRecord, log_training
from tierwise.tracking.packaging import OUTPUT_NUMBERS, OUTPUT_TEXTS

COLUMNS = [*OUTPUT_TEXTS, *OUTPUT_NUMBERS]


@pytest.fixture
def expected(trained) -> pd.DataFrame:
    scored = potential.predict(trained.potential, trained.rows)
    assigned = archetypes.assign(trained.archetypes, trained.rows).drop(columns="partner_id")
    return pd.concat([scored, assigned], axis="columns")[COLUMNS]


def model_folder(registry: Registry) -> Path:
    return next(registry.artifact_folder.glob("models/*/artifacts"))


LOAD = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
rows = pd.read_parquet(sys.argv[3])
model = mlflow.pyfunc.load_model(sys.argv[2])
print(model.metadata.signature.inputs.input_names())
import tierwise
print(tierwise.__file__)
model.predict(rows).to_parquet(sys.argv[4])
"""


def predict_elsewhere(uri: str, model: str, rows: pd.DataFrame, folder: Path) -> tuple[list[str], pd.DataFrame]:
    """Load and predict in a process that has MLflow but not this checkout, as on a server or a Spark worker."""
    rows.to_parquet(folder / "rows.parquet")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", LOAD, uri, model, str(folder / "rows.parquet"), str(folder / "scored.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines(), pd.read_parquet(folder / "scored.parquet")


def test_the_champion_scores_as_a_pyfunc(read_only, trained, expected, tmp_path):
    lines, scored = predict_elsewhere(read_only.tracking_uri, "models:/demo-channel@champion", trained.rows, tmp_path)
    assert lines[0] == str(list(trained.rows.drop(columns="as_of").columns))
    assert "/code/tierwise/" in lines[1]  # the program that travelled with the model, not this checkout
    pd.testing.assert_frame_equal(scored, expected, check_dtype=False, rtol=1e-12)


def test_the_model_holds_no_pickle_and_names_what_it_needs(read_only):
    folder = model_folder(read_only)
    names = {path.name for path in folder.rglob("*")}
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    assert {"scoring_model.py", "MLmodel", "manifest.json"} <= names
    requirements = (folder / "requirements.txt").read_text().splitlines()
    assert all("==" in line for line in requirements)
    assert {"lightgbm", "scikit-learn", "pandas"} <= {line.split("==")[0] for line in requirements}
    assert not any(name in ("cli", "jobs") for name in names)


def test_the_program_travels_with_the_model(read_only):
    assert (model_folder(read_only) / "code" / "tierwise" / "potential" / "predict.py").is_file()


def ask(address: str, rows: pd.DataFrame) -> pd.DataFrame:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = json.dumps({"dataframe_split": json.loads(rows.to_json(orient="split", index=False))}).encode()
    request = urllib.request.Request(f"{address}/invocations", body, {"Content-Type": "application/json"})
    with opener.open(request, timeout=60) as answer:
        return pd.DataFrame(json.load(answer)["predictions"])


def test_the_model_serves(read_only, trained, expected, tmp_path):
    with serving(model_folder(read_only), tmp_path, {}) as address:
        answer = ask(address, trained.rows.drop(columns="as_of"))
    pd.testing.assert_frame_equal(answer[COLUMNS], expected, check_dtype=False, rtol=1e-9)


def test_a_running_server_keeps_versions_and_gives_them_back(server, record: TrainingRecord, trained):
    registry = Registry(server, "On a server", "on-a-server")
    assert (registry.versions(), registry.history()) == ([], [])
    assert log_training(registry, record).alias == "champion"
    assert log_training(registry, record).alias == "challenger"
    registry.promote("challenger", by="Ada", because="better")
    assert [(one["version"], one["by"]) for one in registry.history()] == [(1, "training"), (2, "Ada")]
    assert registry.show("champion")["metrics"] == {"chosen_gini": 0.8}
    champion = registry.load_champion()
    assert champion.version == 2
    model = potential.from_parts(champion.bundle.group("potential"))
    assert potential.predict(model, trained.rows).equals(potential.predict(trained.potential, trained.rows))
