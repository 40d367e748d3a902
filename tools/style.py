"""The style bar of the house, measured: `python -m tools.style [--root DIR]`.

Prints the figures and every offender; exits 1 when the bar is missed. The bar is in CONTRIBUTING.md.
"""

from __future__ import annotations

import argparse
import ast
import graphlib
import io
import math
import statistics
import sys
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import grimp

MEDIAN_LINES = 8
P90_LINES = 25
MOST_LINES = 60
MOST_ARGUMENTS = 6
MOST_FILE_LINES = 400
TEST_RATIO = 0.8
LONG_REASON = "# long: "
MEASURED = ("src", "tools")
TESTS = "tests"

_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """One function's figures; `lines` are code lines from `def` on, without docstring, comments and blank lines."""

    where: str
    name: str
    lines: int
    arguments: int
    is_command: bool
    has_reason: bool


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its bound; `offenders` says where a broken one is broken."""

    title: str
    value: str
    bound: str
    kept: bool
    offenders: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """A Python file, parsed on demand."""

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        """The file's text."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text, filename=self.name)

    @cached_property
    def code_lines(self) -> frozenset[int]:
        """The numbers of the lines that hold code: no blank line, comment or docstring."""
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in _NOT_CODE:
                lines.update(range(token.start[0], token.end[0] + 1))
        return frozenset(lines - set(_docstring_lines(self.tree)))

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function and method of the file, nested ones too."""
        commands = set(_command_names(self.tree)) if "/cli/" in self.name else set[str]()
        nodes = [node for node in ast.walk(self.tree) if isinstance(node, FunctionNode)]
        methods = {id(child) for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef) for child in node.body}
        return tuple(self._measure(node, is_method=id(node) in methods, commands=commands) for node in nodes)

    def _measure(self, node: FunctionNode, *, is_method: bool, commands: set[str]) -> Function:
        span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        text = self.text.splitlines()[span.start - 1 : span.stop - 1]
        return Function(
            where=f"{self.name}:{node.lineno}",
            name=node.name,
            lines=len(self.code_lines.intersection(span)),
            arguments=_count_arguments(node, is_method=is_method),
            is_command=node.name in commands,
            has_reason=any(LONG_REASON in line for line in text),
        )


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | FunctionNode)
            and ast.get_docstring(node, clean=False) is not None
        ):
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)


def _count_arguments(node: FunctionNode, *, is_method: bool) -> int:
    """Count the arguments without `self` and `cls`; `*args` and `**kwargs` count one each."""
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    has_self = is_method and bool(named) and named[0].arg in {"self", "cls"}
    return len(named) - has_self + (arguments.vararg is not None) + (arguments.kwarg is not None)


def _command_names(tree: ast.Module) -> Iterator[str]:
    """Name the functions registered as commands, by `@app.command()` or `app.command()(function)`.

    Each option of a command is an argument of its function, so the bound on arguments does not apply to them.
    """
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode) and any(_registers(decorator) for decorator in node.decorator_list):
            yield node.name
        elif isinstance(node, ast.Call) and _registers(node.func):
            yield from (argument.id for argument in node.args if isinstance(argument, ast.Name))


def _registers(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"command", "callback"}
    )


def read_files(root: Path, folders: Sequence[str]) -> list[SourceFile]:
    """List the Python files under the folders of the root, in order of their names."""
    paths = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    return [SourceFile(path, path.relative_to(root).as_posix()) for path in paths]


def measure(root: Path) -> list[Figure]:
    """Measure the tree under a root that holds `src/tierwise`, `tools` and `tests`."""
    sources, tests = read_files(root, MEASURED), read_files(root, [TESTS])
    functions = [function for file in sources for function in file.functions]
    return [
        *function_length_figures(functions),
        argument_figure(functions),
        file_length_figure([*sources, *tests]),
        ratio_figure(root, sources, tests),
        cycle_figure(root),
    ]


def function_length_figures(functions: Sequence[Function]) -> list[Figure]:
    """Hold the functions' code lines to their median, 90th percentile (nearest rank) and maximum."""
    lines = sorted(function.lines for function in functions) or [0]
    median, p90 = statistics.median(lines), lines[math.ceil(0.9 * len(lines)) - 1]
    longest = sorted((function for function in functions if function.lines > P90_LINES), key=lambda it: -it.lines)
    unexplained = [function for function in functions if function.lines > MOST_LINES and not function.has_reason]
    return [
        Figure("functions: median code lines", f"{median:g}", f"<= {MEDIAN_LINES}", median <= MEDIAN_LINES),
        Figure("functions: 90th percentile", str(p90), f"<= {P90_LINES}", p90 <= P90_LINES, _name_lengths(longest)),
        Figure(
            "functions: longest without a reason",
            str(max((function.lines for function in functions if not function.has_reason), default=0)),
            f"<= {MOST_LINES}",
            not unexplained,
            _name_lengths(unexplained),
        ),
    ]


