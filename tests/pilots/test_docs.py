"""docs/pilots.md says what the code says, and its example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tierwise import pilots


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "pilots.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [pilots.REASONS, pilots.ASSUMPTIONS], ids=["reasons", "assumptions"])
def test_every_code_stands_on_the_page_with_its_words(page, table):
    for code, words in table.items():
        assert f"| `{code}` | {words} |" in page


def test_every_grade_and_function_stands_on_the_page(page):
    functions = [name for name in pilots.__all__ if name.islower()]
    for name in (*pilots.GRADES, *functions):
        if name not in ("assignment_hash", "balance_table"):
            assert f"`{name}`" in page, name


def test_the_example_runs(page, capsys):
    [example] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "docs/pilots.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "{'control': 200, 'mdf': 200}" in shown or "{'mdf': 200, 'control': 200}" in shown
    assert "roll_out (" in shown
