"""Pictures of a policy's effect as inline SVG: the movement matrix, and tier shares over time. No script is needed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

CELL, LABEL, BAR_WIDTH, CHART_HEIGHT = 88, 150, 46, 240
# Light to dark along the ladder, told apart without colour vision by lightness alone.
TIER_COLOURS = ("#dbe9f6", "#9ecae1", "#4292c6", "#08519c", "#08306b", "#041d42")
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
    width, height = LABEL + CELL * len(tiers) + 10, 60 + 44 * len(tiers)
    parts = [_text(LABEL + CELL * len(tiers) / 2, 16, "to", "middle")]
    for column, tier in enumerate(tiers):
        parts.append(_text(LABEL + CELL * (column + 0.5), 38, tier, "middle"))
    for row, before in enumerate(tiers):
        parts.append(_text(LABEL - 10, 74 + 44 * row, f"from {before}", "end"))
        for column, after in enumerate(tiers):
            parts.append(
                _cell(LABEL + CELL * column, 48 + 44 * row, counts.get((before, after), 0), most, column - row)
            )
    return _svg(width, height, title, parts)


def _cell(x: float, y: float, count: int, most: int, direction: int) -> str:
    colour = STAY if direction == 0 else UP if direction > 0 else DOWN
    strength = 0.08 + 0.5 * (count / most) ** 0.5 if count else 0.0
    box = (
        f'<rect x="{x}" y="{y}" width="{CELL - 4}" height="40" rx="4" fill="{colour}" '
        f'fill-opacity="{strength:.2f}" stroke="#cccccc"/>'
    )
    return box + _text(x + CELL / 2 - 2, y + 26, f"{count:,}" if count else "·", "middle")


def shares_svg(shares: pd.DataFrame, tiers: Sequence[str], title: str) -> str:
    """Draw the tiers' shares of every review as stacked bars, the highest tier on top.

    Args:
        shares: `as_of`, `tier`, `share`.
        tiers: The tiers in order, lowest first.
        title: What the picture shows.
    """
    table = shares.pivot_table(index="as_of", columns="tier", values="share", aggfunc="sum").fillna(0.0)
    width, height = 60 + (BAR_WIDTH + 6) * len(table) + 170, CHART_HEIGHT + 60
    parts = [_text(48, 24 + CHART_HEIGHT * (1 - part), f"{part:.0%}", "end") for part in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for position, (day, row) in enumerate(table.iterrows()):
        x = 60 + (BAR_WIDTH + 6) * position
        parts += _bar(x, [float(row.get(tier, 0.0)) for tier in tiers])
        parts.append(_text(x + BAR_WIDTH / 2, CHART_HEIGHT + 40, f"{day:%y-%m}", "middle"))
    parts += _legend(60 + (BAR_WIDTH + 6) * len(table) + 14, tiers)
    return _svg(width, height, title, parts)


def _bar(x: float, shares: Sequence[float]) -> list[str]:
    parts, below = [], 0.0
    for place, share in enumerate(shares):
        height = CHART_HEIGHT * share
        y = 20 + CHART_HEIGHT * (1 - below) - height
        colour = _tier_colour(place, len(shares))
        parts.append(
            f'<rect x="{x}" y="{y:.1f}" width="{BAR_WIDTH}" height="{height:.1f}" fill="{colour}" stroke="#ffffff"/>'
        )
        below += share
    return parts


def _legend(x: float, tiers: Sequence[str]) -> list[str]:
    parts = []
    for place, tier in enumerate(tiers):
        y = 30 + 24 * (len(tiers) - 1 - place)
        colour = _tier_colour(place, len(tiers))
        parts.append(f'<rect x="{x}" y="{y}" width="16" height="16" fill="{colour}" stroke="#888888"/>')
        parts.append(_text(x + 22, y + 13, tier, "start"))
    return parts


def _tier_colour(place: int, tiers: int) -> str:
    spread = len(TIER_COLOURS) - 1 if tiers > len(TIER_COLOURS) - 1 else max(tiers - 1, 1)
    return TIER_COLOURS[min(place, len(TIER_COLOURS) - 1) if tiers <= len(TIER_COLOURS) else place * spread // tiers]


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="#1a1a1a">{escape(words)}</text>'


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    opening = (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="system-ui,sans-serif" font-size="13" '
        'style="max-width:100%;height:auto">'
    )
    return "\n".join([opening, f"<title>{escape(title)}</title>", *parts, "</svg>"])
