"""Everything a page states that the ticket does not say by itself, computed once: the sections only write.

Counts, with m the mask of the mixing layer and one row per output:  edges = Σ m,  neurons = how many columns keep any.
Errors of coefficients, in float64:  |P − W| and |N + W| over the halves that exist, and |b̂ − b|.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth.certificate import per_input_error
from slth.graph import Affine, Realised, Target, of_channels
from slth.reporting.exhibit import Exhibit
from slth.reporting.svg import evenly
from slth.ticket import Problems, Rivals, Ticket, rivals_of

MOST_PICTURES = 8  # maps drawn, the first, the last and some between; a stranger's ticket may have thousands
_RASTER_ROWS, _RASTER_COLUMNS, _RASTER_GROUPS = 40, 116, 8
_BATCH = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A part of a mask: the candidates of some inputs for some outputs, both evenly spread."""

    outputs: Int64[np.ndarray, " row"]
    inputs: Int64[np.ndarray, " group"]
    kept: Bool[np.ndarray, "row group n"]
    tap: int  # of all of them


@dataclass(frozen=True, slots=True, eq=False)
class MapFacts:
    """The mask of one map, counted."""

    edges: int  # mixing weights kept
    chosen: int  # candidates kept: as many, or fewer where a bit keeps a neuron
    neurons: int  # lift neurons with a kept edge: each keeps its one lift weight
    empty: int  # half-weights (biases not counted) that keep no candidate
    halves: int  # half-weights
    early: int  # kept candidates of weights that stand in the first half of their slot's list
    example: tuple[int, int, int]  # row, input, tap: among the largest hundredth of the weights, most candidates kept
    raster: Raster
    errors: Float64[np.ndarray, " coefficient"] | None  # against the target


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What was computed for a page; None where target or data are missing."""

    maps: Mapping[str, MapFacts]
    per_input: Float64[np.ndarray, " batch"] | None  # bound on the largest |f − f̂| of an output, for each input
    measured: Float64[np.ndarray, " batch"] | None  # the same as seen, both networks in float32
    rivals: Rivals | None = None  # bits that the coefficients would take otherwise

    @property
    def edges(self) -> int:
        """Mixing weights kept, all maps."""
        return sum(part.edges for part in self.maps.values())

    @property
    def kept_parameters(self) -> int:
        """Surviving edges of lift and mixing layers, dead neurons removed."""
        return self.edges + sum(part.neurons for part in self.maps.values())


def gather(exhibit: Exhibit) -> Facts:
    """Count, and regenerate the coefficients if there is a target to compare them with. Memory of one map's mask."""
    ticket, target = exhibit.ticket, exhibit.target
    parts = {path: ticket.realised(path) for path in ticket.maps}
    wanted: Mapping[str, Affine] = {} if target is None else target.coefficients
    maps = {path: _count(ticket, path, part, wanted.get(path)) for path, part in parts.items()}
    per_input = measured = None
    if target is not None and exhibit.inputs is not None:
        per_input = per_input_error(target, parts.__getitem__, exhibit.inputs).max(axis=1)
        measured = _measure(ticket, target, parts, exhibit.inputs)
    return Facts(maps, per_input, measured, _rivals(ticket, parts))


def _rivals(ticket: Ticket, parts: Mapping[str, Realised]) -> Rivals | None:
    """Of all coefficients, within the tolerances that are claimed."""
    if ticket.claims is None:
        return None
    claimed = ticket.claims.maps
    found = [rivals_of(part.positive, part.bias, claimed[path].tolerance) for path, part in parts.items()]
    return Rivals(sum(one.quantiser for one in found), sum(one.packing for one in found))


