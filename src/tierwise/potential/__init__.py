"""Potential: the expected value of a partner over the horizon, with an honest interval (METHODS section 1)."""

from tierwise.potential.backtest import Backtest, backtest
from tierwise.potential.comparison import Comparison, Contender, compare
from tierwise.potential.contributions import (
    Basis,
    Contributions,
    TreeSplit,
    basis_of,
    contributions,
    is_among,
    split_to_channel,
    split_to_peers,
)
from tierwise.potential.gini import normalized_gini
from tierwise.potential.leaks import Leaks, leaks_frame, merged_leaks
from tierwise.potential.leaks_history import attributes_from_history
from tierwise.potential.model import PotentialModel
from tierwise.potential.parts import from_parts, to_parts
from tierwise.potential.predict import predict, predict_amounts, predict_centre, predict_median
from tierwise.potential.refit import refit
from tierwise.potential.tier_effect import TierEffect, tier_effect
from tierwise.potential.train import train
from tierwise.potential.tune import Tuning, tune

__all__ = [
    "Backtest",
    "Basis",
    "Comparison",
    "Contender",
    "Contributions",
    "Leaks",
    "PotentialModel",
    "TierEffect",
    "TreeSplit",
    "Tuning",
    "attributes_from_history",
    "backtest",
    "basis_of",
    "compare",
    "contributions",
    "from_parts",
    "is_among",
    "leaks_frame",
    "merged_leaks",
    "normalized_gini",
    "predict",
    "predict_amounts",
    "predict_centre",
    "predict_median",
    "refit",
    "split_to_channel",
    "split_to_peers",
    "tier_effect",
    "to_parts",
    "train",
    "tune",
]
