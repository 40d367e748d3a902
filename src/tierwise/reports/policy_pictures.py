"""Pictures of a policy's effect as inline SVG: the movement matrix, and tier shares over time. No script is needed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

CELL, BAR_WIDTH, CHART_HEIGHT = 88, 52, 240
CHART_WIDTH = 900
# An upper estimate of a letter's width at the pictures' size, and the longest name that is written out.
LETTER, LETTERS = 7.6, 28
# Light to dark along the ladder, told apart without colour vision by lightness alone.
TIER_COLOURS = ("#dbe9f6", "#9ecae1", "#4292c6", "#08519c", "#08306b", "#041d42")
_DIRECTIONS = "▲ to a higher tier · ▼ to a lower tier · diagonal: stayed"
UP, DOWN, STAY = "#2a7f3e", "#b3432b", "#8a8a8a"


def movement_matrix_svg(matrix: pd.DataFrame, tiers: Sequence[str], title: str) -> str:
    """Draw how many went from which tier (rows) to which (columns); above the diagonal is up.

    Args:
        matrix: `from_tier`, `to_tier` and a count in the last column.
        tiers: The tiers in order, lowest first.
        title: What the picture shows, for readers who cannot see it.
    """
    counts = {(str(row[0]), str(row[1])): int(row[2]) for row in matrix.itertuples(index=False)}
    most = max(counts.values(), default=1)
    names = [_short(tier) for tier in tiers]
    cell = max(CELL, _width(names) + 8)
    label = _width([f"from {name}" for name in names]) + 16
    # The line below is the longest text of a ladder of one or two tiers.
    width, height = max(label + cell * len(tiers), _width([_DIRECTIONS])) + 10, 84 + 44 * len(tiers)
    parts = [_text(label + cell * len(tiers) / 2, 16, "to", "middle")]
    for column, name in enumerate(names):
        parts.append(_text(label + cell * (column + 0.5), 38, name, "middle"))
    for row, before in enumerate(tiers):
        parts.append(_text(label - 10, 74 + 44 * row, f"from {names[row]}", "end"))
        for column, after in enumerate(tiers):
            box = (label + cell * column, 48 + 44 * row, cell - 4)
            parts.append(_cell(box, counts.get((before, after), 0), most, column - row))
    parts.append(_text(4, 70 + 44 * len(tiers), _DIRECTIONS, "start"))
    return _svg(width, height, title, parts)


def _cell(box: tuple[float, float, float], count: int, most: int, direction: int) -> str:
    x, y, width = box
    colour = STAY if direction == 0 else UP if direction > 0 else DOWN
    strength = 0.08 + 0.5 * (count / most) ** 0.5 if count else 0.0
    mark = "" if direction == 0 else "▲ " if direction > 0 else "▼ "
    drawn = (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="40" rx="4" fill="{colour}" '
        f'fill-opacity="{strength:.2f}" stroke="#cccccc"/>'
    )
    return drawn + _text(x + width / 2, y + 26, f"{mark}{count:,}" if count else "·", "middle")


def shares_svg(shares: pd.DataFrame, tiers: Sequence[str], title: str) -> str:
    """Draw the tiers' shares of every review as stacked bars, the highest tier on top.

    Args:
        shares: `as_of`, `tier`, `share`.
        tiers: The tiers in order, lowest first.
        title: What the picture shows.
    """
    table = shares.pivot_table(index="as_of", columns="tier", values="share", aggfunc="sum").fillna(0.0)
    step = min(BAR_WIDTH + 6.0, CHART_WIDTH / max(len(table), 1))
    every = -(-60 // int(max(step, 1)))
    width, height = 60 + step * len(table) + _width([_short(tier) for tier in tiers]) + 50, CHART_HEIGHT + 60
    parts = [_text(4, 10, "share of partners", "start")]
    parts += [_text(48, 24 + CHART_HEIGHT * (1 - part), f"{part:.0%}", "end") for part in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for position, (day, row) in enumerate(table.iterrows()):
        x, bar = 60 + step * position, step * BAR_WIDTH / (BAR_WIDTH + 6)
        parts += _bar((x, bar), [float(row.get(tier, 0.0)) for tier in tiers])
        if position % every == 0:
            parts.append(_text(x + bar / 2, CHART_HEIGHT + 40, f"{day:%Y-%m}", "middle"))
    parts += _legend(60 + step * len(table) + 14, [_short(tier) for tier in tiers])
    return _svg(width, height, title, parts)


def _bar(place_and_width: tuple[float, float], shares: Sequence[float]) -> list[str]:
    x, width = place_and_width
    parts, below = [], 0.0
    for place, share in enumerate(shares):
        height = CHART_HEIGHT * share
        y = 20 + CHART_HEIGHT * (1 - below) - height
        fill = f'fill="{_tier_colour(place, len(shares))}" stroke="#ffffff"'
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {fill}/>')
        below += share
    return parts


def _legend(x: float, tiers: Sequence[str]) -> list[str]:
    parts = []
    for place, tier in enumerate(tiers):
        y = 30 + 24 * (len(tiers) - 1 - place)
        colour = _tier_colour(place, len(tiers))
        parts.append(f'<rect x="{x:.0f}" y="{y}" width="16" height="16" fill="{colour}" stroke="#888888"/>')
        parts.append(_text(x + 22, y + 13, tier, "start"))
    return parts


def _tier_colour(place: int, tiers: int) -> str:
    spread = len(TIER_COLOURS) - 1 if tiers > len(TIER_COLOURS) - 1 else max(tiers - 1, 1)
    return TIER_COLOURS[min(place, len(TIER_COLOURS) - 1) if tiers <= len(TIER_COLOURS) else place * spread // tiers]


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def _width(names: Sequence[str]) -> float:
    """About how wide the longest of some names is."""
    return LETTER * max(map(len, names), default=0)


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="#1a1a1a">{escape(words)}</text>'


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    opening = (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="system-ui,sans-serif" font-size="13" '
        'style="max-width:100%;height:auto">'
    )
    return "\n".join([opening, f"<title>{escape(title)}</title>", *parts, "</svg>"])
