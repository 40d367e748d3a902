"""A report as titled tables, rendered to text for a terminal, to Markdown, and to a page of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tierwise.reports.text_table import markdown_table, text_table

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.25rem .75rem;border-bottom:1px solid #ccc;"
    "text-align:left;vertical-align:top}.number{text-align:right;font-variant-numeric:tabular-nums}"
    "div{overflow-x:auto}"
)


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Attributes:
        title: Its heading.
        header: The column titles of its table; empty for text alone.
        rows: The cells as people read them.
        right: The columns that are set flush right, normally the numbers.
        text: Sentences above the table.
        picture: An SVG drawn by this program, shown on pages only.
    """

    title: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    right: frozenset[int] = frozenset()
    text: tuple[str, ...] = ()
    picture: str = ""


def sections_text(title: str, sections: Sequence[Section]) -> str:
    """Render a report for a terminal."""
    parts = [title]
    for section in sections:
        table = [text_table(section.header, section.rows, section.right)] if section.header else []
        parts.append("\n".join([f"{section.title}:", *section.text, *table]))
    return "\n\n".join(parts)


def sections_markdown(title: str, sections: Sequence[Section]) -> str:
    """Render a report as Markdown."""
    parts = [f"# {title}"]
    for section in sections:
        parts.append(f"## {section.title}")
        parts.extend(section.text)
        if section.header:
            parts.append(markdown_table(section.header, section.rows))
    return "\n\n".join(parts) + "\n"


def sections_html(title: str, sections: Sequence[Section]) -> str:
    """Render a report as one page of HTML that needs nothing else; everything that comes from data is escaped."""
    body = "\n".join(_section_html(section) for section in sections)
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body><main>\n<h1>{escape(title)}</h1>\n{body}\n'
        "</main></body>\n</html>\n"
    )


def _section_html(section: Section) -> str:
    lines = [f"<h2>{escape(section.title)}</h2>", *(f"<p>{escape(sentence)}</p>" for sentence in section.text)]
    if section.header:
        lines += [
            '<div tabindex="0"><table>',
            f"<thead>{_row_html(section.header, section.right, 'th')}</thead>",
            "<tbody>",
        ]
        lines += [_row_html(row, section.right, "td") for row in section.rows]
        lines += ["</tbody>", "</table></div>"]
    if section.picture:
        lines.append(f"<div>{section.picture}</div>")
    return "\n".join(lines)


def _row_html(cells: Sequence[str], right: frozenset[int], tag: str) -> str:
    opening = {True: f'<{tag} class="number">', False: f"<{tag}>"}
    return "<tr>" + "".join(f"{opening[i in right]}{escape(cell)}</{tag}>" for i, cell in enumerate(cells)) + "</tr>"
