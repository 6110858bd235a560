"""Figures of reproductions: nothing covers anything else, and the values that were tried can be read off."""

from itertools import combinations

import pytest

from slth.reproductions import _figure
from slth.reproductions._figure import Figure, Panel, Series, Table, draw


def drawn(figure, monkeypatch):
    """Matplotlib's figure, laid out."""
    found = []
    monkeypatch.setattr(_figure, "picture_bytes", lambda canvas, *_, **__: found.append(canvas) or b"")
    draw(figure)
    found[0].draw_without_rendering()
    return found[0]


def panel(labels, x=(1.0, 2.0), **more):
    series = tuple(Series(label=label, x=x, y=tuple(float(i + 1) for i in range(len(x)))) for label in labels)
    return Panel(title="t", x="n", y="y", content=series, **more)


def ticks(canvas):
    (axes,) = canvas.axes
    low, high = axes.get_xlim()
    return [tick for tick in axes.get_xticks() if low <= tick <= high]


@pytest.mark.parametrize("letters", [3, 20, 30, 45])
@pytest.mark.parametrize("panels", [1, 2, 3])
def test_labels_stay_on_the_figure_and_off_each_other(letters, panels, monkeypatch):
    content = panel(["p = 1/4, else N(0, 100): its uniform values alone"[:letters]] * 6)
    canvas = drawn(Figure(title="t", panels=(content,) * panels), monkeypatch)
    boxes = [axes.get_legend().get_window_extent() for axes in canvas.axes]
    assert all(box.x0 >= 0 and box.x1 <= canvas.bbox.x1 for box in boxes)
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


@pytest.mark.parametrize(("columns", "rows"), [(5, 1), (11, 2)])
def test_a_wide_table_has_a_row_of_its_own(columns, rows, monkeypatch):
    """Its numbers could not be read otherwise."""
    table = Table(rows=("a", "b"), columns=("c",) * columns, values=((1.0,) * columns, (2.0,) * columns))
    panels = Panel(title="t", x="n", y="y", content=table), panel(["a"])
    canvas = drawn(Figure(title="t", panels=panels), monkeypatch)
    assert len({round(axes.get_position().y1, 2) for axes in canvas.axes}) == rows


@pytest.mark.parametrize(
    ("x", "log", "wanted"),
    [
        ((0.5, 1.0, 2.0, 4.0), True, [0.5, 1.0, 2.0, 4.0]),
        ((10.0, 100 / 3, 100.0), True, [10.0, 20.0, 50.0, 100.0]),
        ((1.0, 2.0, 3.0), False, [1.0, 2.0, 3.0]),
        ((0.5, 1.0), False, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
    ],
)
def test_few_values_are_named_each_and_whole_numbers_have_no_fractions_between(x, log, wanted, monkeypatch):
    assert ticks(drawn(Figure(title="t", panels=(panel("a", x, log_x=log),)), monkeypatch)) == pytest.approx(wanted)
