"""A small trained model and MLflow stores, each made once: a new SQLite store costs MLflow seconds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.tracking.mlflow_server import running_server
from tierwise import archetypes, potential
from tierwise.config.model_spec import ArchetypeSpec, Feature, FeatureSet, PotentialSpec
from tierwise.store import grouped
from tierwise.tracking import Registry, TrainingRecord, log_training

AS_OF = date(2026, 9, 30)
FEATURES = FeatureSet(
    (
        Feature("revenue_4q", "Revenue", "USD", "sales", "up"),
        Feature("certified", "Certified", "people", "skills", "up"),
    ),
    target="revenue_4q",
    target_unit="USD",
    attributes=("region",),
)
POTENTIAL = {"trees": {"trees": 5, "threads": 1}, "gate": {"bootstraps": 20}, "training_rows": 50}
ARCHETYPES = {"starts": 2, "bootstraps": 4, "k_max": 3, "null_draws": 20}


@dataclass(frozen=True)
class Trained:
    """Two trained models, and the metric rows they score."""

    potential: potential.PotentialModel
    archetypes: archetypes.ArchetypeModel
    rows: pd.DataFrame


def snapshots(partners: int = 120) -> pd.DataFrame:
    """Quarterly snapshots of partners of two kinds, whose labels run for a year."""
    draw = np.random.default_rng(5)
    large = draw.random(partners) < 0.5
    days = pd.date_range("2024-03-31", "2026-09-30", freq="QE")
    blocks = []
    for day in days:
        level = np.where(large, 90_000.0, 4_000.0) * draw.gamma(8, 1 / 8, partners)
        blocks.append(
            pd.DataFrame(
                {
                    "as_of": day,
                    "partner_id": [f"P{number:03d}" for number in range(partners)],
                    "region": np.where(large, "EMEA", "APAC"),
                    "tenure_days": 900.0,
                    "revenue_4q": level,
                    "certified": np.where(large, 6.0, 1.0) + draw.integers(0, 3, partners),
                    "label": level * draw.gamma(8, 1 / 8, partners),
                    "label_until": day + pd.DateOffset(years=1),
                    "persistence": level,
                }
            )
        )
    frame = pd.concat(blocks, ignore_index=True)
    return frame.assign(label=frame["label"].where(frame["label_until"] <= pd.Timestamp(AS_OF)))


@pytest.fixture(scope="session")
def trained() -> Trained:
    frame = snapshots()
    rows = frame[frame["as_of"] == pd.Timestamp(AS_OF)].drop(columns=["label", "label_until", "persistence"])
    rows = rows.reset_index(drop=True)
    spec = PotentialSpec.model_validate(POTENTIAL)
    return Trained(
        potential.train(frame, FEATURES, spec, pd.Timestamp(AS_OF), seed=1),
        archetypes.fit(rows, FEATURES, ArchetypeSpec.model_validate(ARCHETYPES), seed=1),
        rows,
    )


@pytest.fixture(scope="session")
def record(trained: Trained) -> TrainingRecord:
    return TrainingRecord(
        as_of=AS_OF,
        data_fingerprint="f00d",
        gate=trained.potential.source,
        parts=grouped(
            potential=potential.to_parts(trained.potential), archetypes=archetypes.to_parts(trained.archetypes)
        ),
        input_example=trained.rows.drop(columns="as_of").head(3),
        params={"trees": 5, "long": "x" * 2000},
        metrics={"chosen_gini": 0.8, "nothing": float("nan")},
        tables={"scores": pd.DataFrame({"origin": ["all"], "value": [0.8]}), "empty": pd.DataFrame()},
        plots={"gain.svg": b"<svg/>"},
        documents={"model-card.md": "# Model card\n", "model-card.html": "<h1>Model card</h1>\n"},
    )


def registry_in(folder: Path) -> Registry:
    store = folder / ".tierwise"
    return Registry(f"sqlite:///{store / 'mlflow.db'}", "Demo channel", "demo-channel", store / "artifacts")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, record: TrainingRecord) -> Path:
    """A workspace with three versions, made once and copied for each test that changes it."""
    folder = tmp_path_factory.mktemp("workspace")
    for _ in range(3):
        log_training(registry_in(folder), record)
    return folder


@pytest.fixture(scope="session")
def read_only(template: Path) -> Registry:
    """The three versions, for tests that only look."""
    return registry_in(template)


@pytest.fixture
def three(template: Path, tmp_path: Path) -> Registry:
    """The three versions in a workspace of the test's own: a champion and two later ones."""
    shutil.copytree(template, tmp_path / "copy")
    return registry_in(tmp_path / "copy")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running MLflow server."""
    with running_server(tmp_path_factory.mktemp("server")) as address:
        yield address
