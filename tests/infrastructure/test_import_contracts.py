"""Each import contract of pyproject.toml keeps on the tree as it is and breaks when its fault is planted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Plant:
    """A line that breaks a contract when it is added to a module."""

    contract: str
    module: str
    line: str


PLANTS = (
    Plant("layers", "tierwise/engine", "import tierwise.tables"),
    Plant("layers", "tierwise/config", "import tierwise.engine"),
    Plant("layers", "tierwise/potential", "from tierwise import jobs"),
    Plant("layers", "tierwise/store", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import tierwise.cli"),
    Plant("siblings", "tierwise/explain", "import tierwise.policy"),
    Plant("siblings", "tierwise/archetypes", "def late():\n    import tierwise.potential"),
    Plant("pure-domain", "tierwise/metrics", "import os"),
    Plant("pure-domain", "tierwise/synthetic", "from random import random"),
    Plant("light-settings", "tierwise/config", "import pandas"),
    Plant("mlflow", "tierwise/jobs", "import mlflow"),
    Plant("duckdb", "tierwise/metrics", "import duckdb"),
    Plant("files", "tierwise/tables", "import openpyxl"),
    Plant("files", "tierwise/tracking", "import joblib"),
    Plant("learning", "tierwise/jobs", "from sklearn.cluster import KMeans"),
    Plant("estimators", "tierwise/potential", "import statsmodels.api"),
    Plant("estimators", "tierwise/jobs", "import diff_diff"),
    Plant("sqlalchemy", "tierwise/store", "import sqlalchemy"),
    Plant("terminal", "tierwise/jobs", "import rich.progress"),
    Plant("drawing", "tierwise/tracking", "import matplotlib.pyplot"),
)


def _contracts(repository: Path) -> dict[str, str]:
    settings = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["id"]: contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}


@pytest.fixture
def tree(repository: Path, tmp_path: Path) -> Path:
    shutil.copytree(repository / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "COLUMNS": "200"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def test_tree_keeps_every_contract(tree: Path, repository: Path) -> None:
    result = _lint(tree)
    assert result.returncode == 0, result.stdout
    assert f"Contracts: {len(_contracts(repository))} kept, 0 broken." in result.stdout


def test_every_contract_has_a_plant(repository: Path) -> None:
    assert {plant.contract for plant in PLANTS} == set(_contracts(repository))


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.contract}-{Path(plant.module).name}")
def test_planted_fault_breaks_its_contract(plant: Plant, tree: Path, repository: Path) -> None:
    (tree / "src" / plant.module / "planted.py").write_text(plant.line + "\n", encoding="utf-8")
    result = _lint(tree, "--contract", plant.contract)
    assert result.returncode == 1, result.stdout
    assert f"{_contracts(repository)[plant.contract]} BROKEN" in result.stdout
    assert f"{plant.module.replace('/', '.')}.planted" in result.stdout
