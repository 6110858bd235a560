"""What a linear map computes on tensors, with its weight as PyTorch stores it."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from slth._errors import InputError
from slth.graph import Basis, Conv, ConvTranspose, Dense, OneHot, Permutation, Steerable
from slth.layers import equivariant, group_conv
from slth.network.attention import looked_up
from slth.network.build import torch_padding

CONV = (functional.conv1d, functional.conv2d, functional.conv3d)
_TRANSPOSED = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)


def apply_map(basis: Basis, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear map of a batch, with its weight as PyTorch stores it."""
    if isinstance(basis, Dense):
        return functional.linear(x, weight, bias)
    if isinstance(basis, OneHot):
        y = looked_up(weight, x)
        return y if bias is None else y + bias
    if isinstance(basis, Conv):
        axes = len(basis.kernel)
        before, behind = basis.padding[:axes], basis.padding[axes:]
        if before != behind:
            x, before = functional.pad(x, torch_padding(basis.padding)), (0,) * axes
        return CONV[axes - 1](x, weight, bias, basis.stride, before, basis.dilation, basis.groups)
    if isinstance(basis, ConvTranspose):
        axes = len(basis.kernel)
        before, behind = basis.padding[:axes], basis.padding[axes:]
        full = _TRANSPOSED[axes - 1](
            x, weight, None, basis.stride, 0, basis.output_padding, basis.groups, basis.dilation
        )
        for axis, (a, e) in enumerate(zip(before, behind, strict=True), 2):
            full = full.narrow(axis, a, full.shape[axis] - a - e)
        return full if bias is None else full + bias.view(-1, *(1,) * axes)
    if isinstance(basis, Steerable):
        return group_conv(x, weight, bias, basis)
    if isinstance(basis, Permutation):
        return equivariant(x, weight, bias, basis)
    raise InputError(f"no module is known for a {type(basis).__name__} map")


def channels(basis: Basis) -> int:
    """The axis of the channels in a batch."""
    return basis.channel_axis if basis.channel_axis < 0 else basis.channel_axis + 1


def spread_along(numbers: Tensor, x: Tensor, axis: int) -> Tensor:
    """One number for each index of an axis of x, to broadcast against x."""
    return numbers.view([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])


def buffer(values: np.ndarray) -> nn.Buffer:
    """Numbers of a module that are random: kept beside its parameters."""
    return nn.Buffer(torch.from_numpy(np.ascontiguousarray(values)))
