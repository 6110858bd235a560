"""Linear maps as modules."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from slth._errors import InputError
from slth.graph import Affine, Basis, Conv, ConvTranspose, Dense

_CONV = (functional.conv1d, functional.conv2d, functional.conv3d)
_TRANSPOSED = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)


class TargetMap(nn.Module):
    """y = W x + b."""

    def __init__(self, basis: Basis, affine: Affine, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.basis = basis
        self.weight = _parameter(stored_weight(basis, affine.weight), dtype)
        self.bias = None if affine.bias is None else _parameter(affine.bias, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        return apply_map(self.basis, x, self.weight, self.bias)


def apply_map(basis: Basis, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear map of a batch, with its weight as PyTorch stores it."""
    if isinstance(basis, Dense):
        return functional.linear(x, weight, bias)
    if isinstance(basis, Conv):
        axes = len(basis.kernel)
        before, behind = basis.padding[:axes], basis.padding[axes:]
        if before != behind:
            x, before = functional.pad(x, _torch_padding(basis.padding)), (0,) * axes
        return _CONV[axes - 1](x, weight, bias, basis.stride, before, basis.dilation, basis.groups)
    if isinstance(basis, ConvTranspose):
        axes = len(basis.kernel)
        before, behind = basis.padding[:axes], basis.padding[axes:]
        full = _TRANSPOSED[axes - 1](
            x, weight, None, basis.stride, 0, basis.output_padding, basis.groups, basis.dilation
        )
        for axis, (a, e) in enumerate(zip(before, behind, strict=True), 2):
            full = full.narrow(axis, a, full.shape[axis] - a - e)
        return full if bias is None else full + bias.view(-1, *(1,) * axes)
    raise InputError(f"no module is known for a {type(basis).__name__} map")


def stored_weight(basis: Basis, coefficients: np.ndarray) -> np.ndarray:
    """Coefficients (row, inp, tap) as PyTorch stores the weight of such a layer."""
    rows, inputs, _ = coefficients.shape
    if isinstance(basis, Dense):
        return coefficients[:, :, 0]
    if isinstance(basis, ConvTranspose):
        return coefficients.transpose(1, 0, 2).reshape(inputs, rows, *basis.kernel)
    if isinstance(basis, Conv):
        own = coefficients.reshape(rows, basis.groups, inputs // basis.groups, -1)
        return own.transpose(1, 0, 2, 3).reshape(basis.outputs, inputs // basis.groups, *basis.kernel)
    raise InputError(f"no module is known for a {type(basis).__name__} map")


def _torch_padding(padding: tuple[int, ...]) -> list[int]:
    """As `functional.pad` takes it: last axis first."""
    axes = len(padding) // 2
    return [end for axis in reversed(range(axes)) for end in (padding[axis], padding[axes + axis])]


def _parameter(values: np.ndarray, dtype: torch.dtype) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(np.array(values)).to(dtype), requires_grad=False)
