"""Small tables in plain text, for terminals, logs and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

Cell = object


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], right: frozenset[int] | set[int] = frozenset()
) -> str:
    """Lay rows out in aligned columns under a header and a rule.

    Args:
        header: The column titles.
        rows: The cells; each is shown by `str`.
        right: The columns that are set flush right, normally the numbers.

    Returns:
        The table, its lines without trailing blanks.
    """
    lines = [list(header), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    rule = ["-" * width for width in widths]
    return "\n".join(_line(line, widths, right) for line in [lines[0], rule, *lines[1:]])


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Lay rows out as a Markdown table; a `|` inside a cell is escaped, and a cell is one line."""
    laid = [[_markdown_cell(cell) for cell in row] for row in (header, *rows)]
    lines = [laid[0], ["---"] * len(header), *laid[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown_cell(cell: Cell) -> str:
    return " ".join(str(cell).splitlines()).replace("|", "\\|")


def _line(cells: Sequence[str], widths: Sequence[int], right: frozenset[int] | set[int]) -> str:
    laid = [
        cell.rjust(width) if column in right else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(laid).rstrip()
