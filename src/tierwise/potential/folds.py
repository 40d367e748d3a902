"""Time-honest folds: train on labels closed by a past review, test on that review."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import pandas as pd

from tierwise.potential.snapshots import assert_embargo, origins


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
