"""Everything a page states that the ticket does not say by itself, computed once: the sections only write.

Counts, with m the mask of the mixing layer and one row per output:  edges = Σ m,  neurons = how many columns keep any.
Errors of coefficients, in float64:  |P − W| and |N + W| over the halves that exist, and |b̂ − b|.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth.certificate import Affine, Realised, per_input_error
from slth.reporting.exhibit import Exhibit
from slth.ticket import LayerSpec, Ticket, unpack

MOST_PICTURES = 8  # layers drawn; a stranger's ticket may have thousands
_RASTER_ROWS, _RASTER_COLUMNS, _RASTER_GROUPS = 40, 116, 8
_BATCH = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A part of a mask: the candidates of some inputs for some outputs, both evenly spread."""

    outputs: Int64[np.ndarray, " row"]
    inputs: Int64[np.ndarray, " group"]
    kept: Bool[np.ndarray, "row group n"]


@dataclass(frozen=True, slots=True, eq=False)
class LayerFacts:
    """One layer's mask, counted."""

    edges: int  # mixing weights kept
    neurons: int  # lift neurons with a kept edge: each keeps its one lift weight
    empty: int  # half-weights (biases not counted) that keep no candidate
    halves: int  # half-weights
    early: int  # kept candidates of weights that stand in the first half of their slot's list
    example: tuple[int, int]  # output, input: among the largest hundredth of the weights, most candidates kept
    raster: Raster
    errors: Float64[np.ndarray, " coefficient"] | None  # against the target


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What was computed for a page; None where target or data are missing."""

    layers: tuple[LayerFacts, ...]
    per_input: Float64[np.ndarray, " batch"] | None  # bound on the largest |f − f̂| of an output, for each input
    measured: Float64[np.ndarray, " batch"] | None  # the same as seen, both networks in float32

    @property
    def edges(self) -> int:
        """Mixing weights kept, all layers."""
        return sum(layer.edges for layer in self.layers)

    @property
    def kept_parameters(self) -> int:
        """Surviving edges of lift and mixing layers, dead neurons removed."""
        return self.edges + sum(layer.neurons for layer in self.layers)


def gather(exhibit: Exhibit) -> Facts:
    """Count, and regenerate the coefficients if there is a target to compare them with. Memory of one layer's mask."""
    ticket, target = exhibit.ticket, exhibit.target
    parts = [ticket.realised(i) for i in range(len(ticket.layers))]
    layers = [_count(ticket, i, part, None if target is None else target[i]) for i, part in enumerate(parts)]
    per_input = measured = None
    if target is not None and exhibit.inputs is not None:
        per_input = per_input_error(target, parts, exhibit.inputs.astype(np.float64)).max(axis=1)
        measured = _measure(target, parts, exhibit.inputs)
    return Facts(tuple(layers), per_input, measured)


def _count(ticket: Ticket, index: int, part: Realised, wanted: Affine | None) -> LayerFacts:
    spec, lift = ticket.layers[index], ticket.lift(index)
    mask = unpack(spec, ticket.masks[index])
    members = lift.members(slice(None))
    kept = np.empty((len(members), len(mask)), np.int64)
    early = 0
    for slot, ranks in enumerate(members):
        bits = mask[:, ranks]
        kept[slot] = np.count_nonzero(bits, axis=1)
        early += int(np.count_nonzero(bits[:, : len(ranks) // 2]))
    return LayerFacts(
        edges=int(np.count_nonzero(mask)),
        neurons=int(np.count_nonzero(mask.any(axis=0))),
        empty=int(np.count_nonzero(kept == 0)),
        halves=kept.size,
        early=early,
        example=_example(part.positive[:, :, 0], kept[: spec.lift.inputs, :: spec.taps].T),
        raster=_raster(spec, mask, members),
        errors=None if wanted is None else _errors(wanted, part),
    )


def _example(weights: np.ndarray, kept: np.ndarray) -> tuple[int, int]:
    """Of the largest hundredth of the weights (out, inp), the first that keeps most candidates."""
    size = np.abs(weights)
    large = size >= np.partition(size.reshape(-1), -max(1, size.size // 100))[-max(1, size.size // 100)]
    output, input = np.unravel_index(int(np.where(large, kept, -1).argmax()), kept.shape)
    return int(output), int(input)


def _raster(spec: LayerSpec, mask: np.ndarray, members: np.ndarray) -> Raster:
    outputs = _spread(spec.outputs, _RASTER_ROWS)
    groups = min(max(1, _RASTER_COLUMNS // (spec.lift.candidates + 1)), _RASTER_GROUPS)
    inputs = _spread(spec.lift.inputs, groups)
    return Raster(outputs, inputs, mask[outputs * spec.taps][:, members[inputs]])


def _spread(count: int, most: int) -> np.ndarray:
    """At most `most` of 0 ... count − 1, the middles of equal parts."""
    parts = min(count, most)
    return (2 * np.arange(parts) + 1) * count // (2 * parts)


def _errors(wanted: Affine, found: Realised) -> np.ndarray:
    parts = [found.positive - wanted.weight]
    if found.negative is not None:
        parts.append((found.negative + wanted.weight)[:, found.signed])
    if found.bias is not None and wanted.bias is not None:
        parts.append(found.bias - wanted.bias)
    return np.abs(np.concatenate([part.reshape(-1) for part in parts]))


def _measure(target: Iterable[Affine], parts: Iterable[Realised], inputs: np.ndarray) -> np.ndarray:
    """The largest |f − f̂| of an output for each input, float32. Needs PyTorch."""
    from slth.network import dense, outputs, realised_from

    theirs = outputs(dense(tuple(target)), inputs, batch=_BATCH)
    ours = outputs(realised_from(tuple(parts)), inputs, batch=_BATCH)
    return np.abs(ours - theirs).max(axis=1).astype(np.float64)