def _name_lengths(functions: Sequence[Function]) -> tuple[str, ...]:
    return tuple(f"{function.where} {function.name}: {function.lines} code lines" for function in functions)


def argument_figure(functions: Sequence[Function]) -> Figure:
    """Hold the number of arguments to its bound, save for commands of the command line."""
    held = [function for function in functions if not function.is_command]
    offenders = [function for function in held if function.arguments > MOST_ARGUMENTS]
    return Figure(
        "functions: most arguments",
        str(max((function.arguments for function in held), default=0)),
        f"<= {MOST_ARGUMENTS}",
        not offenders,
        tuple(f"{function.where} {function.name}: {function.arguments} arguments" for function in offenders),
    )


def file_length_figure(files: Sequence[SourceFile]) -> Figure:
    """Hold every file to its number of lines, blank ones and comments included."""
    lengths = {file.name: len(file.text.splitlines()) for file in files}
    offenders = tuple(f"{name}: {length} lines" for name, length in lengths.items() if length > MOST_FILE_LINES)
    return Figure(
        "files: most lines", str(max(lengths.values(), default=0)), f"<= {MOST_FILE_LINES}", not offenders, offenders
    )


def ratio_figure(root: Path, sources: Sequence[SourceFile], tests: Sequence[SourceFile]) -> Figure:
    """Hold the test lines to their share of the code lines.

    Docstrings, comments and blank lines count on neither side; a case that is a YAML file counts as the test it is.
    """
    code, tested = (sum(len(file.code_lines) for file in files) for files in (sources, tests))
    cases = sum(_count_case_lines(path) for path in (root / TESTS).rglob("*.yaml"))
    ratio = (tested + cases) / code if code else math.inf
    title = f"test lines per code line (({tested} + {cases}) / {code})"
    return Figure(title, f"{ratio:.2f}", f">= {TEST_RATIO}", ratio >= TEST_RATIO)


def _count_case_lines(path: Path) -> int:
    lines = (line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


def cycle_figure(root: Path) -> Figure:
    """Look for modules that import one another in a circle; names the first circle found."""
    sys.path.insert(0, str(root / "src"))
    graph = grimp.build_graph("tierwise", cache_dir=None)
    imports = {module: sorted(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)}
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as fault:
        return Figure("import cycles", "1 or more", "0", kept=False, offenders=(" < ".join(fault.args[1]),))
    return Figure("import cycles", "0", "0", kept=True)


def render(figures: Sequence[Figure]) -> str:
    """Lay the figures out as a table, with the offenders under each broken one."""
    lines = []
    for figure in figures:
        verdict = "ok" if figure.kept else "BROKEN"
        lines.append(f"{figure.title:<52} {figure.value:>10}  {figure.bound:<8} {verdict}")
        lines.extend(f"    {offender}" for offender in figure.offenders if not figure.kept)
    return "\n".join(lines)


def main() -> int:
    """Print the figures of a tree; the exit code is 1 when one breaks its bound."""
    parser = argparse.ArgumentParser(description="Measure the style bar.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    figures = measure(parser.parse_args().root)
    print(render(figures))
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
