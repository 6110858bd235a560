r"""A weight is written in binary: a deep ±1 network holds 2ᵏ times every input, and a last ±1 matrix picks the digits.

Sreenivasan, Rajput, Sohn and Papailiopoulos (2022), with biases and signed inputs, dense maps alone. All masks but the
last follow from the seed (see `levels`); of the last, with p levels of c copies for each slot,

    P[r, j] = g Σ_k 2^(k−p) Σ_i m v,  v = ±1        |w − P| ≤ g 2^(−p−1) for the nearest sum of digits

p + 1 matrices for one of the target, whose entries grow like (c p d)²: for small layers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Bool

from slth._errors import InputError
from slth._shapes import Bits
from slth.graph import Linear
from slth.numerics import Stream
from slth.ticket.buffers import ones
from slth.ticket.gadgets.blocks import Columns, Slots
from slth.ticket.gadgets.gadget import Cost
from slth.ticket.gadgets.levels import Layer, first_layer, grow
from slth.ticket.gadgets.lift import Lift, LiftSpec, scan
from slth.ticket.gadgets.problems import Half, Problems
from slth.ticket.tensors import RandomTensor

MOST_ENTRIES = 1 << 32  # of the random matrices of one map


@dataclass(frozen=True, slots=True)
class Doubling:
    """The random network of one map."""

    copies: int  # c of every level of a slot
    digits: int  # p
    widths: tuple[int, ...]  # of the p hidden layers, dead neurons included
    signed_ranges: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative
    gain: float  # g, above every |w|
    bias_gain: float  # g_b, above every |b|

    kind: ClassVar[str] = "doubling"

    @property
    def linear(self) -> bool:
        """P and N are both there."""
        return False

    @property
    def stage_count(self) -> int:
        """One."""
        return 1

    @property
    def candidates(self) -> int:
        """Copies of all levels."""
        return self.copies * self.digits

    @property
    def neurons(self) -> int:
        """Of all hidden layers."""
        return sum(self.widths)

    def lift_spec(self, op: Linear) -> LiftSpec:
        """What the scan of the first layer needs to know."""
        return LiftSpec(op.basis.inputs, self.copies, self.copies if op.bias else 0, self.signed_ranges, law="sign")

    def lift(self, path: str, op: Linear, seed: int) -> Lift:
        """The first layer, scanned again from the seed."""
        return scan(self.lift_spec(op), seed, path, most=self.widths[0] or 2**62)

    def layers(self, path: str, op: Linear, seed: int) -> list[Layer]:
        """All hidden layers, scanned again from the seed."""
        lift = self.lift(path, op, seed)
        found = [first_layer(lift.neurons, lift.neuron[lift.by_slot].reshape(-1, self.copies))]
        for t in range(1, self.digits):
            found.append(grow(found[-1], Stream(seed, f"{path}/levels/{t}")))
        return found

    def fitted(self, path: str, op: Linear, seed: int) -> "Doubling":
        """The same with the widths at which the scans of this seed end."""
        free = replace(self, widths=(0,) * self.digits)
        return replace(self, widths=tuple(layer.neurons for layer in free.layers(path, op, seed)))

    def narrowest(self, op: Linear) -> "Doubling":
        """The same as narrow as it can be: dead neurons, which depend on the seed, are not counted."""
        served = self.copies * self.lift_spec(op).slots
        return replace(self, widths=tuple(served * t for t in range(1, self.digits + 1)))

    def live(self, op: Linear, *, stage: int = 0) -> int:
        """Copies of all levels of all slots in the last hidden layer."""
        return self.candidates * self.lift_spec(op).slots

    def signed(self, op: Linear) -> Bool[np.ndarray, " inp"]:
        """Inputs that can be negative."""
        return self.lift_spec(op).signed_mask

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """Lift, its biases, matrices between hidden layers, the last one; all but the last keep what a scan says."""
        spec, (rows, inputs, _) = self.lift_spec(op), op.coefficients
        constants = spec.constants * spec.constant_slots
        found = [RandomTensor(f"{path}/lift", (self.widths[0], inputs), "sign", kept=spec.live - constants)]
        if constants:
            found.append(RandomTensor(f"{path}/lift_bias", (self.widths[0],), "sign", kept=constants))
        for t in range(1, self.digits):
            shape = self.widths[t], self.widths[t - 1]
            found.append(RandomTensor(f"{path}/levels/{t}", shape, "sign", kept=spec.live * (t + 2)))
        return (*found, RandomTensor(f"{path}/mixing", (self.widths[-1], rows, 1), "sign", kept=0))

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """Every scan must end exactly at its stated width."""
        found = self.fitted(path, op, seed).widths
        if found != self.widths:
            raise InputError(f"{path}: the scans end after {found} neurons, the ticket says {self.widths}")

    def mask_bits(self, path: str, op: Linear) -> dict[str, int]:
        """Of the last matrix, one per row and copy."""
        return {f"{path}/mixing": op.coefficients[0] * self.live(op)}

    def entries(self, path: str, op: Linear, masks: Mapping[str, Bits]) -> dict[str, int]:
        """Of the last matrix one for each set bit."""
        return {tensor: ones(masks[tensor]) for tensor in self.mask_bits(path, op)}

    def cost(self, op: Linear) -> Cost:
        """As of two layers; a reader scans all hidden ones."""
        spec = self.lift_spec(op)
        found = self._columns(op).cost(input_slots=spec.input_slots, constant_slots=spec.constant_slots)
        return replace(found, memory=found.memory + 64 * self.copies * self.live(op))

    def problems(self, path: str, op: Linear, seed: int, *, stage: int | None = None) -> Iterator[Problems]:
        """Positive halves, negative halves, bias."""
        spec, served = self.lift_spec(op), self.layers(path, op, seed)[-1].neuron  # (level, slot, copy)
        columns = np.arange(served.size).reshape(served.shape)
        shape = spec.slots, self.candidates
        neurons, places = (part.transpose(1, 0, 2).reshape(shape) for part in (served, columns))
        factor = np.tile(np.repeat(2.0 ** np.arange(-self.digits, 0), self.copies), (spec.slots, 1))
        inputs, slots = spec.inputs, spec.input_slots
        halves: tuple[tuple[Half, int, int], ...] = (
            ("positive", 0, inputs),
            ("negative", inputs, slots),
            ("bias", slots, spec.slots),
        )
        of = np.concatenate([np.arange(inputs), spec.signed_inputs, np.zeros(spec.constant_slots, np.int64)])
        parts = tuple(
            Slots(
                half,
                of[start:stop],
                places[start:stop],
                neurons[start:stop],
                factor[start:stop],
                self.bias_gain if half == "bias" else self.gain,
            )
            for half, start, stop in halves
        )
        yield from self._columns(op).blocks(parts, f"{path}/mixing", seed, law="sign", most_kept=self.candidates)

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """One row per output, one column per copy."""
        return self._columns(op).mask(bits)

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"], stage: int = 0) -> Bits:
        """The inverse of `mask`."""
        return self._columns(op).pack(mask)

    def _columns(self, op: Linear) -> Columns:
        return Columns(op.coefficients[0], 1, np.zeros(self.live(op), np.bool_))
