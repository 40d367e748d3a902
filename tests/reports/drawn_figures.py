"""What tests of plots share: the figures as they are saved, and whether every word on them can be read."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are saved, once each, in the order of drawing."""
    return saved_figures(monkeypatch)


def saved_figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Gather the figures that are saved from now on."""
    found: list[Figure] = []
    save = Figure.savefig

    def saving(figure: Figure, *args: object, **options: object) -> None:
        found.extend([] if figure in found else [figure])
        save(figure, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Figure, "savefig", saving)
    return found


def unreadable(figure: Figure) -> list[str]:
    """The words that run out of the figure, and the pairs of words of which one covers the other."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in _texts(figure)]
    width, height = figure.bbox.width, figure.bbox.height
    found = [
        f"clipped: {text}"
        for text, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    for place, (text, box) in enumerate(boxes):
        found += [f"covered: {text} / {other}" for other, other_box in boxes[place + 1 :] if _overlap(box, other_box)]
    return found


def _overlap(one: Bbox, other: Bbox) -> bool:
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    down = min(one.y1, other.y1) - max(one.y0, other.y0)
    return across > 1 and down > 1


def _ticks(figure: Figure) -> dict[Text, bool]:
    """The tick labels of all axes, and whether they are drawn; matplotlib keeps some that lie outside."""
    found = {}
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                found[tick.label1] = low - slack <= tick.get_loc() <= high + slack
    return found


def _texts(figure: Figure) -> list[Text]:
    ticks = _ticks(figure)
    texts = [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]
    return [text for text in texts if ticks.get(text, True)]
