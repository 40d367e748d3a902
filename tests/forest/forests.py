"""Small random LightGBM models for the contribution kernel, and Shapley values straight from their definition."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np

SETTINGS = {
    "objective": "regression", "min_data_in_leaf": 3, "min_data_in_bin": 1, "num_threads": 1, "verbose": -1,
    "deterministic": True, "force_row_wise": True, "min_gain_to_split": 0.0,
}  # fmt: skip


def make_rows(seed: int, count: int, columns: int, missing: float = 0.0, zeros: float = 0.0) -> np.ndarray:
    """Random rows with a share of zeros and of unknown values."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, columns))
    rows[random.uniform(size=rows.shape) < zeros] = 0.0
    rows[random.uniform(size=rows.shape) < missing] = np.nan
    return rows


def make_model(rows: np.ndarray, seed: int, trees: int = 5, **settings: Any) -> str:
    """A model of a response with interactions, as LightGBM's native text."""
    random = np.random.default_rng(seed)
    known = np.nan_to_num(rows, nan=1.5)
    first, second = (known @ random.normal(size=rows.shape[1]) for _ in range(2))
    response = first * np.sign(second) + random.normal(size=len(rows))
    data = lgb.Dataset(rows, label=response, params={"verbose": -1, **settings})
    return lgb.train({**SETTINGS, **settings}, data, num_boost_round=trees).model_to_string()


def lightgbm_split(text: str, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """Base and parts by LightGBM itself."""
    parts = lgb.Booster(model_str=text).predict(rows, pred_contrib=True, num_threads=1)
    return parts[0, -1], parts[:, :-1]


def raw(text: str, rows: np.ndarray) -> np.ndarray:
    return lgb.Booster(model_str=text).predict(rows, raw_score=True, num_threads=1)


def shapley_by_definition(predict: Callable[[np.ndarray], np.ndarray], row: np.ndarray, background: np.ndarray):
    """Sum over all coalitions: features outside of one take the background's values, averaged over its rows."""
    columns = len(row)
    worth: dict[frozenset[int], float] = {}
    for size in range(columns + 1):
        for coalition in combinations(range(columns), size):
            mixed = background.copy()
            mixed[:, coalition] = row[list(coalition)]
            worth[frozenset(coalition)] = float(predict(mixed).mean())
    values = np.zeros(columns)
    for coalition, before in worth.items():
        for feature in set(range(columns)) - coalition:
            orders = factorial(len(coalition)) * factorial(columns - len(coalition) - 1) / factorial(columns)
            values[feature] += orders * (worth[coalition | {feature}] - before)
    return values
