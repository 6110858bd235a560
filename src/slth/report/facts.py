"""Everything a page states that the ticket does not say by itself, computed once: the sections only write.

Counts, with m the mask of the mixing layer and one row per output:  edges = Σ m,  neurons = how many columns keep any.
Errors of coefficients, in float64:  |P − W| and |N + W| over the halves that exist, and |b̂ − b|.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth.certificate import Affine, Realised, per_input_error
from slth.report.exhibit import Exhibit
from slth.ticket import LayerSpec, Ticket, unpack

MOST_PICTURES = 8  # layers drawn; a stranger's ticket may have thousands
_RASTER_ROWS, _RASTER_COLUMNS = 40, 116
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
    fullest: tuple[int, int, int]  # kept candidates, output, input of the positive half that keeps most
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
    parts = None if target is None else [ticket.realised(i) for i in range(len(ticket.layers))]
    layers: list[LayerFacts] = []
    for i in range(len(ticket.layers)):
        errors = None if target is None or parts is None else _errors(target[i], parts[i])
        layers.append(_count(ticket, i, errors))
    per_input = measured = None
    if target is not None and parts is not None and exhibit.inputs is not None:
        per_input = per_input_error(target, parts, exhibit.inputs.astype(np.float64)).max(axis=1)
        measured = _measure(target, parts, exhibit.inputs)
    return Facts(tuple(layers), per_input, measured)


def _count(ticket: Ticket, index: int, errors: np.ndarray | None) -> LayerFacts:
    spec, lift = ticket.layers[index], ticket.lift(index)
    mask = unpack(spec, ticket.masks[index])
    members = lift.members(slice(None))
    kept = np.stack([mask[:, ranks].sum(axis=1, dtype=np.int64) for ranks in members])  # (slot, out·tap)
    positive = kept[: spec.lift.inputs]
    most = int(positive.argmax())
    return LayerFacts(
        edges=int(np.count_nonzero(mask)),
        neurons=int(np.count_nonzero(mask.any(axis=0))),
        empty=int(np.count_nonzero(kept == 0)),
        halves=kept.size,
        fullest=(int(positive.flat[most]), most % kept.shape[1] // spec.taps, most // kept.shape[1]),
        raster=_raster(spec, mask, members),
        errors=errors,
    )


def _raster(spec: LayerSpec, mask: np.ndarray, members: np.ndarray) -> Raster:
    outputs = _spread(spec.outputs, _RASTER_ROWS)
    inputs = _spread(spec.lift.inputs, max(1, _RASTER_COLUMNS // (spec.lift.candidates + 1)))
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
