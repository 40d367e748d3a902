"""Whether Spark can run here, and one small local session for the tests of a file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.killed_runs import QUICK_JAVA
from tierwise.config.workspace import EngineSettings, SparkSettings
from tierwise.engine import EmbeddedEngine, open_engine

SETTINGS = EngineSettings(
    memory_limit="1GB", spark=SparkSettings(master="local[2]", conf={"spark.sql.shuffle.partitions": "2"})
)


def skip_without_spark() -> None:
    """Skip where Spark cannot run; where it can, let the Java machines that follow start quickly."""
    if find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: make spark")
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine; Spark needs 17 or 21")
    os.environ.setdefault("JDK_JAVA_OPTIONS", QUICK_JAVA)


@pytest.fixture(scope="module")
def accepted() -> Iterator[EmbeddedEngine]:
    """An embedded engine for the tables of a test file."""
    with open_engine() as engine:
        yield engine
