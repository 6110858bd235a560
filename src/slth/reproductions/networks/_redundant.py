"""The redundant layers of Pensia et al. (2020), and the plain network of as many parameters."""

import math

import torch
from torch import Tensor, nn

_TIMES = 5  # r, intermediate weights of an input


class Redundant(nn.Module):
    """x -> v φ(u ⊗ x), u ~ N(0, 2), v ~ N(0, 2 / inputs), φ the identity or ReLU."""

    def __init__(self, inputs: int, outputs: int, *, relu: bool) -> None:
        super().__init__()
        self.u = nn.Parameter(math.sqrt(2) * torch.randn(inputs, _TIMES))
        self.v = nn.Linear(inputs * _TIMES, outputs, bias=False)
        nn.init.normal_(self.v.weight, std=math.sqrt(2 / inputs))
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs) -> (batch, outputs)."""
        hidden = (x[:, :, None] * self.u).flatten(1)
        return self.v(torch.relu(hidden) if self.relu else hidden)


def network(structure: str, inputs: int, hidden: int, *, classes: int = 10, seed: int = 0) -> nn.Sequential:
    """Two layers, of as many parameters whatever the structure."""
    torch.manual_seed(seed)
    if structure == "plain":
        count = _TIMES * (inputs * (1 + hidden) + hidden * (1 + classes))
        wide = round(count / (inputs + classes))
        layers = nn.Linear(inputs, wide, bias=False), nn.Linear(wide, classes, bias=False)
        for layer in layers:
            nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.in_features))
    else:
        relu = structure == "relu"
        layers = Redundant(inputs, hidden, relu=relu), Redundant(hidden, classes, relu=relu)
    return nn.Sequential(nn.Flatten(), layers[0], nn.ReLU(), layers[1])
