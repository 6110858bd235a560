r"""Plain random weights: between an input and an output run parallel edges, of which some are kept. No lift.

    y_r = g Σ_j Σ_k m v[k, j, r] x_j + g_b Σ_k m v[k, r]

The network that is pruned is linear: every input, and the constant 1, n times beside each other, and one random matrix.
One problem serves both signs of an input, P = −N = W. Two theorems ask for less than the two-layer gadget does:

    plain           any subset of the edges: what the subset-sum theorems are about, and the experiment of Pensia et al.
                    (2020) with one set of numbers for each weight
    single-plain    at most one edge: the naive way, a random weight that happens to be near, n ~ 1/τ
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Bool

from slth._shapes import Bits
from slth.graph import Linear
from slth.ticket.buffers import ones
from slth.ticket.gadgets.blocks import Columns, Slots
from slth.ticket.gadgets.gadget import Cost
from slth.ticket.gadgets.lift import MOST_CANDIDATES
from slth.ticket.gadgets.problems import Problems
from slth.ticket.tensors import RandomTensor


@dataclass(frozen=True, slots=True)
class Edges:
    """The random network of one map; abstract: a final class says how many edges of a coefficient may be kept."""

    candidates: int  # n, edges from each input to each output
    constants: int  # n_c, edges from the constant; 0 without a bias
    signed_ranges: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative
    gain: float  # g
    bias_gain: float  # g_b

    most_kept: ClassVar[int] = MOST_CANDIDATES

    @property
    def linear(self) -> bool:
        """P and N are both there."""
        return False

    @property
    def stage_count(self) -> int:
        """One."""
        return 1

    @property
    def neurons(self) -> int:
        """Inputs beside each other, the longest row of them: all of them linear."""
        return max(self.candidates, self.constants)

    def fitted(self, path: str, op: Linear, seed: int) -> Self:
        """No scan: the same."""
        return self

    def live(self, op: Linear, *, stage: int = 0) -> int:
        """Copies of inputs and of the constant."""
        return self.candidates * op.basis.inputs + self.constants * self._constant_slots(op)

    def signed(self, op: Linear) -> Bool[np.ndarray, " inp"]:
        """Inputs that can be negative."""
        found = np.zeros(op.basis.inputs, np.bool_)
        for start, stop in self.signed_ranges:
            found[start:stop] = True
        return found

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """One: copy k of slot s, the inputs and then the constant of each group, is row k · slots + s."""
        rows, _, taps = op.coefficients
        return (RandomTensor(f"{path}/mixing", (self.neurons * self._slots(op), rows, taps), "uniform", kept=0),)

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """Nothing is scanned."""

    def mask_bits(self, path: str, op: Linear) -> dict[str, int]:
        """One per (row, tap, copy); of copies of a constant at tap 0 only."""
        return {f"{path}/mixing": self._columns(op).bits}

    def entries(self, path: str, op: Linear, masks: Mapping[str, Bits]) -> dict[str, int]:
        """Of the edges one for each set bit."""
        return {tensor: ones(masks[tensor]) for tensor in self.mask_bits(path, op)}

    def cost(self, op: Linear) -> Cost:
        """One problem for both signs of an input."""
        constants = self._constant_slots(op)
        found = self._columns(op).cost(input_slots=op.basis.inputs, constant_slots=constants)
        rows, _, taps = op.coefficients
        signed = int(self.signed(op).sum())
        return Cost(
            found.mask_bits, found.coefficients + rows * taps * signed, found.problems, found.live, found.memory
        )

    def problems(self, path: str, op: Linear, seed: int, *, stage: int | None = None) -> Iterator[Problems]:
        """The weights, then the bias."""
        copies, inputs = self._copies(op), op.basis.inputs
        columns = np.full((self.neurons, self._slots(op)), -1)
        columns[copies // self._slots(op), copies % self._slots(op)] = np.arange(len(copies))
        groups = np.arange(self._constant_slots(op))
        parts = (
            self._part("whole", np.arange(inputs), columns[: self.candidates, :inputs], 0, op),
            self._part("bias", groups, columns[: self.constants, inputs:], inputs, op),
        )
        mixed = f"{path}/mixing"
        yield from self._columns(op).blocks(parts, mixed, seed, law="uniform", most_kept=self.most_kept)

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """One row per (row, tap), one column per copy."""
        return self._columns(op).mask(bits)

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"], stage: int = 0) -> Bits:
        """The inverse of `mask`."""
        return self._columns(op).pack(mask)

    def copies(self, op: Linear) -> tuple[np.ndarray, np.ndarray]:
        """Of each column the row of the random matrix, and the slot: an input, or inputs + a group."""
        found = self._copies(op)
        return found, found % self._slots(op)

    def _part(self, half: str, inputs: np.ndarray, columns: np.ndarray, first: int, op: Linear) -> Slots:
        rows = np.arange(len(columns))[:, None] * self._slots(op) + first + np.arange(columns.shape[1])
        gain = self.bias_gain if half == "bias" else self.gain
        own = np.ascontiguousarray(columns.T), np.ascontiguousarray(rows.T)
        return Slots("bias" if half == "bias" else "whole", inputs, *own, np.ones(own[0].shape), gain)

    def _constant_slots(self, op: Linear) -> int:
        return op.basis.groups if self.constants else 0

    def _slots(self, op: Linear) -> int:
        return op.basis.inputs + self._constant_slots(op)

    def _copies(self, op: Linear) -> np.ndarray:
        """Rows of the random matrix that serve, ascending."""
        need = np.full(self._slots(op), self.candidates)
        need[op.basis.inputs :] = self.constants
        return np.flatnonzero((np.arange(self.neurons)[:, None] < need).reshape(-1))

    def _columns(self, op: Linear) -> Columns:
        rows, _, taps = op.coefficients
        return Columns(rows, taps, self._copies(op) % self._slots(op) >= op.basis.inputs)


@dataclass(frozen=True, slots=True)
class Plain(Edges):
    """Any subset of the parallel edges of a coefficient."""

    kind: ClassVar[str] = "plain"


@dataclass(frozen=True, slots=True)
class SinglePlain(Edges):
    """At most one of them."""

    kind: ClassVar[str] = "single-plain"
    most_kept: ClassVar[int] = 1
