r"""Convolutions that commute with C4 or D4: the layer, and the one operator that it is exported as.

`group_conv` is what `slth.graph.Steerable` computes, in the same way: for every element a of the group the input is
moved by a⁻¹, one ordinary convolution runs, and its outputs are moved by a. So a moved input leads to the same
convolutions of the same numbers, and the layer commutes with the group to the bit, in any floating-point type.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from slth.graph import Steerable, group_order, group_product, inverse_element


def turned(x: Tensor, a: int) -> Tensor:
    """a · x, of a tensor whose last two axes are a square grid."""
    return torch.rot90(x.flip(-1) if a >= 4 else x, a % 4, (-2, -1))


def group_conv(x: Tensor, weight: Tensor, bias: Tensor | None, basis: Steerable) -> Tensor:
    """(batch, inp, L, L) or (batch, inp, |G|, L, L) -> (batch, out, |G|, L', L').

    Args:
        weight: (out, inp, d, d) of a lifting layer, else (out, inp, |G|, d, d).
    """
    flat = weight.flatten(1, -3)
    parts: list[Tensor] = []
    for a in range(basis.order):
        back = inverse_element(a)
        seen = x
        if not basis.lifting:
            order = [group_product(a, h) for h in range(basis.order)]
            seen = torch.stack([x[:, :, h] for h in order], 2).flatten(1, 2)
        seen = turned(seen, back).contiguous()
        parts.append(turned(functional.conv2d(seen, flat, None, basis.stride, basis.padding), a))
    y = torch.stack(parts, 2)
    return y if bias is None else y + bias.view(-1, 1, 1, 1)


@torch.library.custom_op("slth::group_conv", mutates_args=())
def _operator(
    x: Tensor, weight: Tensor, bias: Tensor | None, group: str, stride: int, padding: int, lifting: bool
) -> Tensor:
    return group_conv(x, weight, bias, _basis(weight, group, (stride, padding), lifting=lifting))


@_operator.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, group: str, stride: int, padding: int, lifting: bool) -> Tensor:
    basis = _basis(weight, group, (stride, padding), lifting=lifting)
    return x.new_empty(x.shape[0], *basis.shape(tuple(x.shape[1:])))


def _basis(weight: Tensor, group: str, steps: tuple[int, int], *, lifting: bool) -> Steerable:
    return Steerable(weight.shape[1], weight.shape[0], group, weight.shape[-1], *steps, lifting)


class GroupConv2d(nn.Module):
    """A convolution whose outputs turn with its inputs: y of a turned image is y, turned, its elements moved along.

    Images (batch, channels, L, L) enter through a lifting layer; all values behind it are (batch, channels, |G|, L, L),
    where BatchNorm3d normalises each channel over its whole orbit, MaxPool3d((1, 2, 2)) pools space alone, and the
    largest or the mean over the last three axes is invariant.

    >>> layer = GroupConv2d(1, 8, 3, group="C4", lifting=True, padding=1)
    >>> layer(torch.zeros(2, 1, 9, 9)).shape, layer.weight.shape
    (torch.Size([2, 8, 4, 9, 9]), torch.Size([8, 1, 3, 3]))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        group: str = "C4",
        lifting: bool = False,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        """Uniform random weights of size 1/√(terms), as in Conv2d.

        Raises:
            InputError: a group that does not act on the grid, or sizes that make no layer.
        """
        super().__init__()
        self.basis = Steerable(in_channels, out_channels, group, kernel_size, stride, padding, lifting)
        middle = () if lifting else (group_order(group),)
        bound = 1 / math.sqrt(in_channels * self.basis.taps)
        shape = (out_channels, in_channels, *middle, kernel_size, kernel_size)
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(out_channels).uniform_(-bound, bound)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        self.basis.shape(tuple(x.shape[1:]))
        b = self.basis
        if torch.compiler.is_exporting():
            return _operator(x, self.weight, self.bias, b.group, b.stride, b.padding, b.lifting)
        return group_conv(x, self.weight, self.bias, b)

    def extra_repr(self) -> str:
        """The sizes."""
        b = self.basis
        kind = "lifting " if b.lifting else ""
        sizes = f"{b.inputs}, {b.outputs}, {kind}{b.kernel} x {b.kernel}"
        return f"{sizes}, group={b.group}, stride={b.stride}, padding={b.padding}"
