"""A call in a process of its own: the same answer, and a call made here where that process cannot be had."""

from __future__ import annotations

import functools
import operator
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.channel import AS_OF, TODAY
from tests.jobs.small_channel import small_channel
from tierwise.errors import Refused
from tierwise.jobs import train as job
from tierwise.jobs.beside import beside
from tierwise.jobs.workers import THREADS, second_process_allowed
from tierwise.tracking import Registry


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "2")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


def test_the_answer_comes_from_another_process() -> None:
    with beside(True, os.getpid) as answer:
        assert answer() != os.getpid()


def test_what_is_not_worth_a_process_is_done_here() -> None:
    with beside(False, os.getpid) as answer:
        assert answer() == os.getpid()


def test_one_thread_means_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "1")
    assert not second_process_allowed()
    with beside(True, os.getpid) as answer:
        assert answer() == os.getpid()


def test_a_machine_of_one_core_has_no_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    monkeypatch.delenv(THREADS)
    assert not second_process_allowed()


def test_large_tables_go_there_and_come_back_bit_for_bit() -> None:
    frame = pd.DataFrame({"name": ["a", None] * 50_000, "value": np.random.default_rng(1).normal(size=100_000)})
    frame = frame.astype({"name": "str"})
    with beside(True, pd.concat, [frame, frame], ignore_index=True) as answer:
        pd.testing.assert_frame_equal(answer(), pd.concat([frame, frame], ignore_index=True), check_exact=True)


def test_what_the_call_prints_is_no_part_of_its_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with beside(True, print, "words of a library") as answer:
        assert answer() is None
    assert capfd.readouterr().out == ""


def test_a_fault_is_raised_as_if_the_call_were_made_here() -> None:
    with pytest.raises(ZeroDivisionError), beside(True, operator.truediv, 1, 0) as answer:
        answer()


def test_without_a_python_to_start_the_call_is_made_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with beside(True, os.getpid) as answer:
        assert answer() == os.getpid()


def test_a_process_that_ends_before_it_has_read_the_call_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with beside(True, len, bytes(1_000_000)) as answer:
        assert answer() == 1_000_000


def test_a_process_that_nobody_waits_for_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **how: started.append(start(*args, **how)) or started[0])
    with pytest.raises(Refused), beside(True, time.sleep, 3600):
        raise Refused([])
    assert started[0].returncode is not None


def test_a_python_file_in_the_working_folder_is_not_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    with beside(True, os.getpid) as answer:
        assert answer() != os.getpid()


def test_a_training_with_processes_beside_it_is_the_training_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # the other process finds `_noted` there
    made_here: list[str] = []
    for name in ("make_store", "judge_stability"):
        own = getattr(job, name)
        monkeypatch.setattr(job, name, functools.partial(_noted, made_here, own))
    found = {}
    for threads in ("1", "2"):
        monkeypatch.setenv(THREADS, threads)
        workspace = small_channel(tmp_path / threads, 14)
        job.train(workspace, AS_OF, TODAY)
        found[threads] = Registry.of(workspace).load_champion()
        assert made_here == ["judge_stability", "make_store"]  # by the first training; the second one had help
    assert found["1"].bundle.sha256 == found["2"].bundle.sha256
    assert found["1"].facts == found["2"].facts


def _noted(calls: list[str], function: Callable[..., object], *args: object) -> object:
    """Call a function and note its name, in the list of the process that calls it."""
    calls.append(function.__name__)
    return function(*args)
