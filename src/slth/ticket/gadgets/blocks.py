"""Blocks of problems, and masks, of gadgets whose candidates stand in one list of columns.

Row outermost, then tap, then columns ascending; columns of a constant have a bit at tap 0 only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth._shapes import Bits
from slth.numerics import Stream
from slth.ticket.gadgets.gadget import Cost, packed_memory
from slth.ticket.gadgets.problems import Half, Places, Problems

_BLOCK = 1 << 18  # products formed at a time
_PAIRS = 32  # (row, tap) pairs of a block, about


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """What serves the slots of one half: candidate k of slot s is column `columns[s, k]`, its neuron, its factor."""

    half: Half
    inputs: Int64[np.ndarray, " slot"]  # of the map; of a bias, the group
    columns: Int64[np.ndarray, "slot n"]
    neurons: Int64[np.ndarray, "slot n"]
    factors: Float64[np.ndarray, "slot n"]
    gain: float


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The columns of a map's mask: how many, and which serve a constant."""

    rows: int
    taps: int
    constant: Bool[np.ndarray, " column"]

    @property
    def bits(self) -> int:
        """Of the whole mask."""
        constants = int(self.constant.sum())
        return self.rows * (self.taps * (len(self.constant) - constants) + constants)

    def cost(self, *, input_slots: int, constant_slots: int) -> Cost:
        """Bits, problems, memory."""
        bits, live, coefficients = self.bits, len(self.constant), self.rows * self.taps * input_slots
        problems = coefficients + self.rows * constant_slots
        return Cost(bits, coefficients, problems, live, packed_memory(bits, live=live, problems=problems))

    def blocks(
        self, parts: tuple[Slots, ...], tensor: str, seed: int, *, law: str, most_kept: int
    ) -> Iterator[Problems]:
        """Every coefficient in one problem; in each half some rows after others, and of them some slots."""
        mixing = Stream(seed, tensor)
        places = Places(self.rows, self.taps, np.cumsum(self.constant) - self.constant, int(self.constant.sum()))
        high = min(self.rows, max(1, _PAIRS // self.taps))
        for part in (part for part in parts if len(part.inputs)):
            wide = max(1, _BLOCK // (high * self.taps * part.columns.shape[1]))
            for first, start in product(range(0, self.rows, high), range(0, len(part.inputs), wide)):
                own = slice(start, start + wide)
                yield Problems(
                    half=part.half,
                    stage=0,
                    tensor=tensor,
                    inputs=part.inputs[own],
                    rows=range(first, min(first + high, self.rows)),
                    columns=part.columns[own],
                    neurons=part.neurons[own],
                    factors=part.factors[own],
                    mixing=mixing,
                    gain=part.gain,
                    places=places,
                    law=law,
                    most_kept=most_kept,
                )

    def mask(self, bits: Bits) -> Bool[np.ndarray, "w column"]:
        """One row per (row, tap)."""
        stored = self._stored
        stored[stored] = np.unpackbits(bits, count=self.bits, bitorder="little").view(np.bool_)
        return stored

    def pack(self, mask: Bool[np.ndarray, "w column"]) -> Bits:
        """Least significant bit first, zero padding."""
        return np.packbits(mask[self._stored], bitorder="little")

    @property
    def _stored(self) -> Bool[np.ndarray, "w column"]:
        stored = np.ones((self.rows, self.taps, len(self.constant)), np.bool_)
        stored[:, 1:, self.constant] = False
        return stored.reshape(self.rows * self.taps, -1)
