"""Processes that answer questions: the same answers, and questions answered here where a process cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from tests.channel import AS_OF, TODAY
from tierwise.config.load import load_workspace
from tierwise.jobs import roadmap
from tierwise.jobs.roadmap import Roadmaps
from tierwise.jobs.roadmap_tables import RoadmapTables
from tierwise.jobs.score import ScoreRequest, score
from tierwise.jobs.workers import THREADS, Workers
from tierwise.store import verify_review


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "2")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # other processes find this file there


@contextmanager
def adding(amount: int) -> Iterator[Callable[[int], tuple[int, int]]]:
    """Adds to a number, and tells the process; a negative number is more than it can bear."""

    def answer(number: int) -> tuple[int, int]:
        print("words of a library")
        if number < 0:
            os._exit(1)
        return number + amount, os.getpid()

    yield answer


def here(number: int) -> tuple[int, int]:
    return number + 10, os.getpid()


def test_questions_are_answered_in_their_order_by_no_more_processes_than_allowed() -> None:
    with Workers(2, adding, 10) as workers:
        answers = [workers.ask(number, here) for number in range(8)]
        found = [answer() for answer in answers]
    assert [number for number, _ in found] == list(range(10, 18))
    assert os.getpid() not in {process for _, process in found}
    assert len({process for _, process in found}) <= 2


def test_a_process_that_ends_leaves_its_question_to_be_answered_here() -> None:
    with Workers(1, adding, 10) as workers:
        answers = [workers.ask(number, here) for number in (1, -1, 2)]
        found = [answer() for answer in answers]
    assert [number for number, _ in found] == [11, 9, 12]
    assert [process == os.getpid() for _, process in found] == [False, True, True]


@pytest.mark.parametrize("program", ["/bin/false", "no-python"])
def test_without_a_python_to_start_everything_is_answered_here(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with Workers(2, adding, 10) as workers:
        assert [workers.ask(number, here)() for number in (1, 2, 3)] == [here(1), here(2), here(3)]


def test_processes_end_when_nobody_waits_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def noted(*given: object, **how: object) -> subprocess.Popen[bytes]:
        started.append(start(*given, **how))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    with pytest.raises(KeyboardInterrupt):
        _interrupted_at_work(started)
    assert started[0].returncode is not None


def _interrupted_at_work(started: list[subprocess.Popen[bytes]]) -> None:
    with Workers(1, sleeping, None) as workers:
        workers.ask(3600, time.sleep)
        while not started:
            time.sleep(0.01)
        raise KeyboardInterrupt


@contextmanager
def sleeping(_: None) -> Iterator[Callable[[float], None]]:
    yield time.sleep


def test_a_review_with_ways_up_searched_by_workers_has_the_same_bytes(
    scored_channel: Path, copy_of: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_here: list[int] = []
    tables = Roadmaps.tables

    def noted(own: Roadmaps, partner_ids: pd.Series) -> RoadmapTables:
        asked_here.append(own.workers is None)
        return tables(own, partner_ids)

    monkeypatch.setattr(Roadmaps, "tables", noted)
    monkeypatch.setattr(roadmap, "PARTNERS_AT_ONCE", 20)
    found = {}
    for fewest in (1, 10_000):
        monkeypatch.setattr(roadmap, "FEWEST_FOR_WORKERS", fewest)
        folder = copy_of(scored_channel)
        with (folder / "tierwise.yaml").open("a", encoding="utf-8") as settings:
            settings.write("\nengine: {partners_at_once: 60}\n")
        score(load_workspace(folder), ScoreRequest(AS_OF, TODAY))
        verify_review(folder / "output", AS_OF)
        found[fewest] = {path.name: path.read_bytes() for path in (folder / "output").rglob("*.*") if path.is_file()}
    assert found[1] == found[10_000]
    assert asked_here == [False, False, False, True, True, True]
