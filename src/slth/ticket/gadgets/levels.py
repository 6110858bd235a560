r"""Powers of two by doubling: which edges of a deep random ±1 network are kept, so that a layer holds 2ᵏ σ(±x_j).

    slots       (j, +) for every input j, (j, −) for every input that can be negative, then the constant
    layer 1     c neurons hold each slot's value (see `lift`; u = ±1, the threshold asks for +1): level 0
    layer t+1   a copy of level k ≤ t − 1 keeps one edge +1 from a copy of level k in layer t; one of level t keeps two
                edges +1 from copies of level t − 1: σ(y + y) = 2 y
    layer p     so holds levels 0, 1, ..., p − 1, c copies each, and a last random matrix picks among them
    the scan    of layer t + 1: the needs are (level, slot, copy), copy innermost; neuron h = 0, 1, ... serves the first
                need left if it has such edges, the first ones of them, and is dead if it has none

No mask bit is spent on any of it, and no target is looked at: the random matrices are streams of the seed, one row for
each neuron, `PATH/levels/t` from layer t to layer t + 1. Source: Sreenivasan, Rajput, Sohn, Papailiopoulos (2022); the
scan is spelled out here.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from slth._errors import InputError
from slth.numerics import Stream, values_at

MOST_DIGITS = 40  # p
MOST_COPIES = 64  # c
_TRIED = 4096  # neurons looked at together


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A hidden layer of the doubling network, and the edges that lead into it."""

    neurons: int  # width, dead ones included
    neuron: Int64[np.ndarray, "level slot copy"]  # that serve, ascending
    edges: Int64[np.ndarray, "level slot copy 2"]  # neurons of the layer before that are kept; −1: none


def first_layer(neurons: int, served: Int64[np.ndarray, "slot copy"]) -> Layer:
    """Layer 1 after the scan of the lift: level 0 alone; what leads into it says the lift."""
    return Layer(neurons, served[None], np.full((1, *served.shape, 2), -1))


def grow(before: Layer, stream: Stream) -> Layer:
    """The scan of the next layer, whose matrix is a stream, row after row.

    Raises:
        InputError: more than half of the neurons are dead; copies are too few.
    """
    levels, slots, copies = before.neuron.shape
    if copies < 2:
        raise InputError("doubling takes at least 2 copies of every level")
    level = np.repeat(np.arange(levels + 1), slots * copies)
    slot = np.tile(np.repeat(np.arange(slots), copies), levels + 1)
    doubled = level == levels  # from the level before, twice
    sources = before.neuron[np.minimum(level, levels - 1), slot]  # (need, copy)
    neuron, edges = np.empty(len(level), np.int64), np.full((len(level), 2), -1)
    served = dead = 0
    while served < len(level):
        rest = slice(served, min(served + _TRIED, len(level)))
        rows = np.arange(rest.start, rest.stop) + dead
        fit = values_at(stream, "sign", rows[:, None] * before.neurons + sources[rest]) > 0
        good = fit.sum(axis=1) >= 1 + doubled[rest]
        until = len(good) if good.all() else int(np.argmin(good))
        kept = slice(served, served + until)
        neuron[kept] = rows[:until]
        edges[kept] = _edges(fit[:until], sources[kept], doubled[kept])
        served += until
        dead += until < len(good)
        if dead > len(level) + 1000:
            raise InputError(f"{stream.path}: {copies} copies are too few; give more")
    shape = (levels + 1, slots, copies)
    return Layer(int(neuron[-1]) + 1, neuron.reshape(shape), edges.reshape(*shape, 2))


def matrix(layer: Layer, before: Layer, stream: Stream) -> np.ndarray:
    """The pruned random ±1 matrix into a layer, float32 (neuron, neuron before), for those who want to see it whole."""
    kept: Bool[np.ndarray, "neuron before"] = np.zeros((layer.neurons, before.neurons), np.bool_)
    target, edges = layer.neuron.reshape(-1), layer.edges.reshape(-1, 2)
    for side in range(2):
        there = edges[:, side] >= 0
        kept[target[there], edges[there, side]] = True
    rows, columns = np.nonzero(kept)
    found = np.zeros(kept.shape, np.float32)
    found[rows, columns] = values_at(stream, "sign", rows * before.neurons + columns)
    return found


def _edges(fit: Bool[np.ndarray, "need copy"], sources: np.ndarray, doubled: np.ndarray) -> np.ndarray:
    """The first edge that fits, and the second where two are wanted."""
    rank = np.cumsum(fit, axis=1)
    first = np.argmax(fit & (rank == 1), axis=1)
    second = np.argmax(fit & (rank == 2), axis=1)
    at = np.arange(len(fit))
    return np.stack([sources[at, first], np.where(doubled, sources[at, second], -1)], axis=1)
