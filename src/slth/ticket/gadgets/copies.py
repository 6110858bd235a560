r"""One random layer for one map: plain random weights read the copies of each channel, which the layer before made.

Burkholz (2022), 2205.02321: every hidden channel is there in ρ copies, so a weight is a subset sum of the ρ weights
that read the copies of its input, with no lift between. A network of ℓ maps becomes ℓ + 1 random layers: only the
first map, whose input has no copies, has a lift (`two_layer`). Row r stands for one copy of an output, with candidates
of its own; m, v are mask bits and weights, x̂_jk is copy k of channel j:

    ŷ_r = Σ_jk g m v x̂_jk + b̂_r,        g Σ_k m v ≈ W[r, j, t],        b̂_r = g_b Σ_h m v β_h

Copies err apart, so what is realised is a coefficient for each of them: P[r, (j, k), t] = g m v. It is linear whatever
the signs of x̂: N = −P. Weights and β are U[−1, 1), gains are powers of two, the sums are exact.

Where we differ from the paper, which propagates a constant 1 through all layers by subset sums of their own: here the
constants of a layer are neurons beside its channels that keep nothing but their random bias β ≥ ½, as those of a lift
do. So no error of a constant propagates, and all sums stay exact. They go around pools, skips and padding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float64

from slth._errors import InputError
from slth._shapes import Bits
from slth.graph import Linear, Realised
from slth.numerics import Stream
from slth.ticket.buffers import ones
from slth.ticket.gadgets.gadget import Cost
from slth.ticket.gadgets.lift import Lift, LiftSpec, scan
from slth.ticket.gadgets.problems import Packed, Places, Problems
from slth.ticket.tensors import RandomTensor

_BLOCK = 1 << 18  # weights drawn at a time
_PAIRS = 32  # (row, tap) pairs of a block, about; as in `two_layer`


@dataclass(frozen=True, slots=True)
class Copies:
    """The random weights of one map that reads copies."""

    copies: int  # ρ, of each channel: the candidates of a weight
    constants: int  # n_c, neurons that give the bias; 0 without one
    neurons: int  # H, random biases among which they are found; 0 without one
    signed_ranges: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative
    gain: float  # g
    bias_gain: float  # g_b

    kind: ClassVar[str] = "copies"

    @property
    def stage_count(self) -> int:
        """One."""
        return 1

    @property
    def candidates(self) -> int:
        """The copies."""
        return self.copies

    def lift(self, path: str, op: Linear, seed: int) -> Lift:
        """The neurons of the constant, for each group its own, scanned again from the seed."""
        return scan(self._constants(op), seed, path, most=self.neurons)

    def fitted(self, path: str, op: Linear, seed: int) -> "Copies":
        """The same with as many random biases as this seed needs for the constants."""
        return replace(self, neurons=scan(self._constants(op), seed, path).neurons if self.constants else 0)

    def narrowest(self, op: Linear) -> "Copies":
        """The same as if every random bias were large enough."""
        return replace(self, neurons=self._constants(op).live)

    def live(self, op: Linear, *, stage: int = 0) -> int:
        """Copies that are read, then neurons that serve the constant."""
        return op.basis.inputs + self._constants(op).live

    def signed(self, op: Linear) -> Bool[np.ndarray, " inp"]:
        """Copies that can be negative; the same weight reads them."""
        return LiftSpec(op.basis.inputs, 0, 0, self.signed_ranges).signed_mask

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """Neuron-major: copies of channels, then neurons of constants."""
        rows, inputs, taps = op.coefficients
        mixing = RandomTensor(f"{path}/mixing", (inputs + self.neurons, rows, taps), "uniform", kept=0)
        live = self._constants(op).live
        return (RandomTensor(f"{path}/lift_bias", (self.neurons,), "uniform", kept=live), mixing) if live else (mixing,)

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """The scan of the biases must end exactly at the stated width."""
        found = self.lift(path, op, seed).neurons if self.constants else 0
        if found != self.neurons:
            raise InputError(f"{path}: the scan ends after {found} neurons, the ticket says {self.neurons}")

    def mask_bits(self, path: str, op: Linear) -> dict[str, int]:
        """One per (row, tap, copy), and per (row, neuron of the constant)."""
        rows, inputs, taps = op.coefficients
        return {f"{path}/mixing": rows * (taps * inputs + self._constants(op).live)}

    def entries(self, path: str, op: Linear, masks: Mapping[str, Bits]) -> dict[str, int]:
        """Of the plain weights one for each set bit."""
        return {tensor: ones(masks[tensor]) for tensor in self.mask_bits(path, op)}

    def cost(self, op: Linear) -> Cost:
        """A coefficient for each copy; a subset sum for each channel."""
        rows, inputs, taps = op.coefficients
        bits = rows * (taps * inputs + self._constants(op).live)
        sums = rows * (taps * inputs // self.copies + self._constants(op).constant_slots)
        slot = rows * max(taps * self.copies, self.constants)
        signed = sum(stop - start for start, stop in self.signed_ranges)
        memory = 2 * bits + 64 * self.live(op) + 64 * sums + 32 * slot + 16 * rows * taps * inputs
        return Cost(bits, rows * taps * (inputs + signed), sums, self.live(op), memory)

    def problems(self, path: str, op: Linear, seed: int, *, stage: int | None = None) -> Iterator[Problems]:
        """Weights, then bias; in each some rows after others, and of them some channels."""
        rows, inputs, taps = op.coefficients
        tensor, channels = f"{path}/mixing", np.arange(inputs).reshape(-1, self.copies)
        live = self._constants(op).live
        places = Places(rows, taps, np.concatenate([np.zeros(inputs, np.int64), np.arange(live)]), live)
        mixing, high = Stream(seed, tensor), min(rows, max(1, _PAIRS // taps))
        wide = max(1, _BLOCK // (high * taps * self.copies))
        for first, start in product(range(0, rows, high), range(0, len(channels), wide)):
            own, some = channels[start : start + wide], range(first, min(first + high, rows))
            ones = np.ones(own.shape)
            yield CopiedProblems("positive", 0, tensor, own[:, 0], some, own, own, ones, mixing, self.gain, places)
        if not self.constants:
            return
        lift = self.lift(path, op, seed)
        columns, groups = inputs + lift.constant_members, np.arange(op.basis.groups)
        neurons, values = inputs + lift.neuron[lift.constant_members], lift.value[lift.constant_members]
        for first in range(0, rows, high):
            some, gain = range(first, min(first + high, rows)), self.bias_gain
            yield Problems("bias", 0, tensor, groups, some, columns, neurons, values, mixing, gain, places)

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """One row per (row, tap), one column per copy and constant; constants keep nothing beyond tap 0."""
        stored = self._stored(op)
        flat = np.unpackbits(bits, count=int(stored.sum()), bitorder="little").view(np.bool_)
        stored[stored] = flat
        return stored

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"], stage: int = 0) -> Bits:
        """Row outermost, then tap, then copies and constants; least significant bit first, zero padding."""
        return np.packbits(mask[self._stored(op)], bitorder="little")

    def _constants(self, op: Linear) -> LiftSpec:
        """A lift of nothing but constants."""
        return LiftSpec(0, 0, self.constants, (), op.basis.groups)

    def _stored(self, op: Linear) -> Bool[np.ndarray, "w live"]:
        rows, inputs, taps = op.coefficients
        stored = np.ones((rows, taps, self.live(op)), np.bool_)
        stored[:, 1:, inputs:] = False
        return stored.reshape(rows * taps, -1)


class CopiedProblems(Problems):
    """The same problems, whose candidates are coefficients: a slot is a channel, a candidate one of its copies.

    `inputs` names each channel by its first copy. Where inputs can be negative, there is no second half.
    """

    __slots__ = ()

    def sums(self, masks: Mapping[str, Bits]) -> Float64[np.ndarray, "copy w"]:
        """gain · kept · candidate of each copy."""
        return self._of_copies(self.candidates(), self.kept(masks))

    def chosen(self, candidates: Float64[np.ndarray, "slot w n"], packed: Packed) -> Float64[np.ndarray, "copy w"]:
        """The same from the candidates themselves, and masks whose bit k keeps candidate k."""
        bits = np.unpackbits(packed.astype("<u8", copy=False).view(np.uint8), axis=1, bitorder="little")
        return self._of_copies(candidates, bits[:, : candidates.shape[2]].reshape(candidates.shape))

    def read(self, part: Realised) -> Float64[np.ndarray, "slot w"]:
        """What all copies of a channel are to give together; exact where one of them alone is read, as by a target."""
        rows = slice(self.rows.start, self.rows.stop)
        return part.positive[rows][:, self.neurons].sum(axis=2).transpose(1, 0, 2).reshape(len(self.inputs), -1)

    def add(self, sums: Float64[np.ndarray, "copy w"], part: Realised) -> None:
        """Add such coefficients to those of a map, in place; N = −P where an input can be negative."""
        rows, copies = slice(self.rows.start, self.rows.stop), self.neurons.reshape(-1)
        own = sums.reshape(len(sums), len(self.rows), -1).transpose(1, 0, 2)
        part.positive[rows, copies] += own
        if part.negative is not None:
            part.negative[rows, copies] -= np.where(part.signed[copies][:, None], own, 0.0)

    def _of_copies(self, candidates: np.ndarray, kept: np.ndarray) -> Float64[np.ndarray, "copy w"]:
        own = np.where(kept, candidates * self.gain, 0.0)
        return own.transpose(0, 2, 1).reshape(self.neurons.size, -1)
