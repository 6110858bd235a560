"""Mending across the stages of a map: the few coefficients that a stage missed, wherever their problems stand.

Blocks of two stages differ, in neurons and in size, so that of each stage before those blocks are looked up again that
hold a coefficient which was missed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth._shapes import Bits
from slth.construction.mending import Step, kept_of, mend, packed_of, sums_of
from slth.construction.objectives import Objective
from slth.graph import Linear, Realised
from slth.ticket import Gadget, Problems

_TOGETHER = 1 << 14  # coefficients that are mended together
_SOLVES, _FEW_SOLVES = 4, 1 << 16  # that a pass may take: for each coefficient of the map, and beside that
_BACK = 2  # stages before the one that missed


@dataclass(frozen=True, slots=True, eq=False)
class Missed:
    """Coefficients of one half, of the stage that missed them."""

    half: str
    inputs: Int64[np.ndarray, " missed"]  # of a bias, the group
    rows: Int64[np.ndarray, " missed"]
    taps: Int64[np.ndarray, " missed"]

    @classmethod
    def of(cls, block: Problems, numbers: Int64[np.ndarray, " missed"]) -> "Missed":
        """Those with such numbers in a block."""
        slot, w = np.divmod(numbers, len(block.pairs))
        rows, taps = np.divmod(np.array(block.pairs)[w], block.taps)
        return cls(block.half, block.inputs[slot], rows, taps)

    def part(self, which: slice | np.ndarray) -> "Missed":
        """Some of them."""
        return Missed(self.half, self.inputs[which], self.rows[which], self.taps[which])

    def within(self, block: Problems) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which of them stand in a block, and where: numbers, slots, pairs."""
        if block.half != self.half or not len(block.inputs):
            none = np.zeros(0, np.int64)
            return none, none, none
        slots = np.minimum(np.searchsorted(block.inputs, self.inputs), len(block.inputs) - 1)
        there = (block.inputs[slots] == self.inputs) & (self.rows >= block.rows.start) & (self.rows < block.rows.stop)
        which = np.flatnonzero(there)
        w = self.rows[which] - block.rows.start
        return which, slots[which], w if self.half == "bias" else w * block.taps + self.taps[which]

    def at(self, part: Realised, height: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """The array that holds them, and where; `height`: rows of a group."""
        if self.half == "bias":
            assert part.bias is not None
            return part.bias, (self.inputs * height + self.rows,)
        half = part.negative if self.half == "negative" else part.positive
        assert half is not None
        return half, (self.rows, self.inputs, self.taps)


def together(missed: list[Missed]) -> Iterator[Missed]:
    """Those of all blocks, half by half, some at a time."""
    for half in dict.fromkeys(each.half for each in missed):
        own = [each for each in missed if each.half == half]
        inputs, rows, taps = (
            np.concatenate([getattr(each, name) for each in own]) for name in ("inputs", "rows", "taps")
        )
        for start in range(0, len(inputs), _TOGETHER):
            yield Missed(half, inputs, rows, taps).part(slice(start, start + _TOGETHER))


def mend_map(
    gadget: Gadget,
    path: str,
    op: Linear,
    seed: int,
    *,
    stage: int,
    missed: Missed,
    tolerances: Mapping[int, float],
    left: Realised,
    masks: Mapping[str, Bits],
    objective: Objective,
) -> None:
    """Other subsets for what a stage missed, and what is left of it then.

    Args:
        tolerances: of this half, by stage.
        left, masks: behind this stage; changed in place.
    """
    stages = range(max(0, stage - _BACK), stage + 1)
    few = [_Few.of(gadget.problems(path, op, seed, stage=s), missed, masks) for s in stages]
    array, where = missed.at(left, op.coefficients[0])
    targets = [array[where]]
    for part in reversed(few):  # exact: each of them was there
        targets.insert(0, targets[0] + part.gain * sums_of(part.rows, part.packed))
    steps = [Step(part.rows, part.gain, tolerances[s]) for part, s in zip(few, stages, strict=True)]
    most = _SOLVES * gadget.cost(op).problems // gadget.stage_count + _FEW_SOLVES
    found = mend(steps, targets[:-1], [part.packed for part in few], objective=objective, most=most)
    for part, packed in zip(few, found.masks, strict=True):
        part.write(packed, found.reached, masks)
    array[where] = np.where(found.reached, found.rest, targets[-1])


@dataclass(frozen=True, slots=True, eq=False)
class _Few:
    """Problems of one stage, from everywhere in a map."""

    rows: Float64[np.ndarray, "missed n"]
    packed: np.ndarray
    gain: float
    blocks: tuple[tuple[Problems, np.ndarray, np.ndarray, np.ndarray], ...]  # with numbers, slots and pairs in them

    @classmethod
    def of(cls, blocks: Iterator[Problems], missed: Missed, masks: Mapping[str, Bits]) -> "_Few":
        found: list[tuple[Problems, np.ndarray, np.ndarray, np.ndarray]] = []
        rows, kept, gain = np.zeros((0, 0)), np.zeros((0, 0), np.bool_), 1.0
        for block in blocks:
            which, slots, pairs = missed.within(block)
            if not len(which):
                continue
            used, slot = np.unique(slots, return_inverse=True)
            own, n = block.of_slots(used), block.columns.shape[1]
            if not found:
                rows, kept, gain = (
                    np.zeros((len(missed.rows), n)),
                    np.zeros((len(missed.rows), n), np.bool_),
                    block.gain,
                )
            rows[which], kept[which] = own.candidates()[slot, pairs], own.kept(masks)[slot, pairs]
            found.append((own, which, slot, pairs))
        return cls(rows, packed_of(kept), gain, tuple(found))

    def write(self, packed: np.ndarray, changed: Bool[np.ndarray, " missed"], masks: Mapping[str, Bits]) -> None:
        """New masks of those that changed."""
        kept = kept_of(packed, self.rows.shape[1])
        for block, which, slots, pairs in self.blocks:
            some = changed[which]
            if some.any():
                own = block.kept(masks)
                own[slots[some], pairs[some]] = kept[which[some]]
                block.write(own, masks)
