r"""Two random layers for one map, pruned by whole neurons: a bit keeps or removes all that a neuron gives.

da Cunha, d'Amore and Natale (2023), blocked. The outputs are split into groups of s, the last one perhaps smaller. A
live neuron of the lift (see `lift`) serves one slot, an input and a sign or the constant, and one group q of outputs;
with u ≥ ½ its value, m its bit and v its mixing weights to the outputs of the group, one for each tap,

    P[r, j, t] = g Σ m u v[r, t]        for all r of group q and all taps t, with the same m.

So a problem is a subset sum of vectors: |q| · taps numbers at once, in the largest coordinate. A removed neuron is gone
with every edge it has: what stays is a smaller pair of layers. That a neuron serves one group only is no removal: it
makes the mixing layer *grouped*, block-diagonal after its neurons are sorted. With s = 1 and one tap this is
`two_layer` with neurons of its own for each output; with one group of all outputs it is the theorem's.

A neuron of the constant serves tap 0 alone, as in `two_layer`. All entries are U[−1, 1), gains are powers of two.

Slots in order: (j, +) for every input, (j, −) for the signed ones, the constant. Neurons that serve a slot, ascending:
the first n are those of group 0, the next n those of group 1, ... A bit stands for each live neuron: slot outermost,
then group, then neuron; those of the constant last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Int64

from slth._errors import InputError
from slth._shapes import Bits
from slth.graph import Linear
from slth.numerics import Stream
from slth.ticket.gadgets.gadget import Cost
from slth.ticket.gadgets.lift import Lift, LiftSpec, scan
from slth.ticket.gadgets.problems import Half, Places, Problems
from slth.ticket.tensors import RandomTensor

MOST_COORDINATES = 9  # numbers that one neuron gives, s · taps, at most: so many are solved
_BLOCK = 1 << 18  # products formed at a time


@dataclass(frozen=True, slots=True)
class Neurons:
    """The random network of one map."""

    group_size: int  # s, outputs that one neuron serves
    candidates: int  # n, neurons wanted for each half of an input and each group of outputs
    constants: int  # n_c, neurons wanted for the bias of each group; 0 without one
    neurons: int  # H, width of the random lift
    gain: float  # g
    bias_gain: float  # g_b
    signed_ranges: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative

    kind: ClassVar[str] = "neurons"

    @property
    def linear(self) -> bool:
        """P and N are both there."""
        return False

    @property
    def stage_count(self) -> int:
        """One."""
        return 1

    def group_count(self, op: Linear) -> int:
        """Groups of outputs."""
        return -(-op.coefficients[0] // self.group_size)

    def rows(self, op: Linear, group: int) -> range:
        """The outputs of a group."""
        return range(group * self.group_size, min((group + 1) * self.group_size, op.coefficients[0]))

    def lift_spec(self, op: Linear) -> LiftSpec:
        """What the scan needs to know: neurons of all groups for every slot."""
        groups = self.group_count(op)
        return LiftSpec(op.basis.inputs, self.candidates * groups, self.constants * groups, self.signed_ranges)

    def lift(self, path: str, op: Linear, seed: int) -> Lift:
        """The lift, scanned again from the seed."""
        return scan(self.lift_spec(op), seed, path, most=self.neurons)

    def ranks(self, op: Linear, lift: Lift) -> Int64[np.ndarray, " live"]:
        """The rank of each bit's neuron among the live ones."""
        constant = lift.constant_members.reshape(-1)[: self.constants * self.group_count(op)]
        return np.concatenate([lift.members(slice(None)).reshape(-1), constant])

    def fitted(self, path: str, op: Linear, seed: int) -> "Neurons":
        """The same with the width at which the scan of this seed ends."""
        return replace(self, neurons=scan(self.lift_spec(op), seed, path).neurons)

    def narrowest(self, op: Linear) -> "Neurons":
        """The same as narrow as it can be: dead neurons, which depend on the seed, are not counted."""
        return replace(self, neurons=self.live(op))

    def live(self, op: Linear, *, stage: int = 0) -> int:
        """Neurons that serve a slot and a group: bits of the mask."""
        return self.lift_spec(op).live

    def signed(self, op: Linear) -> Bool[np.ndarray, " inp"]:
        """Inputs that can be negative."""
        return self.lift_spec(op).signed_mask

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """The random tensors, neuron-major, as those of `two_layer`; what is kept of each follows from the mask."""
        rows, inputs, taps = op.coefficients
        lift = RandomTensor(f"{path}/lift", (self.neurons, inputs), "uniform")
        bias = RandomTensor(f"{path}/lift_bias", (self.neurons,), "uniform")
        mixing = RandomTensor(f"{path}/mixing", (self.neurons, rows, taps), "uniform")
        return (lift, bias, mixing) if self.constants else (lift, mixing)

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """The scan must end exactly at the stated width."""
        found = self.lift(path, op, seed).neurons
        if found != self.neurons:
            raise InputError(f"{path}: the scan ends after {found} neurons, the ticket says {self.neurons}")

    def mask_bits(self, path: str, op: Linear) -> dict[str, int]:
        """One bit for each live neuron."""
        return {f"{path}/mixing": self.live(op)}

    def entries(self, path: str, op: Linear, masks: Mapping[str, Bits]) -> dict[str, int]:
        """Those of the neurons kept: one of the lift, and in the mixing layer their group, at all taps or tap 0."""
        bits = masks[f"{path}/mixing"]
        found = np.flatnonzero(self._flat(op, bits))
        last = len(self.rows(op, self.group_count(op) - 1))  # rows of the last group
        rows = np.where(self.groups(op)[found] == self.group_count(op) - 1, last, self.group_size)
        served = int(np.count_nonzero(found < self._served(op)))
        mixing = int(rows[:served].sum()) * op.basis.taps + int(rows[served:].sum())
        constant = {f"{path}/lift_bias": len(found) - served} if self.constants else {}
        return {f"{path}/lift": served, **constant, f"{path}/mixing": mixing}

    def groups(self, op: Linear) -> Int64[np.ndarray, " live"]:
        """The group of outputs of each bit's neuron."""
        every = np.arange(self.group_count(op))
        served = np.tile(np.repeat(every, self.candidates), self.lift_spec(op).input_slots)
        return np.concatenate([served, np.repeat(every, self.constants)])

    def kept(self, op: Linear, bits: Bits) -> Int64[np.ndarray, " kept"]:
        """The set bits, those of one group of outputs together."""
        found = np.flatnonzero(self._flat(op, bits))
        return found[np.argsort(self.groups(op)[found], kind="stable")]

    def stored(self, op: Linear, some: Int64[np.ndarray, " some"]) -> Bool[np.ndarray, "w some"]:
        """Entries of the mixing layer that the neurons of some bits have, a row for each (row, tap)."""
        rows, _, taps = op.coefficients
        own = np.arange(rows)[:, None] // self.group_size == self.groups(op)[some]
        stored = np.repeat(own[:, None], taps, axis=1)
        stored[:, 1:, some >= self._served(op)] = False
        return stored.reshape(rows * taps, -1)

    def cost(self, op: Linear) -> Cost:
        """A bit a neuron, a problem for each slot and group."""
        spec, groups, (rows, _, taps) = self.lift_spec(op), self.group_count(op), op.coefficients
        slots = spec.input_slots + (1 if self.constants else 0)
        wide = self.group_size * taps * max(self.candidates, self.constants)
        coefficients = rows * taps * spec.input_slots
        memory = 64 * spec.live + 20 * coefficients + 32 * rows + 32 * wide
        return Cost(spec.live, coefficients, slots * groups, spec.live, memory)

    def problems(self, path: str, op: Linear, seed: int, *, stage: int | None = None) -> Iterator[Problems]:
        """Positive halves, negative halves, bias; in each the groups one after another, and of them some inputs."""
        lift, groups, inputs, taps = self.lift(path, op, seed), self.group_count(op), op.basis.inputs, op.basis.taps
        slots = np.concatenate([np.arange(inputs), lift.spec.signed_inputs])  # input of each slot
        ranks, every = self.ranks(op, lift), np.arange(self.live(op))
        served = every[: self._served(op)].reshape(-1, groups, self.candidates)
        constant = every[self._served(op) :].reshape(1, groups, self.constants)
        halves: tuple[tuple[Half, np.ndarray, np.ndarray, float], ...] = (
            ("positive", slots[:inputs], served[:inputs], self.gain),
            ("negative", slots[inputs:], served[inputs:], self.gain),
            ("bias", np.zeros(int(op.bias), np.int64), constant, self.bias_gain),
        )
        for half, own, columns, gain in halves:
            wide = max(1, _BLOCK // (self.group_size * taps * max(columns.shape[2], 1)))
            for q in range(groups):
                for start in range(0, len(own), wide):
                    some = columns[start : start + wide, q]
                    yield Problems(
                        half,
                        0,
                        f"{path}/mixing",
                        own[start : start + wide],
                        self.rows(op, q),
                        some,
                        lift.neuron[ranks[some]],
                        lift.value[ranks[some]],
                        Stream(seed, f"{path}/mixing"),
                        gain,
                        Places(op.coefficients[0], taps, np.zeros(0, np.int64), 0),
                        shared=True,
                    )

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """One row per (row, tap), one column per bit: what the mixing layer keeps, off-block entries not."""
        return self.stored(op, np.arange(self.live(op))) & self._flat(op, bits)

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"], stage: int = 0) -> Bits:
        """A neuron is kept that has an edge; least significant bit first, zero padding."""
        return np.packbits(mask.any(axis=0), bitorder="little")

    def _flat(self, op: Linear, bits: Bits) -> Bool[np.ndarray, " live"]:
        return np.unpackbits(bits, count=self.live(op), bitorder="little").view(np.bool_)

    def _served(self, op: Linear) -> int:
        """How many bits are those of inputs, before those of the constant."""
        return self.candidates * self.group_count(op) * self.lift_spec(op).input_slots
