r"""How a learned mask spends its weights, tensor by tensor, beside masks that keep as many at random.

Of N masked weights in all, K are kept. A mask drawn at random among those (the control `random_mask`) keeps of a
tensor with n weights a number that is hypergeometric: mean $nK/N$, variance $n p (1 - p) (N - n) / (N - 1)$, p = K/N.
How a tensor spends its own k weights over outputs and inputs is held against one mask with k weights at random (the
control `shuffled_mask`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from slth.records import Z_95
from slth.reporting.html import Html, number, percent, table
from slth.reporting.svg import BOTTOM, LETTER, RIGHT, WIDTH, Axis, chart, line, words, x_axis
from slth.ticket import RandomTensor, Ticket

MOST_ROWS = 60  # tensors drawn
_ROW, _NAME = 17.0, 22


@dataclass(frozen=True, slots=True)
class Spread:
    """How unevenly a mask spends its weights over outputs, or over inputs."""

    deviation: float  # of the kept weights of one of them
    empty: int  # of them that keep none


def spreads(mask: Bool[np.ndarray, "..."]) -> tuple[Spread, Spread]:
    """Over outputs (first axis), then over inputs (second axis; taps are counted together)."""
    whole = mask.reshape(*mask.shape[:2], -1) if mask.ndim > 1 else mask.reshape(1, -1, 1)
    counts = (np.count_nonzero(whole, axis=(1, 2)), np.count_nonzero(whole, axis=(0, 2)))
    outputs, inputs = (Spread(float(part.std()), int(np.count_nonzero(part == 0))) for part in counts)
    return outputs, inputs


def random_density(ticket: Ticket, size: int) -> tuple[float, float]:
    """What 95 % of random masks of the whole network keep of a tensor with `size` weights, nearly: lower, upper end."""
    p, rest = ticket.density, ticket.size - size
    half = Z_95 * math.sqrt(p * (1 - p) * rest / (size * max(ticket.size - 1, 1)))
    return max(p - half, 0.0), min(p + half, 1.0)


def picture(ticket: Ticket) -> Html:
    """A dot for each tensor, and a bar for what random masks keep of it."""
    tensors = ticket.tensors[:MOST_ROWS]
    ends = [random_density(ticket, tensor.size) for tensor in tensors]
    kept = [tensor.kept / tensor.size for tensor in tensors]
    low, high = min(kept + [end[0] for end in ends]), max(kept + [end[1] for end in ends])
    room = max(0.06 * (high - low), 0.02)
    longest = min(max(len(tensor.path) for tensor in tensors), _NAME)
    x = Axis(max(low - room, 0.0), min(high + room, 1.0), LETTER * longest + 16, WIDTH - RIGHT - 6)
    base = _ROW * len(tensors) + 6
    parts: list[str] = []
    for value, _ in x.ticks():
        parts.append(line(x.at(value), 2, x.at(value), base, "grid"))
    for i, (tensor, (lower, upper), density) in enumerate(zip(tensors, ends, kept, strict=True)):
        y = _ROW * i + 12
        name = tensor.path if len(tensor.path) <= _NAME else f"…{tensor.path[-_NAME + 1 :]}"
        left, right = x.at(lower), max(x.at(upper), x.at(lower) + 1.5)
        parts += [
            words(x.start - 10, y + 4, name, "end"),
            f'<rect class="pruned" x="{left:.1f}" y="{y - 4:.1f}" width="{right - left:.1f}" height="8"/>',
            f'<circle class="kept" cx="{x.at(density):.1f}" cy="{y:.1f}" r="3.4"/>',
        ]
    parts += [line(x.start, base, x.end, base, "axis"), x_axis(x, base, "density: fraction of the weights kept")]
    about = "; ".join(
        f"{tensor.path}: {percent(density)}, at random {percent(end[0])} to {percent(end[1])}"
        for tensor, density, end in list(zip(tensors, kept, ends, strict=True))[:12]
    )
    return chart(parts, height=base + BOTTOM, label="Density of each tensor, and at random", about=about)


def row(ticket: Ticket, tensor: RandomTensor, mask: Bool[np.ndarray, "..."], control: np.ndarray) -> list[str]:
    """The same in numbers, and how the tensor spends its weights over outputs and inputs."""
    ours, random = spreads(mask), spreads(control)
    lower, upper = random_density(ticket, tensor.size)
    return [
        tensor.path,
        percent(tensor.kept / tensor.size),
        f"{percent(lower)} to {percent(upper)}",
        *(f"{number(a.deviation, 3)}, {number(b.deviation, 3)}" for a, b in zip(ours, random, strict=True)),
        *(f"{a.empty:,}, {b.empty:,}" for a, b in zip(ours, random, strict=True)),
    ]


def spread_table(rows: Sequence[Sequence[str]]) -> Html:
    """The table of such rows."""
    head = [
        "tensor",
        "density",
        "random masks, 95 %",
        "outputs: spread, at random",
        "inputs: spread, at random",
        "outputs that keep none, at random",
        "inputs that keep none, at random",
    ]
    return table(head, rows, label="Density of each tensor and how it is spent")
