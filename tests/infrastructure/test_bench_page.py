"""`make bench`: the page of benchmarks, from what they print."""

from __future__ import annotations

import importlib.util
import platform
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def run_all(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program with three benchmarks of a line each."""
    spec = importlib.util.spec_from_file_location("run_all", repository / "benchmarks" / "run_all.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "run_all", module)
    spec.loader.exec_module(module)
    (tmp_path / "bench_good.py").write_text("import sys; print('three rows\\n| a |\\n| --- |\\n|', sys.argv[1], '|')")
    (tmp_path / "bench_bad.py").write_text("raise SystemExit('no')")
    monkeypatch.setattr(module, "HERE", tmp_path)
    good, bad = module.Bench("good", "Good", "bench_good.py few", "bench_good.py many"), module.Bench
    benches = (good, bad("bad", "Bad", "bench_bad.py", None), bad("late", "Late", None, "bench_good.py late"))
    monkeypatch.setattr(module, "BENCHES", benches)
    return module


def test_the_page_holds_what_each_printed_and_the_machine_without_its_name(run_all: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    assert run_all.main(["full", "--page", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "Size: full." in text
    assert text.index("## Good") < text.index("## Late")
    assert "```text\nthree rows\n```\n\n| a |\n| --- |\n| many |" in text
    assert platform.python_version() in text
    assert "duckdb" in text
    assert platform.node() not in text
    assert str(tmp_path) not in text


def test_chosen_benchmarks_are_run_anew_and_the_others_kept(run_all: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    run_all.main(["full", "--page", str(page)])
    (tmp_path / "bench_good.py").write_text("print('other')")
    assert run_all.main(["full", "late", "--page", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "| many |" in text
    assert "```text\nother\n```" in text
    assert "| late |" not in text
    run_all.main(["small", "good", "--page", str(page)])
    assert "## Late" not in page.read_text(encoding="utf-8"), "another size begins a page of its own"


def test_a_benchmark_that_fails_is_said_to_have_failed(run_all: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    assert run_all.main(["small", "--page", str(page)]) == 1
    text = page.read_text(encoding="utf-8")
    assert text.count(run_all.FAILED) == 1
    assert "| few |" in text


def test_an_unknown_name_is_refused(run_all: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_all.main(["small", "god"])
    assert "no benchmark is named god" in capsys.readouterr().err


def test_every_benchmark_of_the_repository_is_on_the_list(repository: Path) -> None:
    listed = (repository / "benchmarks" / "run_all.py").read_text(encoding="utf-8")
    modules = {path.name for path in (repository / "benchmarks").glob("bench_*.py")}
    programs = {name for name in modules if "__main__" in (repository / "benchmarks" / name).read_text("utf-8")}
    assert sorted(name for name in programs if name not in listed) == []
