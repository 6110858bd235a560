r"""Convolutions of one to three dimensions, and transposed ones: taps are kernel positions in C order.

$$y_o[q] = \sum_{j, p} C[r, j, t]\, x_j[s q + d p - a] \qquad \text{(zero outside)}$$

with o = γ · rows + r, γ the group of input j, t the number of the kernel position p. Transposed: y_o[m] sums
C[r, j, t] x_j[q] over all s q + d p − a = m. Of the weights that PyTorch and ONNX store, C[r, j, t] is
[o, j − γ · in/G, p] and, transposed, [j, r, p].
"""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np

from slth._errors import InputError
from slth._shapes import Coefficient
from slth.graph.bases.basis import Shape, TapBounds
from slth.numerics import Parts, convolution_norm_bound, convolution_rule, convolution_work

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution.

    >>> Conv(1, 1, kernel=(2,), stride=(1,), padding=(1, 0), dilation=(1,)).apply(
    ...     np.array([[[1.0, 10.0]]]), np.array([[[1.0, 2.0]]])
    ... )
    array([[[10., 21.]]])
    """

    inputs: int
    outputs: int
    kernel: Sizes
    stride: Sizes
    padding: Sizes  # before each axis, then behind each
    dilation: Sizes
    groups: int = 1

    def __post_init__(self) -> None:
        _check(self.inputs, self.outputs, self.groups, self.kernel, self.stride, self.dilation, self.padding)

    @property
    def taps(self) -> int:
        """Kernel positions."""
        return math.prod(self.kernel)

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
        return any(self.padding)

    @property
    def tap_bounds(self) -> TapBounds:
        """Each tap reads an entry of its own."""
        return TapBounds()

    def shape(self, inputs: Shape) -> Shape:
        """(outputs, ...) of (inputs, ...)."""
        _check_channels(self.inputs, len(self.kernel), inputs)
        lengths = tuple(
            (length + a + e - d * (k - 1) - 1) // s + 1
            for length, a, e, d, k, s in zip(
                inputs[1:], *_ends(self.padding), self.dilation, self.kernel, self.stride, strict=True
            )
        )
        if min(lengths) < 1:
            raise InputError(f"a kernel {self.kernel} does not fit into values of shape {inputs}")
        return (self.outputs, *lengths)

    def apply(self, coefficients: Coefficient, x: np.ndarray) -> np.ndarray:
        """(batch, inputs, ...) -> (batch, outputs, ...)."""
        lengths = self.shape(x.shape[1:])[1:]
        before, behind = _ends(self.padding)
        padded = np.pad(x, ((0, 0), (0, 0), *zip(before, behind, strict=True)))
        y = np.zeros((len(x), self.groups, self.outputs // self.groups, *lengths))
        for tap, position in enumerate(product(*map(range, self.kernel))):
            window = tuple(
                slice(d * p, d * p + s * (n - 1) + 1, s)
                for d, p, s, n in zip(self.dilation, position, self.stride, lengths, strict=True)
            )
            y += _by_group(coefficients[:, :, tap], padded[:, :, *window], self.groups)
        return y.reshape(len(x), self.outputs, *lengths)

    @property
    def norms(self) -> str:
        """By what the symbol costs."""
        return convolution_rule(self._kernels, stride=self.stride, dilation=self.dilation)

    def norm_work(self, by: str | None = None) -> float:
        """That of the symbol, or of the matrices."""
        return convolution_work(self._kernels, stride=self.stride, dilation=self.dilation, by=by or self.norms)

    @property
    def _kernels(self) -> Sizes:
        return (self.groups, self.outputs // self.groups, self.inputs // self.groups, *self.kernel)

    def norm(self, coefficients: Coefficient | Parts, by: str | None = None) -> float:
        """That of the convolution of images of any size."""
        kernel = _kernel(coefficients, self.groups, self.kernel)
        return convolution_norm_bound(kernel, stride=self.stride, dilation=self.dilation, by=by or self.norms)


@dataclass(frozen=True, slots=True)
class ConvTranspose:
    """A transposed convolution: the adjoint of a `Conv` from its outputs to its inputs."""

    inputs: int
    outputs: int
    kernel: Sizes
    stride: Sizes
    padding: Sizes  # before each axis, then behind each
    dilation: Sizes
    groups: int = 1
    output_padding: Sizes = ()

    def __post_init__(self) -> None:
        _check(self.inputs, self.outputs, self.groups, self.kernel, self.stride, self.dilation, self.padding)
        if len(self.output_padding) != len(self.kernel) or any(
            not 0 <= z < max(s, d) for z, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True)
        ):
            raise InputError(f"output_padding: expected one number below stride or dilation, got {self.output_padding}")

    @property
    def taps(self) -> int:
        """Kernel positions."""
        return math.prod(self.kernel)

    @property
    def channel_axis(self) -> int:
        """The first one."""
        return 0

    def stencils(self) -> tuple[tuple[int, ...], ...]:
        """By φ = (m + a) mod s: the taps at positions p with d p ≡ φ along every axis; and () if one has none.

        Cost: that of the taps, whatever the stride.
        """
        found: dict[tuple[int, ...], list[int]] = {}
        for tap, position in enumerate(product(*map(range, self.kernel))):
            phase = tuple(d * p % s for d, p, s in zip(self.dilation, position, self.stride, strict=True))
            found.setdefault(phase, []).append(tap)
        return (*map(tuple, found.values()), *([()] if len(found) < math.prod(self.stride) else []))

    @property
    def pads(self) -> bool:
        """Whether kernels of neighbours overlap, so that an end has fewer, or lines are added behind the last one."""
        sides = zip(self.kernel, self.dilation, self.stride, strict=True)
        return any(d * (k - 1) >= s for k, d, s in sides) or any(self.output_padding)

    @property
    def tap_bounds(self) -> TapBounds:
        """Each tap reads an entry of its own."""
        return TapBounds()

    def shape(self, inputs: Shape) -> Shape:
        """(outputs, ...) of (inputs, ...)."""
        _check_channels(self.inputs, len(self.kernel), inputs)
        lengths = tuple(
            (length - 1) * s + d * (k - 1) + 1 + z - a - e
            for length, a, e, d, k, s, z in zip(
                inputs[1:],
                *_ends(self.padding),
                self.dilation,
                self.kernel,
                self.stride,
                self.output_padding,
                strict=True,
            )
        )
        if min(lengths) < 1:
            raise InputError(f"nothing is left of a transposed convolution of values of shape {inputs}")
        return (self.outputs, *lengths)

    def apply(self, coefficients: Coefficient, x: np.ndarray) -> np.ndarray:
        """(batch, inputs, ...) -> (batch, outputs, ...)."""
        lengths = self.shape(x.shape[1:])[1:]
        before, behind = _ends(self.padding)
        full = tuple(n + a + e for n, a, e in zip(lengths, before, behind, strict=True))
        y = np.zeros((len(x), self.groups, self.outputs // self.groups, *full))
        for tap, position in enumerate(product(*map(range, self.kernel))):
            window = tuple(
                slice(d * p, d * p + s * (n - 1) + 1, s)
                for d, p, s, n in zip(self.dilation, position, self.stride, x.shape[2:], strict=True)
            )
            y[:, :, :, *window] += _by_group(coefficients[:, :, tap], x, self.groups)
        inside = tuple(slice(a, a + n) for a, n in zip(before, lengths, strict=True))
        return y[:, :, :, *inside].reshape(len(x), self.outputs, *lengths)

    @property
    def norms(self) -> str:
        """That of its adjoint."""
        return convolution_rule(self._kernels, stride=self.stride, dilation=self.dilation)

    def norm_work(self, by: str | None = None) -> float:
        """That of the symbol, or of the matrices."""
        return convolution_work(self._kernels, stride=self.stride, dilation=self.dilation, by=by or self.norms)

    @property
    def _kernels(self) -> Sizes:
        return (self.groups, self.inputs // self.groups, self.outputs // self.groups, *self.kernel)

    def norm(self, coefficients: Coefficient | Parts, by: str | None = None) -> float:
        """That of its adjoint, the convolution from outputs to inputs with the same stride."""
        kernel = _kernel(coefficients, self.groups, self.kernel).swapaxes(1, 2)
        return convolution_norm_bound(kernel, stride=self.stride, dilation=self.dilation, by=by or self.norms)


def _kernel(coefficients: Coefficient | Parts, groups: int, sizes: Sizes) -> np.ndarray:
    """(row, inp, tap) as (group, row, own input, *positions)."""
    coefficients = coefficients.whole() if isinstance(coefficients, Parts) else coefficients
    rows, inputs, _ = coefficients.shape
    return coefficients.reshape(rows, groups, inputs // groups, *sizes).swapaxes(0, 1)


def _by_group(weights: np.ndarray, x: np.ndarray, groups: int) -> np.ndarray:
    """Σ_j C[r, j] x_j within each group: (batch, group, row, ...)."""
    rows, inputs = weights.shape
    own = np.ascontiguousarray(weights.reshape(rows, groups, inputs // groups).swapaxes(0, 1))
    y = own @ x.reshape(len(x), groups, inputs // groups, math.prod(x.shape[2:]))
    return y.reshape(len(x), groups, rows, *x.shape[2:])


def _ends(padding: Sizes) -> tuple[Sizes, Sizes]:
    half = len(padding) // 2
    return padding[:half], padding[half:]


def _check_channels(inputs: int, axes: int, shape: Shape) -> None:
    if len(shape) != axes + 1 or shape[0] != inputs:
        raise InputError(f"a convolution of {inputs} channels and {axes} axes was given values of shape {shape}")


def _check(
    inputs: int, outputs: int, groups: int, kernel: Sizes, stride: Sizes, dilation: Sizes, padding: Sizes
) -> None:
    axes = len(kernel)
    if not 1 <= axes <= 3 or len(stride) != axes or len(dilation) != axes or len(padding) != 2 * axes:
        raise InputError(f"expected kernel, stride, dilation of 1 to 3 axes, padding of twice as many; got {kernel}")
    if min((inputs, outputs, groups, *kernel, *stride, *dilation)) < 1 or min(padding) < 0:
        raise InputError(
            f"expected sizes of at least 1 and padding of at least 0; got kernel {kernel}, stride {stride}"
        )
    if inputs % groups or outputs % groups:
        raise InputError(f"{groups} groups do not divide {inputs} inputs and {outputs} outputs")
