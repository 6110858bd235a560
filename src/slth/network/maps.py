"""Linear maps as modules: the target's own, and the realised ones. Those of the source stand in `sources`."""

import numpy as np
import torch
from torch import Tensor, nn

from slth.graph import Affine, Basis, Realised, stored_weight
from slth.network.applied import apply_map


class TargetMap(nn.Module):
    """y = W x + b."""

    def __init__(self, basis: Basis, affine: Affine, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.basis = basis
        self.weight = _parameter(stored_weight(basis, affine.weight), dtype)
        self.bias = None if affine.bias is None else _parameter(affine.bias, dtype)

    @property
    def table(self) -> Tensor:
        """W, of a dense map."""
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        return apply_map(self.basis, x, self.weight, self.bias)


class RealisedMap(nn.Module):
    """y = P x⁺ + N x⁻ + b̂; P x + b̂ where no input can be negative, or the map is linear."""

    def __init__(self, basis: Basis, part: Realised, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.basis = basis
        self.positive = _parameter(stored_weight(basis, part.positive), dtype)
        self.negative = None if part.negative is None else _parameter(stored_weight(basis, part.negative), dtype)
        self.bias = None if part.bias is None else _parameter(part.bias, dtype)

    @property
    def table(self) -> Tensor:
        """P, of a dense map."""
        return self.positive

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        if self.negative is None:
            return apply_map(self.basis, x, self.positive, self.bias)
        negative = apply_map(self.basis, torch.relu(-x), self.negative, None)
        return apply_map(self.basis, torch.relu(x), self.positive, self.bias) + negative


def _parameter(values: np.ndarray, dtype: torch.dtype) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values, dtype=dtype), requires_grad=False)  # a copy, also of the same type
