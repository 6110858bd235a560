r"""Layers that commute with permutations of n members: of sets (batch, n, channels), of pairs (batch, n, n, channels).

`equivariant` is what `slth.graph.Permutation` computes. Means add up members in their order, so that a permuted input
gives the same real numbers, and floating ones that differ by rounding.
"""

import math

import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.graph import Permutation, partitions, spread_means, tap_means


def equivariant(x: Tensor, weight: Tensor, bias: Tensor | None, basis: Permutation) -> Tensor:
    """(batch, n, ..., inp) -> (batch, n, ..., out), with a weight (out, inp, tap)."""
    shape = (x.shape[0], *(basis.members,) * basis.writes, weight.shape[0])
    y = torch.zeros((), dtype=x.dtype, device=x.device)
    for t, tap in enumerate(partitions(basis.reads, basis.writes)):
        y = y + spread_means(torch, tap_means(torch, x, tap) @ weight[:, :, t].T, tap, basis.members)
    y = y.expand(shape)
    return y if bias is None else y + bias


@torch.library.custom_op("slth::equivariant", mutates_args=())
def _operator(x: Tensor, weight: Tensor, bias: Tensor | None, reads: int, writes: int) -> Tensor:
    return equivariant(x, weight, bias, _basis(x, weight, reads, writes)).clone()


@_operator.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, reads: int, writes: int) -> Tensor:
    return x.new_empty(x.shape[0], *_basis(x, weight, reads, writes).shape(tuple(x.shape[1:])))


def _basis(x: Tensor, weight: Tensor, reads: int, writes: int) -> Permutation:
    return Permutation(weight.shape[1], weight.shape[0], reads, writes, int(x.shape[1]))


class PermutationLinear(nn.Module):
    """A linear layer that commutes with permutations, of order `reads` to order `writes`, one bias for each output.

    Order 1 is a set (batch, n, channels), order 2 all pairs (batch, n, n, channels), order 0 one row (batch, channels).

    >>> layer = PermutationLinear(3, 8, reads=2, writes=2)
    >>> layer(torch.zeros(2, 5, 5, 3)).shape, layer.weight.shape
    (torch.Size([2, 5, 5, 8]), torch.Size([8, 3, 15]))
    """

    def __init__(self, in_features: int, out_features: int, *, reads: int, writes: int, bias: bool = True) -> None:
        """Uniform random weights of size 1/√(terms), as in Linear.

        Raises:
            InputError: orders or sizes that make no layer.
        """
        super().__init__()
        self.reads, self.writes = reads, writes
        taps = Permutation(in_features, out_features, reads, writes, 1).taps
        bound = 1 / math.sqrt(in_features * taps)
        self.weight = nn.Parameter(torch.empty(out_features, in_features, taps).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_features).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        if x.ndim != self.reads + 2:
            axes = "batch, n, channels" if self.reads == 1 else "batch, n, n, channels"
            raise InputError(f"expected values ({axes}), got shape {tuple(x.shape)}")
        basis = _basis(x, self.weight, self.reads, self.writes)
        basis.shape(tuple(x.shape[1:]))
        if torch.compiler.is_exporting():
            return _operator(x, self.weight, self.bias, self.reads, self.writes)
        return equivariant(x, self.weight, self.bias, basis)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}, reads={self.reads}, writes={self.writes}"


class SetLinear(PermutationLinear):
    """A layer of sets: y_i = A x_i + B mean(x) + b, with A and B in the last axis of the weight (DeepSets).

    >>> SetLinear(3, 8)(torch.zeros(2, 5, 3)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True) -> None:
        super().__init__(in_features, out_features, reads=1, writes=1, bias=bias)
