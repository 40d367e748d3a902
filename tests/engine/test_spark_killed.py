"""A review on Spark, killed in mid-run; `benchmarks/bench_kills.py --engine spark` does it at thirty moments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.channel import AS_OF, TODAY
from tests.engine.spark_here import skip_without_spark
from tests.killed_runs import contents, finish, kills

WAIT_SECONDS = 8.0  # Spark has started by then and the review is not written yet, unless the machine is slow or fast


def test_a_killed_run_on_spark_leaves_the_review_and_the_next_one_finishes_and_clears_up(
    scored_channel: Path, copy_of: Callable[[Path], Path], tmp_path: Path
) -> None:
    skip_without_spark()
    folder, temporary = copy_of(scored_channel), tmp_path / "temporary"
    expected = contents(folder, AS_OF)
    assert len(list(kills(folder, AS_OF, TODAY, "spark", temporary, [WAIT_SECONDS]))) == 1
    finish(folder, AS_OF, TODAY, "spark", temporary)
    assert contents(folder, AS_OF) == expected
    assert list(temporary.glob("tierwise-*")) == []
