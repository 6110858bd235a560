r"""The subset-sum problems of a map, in blocks: their random candidates, their targets, their bits in the packed mask.

Products and sums are formed from the seed while they are needed, a block at a time: no tensor of the random network
ever exists as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from slth._errors import InputError
from slth._shapes import Bits
from slth.graph import Realised
from slth.numerics import Stream, source_law

Half = Literal["positive", "negative", "bias", "whole"]  # whole: P = W and N = −W by one subset
Packed = UInt64[np.ndarray, "problem word"]  # bit k of word l keeps candidate 64 l + k


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the bits of a map's mask stand: row outermost, then tap, then live neurons ascending.

    Neurons that serve the constant have a bit at tap 0 only.
    """

    rows: int  # of each group
    taps: int
    before: Int64[np.ndarray, " live"]  # how many neurons that serve the constant stand before each live one
    constants: int  # neurons that serve the constant

    @property
    def elsewhere(self) -> int:
        """Bits of a row at any tap but 0."""
        return len(self.before) - self.constants

    def starts(self, pairs: range) -> Int64[np.ndarray, " w"]:
        """The first bit of each pair (row, tap); of taps other than 0 its complement."""
        row, tap = np.divmod(np.arange(pairs.start, pairs.stop, pairs.step, dtype=np.int64), self.taps)
        live = len(self.before)
        first = row * (live + (self.taps - 1) * self.elsewhere)
        return np.where(tap == 0, first, ~(first + live + (tap - 1) * self.elsewhere))


