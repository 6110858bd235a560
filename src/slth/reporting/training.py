"""The training of a learned ticket as its search's record has it: curves, and what the controls reach."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from slth._arguments import is_finite
from slth.records import Record
from slth.reporting.curves import Curve, plot
from slth.reporting.exhibit import Exhibit
from slth.reporting.html import Html, join, number, pairs, percent, tag

_MOST_POINTS = 400  # of a curve
_CONTROLS = {
    "random_mask": "random mask: as many weights of the whole network",
    "shuffled_mask": "shuffled mask: as many weights of each tensor",
    "reinitialised": "reinitialised: the mask on fresh random weights",
    "dense": "dense: the whole network, trained",
}


def training(exhibit: Exhibit) -> Html:
    """Loss and accuracy while the mask was trained, from the search's record."""
    if exhibit.ticket.provenance.by_hand:
        return tag("p", "Not recorded: it was a loop of its maker's own.", class_="note")
    if not exhibit.searches:
        text = (
            "Not given: the ticket holds no measurements. slth search --records R.jsonl keeps its curve; give R.jsonl."
        )
        return tag("p", text, class_="note")
    record = exhibit.searches[0]
    listed = record.outcome.get("history")
    history = [row for row in cast("list[Any]", listed) if isinstance(row, Mapping)] if isinstance(listed, list) else []
    parts = [*_curves(history), *_reached(record)]
    return join(parts) if parts else tag("p", "The record holds no curve.", class_="note")


def _curves(history: Sequence[Mapping[str, Any]]) -> Iterator[Html]:
    """Over the epochs of all stages, one after the other."""
    stages = [str(row.get("stage", "")) for row in history]
    begins = [float(i + 1) for i, name in enumerate(stages) if i and name != stages[i - 1]]
    step = -(-len(history) // _MOST_POINTS) if history else 1
    figures: list[Html] = []
    for key, name in (("loss", "training loss"), ("accuracy", "accuracy on the test examples")):
        known = [(float(i + 1), row[key]) for i, row in enumerate(history) if is_finite(row.get(key))]
        shown = known[::step] + (known[-1:] if (len(known) - 1) % step else [])
        if len(shown) < 2:
            continue
        points = tuple((at, float(value), None) for at, value in shown)
        about = f"From {number(points[0][1])} after the first epoch to {number(points[-1][1])} after the last."
        picture = plot(
            [Curve(name, points)], x_label="epoch", y_label=name, label=name, about=about, rules=begins, wide=False
        )
        figures.append(tag("figure", tag("figcaption", f"{name[:1].upper()}{name[1:]}. {about}"), picture))
    if figures:
        many = f" Upright lines: where one of {len(begins) + 1} stages begins." if begins else ""
        ways = "Measured after each epoch, as the search's record has it; accuracies on the examples kept for tests."
        yield tag("p", ways + many)
        yield tag("div", *figures, class_="pair")


def _reached(record: Record) -> Iterator[Html]:
    """What came out, and what the controls reach."""
    outcome = record.outcome
    controls = outcome.get("controls")
    rows = [("the ticket", outcome.get("accuracy"))]
    if isinstance(controls, Mapping):
        named = cast("Mapping[str, Any]", controls)
        rows += [(_CONTROLS.get(str(name), str(name)), value) for name, value in named.items()]
    shown = [(name, percent(float(value))) for name, value in rows if is_finite(value) and 0 <= value <= 1]
    if len(shown) > 1:
        yield tag("h4", "The ticket and its controls: accuracy on the test examples")
        yield pairs(shown)
