r"""Message passing over a fixed graph: values (batch, n, channels), one row for each node.

$$y = x W_0^T + \hat A\, x W_1^T + b$$

Two linear maps of their own, between which only the carried matrix Â acts: a ticket prunes the coefficients of W₀ and
W₁, so it commutes with every relabelling of the nodes that moves Â along. Â is kept by its entries.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.graph import Sparse

Normalised = Literal["symmetric", "mean"]


def aggregate(x: Tensor, entries: Tensor, rows: int, axis: int = 1) -> Tensor:
    """Σ_l A[i, l] x[..., l, ...] along an axis, with A as rows (i, l, A[i, l]): (..., n, ...) -> (..., rows, ...)."""
    moved = x.movedim(axis, -1)
    terms = moved.index_select(-1, entries[:, 1].long()) * entries[:, 2]
    y = torch.zeros(*moved.shape[:-1], rows, dtype=x.dtype, device=x.device)
    return y.index_add(-1, entries[:, 0].long(), terms).movedim(-1, axis)


@torch.library.custom_op("slth::aggregate", mutates_args=())
def _operator(x: Tensor, entries: Tensor, rows: int) -> Tensor:
    return aggregate(x, entries, rows).contiguous()


@_operator.register_fake
def _(x: Tensor, entries: Tensor, rows: int) -> Tensor:
    return x.new_empty(x.shape[0], rows, *x.shape[2:])


def adjacency(edges: Tensor, members: int, *, normalised: Normalised = "symmetric", loops: bool = True) -> Tensor:
    """The entries (i, l, A[i, l]) of a normalised adjacency matrix, float32, places ascending.

    Args:
        edges: (2, count), l -> i in each column (l, i), as PyTorch Geometric has them; twice is once.
        members: n, the number of nodes.
        normalised: "symmetric": D^-1/2 A D^-1/2, whose norm is 1 if A is symmetric; "mean": the mean of the neighbours.
        loops: each node is a neighbour of itself, too.

    Raises:
        InputError: nodes that are not there, or isolated ones without loops.

    >>> adjacency(torch.tensor([[0, 1], [1, 0]]), 2).tolist()
    [[0.0, 0.0, 0.5], [0.0, 1.0, 0.5], [1.0, 0.0, 0.5], [1.0, 1.0, 0.5]]
    """
    places = edges.detach().cpu().numpy()
    if places.ndim != 2 or len(places) != 2 or places.dtype.kind not in "iu":
        raise InputError(f"expected edges as integers of shape (2, count), got {places.dtype} of shape {places.shape}")
    if places.size and not (places.min() >= 0 and places.max() < members):
        raise InputError(
            f"expected edges between nodes 0 to {members - 1}, got {places.min()} to {places.max()}; give the number "
            "of nodes as members"
        )
    column, row = places.astype(np.int64)
    if loops:
        row, column = np.append(row, np.arange(members)), np.append(column, np.arange(members))
    row, column = np.divmod(np.unique(row * members + column), members)
    into, out = np.bincount(row, minlength=members), np.bincount(column, minlength=members)
    alone = np.flatnonzero(into == 0 if normalised == "mean" else (into == 0) | (out == 0))
    if alone.size:
        raise InputError(
            f"{alone.size} of {members:,} nodes have no neighbours, the first is node {alone[0]}, and a mean of none "
            "is no number; take loops=True, or leave isolated nodes out"
        )
    value = 1 / into[row] if normalised == "mean" else 1 / np.sqrt(into[row] * out[column])
    return torch.from_numpy(np.stack([row, column, value], axis=1).astype(np.float32))


class Aggregation(nn.Module):
    """y = Â x over the nodes, axis 1: a fixed matrix, that no ticket changes.

    >>> Aggregation(adjacency(torch.tensor([[0, 1], [1, 0]]), 2), 2)(torch.tensor([[[1.0], [3.0]]]))
    tensor([[[2.],
             [2.]]])
    """

    entries: Tensor

    def __init__(self, entries: Tensor, members: int) -> None:
        """Â by its entries, see `adjacency`.

        Raises:
            InputError: places that are out of order, twice or outside.
        """
        super().__init__()
        Sparse.of(entries.detach().cpu().double().numpy(), members, members)
        self.register_buffer("entries", entries, persistent=False)
        self.members = members

    def forward(self, x: Tensor) -> Tensor:
        """The aggregated values of a batch."""
        if x.ndim != 3 or x.shape[1] != self.members:
            raise InputError(f"expected values (batch, {self.members}, channels), got shape {tuple(x.shape)}")
        if torch.compiler.is_exporting():
            return _operator(x, self.entries, self.members)
        return aggregate(x, self.entries, self.members)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.members} nodes, {len(self.entries)} entries"


class GraphLinear(nn.Module):
    """A message passing layer: its own row and its neighbours', by weights of their own.

    >>> layer = GraphLinear(3, 8, adjacency(torch.tensor([[0, 1], [1, 0]]), 2), 2)
    >>> layer(torch.zeros(1, 2, 3)).shape
    torch.Size([1, 2, 8])
    """

    def __init__(
        self, in_features: int, out_features: int, entries: Tensor, members: int, *, bias: bool = True
    ) -> None:
        """Weights as those of Linear; the bias is that of the own row."""
        super().__init__()
        self.own = nn.Linear(in_features, out_features, bias=bias)
        self.neighbours = nn.Linear(in_features, out_features, bias=False)
        self.aggregation = Aggregation(entries, members)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        return self.own(x) + self.aggregation(self.neighbours(x))
