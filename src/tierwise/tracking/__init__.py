"""Training runs and registered model versions; the only package that imports MLflow."""

from tierwise.tracking.history import InForce
from tierwise.tracking.registry import Champion, Registry, VersionDetails, VersionSummary
from tierwise.tracking.training_log import LoggedVersion, TrainingRecord, log_training

__all__ = [
    "Champion",
    "InForce",
    "LoggedVersion",
    "Registry",
    "TrainingRecord",
    "VersionDetails",
    "VersionSummary",
    "log_training",
]
