"""A run that ended early goes on behind the blocks that it had finished, and only if they are its own and whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from tests.store.blocks_example import PARTNERS, blocks_of, whole
from tests.store.review_example import AS_OF
from tierwise.errors import OutsideFailure
from tierwise.store import Review, lock_output, verify_review, write_blocks, write_review, writer_blocks
from tierwise.store import writer as writer_module
from tierwise.store.writer_formats import write_parquet

COUNT, STOP = 5, 4
ROOT = Path(__file__).resolve().parents[2]


class Interrupted(Exception):
    """Ends a run from within a block."""


def stop_at(number: int) -> Callable[[int], None]:
    def called(block: int) -> None:
        if block == number:
            raise Interrupted

    return called


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def run(output: Path, made: Review, count: int = COUNT) -> list[int]:
    """Write a review in blocks; returns which of them were asked for."""
    calls: list[int] = []
    with lock_output(output, made.run_id) as lock:
        write_blocks(lock, made, blocks_of(made, count, calls.append))
    return calls


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """An output with a review, over which another run got three of five blocks far."""
    with lock_output(tmp_path) as lock:
        write_review(lock, whole("run-0"))
    made = whole()
    with pytest.raises(Interrupted), lock_output(tmp_path) as lock:
        write_blocks(lock, made, blocks_of(made, COUNT, stop_at(STOP)))
    return tmp_path


def test_finished_blocks_are_not_made_again(interrupted: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert verify_review(interrupted, AS_OF).run_id == "run-0"
    assert run(interrupted, whole()) == [4, 5]
    undisturbed = tmp_path_factory.mktemp("undisturbed")
    assert run(undisturbed, whole()) == [1, 2, 3, 4, 5]
    assert contents(interrupted / "2026-09-30") == contents(undisturbed / "2026-09-30")
    assert sorted(path.name for path in interrupted.iterdir()) == [".lock", "2026-09-30"]


def test_a_finished_run_is_done_again_from_the_start(interrupted: Path) -> None:
    assert run(interrupted, whole()) == [4, 5]
    assert run(interrupted, whole()) == [1, 2, 3, 4, 5]


def test_a_run_may_end_early_more_than_once(interrupted: Path) -> None:
    made = whole()
    for stop in (4, 5):
        with pytest.raises(Interrupted), lock_output(interrupted) as lock:
            write_blocks(lock, made, blocks_of(made, COUNT, stop_at(stop)))
    assert run(interrupted, made) == [5]


OTHERS = {
    "another run": (whole("run-2"), COUNT),
    "another day": (whole(as_of=date(2026, 6, 30)), COUNT),
    "another number of blocks": (whole(), COUNT + 1),
    "files cut otherwise": (whole(rows_per_file=4), COUNT),
    "other settings": (whole(basis="settings of today"), COUNT),
}


@pytest.mark.parametrize("case", OTHERS)
def test_the_blocks_of_another_run_are_never_taken(interrupted: Path, case: str) -> None:
    made, count = OTHERS[case]
    assert run(interrupted, made, count) == list(range(1, count + 1))
    assert not [path for path in interrupted.iterdir() if path.name.endswith((".tmp", ".blocks"))]


def test_other_formats_and_documents_need_no_other_blocks(interrupted: Path) -> None:
    made = whole(formats=("parquet", "csv"), documents={"review.md": "# Review\n"})
    assert run(interrupted, made) == [4, 5]
    assert {"reasons.csv", "review.md"} <= set(verify_review(interrupted, AS_OF).sha256)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _turn_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_cut, _turn_a_bit, Path.unlink, lambda path: path.write_bytes(b"\xff")])
@pytest.mark.parametrize("name", [".2026-09-30.run-1.tmp/reasons-00002.parquet", ".2026-09-30.run-1.blocks/00002.json"])
def test_from_a_damaged_block_on_they_are_made_again(
    interrupted: Path, name: str, damage: Callable[[Path], object]
) -> None:
    damage(interrupted / name)
    assert run(interrupted, whole()) == [2, 3, 4, 5]
    verify_review(interrupted, AS_OF)


def test_the_marker_of_another_block_does_not_pass(interrupted: Path) -> None:
    markers = interrupted / ".2026-09-30.run-1.blocks"
    shutil.copy(markers / "00001.json", markers / "00002.json")
    assert run(interrupted, whole()) == [2, 3, 4, 5]
    assert verify_review(interrupted, AS_OF).rows["recommendations"] == PARTNERS


def test_files_that_no_marker_names_do_not_reach_the_output(interrupted: Path) -> None:
    for name in ("reasons-00004.parquet", "old.csv", "_SUCCESS.json"):
        (interrupted / ".2026-09-30.run-1.tmp" / name).write_text("left by the killed run")
    assert run(interrupted, whole()) == [4, 5]
    assert "old.csv" not in contents(interrupted / "2026-09-30")
    verify_review(interrupted, AS_OF)


def test_commands_that_only_take_the_lock_leave_them(interrupted: Path) -> None:
    for _ in range(2):
        with lock_output(interrupted):
            pass
    assert run(interrupted, whole()) == [4, 5]


@pytest.mark.parametrize("lost", [".2026-09-30.run-1.tmp", ".2026-09-30.run-1.blocks"])
def test_one_half_of_what_was_left_is_cleaned_by_the_lock(interrupted: Path, lost: str) -> None:
    shutil.rmtree(interrupted / lost)
    with lock_output(interrupted):
        assert sorted(path.name for path in interrupted.iterdir()) == [".lock", "2026-09-30"]
    assert run(interrupted, whole()) == [1, 2, 3, 4, 5]


def test_a_run_that_failed_behind_its_last_block_makes_none_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when single files have their table's own name already."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for step in ("put_in_place", "_manifest"):
        monkeypatch.setattr(writer_module, step, refuse)
        with pytest.raises(OutsideFailure, match="No space left"):
            run(tmp_path, whole())
        monkeypatch.undo()
    assert (tmp_path / ".2026-09-30.run-1.tmp" / "quarantine.parquet").exists()
    assert run(tmp_path, whole()) == []
    verify_review(tmp_path, AS_OF)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_what_the_disk_refuses_in_a_later_block_keeps_the_earlier_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    run(tmp_path, whole("run-0"))
    before = contents(tmp_path / "2026-09-30")

    def refuse(table: pa.Table, path: Path) -> None:
        if path.name == "reasons-00003.parquet":
            raise OSError(code, os.strerror(code))
        write_parquet(table, path)

    monkeypatch.setattr(writer_blocks, "write_parquet", refuse)
    with pytest.raises(OutsideFailure, match=os.strerror(code)) as caught:
        run(tmp_path, whole())
    assert "what was there is unchanged" in str(caught.value)
    assert contents(tmp_path / "2026-09-30") == before
    monkeypatch.undo()
    assert run(tmp_path, whole()) == [3, 4, 5]


def test_a_fault_that_is_not_the_disk_s_is_not_told_as_one(tmp_path: Path) -> None:
    """A block that cannot read something fails by itself, not in the name of the output."""

    def unreadable() -> dict[str, object]:
        raise FileNotFoundError(errno.ENOENT, "of a source")

    with lock_output(tmp_path) as lock, pytest.raises(FileNotFoundError, match="of a source"):
        write_blocks(lock, whole(), [unreadable])
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_disk_that_is_full_in_the_middle_of_a_block(tmp_path: Path) -> None:
    """A limit on file size is the full disk that an unprivileged test can make; it comes with the third block."""
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from tests.store.blocks_example import blocks_of, whole\n"
        "from tierwise.errors import OutsideFailure; from tierwise.store import lock_output, write_blocks\n"
        "def called(number):\n"
        "    if number == 3: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n"
        "    with lock_output(Path(sys.argv[1])) as lock: write_blocks(lock, whole(), blocks_of(whole(), 5, called))\n"
        "except OutsideFailure as error: print(error)"
    )
    run(tmp_path, whole("run-0"))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, env=environment)
    assert "could not write the output" in done.stdout, done.stderr
    assert "File too large" in done.stdout
    assert verify_review(tmp_path, AS_OF).run_id == "run-0"
    assert run(tmp_path, whole()) == [3, 4, 5]


def test_a_marker_names_the_run_and_its_files(interrupted: Path) -> None:
    sha256, _, body = (interrupted / ".2026-09-30.run-1.blocks" / "00003.json").read_text("utf-8").partition("\n")
    told = json.loads(body)
    assert len(sha256) == 64
    assert told["run"] == ["run-1", "2026-09-30", "", 3, COUNT, ["value"], None, pa.__version__]
    assert told["tables"]["quarantine"] == {"parts": [], "last": []}
    (part,) = told["tables"]["reasons"]["parts"]
    assert (part["file"], part["rows"]) == ("reasons-00003.parquet", 10)
