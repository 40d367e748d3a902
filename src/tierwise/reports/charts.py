"""Small charts as inline SVG, each with a text alternative; colour never carries meaning alone.

Colours come from the page's style sheet by class, so that charts follow it; numbers are laid out with fixed decimals,
so that the same figures give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 160.0, 16.0
_EDGE = 6.0


@dataclass(frozen=True)
class Mark:
    """A place on a scale: its value, and its kind, which names its shape (`keep`, `reach`, `now`)."""

    value: float
    kind: str


def scale(value: float | None, marks: Sequence[Mark], label: str) -> Markup:
    """Draw where a partner stands between thresholds: a dot for the partner, a tick for each threshold."""
    known = [mark.value for mark in marks] + ([] if value is None else [value])
    if not known:
        return Markup("")
    place = _Axis.around(known)
    parts = [_line(_EDGE, WIDTH - _EDGE, "track")]
    if value is not None:
        parts.append(_line(place(min(max(0.0, place.low), value)), place(value), "done"))
    parts += [_tick(place(mark.value), mark.kind) for mark in marks]
    if value is not None:
        parts.append(Markup('<circle class="dot" cx="{}" cy="8" r="4"/>').format(_number(place(value))))
    return _svg(label, parts)


def interval(low: float | None, value: float | None, high: float | None, now: float | None, label: str) -> Markup:
    """Draw an expectation with its interval, and the figure of the last period as a tick."""
    known = [one for one in (low, value, high, now) if one is not None]
    if value is None:
        return Markup("")
    place = _Axis.around([0.0, *known], width=320.0)
    parts = [_line(_EDGE, 320.0 - _EDGE, "track")]
    if low is not None and high is not None:
        box = '<rect class="range" x="{}" y="3" width="{}" height="10" rx="2"/>'
        parts.append(Markup(box).format(_number(place(low)), _number(max(place(high) - place(low), 1.0))))
    if now is not None:
        parts.append(_tick(place(now), "now"))
    parts.append(Markup('<circle class="dot" cx="{}" cy="8" r="4.5"/>').format(_number(place(value))))
    return _svg(label, parts, 320.0)


def effect(value: float, largest: float, label: str) -> Markup:
    """Draw a signed effect as a bar from the middle: to the right it raises, to the left it lowers."""
    middle = WIDTH / 2
    length = (middle - _EDGE) * min(abs(value) / largest, 1.0) if largest > 0 else 0.0
    start = middle if value >= 0 else middle - length
    kind = "raises" if value >= 0 else "lowers"
    box = '<rect class="{}" x="{}" y="3" width="{}" height="10"/>'
    axis = Markup('<line class="axis" x1="{0}" x2="{0}" y1="0" y2="16"/>').format(_number(middle))
    return _svg(label, [Markup(box).format(kind, _number(start), _number(length)), axis])


def part(value: float | None, most: float | None, largest: float, label: str) -> Markup:
    """Draw a part of a whole: what was reached, within the outline of what could be."""
    if value is None or largest <= 0:
        return Markup("")
    full = WIDTH - 2 * _EDGE
    outline = full * min(max(most or value, 0.0) / largest, 1.0)
    done = full * min(max(value, 0.0) / largest, 1.0)
    box = '<rect class="{}" x="{}" y="3" width="{}" height="10" rx="1"/>'
    return _svg(
        label,
        [
            Markup(box).format(kind, _number(_EDGE), _number(width))
            for kind, width in (("room", outline), ("reached", done))
        ],
    )


def share(value: float | None, label: str) -> Markup:
    """Draw a share of one as a bar; nothing where it is unknown, since an empty bar would say none."""
    return part(None if value is None or value != value else value, 1.0, 1.0, label)


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    width: float = WIDTH

    @classmethod
    def around(cls, values: Iterable[float], width: float = WIDTH) -> _Axis:
        """An axis from zero, or from below the least, to a little beyond the largest."""
        known = list(values)
        low, high = min(0.0, *known), max(0.0, *known)
        room = (high - low) * 0.06 or 1.0
        return cls(low - room if low < 0 else low, high + room, width)

    def __call__(self, value: float) -> float:
        return _EDGE + (self.width - 2 * _EDGE) * (value - self.low) / (self.high - self.low)


def _line(start: float, end: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{}" x2="{}" y1="8" y2="8"/>').format(kind, _number(start), _number(end))


def _tick(at: float, kind: str) -> Markup:
    x = _number(at)
    if kind == "reach":  # an open triangle, told from the tick without colour
        points = f"{_number(at - 3.5)},1 {_number(at + 3.5)},1 {x},8"
        return Markup(
            '<polygon class="reach" points="{}"/><line class="reach" x1="{}" x2="{}" y1="7" y2="15"/>'
        ).format(points, x, x)
    return Markup('<line class="{}" x1="{}" x2="{}" y1="1" y2="15"/>').format(kind, x, x)


def _svg(label: str, parts: Iterable[Markup], width: float = WIDTH) -> Markup:
    opening = '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">'
    head = Markup(opening).format(_number(width), _number(HEIGHT), escape(label))
    return head + Markup("").join(parts) + Markup("</svg>")


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
