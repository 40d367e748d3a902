"""Contributions: rows per CPU-second of the kernel beside LightGBM, shap and woodelf, in one run.

`python benchmarks/bench_contributions.py [ROWS]`, by default 100,000 rows: 300 trees of 31 leaves, depth 6 and
unlimited, 40 columns, 5 % unknown. The kernel splits all rows; the others are timed on as many as take a few seconds,
since their time grows with the rows alone. Every figure is the median of three runs on one thread, with whatever the
method prepares per call (tables, explainers) in the time; compiling comes before and is stated. Peers: 1,000 background
rows. shap's interventional explainer walks every pair of rows, so it is timed on few.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np

ROWS, TRAINING, COLUMNS, TREES, LEAVES, UNKNOWN, PEERS = 100_000, 20_000, 40, 300, 31, 0.05, 1_000
RUNS = 3
WOODELF_ROWS = 20_000
SAMPLE = {"LightGBM pred_contrib": 1_500, "shap TreeExplainer": 1_500, "shap interventional": 4}


@dataclass(frozen=True)
class Timed:
    """How fast a method is and what it found for the first rows."""

    rate: float
    parts: np.ndarray


def make_rows(count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, COLUMNS))
    rows[random.uniform(size=rows.shape) < UNKNOWN] = np.nan
    return rows


def make_model(depth: int) -> str:
    """A Tweedie model like the potential's, of a response with effects of half of the columns and an interaction."""
    rows, random = make_rows(TRAINING, 1), np.random.default_rng(2)
    known = np.nan_to_num(rows)
    effects = known[:, :20] @ random.normal(0, 0.25, 20) + 0.3 * known[:, 0] * known[:, 1] + 0.2 * np.abs(known[:, 5])
    label = np.exp(effects) * random.gamma(1, 1, TRAINING)
    options = {
        "objective": "tweedie", "num_leaves": LEAVES, "max_depth": depth, "learning_rate": 0.05, "num_threads": 1,
        "verbose": -1, "deterministic": True, "force_row_wise": True, "seed": 1,
    }  # fmt: skip
    return lgb.train(options, lgb.Dataset(rows, label=label), TREES).model_to_string()


def timed(method: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> Timed:
    """The median of several runs in CPU time of this process."""
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        parts = method(rows)
        seconds.append(time.process_time() - start)
    return Timed(len(rows) / statistics.median(seconds), parts)


def to_training(text: str, rows: np.ndarray) -> dict[str, Timed]:
    from tierwise.explain.kernel import split_to_training

    booster = lgb.Booster(model_str=text)
    import shap

    def by_lightgbm(sample: np.ndarray) -> np.ndarray:
        return booster.predict(sample, pred_contrib=True, num_threads=1)[:, :-1]

    def by_shap(sample: np.ndarray) -> np.ndarray:
        explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
        explainer.model.model_type = "internal"  # otherwise it asks LightGBM
        return explainer.shap_values(sample, check_additivity=False)

    oracle = SAMPLE["LightGBM pred_contrib"]
    return {
        "LightGBM pred_contrib": timed(by_lightgbm, rows[:oracle]),
        "this kernel": timed(lambda r: split_to_training(text, r, threads=1).parts, rows),
        "shap TreeExplainer": timed(by_shap, rows[: SAMPLE["shap TreeExplainer"]]),
        **woodelf(text, rows[:WOODELF_ROWS], None),
    }  # fmt: skip


def to_peers(text: str, rows: np.ndarray, peers: np.ndarray) -> dict[str, Timed]:
    import shap

    from tierwise.explain.kernel import split_to_background

    booster = lgb.Booster(model_str=text)

    def by_shap(sample: np.ndarray) -> np.ndarray:
        everyone = shap.maskers.Independent(peers, max_samples=len(peers))
        explainer = shap.TreeExplainer(booster, everyone, feature_perturbation="interventional", model_output="raw")
        return explainer.shap_values(sample, check_additivity=False)

    return {
        "this kernel": timed(lambda r: split_to_background(text, r, peers, threads=1).parts, rows),
        "shap interventional": timed(by_shap, rows[: SAMPLE["shap interventional"]]),
        **woodelf(text, rows[:WOODELF_ROWS], peers),
    }


def woodelf(text: str, rows: np.ndarray, peers: np.ndarray | None) -> dict[str, Timed]:
    """WOODELF, if it is installed and takes the model."""
    try:
        import pandas as pd
        from woodelf import WoodelfExplainer
    except ImportError:
        return {}
    model = lgb.Booster(model_str=text)
    names = model.feature_name()
    background = None if peers is None else pd.DataFrame(peers, columns=names)

    def by_woodelf(sample: np.ndarray) -> np.ndarray:
        with Path(os.devnull).open("w") as quiet, redirect_stdout(quiet), redirect_stderr(quiet):
            explainer = WoodelfExplainer(model, background)
            return np.asarray(explainer.shap_values(pd.DataFrame(sample, columns=names)))

    return {"woodelf": timed(by_woodelf, rows)}


def show(title: str, found: dict[str, Timed], unit: float, exact: np.ndarray) -> None:
    """Print a table: rows per CPU-second, the ratio to `pred_contrib`, the largest difference to the exact values."""
    print(f"\n{title}\n\n| method | rows per CPU-second | times pred_contrib | largest difference |")
    print("| --- | --- | --- | --- |")
    for name, result in found.items():
        shared = min(len(exact), len(result.parts))
        gap = np.abs(result.parts[:shared] - exact[:shared]).max()
        print(f"| {name} | {result.rate:,.0f} | {result.rate / unit:.1f} | {gap:.1g} |", flush=True)


def first_call(text: str, rows: np.ndarray) -> None:
    """State how long importing, compiling (or reading what was compiled), cutting and filling tables take."""
    start = time.process_time()
    from tierwise.explain import kernel

    imported = time.process_time()
    kernel.split_to_training(text, rows[:1])
    kernel.split_to_background(text, rows[:1], rows[:2])
    compiled = time.process_time()
    kernel.split_to_training(text, rows[:1])
    filled = time.process_time()
    kernel.split_to_background(text, rows[:1], rows[:PEERS])
    peers = time.process_time()
    print(
        f"import {imported - start:.2f} s; first call {compiled - imported:.2f} s (compiling, or reading machine code);"
        f" tables {filled - compiled:.2f} s; tables against {PEERS:,} peers {peers - filled:.2f} s"
    )


def main() -> None:
    """Print the tables of both depths."""
    warnings.simplefilter("ignore")
    rows = make_rows(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS, 3)
    for depth in (6, -1):
        text = make_model(depth)
        print(f"\n## depth {depth if depth > 0 else 'unlimited'}, {len(rows):,} rows")
        first_call(text, rows)
        channel = to_training(text, rows)
        oracle = channel["LightGBM pred_contrib"]
        show("To the whole channel; difference to pred_contrib:", channel, oracle.rate, oracle.parts)
        peers = to_peers(text, rows, make_rows(PEERS, 4))
        show("To peers; difference to this kernel:", peers, oracle.rate, peers["this kernel"].parts)


if __name__ == "__main__":
    main()
