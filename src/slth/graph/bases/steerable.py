r"""Convolutions that commute with a group G of the square, C4 or D4: one set of coefficients, turned for each element.

$$y[o, a] = \sum_{j, t} C[o, j, t]\, S_{g_a p_t} x_j \ \text{(lifting)}, \qquad
  y[o, a] = \sum_{j, h, t} C[o, j, h\,d^2 + t]\, S_{g_a p_t} x[j, a h] \ \text{(regular)}$$

Here $S_p x(q) = x(s q + p - b)$, zero outside, t numbers the d² positions p of the kernel, and $g_a p$ is where element
a takes p in the window. Values are (channels, L, L) before the lifting, (channels, |G|, L, L) behind it: the group has
an axis of its own, so that one bias, one batch norm and one interval belong to a channel, that is to an orbit. G acts
on both sides by moving grids, $(g \cdot y)[o, a](q) = y[o, g^{-1} a](g^{-1} q)$, and y commutes with it, whatever C.

Computed is y[·, a] = a · conv(a⁻¹ · x): an input that is moved gives the same numbers at other places, added up in the
same order, so that equivariance holds to the bit in floating point, too.

A square grid is taken to itself, and so are the centres of the windows where they leave the same room at both ends: s
divides L + 2 b − d. Other grids are refused. Source: Cohen and Welling (2016), 1602.07576.
"""

import math
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Coefficient
from slth.graph.bases.basis import Shape, TapBounds
from slth.graph.bases.conv import Conv
from slth.graph.bases.turns import ORDERS, inverse, moved, product, turned
from slth.numerics import Parts, convolution_norm_bound, convolution_rule, convolution_work


@dataclass(frozen=True, slots=True)
class Steerable:
    """A group convolution.

    >>> basis = Steerable(1, 1, "C4", kernel=3, stride=1, padding=1, lifting=True)
    >>> basis.taps, basis.shape((1, 5, 5))
    (9, (1, 4, 5, 5))
    """

    inputs: int
    outputs: int
    group: str  # C4 or D4
    kernel: int  # d
    stride: int  # s
    padding: int  # b, at every end
    lifting: bool  # from values without an axis of the group

    def __post_init__(self) -> None:
        if self.group not in ORDERS:
            raise InputError(f"expected a group that acts on the grid, one of {', '.join(ORDERS)}; got {self.group!r}")
        if min(self.inputs, self.outputs, self.kernel, self.stride) < 1 or self.padding < 0:
            raise InputError(f"expected sizes of at least 1 and padding of at least 0; got {self}")

    @property
    def order(self) -> int:
        """|G|."""
        return ORDERS[self.group]

    @property
    def groups(self) -> int:
        """One: every output reads every input."""
        return 1

    @property
    def taps(self) -> int:
        """Kernel positions; of a regular layer for each element of the group."""
        return self.kernel**2 * (1 if self.lifting else self.order)

    @property
    def channel_axis(self) -> int:
        """The first one."""
        return 0

    def stencils(self) -> tuple[tuple[int, ...], ...]:
        """All taps, everywhere."""
        return (tuple(range(self.taps)),)

    @property
    def pads(self) -> bool:
        """Whether there is padding."""
        return self.padding > 0

    @property
    def tap_bounds(self) -> TapBounds:
        """A lifting writes every entry |G| times."""
        return TapBounds(norm=self.order**0.5 if self.lifting else 1.0)

    def shape(self, inputs: Shape) -> Shape:
        """(outputs, |G|, ...) of (inputs, ...) or (inputs, |G|, ...)."""
        fixed = (self.inputs,) if self.lifting else (self.inputs, self.order)
        if len(inputs) != len(fixed) + 2 or inputs[:-2] != fixed:
            expected = f"({', '.join(map(str, fixed))}, L, L)"
            raise InputError(f"a {self.group} layer of inputs {expected} was given values of shape {inputs}")
        length = inputs[-1]
        if inputs[-2] != length:
            raise InputError(
                f"{self.group} does not act on a grid of {inputs[-2]} x {length}, was given values of shape {inputs}: "
                "a turn takes only a square to itself; pad or crop to a square"
            )
        room = length + 2 * self.padding - self.kernel
        if room < 0:
            raise InputError(f"a kernel {self.kernel} does not fit into values of shape {inputs}")
        if room % self.stride:
            raise InputError(
                f"{self.group} does not act on the grid of every {self.stride}th window of {self.kernel} along an axis "
                f"of {length} with padding {self.padding}: {room % self.stride} entries are left at one end alone, and "
                "a turn would take them to the other; take a length that fits, such as an odd one for stride 2"
            )
        return (self.outputs, self.order, *((room // self.stride + 1,) * 2))

    def apply(self, coefficients: Coefficient, x: np.ndarray) -> np.ndarray:
        """(batch, inputs, ...) -> (batch, outputs, |G|, ...)."""
        shape = self.shape(x.shape[1:])
        plain, flat = self._plain, coefficients.reshape(len(coefficients), -1, self.kernel**2)
        y = np.empty((len(x), *shape))
        for a in range(self.order):
            back = inverse(a)
            seen = turned(x, back) if self.lifting else moved(x, back, self.group)
            seen = np.ascontiguousarray(seen).reshape(len(x), plain.inputs, *x.shape[-2:])
            y[:, :, a] = turned(plain.apply(flat, seen), a)
        return y

    @property
    def _plain(self) -> Conv:
        """The convolution in place of one element: every (j, h) is an input of its own."""
        wide = self.inputs * (1 if self.lifting else self.order)
        return Conv(wide, self.outputs, (self.kernel,) * 2, (self.stride,) * 2, (self.padding,) * 4, (1, 1))

    @property
    def _kernels(self) -> tuple[int, ...]:
        wide = self.inputs * (1 if self.lifting else self.order)
        return (1, self.outputs * self.order, wide, self.kernel, self.kernel)

    @property
    def norms(self) -> str:
        """By what the symbol costs."""
        return convolution_rule(self._kernels, stride=(self.stride,) * 2, dilation=(1, 1))

    def norm_work(self, by: str | None = None) -> float:
        """That of the convolution whose channels are pairs of channel and element."""
        return convolution_work(self._kernels, stride=(self.stride,) * 2, dilation=(1, 1), by=by or self.norms)

    def norm(self, coefficients: Coefficient | Parts, by: str | None = None) -> float:
        """That of the same convolution, of images of any size."""
        whole = coefficients.whole() if isinstance(coefficients, Parts) else coefficients
        kernel = self.expanded(whole)[None]
        return convolution_norm_bound(kernel, stride=(self.stride,) * 2, dilation=(1, 1), by=by or self.norms)

    def expanded(self, coefficients: Coefficient) -> np.ndarray:
        """The kernel of that convolution, (out · |G|, inp · |G| or inp, d, d): K[(o, a), (j, a h)] = a · C[o, j, h]."""
        rows, inputs, _ = coefficients.shape
        d, own = self.kernel, 1 if self.lifting else self.order
        c = coefficients.reshape(rows, inputs, own, d, d)
        found = np.empty((rows, self.order, inputs, own, d, d))
        for a in range(self.order):
            to = [0] if self.lifting else [product(a, h) for h in range(self.order)]
            found[:, a][:, :, to] = turned(c, a)
        return found.reshape(rows * self.order, inputs * own, d, d)

    @property
    def unconstrained(self) -> int:
        """Coefficients of that convolution: |G| times as many, or more."""
        return math.prod(self._kernels)
