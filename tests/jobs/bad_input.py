"""Plants a case of bad input into a copy of the example channel and tells what a user sees."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tierwise.config.load import load_workspace
from tierwise.errors import TierwiseError
from tierwise.jobs.check import CheckedData, check

CASES = Path(__file__).parents[1] / "cases" / "bad_input"
CHANNEL = CASES / "channel"
TODAY = date(2026, 10, 15)
# What the channel says before anything is planted.
USUAL_WARNINGS: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Seen:
    """What a user sees: the exit code, the sentences, and, where the tables were read, the outcome of the check."""

    exit_code: int
    messages: tuple[str, ...]
    checked: CheckedData | None = None


def run_case(case: dict[str, Any], folder: Path) -> Seen:
    """Plant a case into a copy of the channel and run `check` on it."""
    channel = folder / "channel"
    shutil.copytree(CHANNEL, channel)
    for planted in case["plant"]:
        plant(planted, channel)
    try:
        checked = check(load_workspace(channel), TODAY)
    except TierwiseError as error:
        return Seen(error.exit_code, tuple(str(error).replace(f"{channel}/", "").splitlines()))
    sentences = [f"{hit.table} {hit.rule}: {hit.message}" for hit in checked.summary.check.rules]
    sentences += [str(fault).splitlines()[0] for fault in checked.summary.warnings if fault.what not in USUAL_WARNINGS]
    sentences += [line for fault in checked.refusal or () for line in str(fault).splitlines()]
    return Seen(1 if checked.refusal else 0, tuple(sentences), checked)


def plant(planted: dict[str, Any], channel: Path) -> None:
    """Change one file: replace a text that stands in it once, add lines, cut it, or write its bytes in another form."""
    path = channel / planted["file"]
    text = path.read_bytes().decode() if path.exists() else ""
    if "text" in planted:
        assert text.count(planted["text"]) == 1, f"{planted['text']!r} does not stand exactly once in {path.name}"
        text = text.replace(planted["text"], planted["by"] * planted.get("times", 1))
    text += planted.get("add", "")
    text = planted.get("write", text)
    text = "".join(text.splitlines(keepends=True)[: planted.get("keep_lines", len(text))])
    if planted.get("remove"):
        path.unlink()
        return
    encoded = text.replace("\n", planted.get("line_ends", "\n")).encode(planted.get("encoding", "utf-8"))
    path.write_bytes((b"\xef\xbb\xbf" if planted.get("byte_order_mark") else b"") + encoded)
