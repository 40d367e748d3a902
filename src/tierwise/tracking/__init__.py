"""Training runs and registered model versions; the only package that imports MLflow."""

from tierwise.tracking.history import InForce
from tierwise.tracking.new_store import make_store
from tierwise.tracking.registry import Champion, Registry, VersionDetails, VersionSummary
from tierwise.tracking.run_contents import RunContents, log_run
from tierwise.tracking.training_log import LoggedVersion, TrainingRecord, log_training

__all__ = [
    "Champion",
    "InForce",
    "LoggedVersion",
    "Registry",
    "RunContents",
    "TrainingRecord",
    "VersionDetails",
    "VersionSummary",
    "log_run",
    "log_training",
    "make_store",
]
