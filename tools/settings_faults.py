"""The page `docs/settings-faults.md`: faults of settings files and the messages that users see, from the test cases."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import yaml

CASES = Path(__file__).resolve().parents[1] / "tests" / "config" / "cases"

INTRODUCTION = """\
# Faults of settings files

What a user sees when a file of the workspace is wrong: exit code 2, no traceback, and for all faults of all files at
once the file, the line, the key path, the value found, what is expected and the nearest known name. Each row is a test
case (`tests/config/cases`) that changes the example workspace of the [reference](workspace-reference.md).

| case | about | message |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    cases = [(path.stem, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(CASES.glob("*.yaml"))]
    return INTRODUCTION + "".join(f"{_row(name, case)}\n" for name, case in cases)


def _row(name: str, case: dict[str, Any]) -> str:
    message = "<br>".join(f"<code>{escape(line.strip(), quote=False)}</code>" for line in case["faults"])
    cells = (name.replace("_", " "), str(case["note"]), message)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
