"""The long table of criteria: value, threshold, met and gap, and the cheapest open route of every `any`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from tierwise.policy.criteria import Criterion, Group, Kept, Node
from tierwise.policy.ladders import CriterionColumns, Ladder
from tierwise.policy.plan import KEY, Plan
from tierwise.policy.units import UNIT, deciding_figures, reached_counts

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MET_WORDS = ("false", "true", "unknown")
LEFT_OUT = 3
CRITERIA_COLUMNS = (
    "partner_id", "tier", "criterion", "expression", "metric", "operator", "threshold", "value", "met", "gap",
    "route", "cheapest",
)  # fmt: skip


def criteria_table(plan: Plan, figures: pa.Table) -> pd.DataFrame:
    """One row per partner, tier and criterion that was not left out, sorted by them.

    Under `per` the figures are those of the unit that decides on the ladder, which the column `unit` names.
    """
    shown = [part for ladder in plan.ladders for part in deciding_figures(plan, figures, ladder)]
    return _table(plan, shown, [_counted(reached_counts(plan, figures))], [])


def unit_criteria_table(plan: Plan, figures: pa.Table) -> pd.DataFrame:
    """The same for every unit of a partner; empty for a policy that places partners as a whole."""
    of_units = figures if plan.policy.per is not None else figures.slice(0, 0)
    return _table(plan, [(ladder, of_units) for ladder in plan.ladders], [], [UNIT])


def _table(
    plan: Plan, shown: Sequence[tuple[Ladder, pa.Table]], parts: list[pd.DataFrame], sorted_by: Sequence[str]
) -> pd.DataFrame:
    per = plan.policy.per
    columns = {KEY: KEY} | ({UNIT: per.column} if per is not None else {})
    for ladder, figures in shown:
        keys = {name: figures.column(column).to_pandas() for name, column in columns.items()}
        parts += _ladder_parts(ladder, figures, keys)
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=[*columns, *CRITERIA_COLUMNS[1:]])
    table = pd.concat(filled, ignore_index=True)
    return table.sort_values([KEY, *sorted_by, "tier", "criterion"], kind="stable", ignore_index=True)


def _counted(counts: pd.DataFrame) -> pd.DataFrame:
    """The criteria of tiers that are made from the tiers of units: in how many units a lower tier is reached."""
    gap = np.maximum(counts["threshold"] - counts["value"], 0.0)
    metric = "units at " + counts["counted"]
    return pd.DataFrame(
        {
            KEY: counts[KEY],
            "tier": counts["tier"],
            "criterion": "reached_in_" + counts["counted"],
            "expression": metric + " or above >= " + counts["threshold"].astype("int64").astype("str"),
            "metric": metric,
            "operator": ">=",
            "threshold": counts["threshold"],
            "value": counts["value"].astype("float64"),
            "met": pd.Series(np.where(gap == 0, MET_WORDS[1], MET_WORDS[0]), index=counts.index, dtype="str"),
            "gap": gap,
            "route": "",
            "cheapest": False,
        }
    )


def _ladder_parts(ladder: Ladder, figures: pa.Table, keys: Mapping[str, pd.Series[str]]) -> list[pd.DataFrame]:
    routes = _Routes(ladder, figures)
    return [_part(ladder, item, figures, keys, routes) for item in ladder.criteria]


def _part(
    ladder: Ladder, item: CriterionColumns, figures: pa.Table, keys: Mapping[str, pd.Series[str]], routes: _Routes
) -> pd.DataFrame:
    state = figures.column(item.state).to_numpy()
    rows = state != LEFT_OUT
    written = item.criterion
    route, cheapest = routes.of(written)
    part = pd.DataFrame({name: values[rows] for name, values in keys.items()})
    part["tier"] = f"{ladder.name}: {item.tier}" if ladder.name else item.tier
    part["criterion"] = item.name
    part["expression"] = written.expression
    part["metric"] = written.metric
    part["operator"] = written.operator
    part["threshold"] = threshold_of(item, figures)[rows]
    part["value"] = floats(figures, item.value)[rows]
    part["met"] = pd.Series(np.array(MET_WORDS, dtype=object)[state[rows]], index=part.index, dtype="str")
    part["gap"] = gap_of(item, figures)[rows]
    part["route"] = route
    part["cheapest"] = cheapest[rows]
    return part


def floats(figures: pa.Table, column: str) -> Floats:
    """A column as doubles, NaN where unknown."""
    values: Floats = figures.column(column).to_numpy().astype(np.float64)
    return values


def threshold_of(item: CriterionColumns, figures: pa.Table) -> Floats:
    """The threshold of every row; 1 for a condition, which is 1 where it holds."""
    if item.threshold is not None:
        return floats(figures, item.threshold)
    return np.full(figures.num_rows, 1.0 if item.constant is None else item.constant)


def gap_of(item: CriterionColumns, figures: pa.Table) -> Floats:
    """What is missing in the metric's own unit: 0 when met, NaN when unknown."""
    value, threshold = floats(figures, item.value), threshold_of(item, figures)
    state = figures.column(item.state).to_numpy()
    signed = value - threshold if item.criterion.operator in ("<=", "<") else threshold - value
    gap = np.abs(signed) if item.criterion.operator in ("=", "<>", "is") else np.maximum(signed, 0.0)
    return np.where(state == 1, 0.0, gap)


