"""A report as titled tables, rendered to text for a terminal, to Markdown, and to a page of HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tierwise.reports.text_table import markdown_table, text_table

_STYLE = (
    "body{font:15px/1.45 Inter,'Segoe UI',system-ui,sans-serif;margin:0;background:#eef2f5;color:#16202a;"
    "font-variant-numeric:tabular-nums;overflow-wrap:break-word}"
    "main{background:#fff;max-width:78rem;margin:1.5rem auto;padding:2rem 2.25rem;border:1px solid #d5dce2}"
    "h1{font-size:1.75rem;line-height:1.2;margin:0}h2{font-size:1.1rem;margin:1.6rem 0 .5rem;padding-bottom:.2rem;"
    "border-bottom:2px solid #0b5a8a}p{margin:.4rem 0;max-width:60rem}"
    "table{border-collapse:collapse;margin:.5rem 0;font-size:.9rem}th,td{padding:.2rem 1.2rem .2rem 0;"
    "border-bottom:1px solid #d5dce2;text-align:left;vertical-align:top}thead th{color:#4c5a67;vertical-align:bottom}"
    ".number{text-align:right;white-space:nowrap}td:first-child{overflow-wrap:break-word;min-width:6rem}"
    ".number.range{white-space:normal}.range span{display:inline-block;white-space:nowrap}"  # the interval may go below
    "td:nth-child(2):last-child{overflow-wrap:anywhere}.long{min-width:14rem}"
    # What is wider than the page scrolls; a shadow at the edge says so until the end is reached.
    ".scroll{overflow-x:auto;background:linear-gradient(90deg,#fff 1.5rem,#fff0) 0 0/3rem 100% no-repeat local,"
    "linear-gradient(270deg,#fff 1.5rem,#fff0) 100% 0/3rem 100% no-repeat local,"
    "linear-gradient(90deg,#16202a40,#16202a00) 0 0/.6rem 100% no-repeat scroll,"
    "linear-gradient(270deg,#16202a40,#16202a00) 100% 0/.6rem 100% no-repeat scroll}"
    ".scroll:focus-visible{outline:3px solid #0b5a8a}"
    "@media(max-width:44rem){main{margin:0;padding:1rem;border:0}h1{font-size:1.4rem}table{font-size:.82rem}"
    "th,td{padding-right:.8rem}.scroll svg{max-width:none!important;width:36rem}"
    "th:first-child,td:first-child{position:sticky;left:0;background:#fff}}"
    "@media print{body{background:#fff;font-size:9pt}main{margin:0;padding:0;border:0;max-width:none}"
    ".scroll{overflow:visible;background:none}tr{break-inside:avoid}h2{break-after:avoid}}"
)
_CODE = re.compile(r"`([^`]+)`")
_LONG = 60
_WITH_INTERVAL = re.compile(r"(\S+) (\([^()]+\))")


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
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body><main>\n<h1>{escape(title)}</h1>\n{body}\n'
        "</main></body>\n</html>\n"
    )


def _section_html(section: Section) -> str:
    lines = [f"<h2>{escape(section.title)}</h2>", *(f"<p>{_sentence_html(sentence)}</p>" for sentence in section.text)]
    if section.header:
        lines += [
            f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(section.title)}"><table>',
            f"<thead>{_row_html(section.header, section.right, 'th')}</thead>",
            "<tbody>",
        ]
        lines += [_row_html(row, section.right, "td") for row in section.rows]
        lines += ["</tbody>", "</table></div>"]
    if section.picture:
        lines.append(f'<div class="scroll">{section.picture}</div>')
    return "\n".join(lines)


def _sentence_html(sentence: str) -> str:
    """A sentence; what stands between backticks is set as code."""
    return _CODE.sub(r"<code>\1</code>", escape(sentence))


def _row_html(cells: Sequence[str], right: frozenset[int], tag: str) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return "<tr>" + "".join(_cell_html(cell, f"{tag}{scope}", i in right) for i, cell in enumerate(cells)) + "</tr>"


def _cell_html(cell: str, opening: str, is_number: bool) -> str:
    """A cell; the interval behind a number, in brackets, may stand below it."""
    tag, found = opening[:2], _WITH_INTERVAL.fullmatch(cell) if is_number else None
    if found:
        value, interval = (escape(part) for part in found.groups())
        return f'<{opening} class="number range">{value} <span>{interval}</span></{tag}>'
    look = ' class="number"' if is_number else ' class="long"' if len(cell) > _LONG else ""
    return f"<{opening}{look}>{escape(cell)}</{tag}>"
