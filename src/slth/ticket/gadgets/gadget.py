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
CONSTANT = -1  # in place of an input: the constant 1


@dataclass(frozen=True, slots=True, eq=False)
class Problems:
    """A block of subset sums of one half. Coefficient (input s, row w) of a map is sign · gain · Σ_k kept · candidate.

    A row is a pair (output, tap), output outermost. Candidate k of (s, w) is v u: v from row `neurons[s, k]` of the
    mixing stream, u the factor of that neuron. All are exact in float64, and so is the sum of up to 64 of them.
    """

    half: Half
    inputs: Int64[np.ndarray, " slot"]  # of the map; `CONSTANT` for a bias
    columns: Int64[np.ndarray, "slot n"]  # where the bits of the candidates stand in a row of the mask
    neurons: Int64[np.ndarray, "slot n"]  # hidden neuron of each candidate
    factors: Float64[np.ndarray, "slot n"]  # u
    mixing: Stream  # of v
    outputs: int
    taps: int
    gain: float

    @property
    def sign(self) -> float:
        """A negative half sums to −w: it acts on x⁻ = −x."""
        return -1.0 if self.half == "negative" else 1.0

    @property
    def rows(self) -> int:
        """(output, tap) pairs."""
        return self.outputs * self.taps

    def candidates(self) -> Float64[np.ndarray, "slot n row"]:
        """v u, regenerated; not yet scaled by the gain."""
        mixing = uniform_rows(self.mixing, self.neurons.reshape(-1), self.rows)
        return mixing.astype(np.float64).reshape(*self.neurons.shape, self.rows) * self.factors[..., None]

    def sums(self, mask: Bool[np.ndarray, "column row"]) -> Float64[np.ndarray, "slot row"]:
        """gain · Σ kept · candidate, exact; the mask is given with one row for each column of the ticket's."""
        return np.einsum("snr,snr->sr", self.candidates(), mask[self.columns]) * self.gain

    def targets(self, affine: Affine) -> Float64[np.ndarray, "slot row"]:
        """What each subset must sum to, before the gain: ± the coefficients of a target."""
        if self.half == "bias":
            wanted = np.zeros((self.outputs, self.taps))
            if affine.bias is not None:
                wanted[:, 0] = affine.bias
            return wanted.reshape(1, -1) / self.gain
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

    def mask(self, op: Linear, bits: Bits) -> Bool[np.ndarray, "row column"]:
        """The mask of packed bits; `pack` is the inverse."""
        ...
