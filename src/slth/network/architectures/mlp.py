"""Multilayer perceptrons: f(x) = W_L σ(... σ(W_1 x + b_1) ...) + b_L with σ = ReLU, on flattened inputs."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from slth.network.architectures._sizes import flat_size, scaled


def mlp(
    inputs: tuple[int, ...], classes: int, width: float = 1.0, *, hidden: Sequence[int] = (64,), bias: bool = True
) -> nn.Sequential:
    r"""Flatten, then Linear, ReLU, ..., Linear. Layers are named "1", "3", "5", ...

    With $d_0$ input numbers, $d_1, \ldots, d_{L-1}$ = `width` times `hidden`, $d_L$ classes: $\sum_k (d_{k-1} + 1) d_k$
    parameters; without biases, $\sum_k d_{k-1} d_k$.

    Args:
        inputs: (C, H, W) or (features,).
        hidden: sizes of the hidden layers before scaling; none gives a linear map.
    """
    sizes = [flat_size(inputs), *(scaled(size, width) for size in hidden), classes]
    parts: list[nn.Module] = [nn.Flatten()]
    for inp, out in pairwise(sizes):
        parts += [nn.Linear(inp, out, bias=bias), nn.ReLU()]
    return nn.Sequential(*parts[:-1])