@dataclass(frozen=True, slots=True, eq=False)
class Problems:
    """A block of subset sums of one half: coefficient (slot s, pair w) is gain · Σ_k kept · candidate.

    w counts pairs (row, tap) of the block's rows, row outermost; of a bias, rows alone. Candidate k of (s, w) is v u: v
    from row `neurons[s, k]` of the mixing stream, u the factor of that neuron. All are exact in float64, and so is the
    sum of up to 64 of them. The kept ones are bits of the packed mask of `tensor`. The coefficients of a map are the
    sums of all of its stages; those of a negative half act on x⁻ = −x.

    Where candidates are *shared*, one bit keeps candidate k of a slot for all w of the block: a problem for each slot,
    a subset sum of vectors.

    Of mirrored pairs, candidates ±v u, exactly one is kept: coefficient (s, w) is gain · Σ_k ± candidate, + where the
    bit is 1.
    """

    half: Half
    stage: int
    tensor: str  # path of the random tensor of v, whose mask holds the bits
    inputs: Int64[np.ndarray, " slot"]  # of the map; of a bias, the group
    rows: range  # of each group
    columns: Int64[np.ndarray, "slot n"]  # where the bits of the candidates stand in a row of the mask, or in all of it
    neurons: Int64[np.ndarray, "slot n"]  # hidden neuron of each candidate
    factors: Float64[np.ndarray, "slot n"]  # u
    mixing: Stream  # of v
    gain: float
    places: Places
    size: int | None = None  # how many candidates each problem keeps exactly; None: that is free
    law: str = "uniform"  # of v
    centred: bool = False  # mirrored pairs: a bit that is 0 takes −v u
    most_kept: int = 1 << 16  # candidates of a coefficient; who keeps more is refused
    shared: bool = False  # one bit for all w

    @property
    def taps(self) -> int:
        """Of the map."""
        return self.places.taps

    @property
    def pairs(self) -> range:
        """The pairs (row, tap) of the map that this block speaks of: all of its rows; of a bias, those of tap 0."""
        return range(self.rows.start * self.taps, self.rows.stop * self.taps, self.taps if self.half == "bias" else 1)

    @property
    def unplaced(self) -> "Problems":
        """The same without what only the places of bits need, which is as long as the map is wide: it cannot `keep`."""
        return replace(self, places=replace(self.places, before=self.places.before[:0]))

    def candidates(self) -> Float64[np.ndarray, "slot w n"]:
        """v u, regenerated; not yet scaled by the gain."""
        from slth.ticket.gadgets import _kernels

        shape, (neurons, factors, *rest) = (len(self.inputs), len(self.pairs), self.columns.shape[1]), self._random
        if self.law == "uniform":
            products = np.empty(shape)
            _kernels.fill_products(neurons, factors, *rest, products)
            return products
        words = np.empty(shape, np.uint32)
        _kernels.fill_mixing(neurons, *rest, words)
        return source_law(self.law).values(words) * factors[:, None, :]

    @property
    def count(self) -> int:
        """Problems in the block."""
        return len(self.inputs) if self.shared else len(self.inputs) * len(self.pairs)

    def rows_of(self, candidates: Float64[np.ndarray, "slot w n"]) -> np.ndarray:
        """The candidates by problem: (problem, n), or (problem, w, n) where they are shared."""
        return candidates if self.shared else candidates.reshape(-1, candidates.shape[2])

    def sums(self, masks: Mapping[str, Bits]) -> Float64[np.ndarray, "slot w"]:
        """gain · Σ kept · candidate, exact, from the packed masks of the map.

        Raises:
            InputError: more are kept for one coefficient than the gadget allows, or another number than each keeps, or
                one that a randomly pruned source does not have.
        """
        from slth.ticket.gadgets import _kernels

        if self.most_kept < self.columns.shape[1]:
            self._check_kept(masks)
        if self.size is not None:
            self._check_sizes(masks)
        if self.law != "uniform" or self.centred:
            candidates, kept = self.candidates(), self.kept(masks)
            if source_law(self.law).prunes and (kept & (candidates == 0)).any():
                raise InputError(f"{self.tensor}: a number is kept that the law {self.law} pruned from the start")
            return np.where(kept, candidates, -candidates if self.centred else 0.0).sum(axis=2) * self.gain
        found = np.empty((len(self.inputs), len(self.pairs)))
        _kernels.add_kept(*self._random, masks[self.tensor], *self.bit_places, found)
        return found * self.gain

    def chosen(self, candidates: Float64[np.ndarray, "slot w n"], packed: Packed) -> Float64[np.ndarray, "slot w"]:
        """The same from the candidates themselves, and masks whose bit k keeps candidate k."""
        from slth.ticket.gadgets import _kernels

        rows = candidates.reshape(-1, candidates.shape[2])
        found = np.empty(len(rows))
        _kernels.add_chosen(rows, np.repeat(packed, len(self.pairs), axis=0) if self.shared else packed, found)
        if self.centred:
            found = 2 * found - rows.sum(axis=1)
        return found.reshape(candidates.shape[:2]) * self.gain

    def keep(self, packed: Packed, masks: Mapping[str, Bits]) -> None:
        """Write such masks into the packed masks of the map, whose bits are 0 so far."""
        from slth.ticket.gadgets import _kernels

        starts, columns = self.bit_places
        shape = len(self.inputs), self.count // len(self.inputs), packed.shape[1]
        _kernels.set_bits(packed.reshape(shape), starts[: shape[1]], columns, masks[self.tensor])

    def of_slots(self, slots: np.ndarray) -> "Problems":
        """The problems of some slots alone."""
        return replace(
            self,
            inputs=self.inputs[slots],
            columns=self.columns[slots],
            neurons=self.neurons[slots],
            factors=self.factors[slots],
        )

    def kept(self, masks: Mapping[str, Bits]) -> Bool[np.ndarray, "slot w n"]:
        """Which candidates the packed masks of the map keep."""
        from slth.ticket.gadgets import _kernels

        found = np.empty((len(self.inputs), len(self.pairs), self.columns.shape[1]), np.bool_)
        _kernels.read_bits(masks[self.tensor], *self.bit_places, found)
        return found

    def _check_sizes(self, masks: Mapping[str, Bits]) -> None:
        found = self.kept(masks).sum(axis=2)
        wrong = np.argwhere(found != self.size)
        if len(wrong):
            slot, w = wrong[0]
            row, tap = divmod(self.pairs[w], self.taps)
            what = "a bias" if self.half == "bias" else f"the {self.half} half of the weight from input"
            where = f"{what} {self.inputs[slot]}" if self.half != "bias" else what
            raise InputError(
                f"{self.tensor}, row {row}, tap {tap}, {where}: {found[slot, w]} candidates are kept, where the ticket "
                f"says that each keeps exactly {self.size}"
            )

    def write(self, kept: Bool[np.ndarray, "slot w n"], masks: Mapping[str, Bits]) -> None:
        """The inverse of `kept`, over what stands there. For a few problems: some bytes of memory for each bit."""
        starts, columns = self.bit_places
        far = starts < 0  # (pair,)
        own = np.where(far[:, None], columns[1][:, None], columns[0][:, None])  # (slot, pair, n)
        at = np.where(far, ~starts, starts)[:, None] + own
        bits, one = masks[self.tensor], np.uint8(1) << (at & 7).astype(np.uint8)
        np.bitwise_and.at(bits, at >> 3, ~one)
        np.bitwise_or.at(bits, at >> 3, one * kept)

    def targets(self, wanted: Realised) -> Float64[np.ndarray, "slot w"]:
        """What each subset must sum to, before the gain: the coefficients wanted of this stage."""
        return self.read(wanted) / self.gain

    def read(self, part: Realised) -> Float64[np.ndarray, "slot w"]:
        """The coefficients that the block speaks of, of the halves of a map."""
        rows = slice(self.rows.start, self.rows.stop)
        if self.half == "bias":
            return _of(part.bias).reshape(-1, self.places.rows)[self.inputs, rows]
        half = _of(part.negative) if self.half == "negative" else part.positive
        return half[rows, self._columns].transpose(1, 0, 2).reshape(len(self.inputs), -1)

    def add(self, sums: Float64[np.ndarray, "slot w"], part: Realised) -> None:
        """Add such coefficients to those of a map, in place. Adding −sums to what is wanted is exact: see `Gadget`."""
        rows = slice(self.rows.start, self.rows.stop)
        if self.half == "bias":
            _of(part.bias).reshape(-1, self.places.rows)[self.inputs, rows] += sums
            return
        half = _of(part.negative) if self.half == "negative" else part.positive
        by_row = sums.reshape(len(sums), len(self.rows), -1).transpose(1, 0, 2)
        half[rows, self._columns] += by_row
        if self.half == "whole" and part.negative is not None:
            signed = part.signed[self.inputs]
            part.negative[rows, self.inputs[signed]] -= by_row[:, signed]

    @property
    def _columns(self) -> slice | np.ndarray:
        """Where the inputs stand in an array of coefficients; a slice, which copies nothing, if they are neighbours."""
        first, count = int(self.inputs[0]), len(self.inputs)
        neighbours = np.array_equal(self.inputs, np.arange(first, first + count))
        return slice(first, first + count) if neighbours else self.inputs

    def _check_kept(self, masks: Mapping[str, Bits]) -> None:
        most = int(self.kept(masks).sum(axis=2).max(initial=0))
        if most > self.most_kept:
            raise InputError(
                f"{self.tensor}: the mask keeps {most} candidates of a coefficient; its gadget allows {self.most_kept}"
            )

    @property
    def _random(self) -> tuple[np.ndarray, np.ndarray, int, int, int, np.ndarray]:
        """What the kernels need to know of the random numbers."""
        key = np.array(self.mixing.key, np.uint32)
        return self.neurons, self.factors, self.places.rows * self.taps, self.pairs.start, self.pairs.step, key

    @property
    def bit_places(self) -> tuple[np.ndarray, np.ndarray]:
        """What kernels need to know of the mask: where each pair starts, and where its candidates stand from there."""
        if self.shared:
            return np.zeros(len(self.pairs), np.int64), np.stack([self.columns, self.columns])
        far = self.columns if self.taps == 1 else self.columns - self.places.before[self.columns]
        return self.places.starts(self.pairs), np.stack([self.columns, far])


def _of(array: np.ndarray | None) -> np.ndarray:
    """An array that is there."""
    assert array is not None
    return array
