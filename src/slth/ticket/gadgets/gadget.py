r"""What a gadget is: plain data in a ticket, from which anyone can list the subset-sum problems of a map.

The prover chooses, for every problem, which candidates are kept; the checker adds the same ones up; `show` takes one
problem apart. All of them walk through `Gadget.problems`, so none can see other numbers than the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth._shapes import Bits
from slth.graph import Affine, Linear
from slth.numerics import Stream, uniform_rows
from slth.ticket.tensors import RandomTensor

Half = Literal["positive", "negative", "bias"]


@dataclass(frozen=True, slots=True, eq=False)
class Problems:
    """A block of subset sums of one half: coefficient (slot s, column w) is sign · gain · Σ_k kept · candidate.

    w counts pairs (row, tap), row outermost; of a bias, rows alone. Candidate k of (s, w) is v u: v from row
    `neurons[s, k]` of the mixing stream, u the factor of that neuron. All are exact in float64, and so is the sum of up
    to 64 of them.
    """

    half: Half
    inputs: Int64[np.ndarray, " slot"]  # of the map; of a bias, the group
    columns: Int64[np.ndarray, "slot n"]  # where the bits of the candidates stand in a row of the mask
    neurons: Int64[np.ndarray, "slot n"]  # hidden neuron of each candidate
    factors: Float64[np.ndarray, "slot n"]  # u
    mixing: Stream  # of v
    rows: int  # outputs of one group
    taps: int
    gain: float

    @property
    def sign(self) -> float:
        """A negative half sums to −w: it acts on x⁻ = −x."""
        return -1.0 if self.half == "negative" else 1.0

    @property
    def rows_and_taps(self) -> slice:
        """Which of the (row, tap) pairs of a mask this block speaks of: all; of a bias, those of tap 0."""
        return slice(None, None, self.taps if self.half == "bias" else 1)

    def candidates(self) -> Float64[np.ndarray, "slot n w"]:
        """v u, regenerated; not yet scaled by the gain."""
        width = self.rows * self.taps
        mixing = uniform_rows(self.mixing, self.neurons.reshape(-1), width)[:, self.rows_and_taps]
        return mixing.astype(np.float64).reshape(*self.neurons.shape, -1) * self.factors[..., None]

    def sums(self, mask: Bool[np.ndarray, "live pair"]) -> Float64[np.ndarray, "slot w"]:
        """gain · Σ kept · candidate, exact; the mask is given with one row for each live neuron."""
        kept = mask[self.columns][..., self.rows_and_taps]
        return np.einsum("snw,snw->sw", self.candidates(), kept) * self.gain

    def targets(self, affine: Affine) -> Float64[np.ndarray, "slot w"]:
        """What each subset must sum to, before the gain: ± the coefficients of a target."""
        if self.half == "bias":
            bias = np.zeros(0) if affine.bias is None else affine.bias
            return bias.reshape(-1, self.rows)[self.inputs] / self.gain
        weights = np.moveaxis(affine.weight[:, self.inputs], 1, 0).reshape(len(self.inputs), -1)
        return self.sign * weights / self.gain


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
