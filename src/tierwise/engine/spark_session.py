"""Starts Spark, or takes the session that a cluster has started, without letting it flood the terminal."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tierwise.config.workspace import EngineSettings
from tierwise.errors import Fault, OutsideFailure

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MASTER_VARIABLE = "TIERWISE_SPARK_MASTER"
_TODO_INSTALL = "install it: pip install 'tierwise[spark]'; it needs Java 17 or 21"

# What the answers depend on; a session that was started elsewhere gets them too.
_MEANING: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.groupByAliases": "true",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.debug.maxToStringFields": "10",
}
_LOCAL: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.codegen.cache.maxEntries": "1000",
    "spark.buffer.pageSize": "4m",  # every sort of a query takes a page at least, of 64 MB if Spark chooses
}


def open_session(settings: EngineSettings, folder: Path) -> tuple[SparkSession, bool]:
    """Start Spark or take the active session.

    The master is the environment variable `TIERWISE_SPARK_MASTER`, else `engine.spark.master` of the workspace, else
    `local[threads]`.

    Args:
        settings: The workspace's engine settings.
        folder: The run's own; it takes what the Java machine writes to the terminal, and what a local Spark spills.

    Returns:
        The session, and whether it was started here and is to be stopped.

    Raises:
        OutsideFailure: If pyspark or Java is missing, or the master cannot be reached.
    """
    with quiet():
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise OutsideFailure(Fault("pyspark is not installed", "--engine spark", todo=_TODO_INSTALL)) from error
    active = SparkSession.getActiveSession()
    if active is not None:
        for name, value in _MEANING.items():
            active.conf.set(name, value)
        return active, False
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("tierwise").master(master_of(settings))
    for name, value in {**_LOCAL, **_of_local_master(settings, folder), **_MEANING, **settings.spark.conf}.items():
        builder = builder.config(name, value)
    with _terminal_to(folder / "spark.log"):
        try:
            return builder.getOrCreate(), True
        except Exception as error:
            raise _not_started(settings, error) from error


def master_of(settings: EngineSettings) -> str:
    """The Spark master that a workspace runs on."""
    return os.environ.get(MASTER_VARIABLE) or settings.spark.master or f"local[{settings.threads}]"


def _of_local_master(settings: EngineSettings, folder: Path) -> Mapping[str, str]:
    """A local Spark listens on the loopback address alone, keeps few partitions and spills beside the run's files."""
    if not master_of(settings).startswith("local"):
        return {}
    partitions = str(4 * settings.threads)
    return {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(folder / "spill"),
        "spark.driver.memory": settings.memory_limit.replace(" ", "").removesuffix("iB").removesuffix("B").lower(),
        "spark.sql.shuffle.partitions": partitions,
    }


def _not_started(settings: EngineSettings, error: Exception) -> OutsideFailure:
    what = f"Spark did not start on {master_of(settings)}: {str(error).strip().splitlines()[0]}"
    todo = f"check that Java 17 or 21 is installed and JAVA_HOME is right, and the master in {MASTER_VARIABLE}"
    return OutsideFailure(Fault(what, "--engine spark", todo=todo))


@contextmanager
def quiet() -> Iterator[None]:
    """Pyspark warns of pandas 3, of which the program hands it nothing: rows pass as Arrow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _terminal_to(log: Path) -> Iterator[None]:
    """Let the Java machine, which inherits the terminal, write to a file; it keeps that for as long as it lives."""
    sys.stderr.flush()
    terminal = os.dup(2)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.dup2(file, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(file)
