"""Spark gives what DuckDB gives: metric rows, placements, steps over rows, whole reviews; faults are told alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.channel import AS_OF, TODAY
from tests.engine.spark_here import SETTINGS, accepted, skip_without_spark
from tests.metrics.small_workspaces import fill, made_up_rows, make_workspace
from tierwise.config.load import load_workspace
from tierwise.config.policy import Policy
from tierwise.engine import EmbeddedEngine, Engine
from tierwise.engine.spark import SparkEngine
from tierwise.errors import InvalidInput, OutsideFailure
from tierwise.jobs.score import ScoreRequest, score
from tierwise.metrics import compute
from tierwise.policy import place

__all__ = ["accepted"]

DEALS = {"from": "deals", "window": "4 quarters", "missing": 0}
METRICS: dict[str, dict[str, object]] = {
    "revenue": DEALS | {"value": "sum(amount)", "where": "status = 'won'"},
    "win_rate": DEALS | {"value": "count(*) filter (where joint) / count(*)", "min_rows": 3, "missing": "unknown"},
    "customers": DEALS | {"value": "count(distinct customer)", "window": "12 months"},
    "typical": DEALS | {"value": "median(amount)", "window": "365 days", "missing": "unknown"},
    "last_size": DEALS | {"value": "arg_max(amount, date)", "window": "lifetime", "missing": "unknown"},
    "active_quarters": DEALS | {"per": "quarter", "value": "sum(amount)", "then": "count_if(value > 0)"},
    "days_since": DEALS | {"value": "max(date_diff('day', date, as_of))", "window": "8 quarters", "missing": "unknown"},
    "valid": {"from": "certifications", "value": "count(distinct person)", "where": "expires_on > as_of",
              "window": "lifetime", "missing": 0},
    "growth": {"formula": "revenue / nullif(last_size, 0) - 1"},
    "rank": {"formula": "percent_rank() over (partition by region order by revenue)"},
}  # fmt: skip
LEAP_DAY, QUARTER_END, MID_QUARTER = date(2024, 2, 29), date(2024, 12, 31), date(2024, 8, 15)
POLICY = Policy.model_validate(
    {
        "policy": "standard", "effective_from": date(2020, 1, 1), "owner": "programs", "reason": "the first",
        "parameters": {"floor": {"by": "region", "k1": 100, "default": 50}},
        "scores": {"value": {"max": 60, "components": [
            {"dimension": "revenue_potential", "points": "40 * least(revenue / 500, 1)"},
            {"dimension": "velocity", "points": "round(20 * rank, 2)", "unknown": "zero"},
            {"dimension": "reach", "of": "customers", "bands": [{"from": 1, "points": 5}, {"from": 3, "points": 9}]},
        ]}},
        "tiers": [
            {"name": "entry"},
            {"name": "growth", "when": "revenue >= floor and (win_rate > 0.3 or customers >= 2)"},
            {"name": "strategic", "when": {"all": ["value >= 30", {"at_least": {"count": 2, "of": [
                "valid >= 1", "growth > 0", "active_quarters >= 3"]}}]}},
            {"name": "flagship", "when": "value > 0", "top": {"by": "value", "share": 0.1, "within": ["region"]}},
        ],
        "movement": {"promote": {"band": 0.05}, "demote": {"band": 0.1}},
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def spark(accepted: EmbeddedEngine) -> Iterator[Engine]:
    skip_without_spark()
    from tierwise.engine.spark import SparkEngine

    with SparkEngine(accepted, SETTINGS) as engine:
        yield engine


@pytest.fixture(scope="module")
def both(accepted: EmbeddedEngine, spark: Engine) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Metric rows of made-up tables on three awkward days, by DuckDB and by Spark."""
    workspace = make_workspace(METRICS)
    rows = made_up_rows(workspace, seed=3)
    fill(accepted, workspace, {name: frame.to_dict("records") for name, frame in rows.items()})
    days = [LEAP_DAY, QUARTER_END, MID_QUARTER]
    return compute(accepted, workspace, days), compute(spark, workspace, days)


