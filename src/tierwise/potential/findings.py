"""Findings of a training run: a reason code, its sentence, and the figures it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from tierwise.potential.model import DIAGNOSTIC_COLUMNS, DIAGNOSTICS


class Finding(NamedTuple):
    """One diagnostic: a code of `DIAGNOSTICS` and the value it is about."""

    code: str
    value: str = ""


def findings_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return the findings with their messages, in order, columns `DIAGNOSTIC_COLUMNS`."""
    rows = [(finding.code, DIAGNOSTICS[finding.code], finding.value) for finding in findings]
    return pd.DataFrame(rows, columns=list(DIAGNOSTIC_COLUMNS)).astype("str")
