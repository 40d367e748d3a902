"""Which file sizes and which splits go with an engine, without Spark on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from tests.channel import AS_OF, TODAY
from tierwise.archetypes import from_parts as archetypes_from
from tierwise.config.load import load_workspace
from tierwise.config.workspace import EngineSettings, OutputSettings
from tierwise.engine import open_engine
from tierwise.engine.seam import RowStep
from tierwise.errors import OutsideFailure
from tierwise.jobs.accept import accepted_tables
from tierwise.jobs.contributions import split_trees
from tierwise.jobs.engines import computing_on, outputs_on, rows_per_file, splitting_on
from tierwise.jobs.progress import Steps, silent
from tierwise.jobs.score import ScoreRequest, score
from tierwise.metrics import compute
from tierwise.potential import from_parts as potential_from
from tierwise.store import read_table
from tierwise.tracking import Registry


class InBlocks:
    """Stands in for an engine that hands rows out to machines: steps see blocks of rows, in reverse."""

    def mapped(self, rows: pa.Table, step: RowStep) -> pa.Table:
        blocks = [step(rows.slice(start, 40)) for start in reversed(range(0, rows.num_rows, 40))]
        return pa.concat_tables(reversed(blocks), promote_options="permissive")


def test_files_are_cut_as_the_workspace_says_else_on_spark_alone() -> None:
    assert rows_per_file("duckdb", OutputSettings()) is None
    assert rows_per_file("spark", OutputSettings()) == 1_000_000
    assert rows_per_file("spark", OutputSettings(rows_per_file=7)) == 7
    assert rows_per_file("duckdb", OutputSettings(rows_per_file=7)) == 7


def test_duckdb_computes_where_the_tables_are() -> None:
    with open_engine() as accepted, computing_on("duckdb", accepted, EngineSettings()) as engine:
        assert engine is accepted
        assert splitting_on(engine) is split_trees


def test_spark_that_is_not_installed_is_told_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with (
        open_engine() as accepted,
        pytest.raises(OutsideFailure, match=r"tierwise\[spark\]"),
        computing_on("spark", accepted, EngineSettings()),
    ):
        pass


def test_models_and_splits_by_blocks_of_rows_are_those_of_all_rows(scored_channel: Path) -> None:
    workspace = load_workspace(scored_channel)
    bundle = Registry.of(workspace).load_champion().bundle
    model, found = potential_from(bundle.group("potential")), archetypes_from(bundle.group("archetypes"))
    with accepted_tables(workspace, TODAY, Steps(silent, 2)) as (accepted, _):
        rows = compute(accepted, workspace, [AS_OF])
        whole = outputs_on(accepted, rows, model, found)
    by_blocks = outputs_on(InBlocks(), rows, model, found)
    np.testing.assert_allclose(by_blocks["potential"], whole["potential"], rtol=1e-9)
    assert list(by_blocks["archetype_id"]) == list(whole["archetype_id"])
    trees = model.blend.trees if model.blend is not None else None
    assert trees is not None, "the channel's model has trees"
    matrix = trees.columns.matrix(rows)
    base, parts = split_trees(trees.text, matrix, matrix[:50])
    other_base, other_parts = splitting_on(InBlocks())(trees.text, matrix, matrix[:50])
    assert other_base == base
    np.testing.assert_array_equal(other_parts, parts)


def test_a_review_is_written_in_parts(trained_channel: Path, copy_of: Callable[[Path], Path]) -> None:
    folder = copy_of(trained_channel)
    settings = yaml.safe_load((folder / "tierwise.yaml").read_text(encoding="utf-8"))
    settings["output"] = {**settings.get("output", {}), "rows_per_file": 100}
    (folder / "tierwise.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    workspace = load_workspace(folder)
    score(workspace, ScoreRequest(AS_OF, TODAY))
    place = workspace.output_folder / AS_OF.isoformat()
    assert len(list(place.glob("recommendations-*.parquet"))) == 2
    assert len(read_table(workspace.output_folder, AS_OF, "recommendations", verify=True)) == 150
