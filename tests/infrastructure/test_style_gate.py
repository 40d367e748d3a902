"""The style gate keeps on a plain tree and names each planted fault."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import style

PLAIN = 'def plain(x: int) -> int:\n    """Say it."""\n    # why\n\n    return x\n'


def _body(lines: int, name: str = "long") -> str:
    """A function of so many code lines, `def` included."""
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    package = tmp_path / "src" / "tierwise"
    for folder in (package, package / "cli", tmp_path / "tests", tmp_path / "tools"):
        folder.mkdir(parents=True)
    for package_folder in (package, package / "cli"):
        (package_folder / "__init__.py").touch()
    (package / "plain.py").write_text("\n\n".join(PLAIN.replace("plain", f"plain_{n}") for n in range(20)))
    (tmp_path / "tests" / "test_plain.py").write_text("assert True\n" * 350)
    return tmp_path


def _gate(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.style", "--root", str(tree)]
    return subprocess.run(command, cwd=Path(style.__file__).parents[1], capture_output=True, text=True, check=False)


def _functions(tree: Path, text: str, name: str = "src/tierwise/sample.py") -> tuple[style.Function, ...]:
    path = tree / name
    path.write_text(text)
    return style.SourceFile(path, name).functions


def test_plain_tree_passes(tree: Path) -> None:
    result = _gate(tree)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "BROKEN" not in result.stdout


def _median(tree: Path) -> None:
    (tree / "src/tierwise/sample.py").write_text("\n".join(_body(9, f"nine_{n}") for n in range(21)))


def _ninetieth(tree: Path) -> None:
    (tree / "src/tierwise/sample.py").write_text("\n".join(_body(26, f"long_{n}") for n in range(4)))


def _longest(tree: Path) -> None:
    (tree / "src/tierwise/sample.py").write_text(_body(61))


def _arguments(tree: Path) -> None:
    (tree / "src/tierwise/sample.py").write_text("def wide(a, b, c, d, *args, e, **more): ...\n")


def _file(tree: Path) -> None:
    (tree / "tests/test_long.py").write_text("\n" * 401)


def _ratio(tree: Path) -> None:
    (tree / "tests/test_plain.py").write_text("# comment\n" * 350)


def _cycle(tree: Path) -> None:
    (tree / "src/tierwise/one.py").write_text("import tierwise.two\n")
    (tree / "src/tierwise/two.py").write_text("def late():\n    from tierwise import one\n")


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (_median, "median code lines"),
        (_ninetieth, "sample.py:1 long_0: 26 code lines"),
        (_longest, "sample.py:1 long: 61 code lines"),
        (_arguments, "sample.py:1 wide: 7 arguments"),
        (_file, "tests/test_long.py: 401 lines"),
        (_ratio, "test lines per code line ((0 + 0) /"),
        (_cycle, "tierwise.one < tierwise.two < tierwise.one"),
    ],
)
def test_planted_fault_is_named(plant: Callable[[Path], None], told: str, tree: Path) -> None:
    plant(tree)
    result = _gate(tree)
    assert result.returncode == 1
    assert result.stdout.count("BROKEN") == 1, result.stdout
    assert told in result.stdout


def test_docstring_comments_and_blank_lines_do_not_count(tree: Path) -> None:
    (function,) = _functions(tree, PLAIN)
    assert function.lines == 2


def test_lines_of_a_long_string_count(tree: Path) -> None:
    (function,) = _functions(tree, 'def sql():\n    return """\n        select\n\n        1\n    """\n')
    assert function.lines == 6


def test_a_reason_excuses_a_long_function(tree: Path) -> None:
    (function,) = _functions(tree, _body(61).replace("x = 1", "x = 1  # long: one step per clause of the standard", 1))
    assert style.function_length_figures([function])[2].kept


METHODS = """
class A:
    def method(self, a): ...
    @classmethod
    def make(cls, a): ...

def plain(self, a): ...
"""


def test_self_and_cls_are_not_arguments(tree: Path) -> None:
    counted = {function.name: function.arguments for function in _functions(tree, METHODS)}
    assert counted == {"method": 1, "make": 1, "plain": 2}


@pytest.mark.parametrize(
    "text",
    [
        "@app.command()\ndef wide(a, b, c, d, e, f, g): ...\n",
        "app.command()(wide)\ndef wide(a, b, c, d, e, f, g): ...\n",
    ],
)
def test_only_commands_of_the_command_line_may_have_many_arguments(text: str, tree: Path) -> None:
    command = _functions(tree, text, "src/tierwise/cli/sample.py")
    elsewhere = _functions(tree, text)
    assert style.argument_figure(command).kept
    assert not style.argument_figure(elsewhere).kept


def test_case_files_count_as_test_lines(tree: Path) -> None:
    _ratio(tree)
    (tree / "tests/case.yaml").write_text("# why\n\n" + "note: it holds\n" * 350)
    assert _gate(tree).returncode == 0
