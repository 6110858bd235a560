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

from collections.abc import Iterator
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
from slth.ticket.gadgets.problems import Half, Problems
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

    def members(self, op: Linear, lift: Lift) -> tuple[Int64[np.ndarray, "slot group n"], Int64[np.ndarray, "group n"]]:
        """Ranks among the live neurons, by what they serve: inputs of both signs, and the constant."""
        groups = self.group_count(op)
        served = lift.members(slice(None)).reshape(-1, groups, self.candidates)
        constant = lift.constant_members.reshape(-1)[: self.constants * groups]
        return served, constant.reshape(groups, self.constants)

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
        """The random tensors, neuron-major, as those of `two_layer`; off-block entries are pruned ones."""
        spec, (rows, inputs, taps) = self.lift_spec(op), op.coefficients
        lift = RandomTensor(f"{path}/lift", (self.neurons, inputs), "uniform", kept=spec.live - spec.constants)
        bias = RandomTensor(f"{path}/lift_bias", (self.neurons,), "uniform", kept=spec.constants)
        mixing = RandomTensor(f"{path}/mixing", (self.neurons, rows, taps), "uniform", kept=0)
        return (lift, bias, mixing) if self.constants else (lift, mixing)

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """The scan must end exactly at the stated width."""
        found = self.lift(path, op, seed).neurons
        if found != self.neurons:
            raise InputError(f"{path}: the scan ends after {found} neurons, the ticket says {self.neurons}")

    def mask_bits(self, path: str, op: Linear) -> dict[str, int]:
        """One bit for each live neuron."""
        return {f"{path}/mixing": self.live(op)}

    def entries(self, op: Linear, bits: Bits, *, stage: int = 0) -> int:
        """Entries of the mixing layer that the neurons kept have: those of their group, all taps or tap 0."""
        return int(self.widths(op)[self._flat(op, bits)].sum())

    def widths(self, op: Linear) -> Int64[np.ndarray, " live"]:
        """How many entries of the mixing layer each bit stands for."""
        spec, groups = self.lift_spec(op), self.group_count(op)
        rows = np.array([len(self.rows(op, q)) for q in range(groups)])
        served = np.tile(np.repeat(rows * op.basis.taps, self.candidates), spec.input_slots)
        return np.concatenate([served, np.repeat(rows, self.constants)])

    def cost(self, op: Linear) -> Cost:
        """A bit a neuron, a problem for each slot and group."""
        spec, groups, (rows, _, taps) = self.lift_spec(op), self.group_count(op), op.coefficients
        slots = spec.input_slots + (1 if self.constants else 0)
        wide = self.group_size * taps * self.candidates
        coefficients = rows * taps * spec.input_slots
        memory = 80 * spec.live + 64 * coefficients + 64 * rows + 32 * wide
        return Cost(spec.live, coefficients, slots * groups, spec.live, memory)

    def problems(self, path: str, op: Linear, seed: int, *, stage: int | None = None) -> Iterator[Problems]:
        """Positive halves, negative halves, bias; in each the groups one after another, and of them some inputs."""
        lift, groups, inputs, taps = self.lift(path, op, seed), self.group_count(op), op.basis.inputs, op.basis.taps
        served, constant = self.members(op, lift)
        slots = np.concatenate([np.arange(inputs), lift.spec.signed_inputs])  # input of each slot
        bits = np.arange(served.size).reshape(served.shape)
        halves: tuple[tuple[Half, np.ndarray, np.ndarray, np.ndarray, float], ...] = (
            ("positive", slots[:inputs], served[:inputs], bits[:inputs], self.gain),
            ("negative", slots[inputs:], served[inputs:], bits[inputs:], self.gain),
            ("bias", np.zeros(1, np.int64), constant[None], bits.size + np.arange(constant.size), self.bias_gain),
        )
        for half, own, members, columns, gain in halves:
            if not members.size:
                continue
            columns = columns.reshape(members.shape)
            wide = max(1, _BLOCK // (self.group_size * taps * members.shape[2]))
            for q in range(groups):
                for start in range(0, len(own), wide):
                    some = slice(start, start + wide)
                    yield Problems(
                        half,
                        0,
                        f"{path}/mixing",
                        own[some],
                        self.rows(op, q),
                        columns[some, q],
                        lift.neuron[members[some, q]],
                        lift.value[members[some, q]],
                        Stream(seed, f"{path}/mixing"),
                        gain,
                        Shared(op.coefficients[0], taps),
                    )

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """One row per (row, tap), one column per bit: what the mixing layer keeps, off-block entries not."""
        return self._stored(op) & self._flat(op, bits)

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"], stage: int = 0) -> Bits:
        """A neuron is kept that has an edge; least significant bit first, zero padding."""
        return np.packbits(mask.any(axis=0), bitorder="little")

    def _flat(self, op: Linear, bits: Bits) -> Bool[np.ndarray, " live"]:
        return np.unpackbits(bits, count=self.live(op), bitorder="little").view(np.bool_)

    def _stored(self, op: Linear) -> Bool[np.ndarray, "w live"]:
        """Entries of the mixing layer that a live neuron has."""
        groups, (rows, _, taps) = self.group_count(op), op.coefficients
        group = np.arange(rows) // self.group_size
        served = np.tile(np.repeat(np.arange(groups), self.candidates), self.lift_spec(op).input_slots)
        constant = np.repeat(np.arange(groups), self.constants)
        stored = np.repeat(group[:, None] == np.concatenate([served, constant]), taps, axis=0)
        if self.constants:
            stored.reshape(rows, taps, -1)[:, 1:, len(served) :] = False
        return stored
