"""The demo: the whole main job on the embedded synthetic channel, in one go."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from tierwise.config.calendar import last_review_day, shift_quarters
from tierwise.config.load import Workspace, load_workspace
from tierwise.errors import Fault, InvalidInput
from tierwise.jobs.beside import beside
from tierwise.jobs.check import CheckedData, check
from tierwise.jobs.init import InitRequest, init
from tierwise.jobs.progress import Notify, Step, silent
from tierwise.jobs.ready import get_ready
from tierwise.reports.demo import DemoSummary

PHASES = 6
TRUTH = "truth"


def demo(folder: Path, *, partners: int = 600, seed: int = 1, notify: Notify = silent) -> DemoSummary:
    """Make a synthetic channel, check its data, train on it, and score two reviews of it.

    Args:
        folder: The folder of the demo workspace; made anew, if what is there is an earlier demo.
        partners: Partners of the channel.
        seed: Seed of the channel.
        notify: Told of each phase.

    Raises:
        InvalidInput: If the folder holds something else.
        OutsideFailure: If the disk does not allow it.
    """
    with beside(True, get_ready):
        phases = _Phases(notify)
        phases.begin("make the synthetic channel")
        _clear(folder)
        init(InitRequest(folder, "demo", partners=partners, seed=seed, force=True))
        workspace = load_workspace(folder)
        phases.begin("check its data")
        checked = check(workspace, extraction_day(workspace))
        return _learned_and_reviewed(workspace, checked, phases)


def _learned_and_reviewed(workspace: Workspace, checked: CheckedData, phases: _Phases) -> DemoSummary:
    # Imported only now: on a new installation these take seconds, which another process spends meanwhile.
    from tierwise.jobs.explain import open_review
    from tierwise.jobs.review_pack import INDEX, PackRequest, write_pack
    from tierwise.jobs.score import ScoreRequest, score
    from tierwise.jobs.train import train

    today = extraction_day(workspace)
    as_of = last_review_day(today, workspace.settings.calendar)
    phases.begin("train on what was known a quarter before")
    before = shift_quarters(as_of, -1)
    trained = train(workspace, before, today)
    phases.begin(f"score the review of {before}")
    score(workspace, ScoreRequest(before, today))
    phases.begin(f"score the review of {as_of}")
    review = score(workspace, ScoreRequest(as_of, today))
    phases.begin("write the review pack")
    pack = write_pack(PackRequest(open_review(workspace)))
    received = checked.summary.check.tables
    files = _files(workspace.folder, checked, review.output)
    return DemoSummary(
        folder=workspace.folder,
        accepted=sum(table.accepted for table in received),
        quarantined=sum(table.quarantined for table in received),
        training=trained,
        review=review,
        files={"the review, to open in a browser": Path(pack.folder) / INDEX, **files},
    )


def extraction_day(workspace: Workspace) -> date:
    """The day on which the channel's data was extracted, which the demo takes for the day of the run."""
    day = workspace.settings.extracted_on
    assert day is not None, "the demo workspace names the day of its extraction"
    return day


class _Phases:
    """Tells of the demo's phases; the steps of the jobs inside are not told."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._number = 0

    def begin(self, what: str) -> None:
        self._number += 1
        self._notify(Step(self._number, PHASES, what))


def _clear(folder: Path) -> None:
    """Remove what an earlier demo found, so that this one starts anew; refuse a folder that is anything else.

    Raises:
        InvalidInput: If the folder holds anything but an earlier demo.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / TRUTH).is_dir() or not (folder / "tierwise.yaml").is_file():
        todo = "name another folder: tierwise demo FOLDER"
        raise InvalidInput(Fault("the folder is not empty and holds no earlier demo", str(folder), todo=todo))
    from tierwise.tracking.registry import LOCAL_FOLDER

    for found in (folder / LOCAL_FOLDER, load_workspace(folder).output_folder):
        if found.is_dir():
            shutil.rmtree(found)


def _readable(output: Path, name: str) -> Path:
    """A table's CSV, for people; its Parquet where a large channel has no CSV."""
    csv = output / f"{name}.csv"
    return csv if csv.is_file() else csv.with_suffix(".parquet")


def _files(folder: Path, checked: CheckedData, output: Path | None) -> dict[str, Path]:
    files = {"the data report": checked.files[0]}
    if output is not None:
        names = {"the recommendations": "recommendations", "their reasons": "reasons", "the ways up": "roadmap"}
        files |= {what: _readable(output, name) for what, name in names.items()}
    return {**files, "the policy": folder / "policies", "the truth behind the channel": folder / TRUTH}
