"""The pictures of a page: errors against the tolerance, one weight taken apart, a mask, three kinds of error."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from slth.reporting.anatomy import Panel, sum_words
from slth.reporting.facts import Raster
from slth.reporting.html import Html, number
from slth.reporting.svg import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Axis, bars, chart, frame, line, strokes, words, x_axis

_DECADES = 4  # of errors below the tolerance; smaller ones fall into the first bin
_BIN = 0.1  # decades
_MOST_BINS = 120


def error_histogram(errors: Float64[np.ndarray, " coefficient"], tolerance: float, *, label: str) -> Html:
    """How many coefficients are off by how much, both axes logarithmic; those beyond the tolerance in red."""
    tolerance = min(max(tolerance, 1e-250), 1e250)  # a stranger's may not fit the axis
    edges, below = error_bins(errors, tolerance)
    counts = np.bincount(np.clip(np.searchsorted(edges, errors, side="left") - 1, 0, None), minlength=len(edges) - 1)
    height = 200.0
    x = Axis(float(edges[0]), float(edges[-1]), LEFT, WIDTH - RIGHT, log=True)
    y = Axis(0.7, max(10.0, float(counts.max())) * 1.3, height - BOTTOM, TOP + 14, log=True)
    at = x.at(tolerance)
    near_end = at > WIDTH - 90
    parts = [
        frame(x, y, x_label="error of a coefficient", y_label="coefficients"),
        bars(x, y, edges[: below + 1], counts[:below], "kept"),
        bars(x, y, edges[below:], counts[below:], "missed"),
        line(at, y.start, at, y.end - 8, "rule"),
        words(at + (-4 if near_end else 4), y.end - 2, "tolerance", "end" if near_end else "start", "strong"),
    ]
    return chart(parts, height=height, label=label)


def error_bins(errors: Float64[np.ndarray, " coefficient"], tolerance: float) -> tuple[np.ndarray, int]:
    """Edges of bins (a, b], equal on a log scale, the tolerance one of them; and how many bins lie below it."""
    beyond = max(0.5, math.log10(max(float(errors.max()) / tolerance, 1.0)))
    step = max(_BIN, (_DECADES + beyond) / _MOST_BINS)
    below, above = math.ceil(_DECADES / step), math.ceil(beyond / step - 1e-9)
    edges = tolerance * 10.0 ** (step * np.arange(-below, above + 1))
    edges[-1] = max(edges[-1], float(errors.max()))
    return edges, below


ANATOMY_HEIGHT = 210.0


def anatomy(panel: Panel, *, label: str) -> Html:
    """Candidates as bars, the kept ones in the colour and with the sign of what they add; their running sum."""
    half = panel.half
    about = (
        f"{int(half.kept.sum())} of {len(half.kept)} candidates are kept: {sum_words(half)}. The running sum ends at "
        f"the dashed line, {number(panel.wanted, 6)}, as near as the tolerance asks."
    )
    return chart(anatomy_parts(panel), height=ANATOMY_HEIGHT, label=label, about=about, kind="fig wide")


def anatomy_parts(panel: Panel, height: float = ANATOMY_HEIGHT) -> list[str]:
    """The same as the parts of a picture."""
    values, kept = panel.half.candidates, panel.half.kept
    ends = np.concatenate([values, panel.running, [0.0, panel.wanted]])
    margin = 0.06 * max(float(np.ptp(ends)), 1e-300)
    y = Axis(float(ends.min()) - margin, float(ends.max()) + margin, height - 26, TOP + 10)
    pitch = (WIDTH - RIGHT - LEFT) / len(values)
    parts: list[str] = []
    for value, text in y.ticks(7):
        parts += [line(LEFT, y.at(value), WIDTH - RIGHT, y.at(value), "grid")]
        parts += [words(LEFT - 6, y.at(value) + 4, text, "end")]
    zero, steps = y.at(0.0), ""
    for i, (value, sum_, keep) in enumerate(zip(values.tolist(), panel.running.tolist(), kept.tolist(), strict=True)):
        left, top = LEFT + i * pitch, min(y.at(value), zero)
        colour = "pruned" if not keep else "minus" if value < 0 else "kept"
        what = f"neuron {panel.half.neuron[i]}: {value:+.6f}, " + (f"kept, sum {sum_:+.6f}" if keep else "pruned")
        parts.append(
            f'<rect class="{colour}" x="{left + 0.12 * pitch:.1f}" y="{top:.1f}" '
            f'width="{0.76 * pitch:.1f}" height="{max(abs(y.at(value) - zero), 0.5):.1f}"><title>{what}</title></rect>'
        )
        if keep:
            end = y.at(value) + (10 if value < 0 else -3)
            parts.append(words(left + pitch / 2, end, "−" if value < 0 else "+", "middle", f"strong {colour}"))
        steps += f"{'M' if i == 0 else 'L'}{left:.1f} {y.at(sum_):.1f}H{left + pitch:.1f}"
    wanted = y.at(panel.wanted)
    parts += [
        line(LEFT, zero, WIDTH - RIGHT, zero, "axis"),
        f'<path class="sum" d="{steps}"/>',
        line(LEFT, wanted, WIDTH - RIGHT, wanted, "rule"),
        words(
            (LEFT + WIDTH - RIGHT) / 2, height - 6, f"{len(values)} candidates, in the order of their neurons", "middle"
        ),
        words(2.0, TOP, "value, in the unit of the weights", "start"),
    ]
    return parts


def growth(bounds: Sequence[float], *, label: str) -> Html:
    """A bound for each map, one after the other; the axis is logarithmic."""
    height = 150.0
    x = Axis(0.0, float(len(bounds)), LEFT, WIDTH - RIGHT)
    y = Axis(min(bounds) / 2, max(bounds) * 2, height - BOTTOM, TOP + 14, log=True)
    parts = [words(2.0, y.end - 12, "bound on the outputs of a map", "start")]
    for value, text in y.ticks(5):
        parts += [
            line(x.start, y.at(value), x.end, y.at(value), "grid"),
            words(x.start - 6, y.at(value) + 4, text, "end"),
        ]
    path = ""
    for i, bound in enumerate(bounds):
        path += f"{'M' if i == 0 else 'L'}{x.at(float(i)):.1f} {y.at(bound):.1f}H{x.at(i + 1.0):.1f}"
    shown = dict.fromkeys((0, len(bounds) // 2, len(bounds) - 1))
    parts += [line(x.start, y.start, x.end, y.start, "axis"), f'<path class="sum" d="{path}"/>']
    parts += [words(x.at(i + 0.5), y.start + 16, str(i), "middle") for i in shown]
    parts.append(words((x.start + x.end) / 2, y.start + 31, "map", "middle"))
    return chart(parts, height=height, label=label, kind="fig wide")


def mask(raster: Raster, *, label: str) -> Html:
    """Outputs downwards, candidates of each input side by side; kept ones filled."""
    rows, groups, n = raster.kept.shape
    cell = min((WIDTH - LEFT - RIGHT) / (groups * (n + 1) - 1), 8.0)
    top = TOP + 8
    parts = [words(LEFT - 6, top - 6, "input", "end")]
    for g in range(groups):
        left = LEFT + g * (n + 1) * cell
        parts.append(words(left, top - 6, str(raster.inputs[g]), "start"))
        parts.append(
            f'<rect class="ground" x="{left:.2f}" y="{top}" width="{n * cell:.2f}" height="{rows * cell:.2f}"/>'
        )
        runs = "".join(strokes(row, i) for i, row in enumerate(raster.kept[:, g]))
        parts.append(f'<path class="cells" transform="translate({left:.2f} {top}) scale({cell:.4f})" d="{runs}"/>')
    height = top + rows * cell
    parts.append(words(LEFT - 6, top + 9, f"out {raster.outputs[0]}", "end"))
    if rows * cell > 24:  # two lines
        parts.append(words(LEFT - 6, height, str(raster.outputs[-1]), "end"))
    return chart(parts, height=height + 4, label=label, kind="fig wide")


def three_errors(
    measured: Float64[np.ndarray, " batch"],
    per_input: Float64[np.ndarray, " batch"],
    certified: float | None,
    *,
    label: str,
    status: str = "proved",
) -> Html:
    """Seen, proved for each input, proved for all inputs: three strips over one logarithmic axis."""
    every = np.concatenate([measured, per_input, [] if certified is None else [certified]])
    every = every[np.isfinite(every) & (every > 0)]
    if not every.size:
        every = np.array([1.0])
    x = Axis(float(every.min()) / 1.5, float(every.max()) * 1.5, 10.0, WIDTH - RIGHT, log=True)
    edges = np.logspace(math.log10(x.low), math.log10(x.high), 81)
    parts: list[str] = []
    strip, top = 62.0, 4.0
    for name, values, kind in (("measured", measured, "measured"), ("proved, input by input", per_input, "kept")):
        base = top + strip
        counts = np.histogram(np.clip(values, x.low, x.high), edges)[0]
        y = Axis(0.0, max(float(counts.max()), 1.0), base, top + 20)
        parts += [words(10.0, top + 12, name, "start", "strong"), bars(x, y, edges, counts, kind)]
        parts.append(line(10.0, base, WIDTH - RIGHT, base, "grid"))
        top = base + 6
    base = top + 38
    parts.append(words(10.0, top + 12, f"{status}, every input of the range", "start", "strong"))
    if certified is None:
        parts.append(words(10.0, top + 28, "no range was stated, so nothing is proved for all inputs", "start"))
    elif certified > 0:
        parts.append(line(x.at(certified), 4.0, x.at(certified), base, "limit"))
    parts += [line(10.0, base, WIDTH - RIGHT, base, "axis"), x_axis(x, base, "largest difference of an output")]
    return chart(parts, height=base + BOTTOM, label=label, kind="fig wide")
