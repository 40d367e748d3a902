"""The page docs/bad-input.md, made from the cases under tests/cases/bad_input that a test plants one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

CASES = Path(__file__).resolve().parents[1] / "tests" / "cases" / "bad_input"

_HEAD = """# Bad input and what you see

What `tierwise check` does with input that is wrong, and the words it uses. Every row of the table is a case under
`tests/cases/bad_input/`: the tests plant it into an example channel and compare what a user sees with what stands here.

* **accepted**: the row is right, or its form is harmless; nothing is said.
* **warned**: the data report says so under "Warnings"; nothing is turned away.
* **quarantined**: the row is turned away with the first rule that it breaks, and stands in `quarantine`
  (`table, row, key, rule, column, value, message`) and in the data report. `received = accepted + quarantined` holds
  for every table, by rows and by money. Over the workspace's tolerance (1 % of rows or of money, if it does not say
  otherwise) `check` ends with exit code 1, and `train` and `score` stop before they write anything.
* **refused**: the input as a whole cannot be used. Exit code 2 says that settings or files must be corrected,
  1 that the answer is no.

Formulas in ids and texts are data too: Parquet keeps them as they are, and in CSV and Excel files that Tierwise writes
a text that a spreadsheet would run gets an apostrophe before it.

## The rules, in the order in which they are asked

"""
_HEADER = ("| bad input | planted | happens | what you see |", "| --- | --- | --- | --- |")


def cases() -> list[dict[str, Any]]:
    """All cases in the order of the page, each with the name of its file."""
    loaded = [{**yaml.safe_load(path.read_text(encoding="utf-8")), "name": path.stem} for path in CASES.glob("*.yaml")]
    return sorted(loaded, key=lambda case: (case["order"], case["name"]))


def page() -> str:
    """Write the page."""
    from tierwise.tables import contract
    from tierwise.tables.rules import ADVICE

    order = (contract.__doc__ or "").partition("\n\n")[2].strip()
    advice = [f"| `{rule}` | {todo} |" for rule, todo in ADVICE.items()]
    rows = [_row(case) for case in cases()]
    parts = [
        "## What to do about each rule\n",
        "| rule | to do |",
        "| --- | --- |",
        *advice,
        "\n## The cases\n",
        *_HEADER,
        *rows,
    ]
    return _HEAD + order + "\n\n" + "\n".join(parts) + "\n"


def _row(case: dict[str, Any]) -> str:
    happens = case["happens"] if case["exit_code"] == 0 else f"{case['happens']} (exit {case['exit_code']})"
    seen = "<br>".join(_code(line.strip()) for line in case["sees"]) or "nothing"
    planted = case["planted"].replace("|", "\\|")
    return f"| {case['kind']} | {planted} | {happens} | {seen} |"


def _code(line: str) -> str:
    """A line as code in a table's cell, whatever backticks and bars it holds."""
    fence = "``" if "`" in line else "`"
    return fence + line.replace("|", "\\|") + fence
