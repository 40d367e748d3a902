"""Potential: the expected value of a partner over the horizon, with an honest interval (METHODS section 1)."""

from tierwise.potential.backtest import Backtest, backtest
from tierwise.potential.contributions import contributions
from tierwise.potential.gini import normalized_gini
from tierwise.potential.model import PotentialModel
from tierwise.potential.parts import from_parts, to_parts
from tierwise.potential.predict import predict, predict_median
from tierwise.potential.train import train
from tierwise.potential.tune import Tuning, tune

__all__ = [
    "Backtest",
    "PotentialModel",
    "Tuning",
    "backtest",
    "contributions",
    "from_parts",
    "normalized_gini",
    "predict",
    "predict_median",
    "to_parts",
    "train",
    "tune",
]
