"""The way up: the fewest cheap steps over figures a partner can raise that reach the next tier when scored again.

Each step raises one metric to what the next tier asks for, or to what its members typically have. Steps are added from
the cheapest on until the policy, asked again, gives the next tier; then every step that turns out not to be needed is
taken back. Effort is counted in quarters at the pace that the faster quarter of comparable partners really kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS = ("partner_id", "plan", "step", "metric", "from", "to", "effort", "reaches_tier", "valid", "robustness")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rescore = Callable[[pd.DataFrame], Bools]


@dataclass(frozen=True)
class RoadmapProblem:
    """What a search for plans works on; all arrays have one row per partner and one column per lever.

    Attributes:
        inputs: The policy inputs, one row per partner below the top tier.
        next_tier: The tier that each partner's plan must reach, shape (n,).
        levers: The metrics that a partner can raise.
        targets: The level each lever would be raised to; NaN where it cannot be used.
        asked: Whether the next tier's criteria ask for that level themselves.
        pace: What the faster quarter of comparable partners raised each lever by in a quarter, shape (n, levers).
        max_quarters: Steps that would take longer are not realistic.
        rescore: Places changed inputs again; tells for each row whether it reaches its next tier.
    """

    inputs: pd.DataFrame
    next_tier: NDArray[np.object_]
    levers: tuple[str, ...]
    targets: Floats
    asked: Bools
    pace: Floats
    max_quarters: float
    rescore: Rescore


def find_plans(problem: RoadmapProblem) -> pd.DataFrame:
    """Search one plan per partner.

    Returns:
        One row per partner and step with `COLUMNS`, sorted; effort in quarters. A partner without a row has no
        realistic plan. Every plan was scored again with exactly its steps, so `valid` is measured, not assumed;
        `robustness` is empty until plans are tried on retrained models.
    """
    current = problem.inputs[list(problem.levers)].to_numpy(dtype=np.float64)
    effort = _effort(problem, current)
    usable = np.isfinite(effort) & (effort <= problem.max_quarters)
    chosen = usable & problem.asked
    reached = _scored(problem, chosen, np.ones(len(current), dtype=bool))
    chosen, reached = _add_cheapest(problem, chosen, usable, effort, reached)
    chosen = _take_back(problem, chosen, effort, reached)
    valid = reached & _scored(problem, chosen, reached)
    return _plan_rows(problem, chosen & valid[:, None], current, effort)


def _effort(problem: RoadmapProblem, current: Floats) -> Floats:
    """Quarters that each lever takes; NaN where it needs no raise, has no target or nobody ever raised it."""
    start = np.where(np.isnan(current), 0.0, current)
    gap = problem.targets - start
    with np.errstate(divide="ignore", invalid="ignore"):
        quarters = gap / problem.pace
    return np.where((gap > 0) & (problem.pace > 0), quarters, np.nan)


def _scored(problem: RoadmapProblem, chosen: Bools, among: Bools) -> Bools:
    """Score the rows of `among` again with their chosen levers raised; rows outside are not reached."""
    reached = np.zeros(len(chosen), dtype=bool)
    if among.any():
        rows = problem.inputs.loc[among].copy()
        for column, lever in enumerate(problem.levers):
            raised = chosen[among, column]
            rows[lever] = np.where(raised, problem.targets[among, column], rows[lever].to_numpy(dtype=np.float64))
        reached[among] = problem.rescore(rows)
    return reached


def _add_cheapest(
    problem: RoadmapProblem, chosen: Bools, usable: Bools, effort: Floats, reached: Bools
) -> tuple[Bools, Bools]:
    """Add one lever a round, the cheapest unused, to every partner who has not reached the next tier."""
    chosen, reached = chosen.copy(), reached.copy()
    for _ in problem.levers:
        open_levers = usable & ~chosen & ~reached[:, None]
        trying = open_levers.any(axis=1)
        if not trying.any():
            break
        cheapest = np.argmin(np.where(open_levers, effort, np.inf), axis=1)
        chosen[trying, cheapest[trying]] = True
        reached = reached | _scored(problem, chosen, np.asarray(trying, dtype=np.bool_))
    return chosen, reached


def _take_back(problem: RoadmapProblem, chosen: Bools, effort: Floats, reached: Bools) -> Bools:
    """Take back, from the dearest on, every step without which the plan still reaches the tier."""
    chosen = chosen.copy()
    dearest_first = np.argsort(-np.where(chosen, effort, -np.inf), axis=1, kind="stable")
    rows = np.arange(len(chosen))
    for place in range(len(problem.levers)):
        lever = dearest_first[:, place]
        trying = reached & chosen[rows, lever] & (chosen.sum(axis=1) > 1)
        if not trying.any():
            continue
        without = chosen.copy()
        without[rows[trying], lever[trying]] = False
        spared = _scored(problem, without, trying)
        chosen[rows[spared], lever[spared]] = False
    return chosen


def _plan_rows(problem: RoadmapProblem, chosen: Bools, current: Floats, effort: Floats) -> pd.DataFrame:
    row, column = np.nonzero(chosen)
    steps = pd.DataFrame(
        {
            "partner_id": problem.inputs["partner_id"].to_numpy()[row],
            "plan": 1,
            "metric": np.array(problem.levers, dtype=object)[column],
            "from": current[row, column],
            "to": problem.targets[row, column],
            "effort": effort[row, column],
            "reaches_tier": problem.next_tier[row],
            "valid": True,
            "robustness": np.nan,
        }
    )
    steps = steps.sort_values(["partner_id", "effort", "metric"], kind="stable", ignore_index=True)
    steps["step"] = steps.groupby("partner_id").cumcount() + 1
    return steps.astype({"partner_id": "str", "metric": "str", "reaches_tier": "str"})[list(COLUMNS)]
