r"""What a gadget is: plain data in a ticket, from which anyone can list the subset-sum problems of a map.

The prover chooses, for every problem, which candidates are kept; the checker adds the same ones up; `show` takes one
problem apart. All of them walk through `Gadget.problems`, so none can see other numbers than the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from slth._shapes import Bits
from slth.graph import Linear
from slth.ticket.gadgets.problems import Problems
from slth.ticket.tensors import RandomTensor


@dataclass(frozen=True, slots=True)
class Cost:
    """What a gadget asks of a file and of its reader, known before anything is allocated."""

    mask_bits: int
    problems: int  # subset sums
    memory: int  # bytes that regenerating the map takes, at most


@runtime_checkable
class Gadget(Protocol):
    """Plain data; a scan, never a solver."""

    @property
    def candidates(self) -> int: ...  # random numbers of which the subset for one weight is chosen
    @property
    def neurons(self) -> int: ...  # hidden ones, dead ones included
    @property
    def gain(self) -> float: ...  # a power of two that multiplies every sum of candidates, but for the bias

    def fitted(self, path: str, op: Linear, seed: int) -> "Gadget":
        """The same with the neurons that this seed needs for the candidates wanted."""
        ...

    def live(self, op: Linear) -> int:
        """Neurons that serve an input or the bias: columns of the mask."""
        ...

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """The random tensors of a map, with what is kept where that follows from the seed alone."""
        ...

    def problems(self, path: str, op: Linear, seed: int) -> Iterator[Problems]:
        """Every coefficient of the map, half by half, in exactly one problem; blocks of bounded size."""
        ...

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """Does the random network have the stated width?

        Raises:
            InputError: the sentence says where it does not.
        """
        ...

    def cost(self, op: Linear) -> Cost:
        """Bits, problems, memory."""
        ...

    def signed(self, op: Linear) -> Bool[np.ndarray, " inp"]:
        """Inputs that have a negative half."""
        ...

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits) -> Bool[np.ndarray, "w live"]:
        """The mask of packed bits: a row for each (row, tap) of the map, a column for each live neuron."""
        ...

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"]) -> Bits:
        """The inverse of `mask`."""
        ...
