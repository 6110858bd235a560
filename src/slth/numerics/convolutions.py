r"""Upper bounds on the operator norm of a convolution, whatever the size of the image.

A zero-padded convolution of any image is a part of the convolution $y_q = \sum_p K_p x_{q + p}$ of all of $Z^D$, whose
norm is that of its symbol $\hat K(\omega) = \sum_p K_p e^{i \langle\omega, p\rangle}$, a complex matrix:
$\lVert K\rVert_2 = \sup_\omega \lVert\hat K(\omega)\rVert_2$. With N > k - 1 equally spaced points per axis

$$\sup_\omega \lVert\hat K(\omega)\rVert_2 \le \max_{\text{grid}} \lVert\hat K(\omega)\rVert_2
\prod_{\text{axes}} \frac{1}{\cos(\pi (k - 1) / 2N)},$$

for $g(\omega) = \mathrm{Re}\, u^* \hat K(\omega) v\, e^{-i(\omega m + \theta)}$, m = (k - 1)/2, is of exponential type
m, and such a g falls from its maximum no faster than a cosine of that frequency. With stride s the s^D phases of the
input are inputs of their own, and the kernel has ⌈k/s⌉ positions per axis; if that is one, nothing is lost: it is a
matrix.

Sources: Ehlich and Zeller, *Schwankung von Polynomen zwischen Gitterpunkten*, Math. Z. 86 (1964); Pfister and Bresler,
*Bounding multivariate trigonometric polynomials*, IEEE TSP 66 (2018), for half-integer m and several axes.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from jaxtyping import Float64

from slth.numerics.bounds import FLOOR, above, slack
from slth.numerics.norms import CHUNK, largest_norm_bound, spectral_norm_bound
from slth.numerics.work import BLOCKS, FLATTENED, NORMS, SPECTRAL, blocks_of, matrix_rule, matrix_work, most_work

DENSITIES = (
    16,
    12,
    8,
    6,
    4,
    3,
)  # N / (k - 1) of the first `NORMS`: a factor of 1.005, 1.009, 1.020, 1.035, 1.082, 1.155 per axis
_PER_POINT = 1e5  # what a small matrix costs beside its arithmetic, in operations of a large one
_STACK = 2**16  # numbers in a stack of matrices

Kernel = Float64[np.ndarray, "group row inp ..."]


def convolution_norm_bound(
    kernel: Kernel, *, stride: Sequence[int], dilation: Sequence[int], by: str = SPECTRAL
) -> float:
    r"""A number not below ‖x ↦ y‖₂, $y_q = \sum_p K_p x_{s q + d p}$, for every image and any zero padding.

    The smallest of four bounds of the regrouped kernel: the symbol on a grid, √taps ‖K as (row, inp · taps)‖₂,
    $\sum_p \lVert K_p\rVert_2$, $\sqrt{\lVert K\rVert_1 \lVert K\rVert_\infty}$. Groups do not meet: the largest
    counts.

    Args:
        kernel: (group, row, inp, *positions), one matrix for each group and position.
        stride, dilation: one number per axis of positions. Dilation alone moves ω and no norm; what it shares with the
            stride is no stride.
        by: one of `NORMS`, see `convolution_rule`.

    Returns:
        The bound; 0 if and only if K = 0. Exact, up to rounding, if k ≤ stride along every axis.

    Cost: 4 m²n + 4/3 m³ operations per point of the grid, for (m, n) the sorted numbers of channels, the second half
    as fast as the first. 512 x 512, 3 x 3, by `grid/4`: 34 points, 0.8 s. Memory: that of the kernel, if it has a
    stride of more than 1.

    >>> kernel = np.full((1, 1, 1, 3), 1.0)  # ones on a line: the sum of three neighbours
    >>> 3.0 <= convolution_norm_bound(kernel, stride=(1,), dilation=(1,)) < 3.0 + 1e-12
    True
    """
    largest = float(np.maximum(kernel.max(initial=0.0), -kernel.min(initial=0.0)))
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    _, exponent = np.frexp(largest)
    if abs(exponent) <= 100:  # no product leaves the range of float64
        exponent = 0
    k = _regrouped(np.ldexp(kernel, -exponent) if exponent else kernel, _steps(kernel.shape[3:], stride, dilation))
    taps = math.prod(k.shape[3:])
    matrices = k.reshape(*k.shape[:3], taps)
    flat = matrices.reshape(*k.shape[:2], -1)
    blocks = blocks_of(*flat.shape[1:]) if by == BLOCKS else 1
    bound = min(above(math.sqrt(taps) * _by_blocks(flat, blocks), 2), _by_sums(matrices))
    if taps > 1 and by != BLOCKS:
        bound = min(bound, above(sum(largest_norm_bound([matrices[..., t]]) for t in range(taps)), taps))
        if by != FLATTENED:
            bound = min(bound, _by_symbol(k, DENSITIES[NORMS.index(by)]))
    return max(float(np.ldexp(bound, exponent)), FLOOR)


def convolution_rule(shape: Sequence[int], *, stride: Sequence[int], dilation: Sequence[int]) -> str:
    """Which of `NORMS` bounds a kernel of this shape within the work that its weights allow; no other number counts.

    >>> convolution_rule((1, 64, 64, 3, 3), stride=(1, 1), dilation=(1, 1))
    'spectral'
    >>> convolution_rule((1, 512, 512, 3, 3), stride=(1, 1), dilation=(1, 1))
    'grid/4'
    """
    groups, rows, inputs, *lengths = _phases(shape, stride, dilation)
    if math.prod(lengths) == 1:
        return matrix_rule(rows, inputs, groups=groups)
    for name in NORMS[: len(DENSITIES)]:
        if convolution_work(shape, stride=stride, dilation=dilation, by=name) <= most_work(math.prod(shape)):
            return name
    return FLATTENED if matrix_rule(rows, inputs * math.prod(lengths), groups=groups) == SPECTRAL else BLOCKS


def convolution_work(shape: Sequence[int], *, stride: Sequence[int], dilation: Sequence[int], by: str) -> float:
    """Operations that the norm of a kernel of this shape takes by a rule, about."""
    groups, rows, inputs, *lengths = _phases(shape, stride, dilation)
    taps = math.prod(lengths)
    if by == BLOCKS or taps == 1:
        blocks = blocks_of(rows, inputs * taps) if by == BLOCKS else 1
        return matrix_work(rows, inputs * taps, groups=groups, blocks=blocks)
    if by == FLATTENED:
        return matrix_work(rows, inputs * taps, groups=groups)
    m, n = sorted((rows, inputs))
    each = groups * (4.0 * m * m * (n + m + 60) + 4.0 * m * n * taps + _PER_POINT)
    density = DENSITIES[NORMS.index(by)]
    return each * math.prod(density * (k - 1) for k in lengths if k > 1) / 2


def _phases(shape: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """(group, row, input and phase, *positions) of a kernel once it is regrouped."""
    groups, rows, inputs, *positions = shape
    steps = _steps(positions, stride, dilation)
    return groups, rows, inputs * math.prod(steps), *(-(-k // s) for k, s in zip(positions, steps, strict=True))


def _steps(positions: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> list[int]:
    """s / gcd(s, d); of more phases than there are positions the others hold zeros."""
    return [min(k, s // math.gcd(s, d)) for k, s, d in zip(positions, stride, dilation, strict=True)]


def _by_blocks(flat: np.ndarray, blocks: int) -> float:
    """The largest ‖·‖₂ of each group, of its rows or columns in blocks if there are several."""
    if blocks == 1:
        return largest_norm_bound([flat])
    return max(spectral_norm_bound(matrix, blocks=blocks) for matrix in flat)


def _regrouped(kernel: np.ndarray, steps: Sequence[int]) -> np.ndarray:
    """Position p = s p' + φ of input j becomes position p' of the input (j, φ)."""
    if all(s == 1 for s in steps):
        return kernel
    axes = len(steps)
    lengths = [-(-k // s) for k, s in zip(kernel.shape[3:], steps, strict=True)]
    ends = [(0, n * s - k) for n, s, k in zip(lengths, steps, kernel.shape[3:], strict=True)]
    full = np.pad(kernel, [(0, 0)] * 3 + ends)
    split = full.reshape(*kernel.shape[:3], *(n for pair in zip(lengths, steps, strict=True) for n in pair))
    phases, positions = [4 + 2 * i for i in range(axes)], [3 + 2 * i for i in range(axes)]
    return split.transpose(0, 1, 2, *phases, *positions).reshape(*kernel.shape[:2], -1, *lengths)


def _by_sums(matrices: np.ndarray) -> float:
    """√(‖·‖₁ ‖·‖_∞): the largest sums of sizes over what one input meets and over what one output reads."""
    groups, rows, inputs, taps = matrices.shape
    columns, largest = np.zeros((groups, inputs)), np.zeros(groups)
    step = max(1, CHUNK // (groups * inputs))
    for start in range(0, rows, step):
        sizes = np.abs(matrices[:, start : start + step, :, 0])
        for t in range(1, taps):
            sizes += np.abs(matrices[:, start : start + step, :, t])
        columns += sizes.sum(axis=1)
        largest = np.maximum(largest, sizes.sum(axis=2).max(axis=1))
    return float(above(np.sqrt(columns.max(axis=1) * largest).max(), matrices[0].size))


def _by_symbol(kernel: np.ndarray, density: int) -> float:
    """The maximum over the grid, times what can happen between its points."""
    points = [1 if k == 1 else density * (k - 1) for k in kernel.shape[3:]]
    between = above(1.0 / math.cos(math.pi / (2 * density)), 4) ** sum(n > 1 for n in points)
    taps = math.prod(kernel.shape[3:])
    # Each exponential is off by less than 2⁻⁴⁷, sums over the taps round, too.
    rounding = slack(_by_sums(kernel.reshape(*kernel.shape[:3], taps)), 2 * taps + 32)
    return above((largest_norm_bound(_symbol(kernel, points)) + rounding) * between, 4 + len(points))


def _symbol(kernel: np.ndarray, points: Sequence[int]) -> Iterator[np.ndarray]:
    """Stacks of K̂ at 2π j / N, for one of each j and −j: at the other it is the conjugate."""
    flat = kernel.reshape(-1, math.prod(kernel.shape[3:]))
    roots = [np.exp(2j * np.pi * np.arange(n) / n) for n in points]
    positions = np.array(list(np.ndindex(*kernel.shape[3:])))
    grid = [j for j in product(*map(range, points)) if j <= tuple(-i % n for i, n in zip(j, points, strict=True))]
    count = max(1, _STACK // len(flat))
    for start in range(0, len(grid), count):
        phases = np.ones((len(grid[start : start + count]), len(positions)), np.complex128)
        for axis, (j, n) in enumerate(zip(np.array(grid[start : start + count]).T, points, strict=True)):
            phases *= roots[axis][np.multiply.outer(j, positions[:, axis]) % n]
        if count == 1:  # (numbers, 2) is read as complex numbers, where they lie
            both = np.ascontiguousarray(np.stack([phases[0].real, phases[0].imag], axis=1))
            yield (flat @ both).view(np.complex128).reshape(kernel.shape[:3])
            continue
        values = flat @ phases.real.T + 1j * (flat @ phases.imag.T)
        yield values.T.reshape(-1, *kernel.shape[1:3])