class _Routes:
    """For each criterion the route of the innermost `any` it belongs to, and whether that is the cheapest open one.

    The cost of a criterion is its gap as a share of its threshold, so that criteria of different units compare; an
    unknown one cannot be priced and is dearer than any other. An `all` costs the sum of its parts, an `any` the
    least, an `at_least` its cheapest parts.
    """

    def __init__(self, ladder: Ladder, figures: pa.Table) -> None:
        self._figures = figures
        self._items = {id(item.criterion): item for item in ladder.criteria}
        self._routes: dict[int, tuple[str, Bools]] = {}
        nowhere = ("", np.zeros(figures.num_rows, dtype=bool))
        for rule in ladder.rules:
            if rule is not None:
                self._walk(rule, nowhere, "")

    def of(self, criterion: Criterion) -> tuple[str, Bools]:
        """The route's name and the rows in which it is the cheapest open one."""
        return self._routes[id(criterion)]

    def _walk(self, node: Node, route: tuple[str, Bools], path: str) -> Floats:
        """Note the routes below a node and return the node's cost."""
        if isinstance(node, Criterion):
            self._routes[id(node)] = route
            return self._cost(self._items[id(node)])
        if isinstance(node, Kept):
            return self._walk(node.gain, route, path)
        if node.kind != "any":
            costs = [self._walk(part, route, f"{path}{index}.") for index, part in enumerate(node.parts, start=1)]
            return _group_cost(node, costs)
        return self._walk_any(node, path)

    def _walk_any(self, node: Group, path: str) -> Floats:
        names = [f"{path}{index}" for index in range(1, len(node.parts) + 1)]
        flags = [np.zeros(self._figures.num_rows, dtype=bool) for _ in names]
        costs = np.array(
            [
                self._walk(part, (name, flag), f"{name}.")
                for part, name, flag in zip(node.parts, names, flags, strict=True)
            ]
        )
        least = costs.min(axis=0)
        first = np.where(np.isfinite(least) & (least > 0), costs.argmin(axis=0), -1)
        for index, flag in enumerate(flags):
            flag |= first == index
        return np.asarray(least, dtype=np.float64)

    def _cost(self, item: CriterionColumns) -> Floats:
        gap, threshold = gap_of(item, self._figures), np.abs(threshold_of(item, self._figures))
        state = self._figures.column(item.state).to_numpy()
        share = gap / np.where(threshold > 0, threshold, 1.0)
        cost = np.where(np.isnan(share), np.inf, np.maximum(share, 1e-9))
        return np.where((state == 1) | (state == LEFT_OUT), 0.0, cost)


def _group_cost(node: Group, costs: list[Floats]) -> Floats:
    stacked = np.array(costs)
    if node.kind == "all":
        total: Floats = stacked.sum(axis=0)
        return total
    cheapest: Floats = np.sort(stacked, axis=0)[: node.count].sum(axis=0)
    return cheapest