def _count(ticket: Ticket, path: str, part: Realised, wanted: Affine | None) -> MapFacts:
    op, gadget = ticket.maps[path], ticket.gadgets[path]
    rows, inputs, taps = op.coefficients
    kept, edges, chosen, halves, empty, early = np.zeros(op.coefficients, np.int64), 0, 0, 0, 0, 0
    serving = [np.zeros((2, gadget.live(op, stage=s)), np.bool_) for s in range(gadget.stage_count)]
    raster = _Raster(rows, inputs, taps)
    for block in gadget.problems(path, op, ticket.seed):
        bits = block.kept(ticket.masks)  # (slot, w, n)
        serving[block.stage][0, block.columns] |= bits.any(axis=1)
        serving[block.stage][1, block.columns] |= block.centred & ~bits.all(axis=1)  # mirrors
        counts = np.full(bits.shape[:2], bits.shape[2]) if block.centred else np.count_nonzero(bits, axis=2)
        edges += int(counts.sum())
        chosen += int((counts[:, :1] if block.shared else counts).sum())
        if block.half == "bias":
            continue
        halves, empty = halves + counts.size, empty + int(np.count_nonzero(counts == 0))
        early += int(np.count_nonzero(bits[:, :, : bits.shape[2] // 2]))
        if block.half != "negative":
            by_row = counts.reshape(len(counts), len(block.rows), taps).transpose(1, 0, 2)
            kept[block.rows.start : block.rows.stop, block.inputs] += by_row
            if not block.stage:
                raster.add(block, bits)
    return MapFacts(
        edges=edges,
        chosen=chosen,
        neurons=sum(int(np.count_nonzero(part)) for part in serving),
        empty=empty,
        halves=halves,
        early=early,
        example=_example(part.positive, kept),
        raster=raster.whole,
        errors=None if wanted is None else _errors(wanted, part, ticket.copies.get(path, 1)),
    )


def _example(weights: np.ndarray, kept: np.ndarray) -> tuple[int, int, int]:
    """Of the largest hundredth of the weights (row, inp, tap), the first that keeps most candidates."""
    size = np.abs(weights)
    large = size >= np.partition(size.reshape(-1), -max(1, size.size // 100))[-max(1, size.size // 100)]
    row, input, tap = np.unravel_index(int(np.where(large, kept, -1).argmax()), kept.shape)
    return int(row), int(input), int(tap)


class _Raster:
    """The bits of some rows and some inputs, at the tap in the middle, while blocks come in."""

    def __init__(self, rows: int, inputs: int, taps: int) -> None:
        self.rows, self.tap, self.inputs = _spread(rows, _RASTER_ROWS), taps // 2, inputs
        self.some, self.bits = np.zeros(0, np.int64), np.zeros((0, 0, 0), np.bool_)

    def add(self, block: Problems, kept: np.ndarray) -> None:
        """What a block says of them."""
        n = kept.shape[2]
        if not len(self.some):
            self.some = _spread(self.inputs, min(max(1, _RASTER_COLUMNS // (n + 1)), _RASTER_GROUPS))
            self.bits = np.zeros((len(self.rows), len(self.some), n), np.bool_)
        slots = np.flatnonzero(np.isin(block.inputs, self.some))
        columns = np.searchsorted(self.some, block.inputs[slots])
        for at, row in enumerate(self.rows.tolist()):
            if row in block.rows:
                self.bits[at, columns] = kept[slots, block.pairs.index(row * block.taps + self.tap)]

    @property
    def whole(self) -> Raster:
        """All of them."""
        return Raster(self.rows, self.some, self.bits, self.tap)


def _spread(count: int, most: int) -> np.ndarray:
    """At most `most` of 0 ... count − 1, the middles of equal parts."""
    parts = min(count, most)
    return (2 * np.arange(parts) + 1) * count // (2 * parts)


def _errors(wanted: Affine, found: Realised, copies: int) -> np.ndarray:
    """Of coefficients; of copies those of all together."""
    parts = [of_channels(found.positive, copies) - of_channels(wanted.weight, copies)]
    if found.negative is not None and copies == 1:
        parts.append((found.negative + wanted.weight)[:, found.signed])
    if found.bias is not None and wanted.bias is not None:
        parts.append(found.bias - wanted.bias)
    return np.abs(np.concatenate([part.reshape(-1) for part in parts]))


def _measure(ticket: Ticket, target: Target, parts: Mapping[str, Realised], inputs: np.ndarray) -> np.ndarray:
    """The largest |f − f̂| of an output for each input, float32. Needs PyTorch."""
    from slth.network import outputs, realised_from, target_module

    theirs = outputs(target_module(target), inputs, batch=_BATCH)
    ours = outputs(realised_from(ticket, parts.__getitem__), inputs, batch=_BATCH)
    return np.abs(ours - theirs).reshape(len(inputs), -1).max(axis=1).astype(np.float64)


def drawn(facts: Facts) -> list[tuple[int, str, MapFacts]]:
    """Number, path and facts of the maps that are drawn: of many the first, the last and some evenly between."""
    every = [(i, path, part) for i, (path, part) in enumerate(facts.maps.items())]
    return evenly(every, MOST_PICTURES)
