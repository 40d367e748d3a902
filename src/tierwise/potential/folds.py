"""Time-honest folds: train on labels closed by a past review, test on that review."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import pandas as pd

from tierwise.potential.snapshots import assert_embargo, origins

_YEAR_DAYS = 365.25
_SAME_SEASON_DAYS = 20


@dataclass(frozen=True)
class Fold:
    """Snapshots closed on `origin`, and the labelled snapshots of `origin` itself."""

    origin: pd.Timestamp
    training: pd.DataFrame
    test: pd.DataFrame


def fold_at(labelled: pd.DataFrame, origin: pd.Timestamp) -> Fold:
    """Cut one fold; the training part may be empty, never later than the embargo allows."""
    training = labelled[labelled["label_until"] <= origin].reset_index(drop=True)
    assert_embargo(training, origin)
    return Fold(origin, training, labelled[labelled["as_of"] == origin].reset_index(drop=True))


def inner_folds(labelled: pd.DataFrame, limit: int) -> list[Fold]:
    """Return the latest folds that have both a training and a test part, oldest first."""
    folds = (fold_at(labelled, origin) for origin in reversed(origins(labelled)))
    return list(islice((fold for fold in folds if len(fold.training)), limit))[::-1]


def same_season(apart: pd.Timedelta) -> bool:
    """Whether two reviews lie whole years apart (one at least), so that their label windows hold the same months."""
    years = round(apart.days / _YEAR_DAYS)
    return years >= 1 and abs(apart.days - years * _YEAR_DAYS) <= _SAME_SEASON_DAYS


def calibration_reviews(labelled: pd.DataFrame, as_of: pd.Timestamp) -> list[pd.Timestamp]:
    """Return the last completed review and, where that is another, the latest of the season that begins now.

    Where the horizon is shorter than a year, the last completed window holds other months than the coming one. What a
    season does to everyone alike can only be read from that season.
    """
    completed = origins(labelled)
    season = [day for day in completed if same_season(as_of - day)]
    return sorted({*completed[-1:], *season[-1:]})
