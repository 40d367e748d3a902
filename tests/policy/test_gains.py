"""The tier gained, asked alone: the same as the whole placement says, from fewer columns, over and over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sqlglot import parse_one

from tierwise.config.load import load_workspace
from tierwise.engine import open_engine
from tierwise.jobs.init import packaged_workspace
from tierwise.policy import Gains, needed_columns, place
from tierwise.policy.gains import needed_stages


def _inputs(columns: list[str], rows: int, seed: int) -> pd.DataFrame:
    """Inputs with any values, some unknown, for the columns that a policy reads."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"partner_id": [f"P{number:04d}" for number in range(rows)]}).astype({"partner_id": "str"})
    for name in columns:
        if name in ("region", "status", "partner_type", "archetype_id"):
            frame[name] = pd.Series(random.choice(["EMEA", "LATAM", "left"], rows), dtype="str")
        elif name != "partner_id":
            frame[name] = np.where(random.random(rows) < 0.1, np.nan, random.lognormal(3, 4, rows).round(2))
    return frame


@pytest.mark.parametrize("name", ["demo", "olist", "adventureworks"])
def test_the_place_gained_is_the_whole_placements(name: str, tmp_path: Path) -> None:
    workspace = load_workspace(packaged_workspace(name), tmp_path)
    for policy in workspace.policies:
        inputs = _inputs(needed_columns(policy), 400, 7)
        with open_engine() as engine:
            placement = place(engine, policy, inputs)
            gains = Gains.of(placement.plan)
            found = gains.gained(engine, pa.Table.from_pandas(inputs, preserve_index=False))
            assert found.tolist() == placement.ranks()["gain"].tolist()
            again = inputs.iloc[::-3].reset_index(drop=True)
            repeated = gains.gained(engine, pa.Table.from_pandas(again, preserve_index=False))
            assert repeated.tolist() == found[::-3].tolist()
        assert gains.inputs <= set(inputs.columns)


def test_only_what_is_needed_is_kept() -> None:
    stages = [
        {"double": parse_one("a * 2"), "unused": parse_one("b * 2")},
        {"sum": parse_one("double + c"), "late": parse_one("unused + 1")},
    ]
    kept, inputs = needed_stages(stages, ["sum"])
    assert [list(stage) for stage in kept] == [["double"], ["sum"]]
    assert inputs == {"a", "c"}


def test_a_stage_of_which_nothing_is_needed_goes() -> None:
    kept, inputs = needed_stages([{"a": parse_one("x")}, {"b": parse_one("y")}], ["a", "z"])
    assert [list(stage) for stage in kept] == [["a"]]
    assert inputs == {"x", "z"}