def test_metric_rows_are_equal(both: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(both[1], both[0], rtol=1e-9)
    known = both[0][list(METRICS)].notna().mean()
    assert (known > 0.3).all()


def test_placements_are_equal(both: tuple[pd.DataFrame, pd.DataFrame], accepted: EmbeddedEngine, spark: Engine) -> None:
    inputs = both[0][both[0]["as_of"] == pd.Timestamp(QUARTER_END)].reset_index(drop=True)
    ours, theirs = place(accepted, POLICY, inputs), place(spark, POLICY, inputs)
    for table in ("tiers", "criteria", "components"):
        pd.testing.assert_frame_equal(getattr(theirs, table), getattr(ours, table), rtol=1e-9)
    assert ours.tiers["eligible_tier"].nunique() >= 3


@dataclass(frozen=True)
class Doubled:
    """A step over rows that machines import by name."""

    factor: float

    def __call__(self, rows: pa.Table) -> pa.Table:
        values = rows.column("value").to_numpy()
        return pa.table({"id": rows.column("id"), "value": values * self.factor})


def test_a_step_gives_its_rows_in_their_order(spark: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tierwise.engine.spark.SMALL_ROWS", 0)
    monkeypatch.setattr("tierwise.engine.spark_rows.ROWS_PER_STEP", 700)
    ids = [f"é{number:05d}" if number % 7 else None for number in range(1500)]
    rows = pa.table({"id": pa.array(ids, pa.large_string()), "value": np.r_[np.nan, np.arange(1499.0)]})
    found = spark.mapped(rows, Doubled(2.0))
    assert found.column("id").to_pylist() == ids
    np.testing.assert_array_equal(found.column("value").to_numpy(), np.r_[np.nan, np.arange(1499.0) * 2])


def test_a_table_made_here_has_types_and_is_gone_when_dropped(spark: Engine) -> None:
    spark.add_table("made", pd.DataFrame({"day": pd.to_datetime(["2024-02-29"]), "name": ["å"], "figure": [0.5]}))
    assert dict(spark.columns("made")) == {"day": "TIMESTAMP", "name": "VARCHAR", "figure": "DOUBLE"}
    assert spark.rows("SELECT name, figure FROM made") == [("å", 0.5)]
    spark.run("DROP TABLE IF EXISTS made")
    assert not spark.has_table("made")


def test_a_local_spark_spills_beside_the_runs_own_files(spark: SparkEngine) -> None:
    folder = Path(spark.session.conf.get("spark.local.dir"))
    assert folder.parent.name.startswith("tierwise-spark-")
    assert any(folder.iterdir())


def test_shown_rows_are_handed_over(spark: Engine) -> None:
    for number in (3, 4):
        spark.show("shown", pa.table({"n": [number, None]}))
        assert spark.rows("SELECT n FROM shown ORDER BY n NULLS LAST") == [(number,), (None,)]


def test_what_does_not_suit_the_data_is_the_inputs_fault(spark: Engine) -> None:
    spark.add_table("numbers", pd.DataFrame({"number": [9_000_000_000_000_000_000]}))
    with pytest.raises(InvalidInput, match="overflow"):
        spark.rows("SELECT sum(number + number) FROM numbers")


def test_other_statements_are_refused(spark: Engine) -> None:
    with pytest.raises(NotImplementedError, match="drops tables"):
        spark.run("CREATE TABLE made (id INTEGER)")
    with pytest.raises(NotImplementedError, match="parameters"):
        spark.rows("SELECT ?", [1])


def test_reviews_are_the_same_bytes(
    trained_channel: Path, spark: Engine, copy_of: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tierwise.engine.spark.SMALL_ROWS", 0)
    workspace = load_workspace(copy_of(trained_channel))
    for engine in ("duckdb", "spark"):
        out = workspace.folder / engine
        score(workspace, ScoreRequest(AS_OF, TODAY, out=out, engine=engine))
    ours, theirs = (workspace.folder / engine / AS_OF.isoformat() for engine in ("duckdb", "spark"))
    names = sorted(path.name for path in ours.iterdir())
    assert names == sorted(path.name for path in theirs.iterdir())
    assert [name for name in names if (ours / name).read_bytes() != (theirs / name).read_bytes()] == []


def test_without_pyspark_the_message_says_what_to_install(
    accepted: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tierwise.engine.spark import SparkEngine

    for name in ("pyspark", "pyspark.sql"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(OutsideFailure, match=r"pip install 'tierwise\[spark\]'"):
        SparkEngine(accepted, SETTINGS)
