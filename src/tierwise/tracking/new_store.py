"""The default store of a new workspace, made beforehand: MLflow makes its tables by some seventy migrations."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from tierwise.tracking.connection import connected
from tierwise.tracking.registry import Registry


def make_store(registry: Registry) -> None:
    """Make the default store, if it is not there yet; it appears whole or not at all.

    Raises:
        OutsideFailure: If MLflow fails or the disk is full.
    """
    if registry.artifact_folder is None or not registry.is_new():
        return
    folder = registry.artifact_folder.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tierwise-") as name:
        made, beside = Path(name) / "mlflow.db", folder / f"mlflow.db.{os.getpid()}"
        with connected(f"sqlite:///{made}") as client:
            client.search_experiments(max_results=1)
        shutil.copyfile(made, beside)
        # Where another run was faster its store stays; where links are unknown the first logging makes the store.
        with suppress(OSError):
            os.link(beside, folder / "mlflow.db")
        beside.unlink()
