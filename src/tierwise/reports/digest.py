"""The digest of a review as Markdown, for an e-mail or a chat."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tierwise.reports.pack import Pack, PackRow
from tierwise.reports.pack_ladders import counted
from tierwise.reports.pages import clip, count, percent
from tierwise.reports.partner_words import SHAPES, action_words
from tierwise.reports.text_table import markdown_table

MOST = 10
LONGEST_NAME = 60
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~])")


def as_markdown(pack: Pack) -> str:
    """Render the digest: the counts, the tiers, who moves, who is at risk, who nearly rises."""
    parts = [
        f"# Partner review as of {pack.as_of}: {plain(pack.workspace)}",
        _summary(pack),
        _tiers(pack),
        _section("Who moves", pack.movers, lambda row: f"{_move(row)}: {plain(row.why)}"),
        _section("At risk", pack.at_risk, lambda row: f"{row.recommended_tier}, {row.shown_value}: {plain(row.why)}"),
        _section("One item short of the next tier", pack.near_misses, lambda row: plain(row.missing)),
        _ladders(pack),
        _guardrails(pack),
        "Made from "
        + ", ".join(f"{name} {value}" for name, value in pack.versions if name in ("model", "policy", "run")),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """A text that Markdown shows as it is: no link, no markup, no mention, on one line."""
    one_line = " ".join(clip(text, 300).split())
    harmless = one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKS.sub(r"\\\1", harmless).replace("@", "@\N{ZERO WIDTH SPACE}").replace("://", ":\N{ZERO WIDTH SPACE}//")


def _summary(pack: Pack) -> str:
    actions = ", ".join(f"{action_words(name).lower()} {number:,}" for name, number in pack.actions)
    worth = f", with {pack.shown_at_risk} of {pack.shown_total} ({plain(pack.value_title)})"
    worth = worth if pack.knows_value and pack.at_risk else ""
    lines = [
        f"{count(len(pack.partners), 'partner')}: {actions}.",
        f"{count(len(pack.at_risk), 'partner')} below the line of their tier{worth}.",
        f"{count(pack.waiting, 'move')} to approve.",
    ]
    return "\n".join(f"* {line}" for line in lines)


def _tiers(pack: Pack) -> str:
    rows = [
        (
            plain(line.tier),
            f"{line.partners:,}",
            "–" if line.before is None else f"{line.before:,}",
            percent(line.value_share),
        )
        for line in pack.composition
    ]
    return markdown_table(("tier", "partners", "before", "share of value"), rows)


def _section(title: str, rows: Sequence[PackRow], said: Callable[[PackRow], str]) -> str:
    if not rows:
        return f"## {title}\n\nNobody."
    lines = [f"* **{_name(row)}**: {said(row)}" for row in rows[:MOST]]
    more = [f"* and {len(rows) - MOST:,} more"] if len(rows) > MOST else []
    return "\n".join([f"## {title} ({len(rows):,})", "", *lines, *more])


def _ladders(pack: Pack) -> str:
    ladders = pack.ladders
    tracks = [
        f"* **{plain(line.title)}**: {plain(counted(line.tiers))}; ▲ {line.rises:,} rise, ▼ {line.falls:,} fall"
        for line in ladders.tracks
    ]
    units = [f"* **{plain(line.unit)}**: {plain(counted(line.tiers))}" for line in ladders.units[:MOST]]
    if len(ladders.units) > MOST:
        units.append(f"* and {len(ladders.units) - MOST:,} more")
    parts = [("Tracks", tracks), (f"By {plain(ladders.unit_title.lower())}", units)]
    return "\n\n".join("\n".join([f"## {title}", "", *lines]) for title, lines in parts if lines)


def _guardrails(pack: Pack) -> str:
    if not pack.guardrails:
        return ""
    return "\n".join(["## Guardrails", "", *(f"* {hit.title}: {hit.partners:,}" for hit in pack.guardrails)])


def _name(row: PackRow) -> str:
    name = plain(clip(row.name, LONGEST_NAME))
    return name if row.name == row.partner_id else f"{name} ({plain(clip(row.partner_id, LONGEST_NAME))})"


def _move(row: PackRow) -> str:
    return f"{SHAPES.get(row.action, '')} {plain(row.move)}, {row.shown_value}"
