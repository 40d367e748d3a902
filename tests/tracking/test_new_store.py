"""The store of a new workspace, made beforehand: as MLflow makes it, whole, and never over one that is there."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tierwise.tracking import Registry, make_store
from tierwise.tracking.connection import connected


def _registry(folder: Path) -> Registry:
    return Registry(f"sqlite:///{folder / 'mlflow.db'}", "channel", "channel", folder / "artifacts")


def _schema(file: Path) -> set[tuple[str, ...]]:
    with sqlite3.connect(file) as connection:
        columns = "SELECT m.type, m.name, c.name, c.type FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) c"
        versions = "SELECT 'version', version_num, '', '' FROM alembic_version"
        return set(connection.execute(f"{columns} UNION ALL {versions}"))


def test_it_is_the_store_that_mlflow_makes_at_the_first_logging(tmp_path: Path) -> None:
    made, by_mlflow = tmp_path / "made", tmp_path / "by_mlflow"
    make_store(_registry(made))
    by_mlflow.mkdir()
    with connected(f"sqlite:///{by_mlflow / 'mlflow.db'}") as client:
        client.search_experiments()
    assert [file.name for file in made.iterdir()] == ["mlflow.db"]
    assert _schema(made / "mlflow.db") == _schema(by_mlflow / "mlflow.db")
    with connected(_registry(made).tracking_uri) as client:
        assert client.create_experiment("one") == "1"


def test_a_store_that_is_there_and_a_server_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"kept")
    make_store(_registry(tmp_path))
    assert (tmp_path / "mlflow.db").read_bytes() == b"kept"
    make_store(Registry("http://127.0.0.1:9", "channel", "channel"))


def test_the_store_of_a_run_that_was_faster_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def late(made: Path, place: Path) -> None:
        place.write_bytes(b"faster")
        link(made, place)

    monkeypatch.setattr(os, "link", late)
    make_store(_registry(tmp_path))
    assert (tmp_path / "mlflow.db").read_bytes() == b"faster"
    assert [file.name for file in tmp_path.iterdir()] == ["mlflow.db"]
