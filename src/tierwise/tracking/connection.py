"""Talking to MLflow: where it is, how long to wait, and what its failures mean to a user.

MLflow is imported inside functions, because it takes seconds and most commands do not need it.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

from tierwise.errors import Fault, OutsideFailure

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Set before MLflow is imported; a value that the user has set stays, but telemetry is always off.
_FORCED = MappingProxyType({"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"})
_DEFAULTS = MappingProxyType(
    {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_RECORD_ENV_VARS_IN_MODEL_LOGGING": "false",
    }
)
_ADDRESS = "MLFLOW_TRACKING_URI"
_LOUD = MappingProxyType({"mlflow": logging.WARNING, "alembic": logging.WARNING, "urllib3": logging.ERROR})
# What urllib3 says innermost of a server that does not answer: refused, timed out, no such host.
_NO_ANSWER = re.compile(r"(?:\[Errno -?\d+\] [^')\"]+|Read timed out\.[^')\"]*|timed out[^')\"]*)")
_PASSWORD = re.compile(r"(?<=://)[^/@]*@")


@contextmanager
def connected(uri: str) -> Iterator[MlflowClient]:
    """Give a client of the MLflow server or database at `uri`.

    Raises:
        OutsideFailure: If MLflow does not answer, refuses, or its store fails, anywhere in the block.
    """
    os.environ.update(_FORCED)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # MLflow warns about its own libraries (SQLAlchemy, pandas), which the user can do nothing about.
        warnings.filterwarnings("ignore", module=r"(mlflow|alembic|sqlalchemy|google|pydantic)\b.*")
        import mlflow
        from mlflow.exceptions import MlflowException

        for name, level in _LOUD.items():
            logging.getLogger(name).setLevel(level)
        try:
            with _current(uri):
                yield mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        except (MlflowException, OSError) as error:
            raise OutsideFailure(_fault(uri, error)) from error


@contextmanager
def _current(uri: str) -> Iterator[None]:
    """Make `uri` MLflow's current address for the block, since parts of MLflow ask for no other."""
    import mlflow

    before = os.environ.get(_ADDRESS)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_ADDRESS, None)
        else:
            mlflow.set_tracking_uri(before)


@contextmanager
def closed_at_end(client: MlflowClient, run_id: str) -> Iterator[None]:
    """Close a run at the end of the block: finished, or failed if the block raises."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except BaseException:
        # The first error is the one to tell; a server that is gone cannot be told that the run failed.
        with suppress(MlflowException):
            client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")


def _fault(uri: str, error: Exception) -> Fault:
    first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    silent = _NO_ANSWER.findall(first_line) if "Max retries exceeded" in first_line else []
    said = f"MLflow does not answer: {silent[-1]}" if silent else f"MLflow failed: {first_line}"
    return Fault(
        _PASSWORD.sub("***@", said)[:400],
        where=without_password(uri),
        todo="see that the server or database runs and that mlflow.tracking_uri in tierwise.yaml is right, "
        "then run the same command again",
    )


def without_password(uri: str) -> str:
    """Return the address without user name and password."""
    return _PASSWORD.sub("***@", uri)
