"""Checks on what the models are fed and what comes out (METHODS section 6): drift."""

from tierwise.audit.drift import Drift, DriftSettings, detect_drift
from tierwise.audit.rows import reference_rows
from tierwise.audit.single import figure

__all__ = ["Drift", "DriftSettings", "detect_drift", "figure", "reference_rows"]
