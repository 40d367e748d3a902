"""A run of `score` that ended between two blocks of partners goes on behind them, if nothing was edited since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.channel import AS_OF, TODAY
from tierwise.config.load import load_workspace
from tierwise.jobs.review_tables import ReviewLayout
from tierwise.jobs.score import ScoreRequest, score
from tierwise.store import read_table, verify_review

AT_ONCE, BLOCKS, STOP = 40, 4, 2  # of 150 partners


class Interrupted(Exception):
    """Ends a run in the middle."""


def run(folder: Path, stop: int | None = None) -> list[int]:
    """Score; returns the numbers of the blocks that were made, the first is 0."""
    made: list[int] = []
    real = ReviewLayout.tables

    def tables(layout: ReviewLayout, start: int, end: int) -> dict[str, pd.DataFrame]:
        made.append(start // AT_ONCE)
        if made[-1] == stop:
            raise Interrupted
        return real(layout, start, end)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ReviewLayout, "tables", tables)
        score(load_workspace(folder), ScoreRequest(AS_OF, TODAY))
    return made


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_finished_blocks_are_gone_on_with_unless_a_setting_was_edited(
    scored_channel: Path, copy_of: Callable[[Path], Path]
) -> None:
    folder = copy_of(scored_channel)
    with (folder / "tierwise.yaml").open("a", encoding="utf-8") as settings:
        settings.write(f"\nengine: {{partners_at_once: {AT_ONCE}}}\n")
    earlier = verify_review(folder / "output", AS_OF)
    with pytest.raises(Interrupted):
        run(folder, stop=STOP)
    assert verify_review(folder / "output", AS_OF) == earlier

    edited = copy_of(folder)
    edit(edited / "metrics.yaml", 'title: "', 'title: "Edited ')
    edit(edited / "tierwise.yaml", f"partners_at_once: {AT_ONCE}", f"partners_at_once: {AT_ONCE + 1}")
    assert run(edited) == list(range(BLOCKS))
    assert verify_review(edited / "output", AS_OF).run_id == earlier.run_id  # its name knows nothing of the edit

    assert run(folder) == list(range(STOP, BLOCKS))
    assert not list((folder / "output").glob(".*.blocks"))
    assert verify_review(folder / "output", AS_OF).run_id == earlier.run_id
    for name in earlier.rows:
        whole, resumed = (read_table(at / "output", AS_OF, name) for at in (scored_channel, folder))
        pd.testing.assert_frame_equal(whole, resumed)
