"""Which steps of scoring run on the chosen engine: metrics and placement as SQL, models and splits by rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from tierwise import potential
from tierwise.archetypes import ArchetypeModel
from tierwise.config.workspace import EngineSettings, OutputSettings
from tierwise.engine import EmbeddedEngine, Engine, to_frame
from tierwise.jobs.contributions import Floats, split_trees
from tierwise.jobs.policy_inputs import with_outputs
from tierwise.potential import PotentialModel

DUCKDB, SPARK = "duckdb", "spark"
ROWS_PER_FILE_ON_SPARK = 1_000_000
_BASE = "base"


@contextmanager
def computing_on(name: str, accepted: EmbeddedEngine, settings: EngineSettings) -> Iterator[Engine]:
    """The engine that computes metrics, placement and models over the accepted tables.

    Args:
        name: `duckdb` (the engine that holds the tables itself) or `spark`.
        accepted: Holds the accepted tables.
        settings: The workspace's engine settings.

    Raises:
        OutsideFailure: If Spark is wanted and does not start.
    """
    if name == DUCKDB:
        yield accepted
        return
    from tierwise.engine.spark import SparkEngine

    with SparkEngine(accepted, settings) as engine:
        yield engine


def rows_per_file(name: str, settings: OutputSettings) -> int | None:
    """How many rows a Parquet file of the output holds at most: as the workspace says, else as suits the engine."""
    return settings.rows_per_file or (ROWS_PER_FILE_ON_SPARK if name == SPARK else None)


def outputs_on(engine: Engine, rows: pd.DataFrame, model: PotentialModel, found: ArchetypeModel) -> pd.DataFrame:
    """Join metric rows with what the models say about them, as `with_outputs` does, on an engine."""
    if isinstance(engine, EmbeddedEngine):
        return with_outputs(rows, model, found)
    return to_frame(engine.mapped(pa.Table.from_pandas(rows, preserve_index=False), _Outputs(model, found)))


def splitting_on(engine: Engine) -> potential.TreeSplit:
    """How trees are split on an engine."""
    return split_trees if isinstance(engine, EmbeddedEngine) else _SplitOn(engine)


@dataclass(frozen=True)
class _Outputs:
    """The models, as a step over rows."""

    model: PotentialModel
    found: ArchetypeModel

    def __call__(self, rows: pa.Table) -> pa.Table:
        return pa.Table.from_pandas(with_outputs(to_frame(rows), self.model, self.found), preserve_index=False)


@dataclass(frozen=True)
class _SplitOn:
    """Splits trees by rows on an engine; the base is the same for every row."""

    engine: Engine

    def __call__(self, text: str, matrix: Floats, background: Floats | None) -> tuple[float, Floats]:
        rows = pa.table([pa.array(column) for column in matrix.T], names=_names(matrix.shape[1]))
        if not len(matrix):
            return split_trees(text, matrix, background)
        found = self.engine.mapped(rows, _Split(text, background))
        parts = np.column_stack([found.column(name).to_numpy() for name in _names(matrix.shape[1])])
        return float(found.column(_BASE)[0].as_py()), parts


@dataclass(frozen=True)
class _Split:
    """The kernel, as a step over rows of a matrix."""

    text: str
    background: Floats | None

    def __call__(self, rows: pa.Table) -> pa.Table:
        matrix = np.ascontiguousarray(np.column_stack([column.to_numpy() for column in rows.columns]))
        base, parts = split_trees(self.text, matrix, self.background)
        columns = [pa.array(column) for column in parts.T]
        return pa.table([*columns, pa.array(np.full(len(parts), base))], names=[*_names(parts.shape[1]), _BASE])


def _names(columns: int) -> list[str]:
    return [f"c{number}" for number in range(columns)]
