"""The generated pages of docs/: `python -m tools.docs` writes them anew, `--check` fails when one is out of date."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import bad_input, faults, reason_codes, settings_faults, synthetic_channel, workspace_reference

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Page:
    """A page whose whole text is made from the code.

    Attributes:
        path: Where the page lies, relative to the repository.
        write: Makes the page's Markdown; the same text on every machine and day.
    """

    path: str
    write: Callable[[], str]


# The one place to add a generated page, for example Page("docs/workspace.md", workspace_reference).
PAGES: tuple[Page, ...] = (
    Page("docs/bad-input.md", bad_input.page),
    Page("docs/faults.md", faults.page),
    Page("docs/reason-codes.md", reason_codes.page),
    Page("docs/settings-faults.md", settings_faults.page),
    Page("docs/synthetic-channel.md", synthetic_channel.page),
    Page("docs/workspace-reference.md", workspace_reference.page),
)


def read(path: Path) -> str:
    """Read a page; one that is not there is empty."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def write(pages: Sequence[Page], root: Path = ROOT) -> None:
    """Write the pages that changed."""
    for page in pages:
        path, text = root / page.path, page.write()
        if read(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"written: {page.path}")


def differences(pages: Sequence[Page], root: Path = ROOT) -> list[str]:
    """List the lines in which the pages differ from what the code would write, as unified diffs."""
    return [
        line
        for page in pages
        for line in difflib.unified_diff(
            read(root / page.path).splitlines(),
            page.write().splitlines(),
            page.path,
            f"{page.path} (generated)",
            lineterm="",
        )
    ]


def main() -> int:
    """Write or check the pages; the exit code is 1 when a check finds a page out of date."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="only tell what is out of date")
    if not parser.parse_args().check:
        write(PAGES)
        return 0
    changed = differences(PAGES)
    print("\n".join([*changed, "docs are out of date: run `make docs`"] if changed else ["docs are in sync"]))
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
