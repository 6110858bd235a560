"""Gadgets that are two random layers with a law, a width and a rule of their own: what they share with `TwoLayer`.

Abstract: a final class says its kind, its law, and how many candidates of a coefficient may be kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from jaxtyping import Bool

from slth._shapes import Bits
from slth.graph import Linear
from slth.ticket.gadgets.gadget import Cost, packed_memory
from slth.ticket.gadgets.problems import Problems
from slth.ticket.gadgets.two_layer import Stage, TwoLayer
from slth.ticket.tensors import RandomTensor

MOST_LONG = 1 << 16  # candidates of a coefficient where no subset of them is searched


@dataclass(frozen=True, slots=True)
class Lifted:
    """The random network of one map: a lift and a mixing layer."""

    candidates: int  # n, neurons wanted for each half of an input
    constants: int  # n_c, neurons wanted for the bias; 0 without one
    neurons: int  # H, width of the random lift
    signed_ranges: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative
    gain: float  # g
    bias_gain: float  # g_b

    most_kept: ClassVar[int] = MOST_LONG  # candidates of one coefficient

    @property
    def law(self) -> str:
        """Of u, β and v."""
        return "uniform"

    @property
    def two_layer(self) -> TwoLayer:
        """The same random network, of which any subset may be kept."""
        stage = Stage(self.candidates, self.constants, self.neurons, self.gain, self.bias_gain)
        return TwoLayer((stage,), self.signed_ranges, law=self.law)

    @property
    def linear(self) -> bool:
        """P and N are both there."""
        return False

    @property
    def stage_count(self) -> int:
        """One."""
        return 1

    def fitted(self, path: str, op: Linear, seed: int) -> Self:
        """The same with the width at which the scan of this seed ends."""
        return replace(self, neurons=self.two_layer.fitted(path, op, seed).neurons)

    def narrowest(self, op: Linear) -> Self:
        """The same as narrow as it can be: dead neurons, which depend on the seed, are not counted."""
        return replace(self, neurons=self.live(op))

    def live(self, op: Linear, *, stage: int = 0) -> int:
        """Neurons that serve an input or the constant."""
        return self.two_layer.live(op, stage=stage)

    def signed(self, op: Linear) -> Bool[np.ndarray, " inp"]:
        """Inputs that can be negative."""
        return self.two_layer.signed(op)

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """Lift, its biases, mixing layer."""
        return self.two_layer.tensors(path, op)

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """The scan must end exactly at the stated width."""
        self.two_layer.check_layout(path, op, seed)

    def mask_bits(self, path: str, op: Linear) -> dict[str, int]:
        """One per (row, tap, live neuron); of neurons that serve a constant at tap 0 only."""
        return self.two_layer.mask_bits(path, op)

    def entries(self, path: str, op: Linear, masks: Mapping[str, Bits]) -> dict[str, int]:
        """Of the mixing layer one for each set bit."""
        return self.two_layer.entries(path, op, masks)

    def cost(self, op: Linear) -> Cost:
        """As of two layers, whose masks stay packed."""
        found = self.two_layer.cost(op)
        return replace(found, memory=packed_memory(found.mask_bits, live=found.live, problems=found.problems))

    def problems(self, path: str, op: Linear, seed: int, *, stage: int | None = None) -> Iterator[Problems]:
        """Those of two layers, with the rule of how many may be kept."""
        for block in self.two_layer.problems(path, op, seed, stage=stage):
            yield replace(block, most_kept=self.most_kept)

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """One row per (row, tap), one column per live neuron."""
        return self.two_layer.mask(path, op, seed=seed, bits=bits, stage=stage)

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"], stage: int = 0) -> Bits:
        """The inverse of `mask`."""
        return self.two_layer.pack(path, op, seed=seed, mask=mask, stage=stage)
