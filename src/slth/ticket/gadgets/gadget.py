r"""What a gadget is: plain data in a ticket, from which anyone can list the subset-sum problems of a map.

The prover chooses, for every problem, which candidates are kept; the checker adds the same ones up; `show` takes one
problem apart. All of them walk through `Gadget.problems`, so none can see other numbers than the rest.

A gadget has *stages*, one or more. Each coefficient is one problem of every stage, and the sum of what they give:

$$P = \sum_s g_s \sum_k m_{sk} x_{sk}, \qquad E_{s+1} = E_s - g_s \sum_k m_{sk} x_{sk}, \qquad E_0 = W.$$

What is left, E, is exact in float64, stage by stage: no stage is worse than the empty set, so its bits lie between
those of |E_s| and those of the products.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

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
    coefficients: int  # weights of the map, those of signed inputs twice
    problems: int  # subset sums, biases and all stages included
    live: int  # hidden neurons that serve an input or the bias
    memory: int  # bytes that regenerating the map takes, at most


def packed_memory(bits: int, *, live: int, problems: int) -> int:
    """Bytes that a reader needs at most where masks stay packed: those, lists of neurons and sums, a block."""
    return bits // 4 + 64 * live + 64 * problems + (1 << 24)


@runtime_checkable
class Gadget(Protocol):
    """Plain data; a scan, never a solver."""

    kind: ClassVar[str]  # its name in `GADGETS`

    @property
    def stage_count(self) -> int: ...
    @property
    def candidates(self) -> int: ...  # random numbers of which the subset for one weight is chosen, of all stages
    @property
    def neurons(self) -> int: ...  # hidden ones, dead ones included, of all stages
    @property
    def linear(self) -> bool: ...  # coefficients act on x itself: there is no N, of signed inputs either
    @property
    def gain(self) -> float: ...  # a power of two that multiplies the first stage's sums, but for the bias

    def fitted(self, path: str, op: Linear, seed: int) -> "Gadget":
        """The same with the neurons that this seed needs for the candidates wanted."""
        ...

    def live(self, op: Linear, *, stage: int = 0) -> int:
        """Neurons that serve an input or the bias: columns of the mask."""
        ...

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """The random tensors of a map, with what is kept where that follows from the seed alone."""
        ...

    def mask_bits(self, path: str, op: Linear) -> Mapping[str, int]:
        """The tensors that have masks, in the order of stages, and their bits."""
        ...

    def entries(self, path: str, op: Linear, masks: Mapping[str, Bits]) -> Mapping[str, int]:
        """How many entries are kept of each tensor where that depends on the masks; there `tensors` says 0."""
        ...

    def problems(self, path: str, op: Linear, seed: int, *, stage: int | None = None) -> Iterator[Problems]:
        """Every coefficient of the map, half by half, in exactly one problem of each stage; blocks of bounded size.

        Those of one stage, or of all in order.
        """
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
        """Inputs that can be negative: they have a negative half, unless the gadget is linear."""
        ...

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """The mask of a stage's packed bits: a row for each (row, tap) of the map, a column for each live neuron."""
        ...

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"], stage: int = 0) -> Bits:
        """The inverse of `mask`."""
        ...


def bits_of(gadgets: Mapping[str, Gadget], maps: Mapping[str, Linear]) -> dict[str, int]:
    """Mask bits of all maps, by tensor."""
    return {tensor: bits for path, op in maps.items() for tensor, bits in gadgets[path].mask_bits(path, op).items()}


def empty_masks(gadget: Gadget, path: str, op: Linear) -> dict[str, Bits]:
    """Packed masks of a map that keep nothing, by tensor, in one run of bytes behind each other."""
    counts = {tensor: -(-bits // 8) for tensor, bits in gadget.mask_bits(path, op).items()}
    return masks_in(np.zeros(sum(counts.values()), np.uint8), gadget, path, op)


def masks_in(run: Bits, gadget: Gadget, path: str, op: Linear) -> dict[str, Bits]:
    """The packed masks of a map that stand behind each other in one run of bytes; views of it."""
    found, at = dict[str, Bits](), 0
    for tensor, bits in gadget.mask_bits(path, op).items():
        found[tensor] = run[at : at + -(-bits // 8)]
        at += -(-bits // 8)
    return found
