r"""What else could store the weights of a network: quantisers, the bits they take, and the numbers they give back.

**Round to nearest.** Of each output r, with $s_r = \max_j |W_{rj}| / (2^{b-1} - 1)$ stored as float32, $q =
\mathrm{round}(w / s_r)$ in b bits: $b + 32 / \text{columns}$ bits a weight.

**Uniform quantiser and entropy coder.** See `slth.numerics.rates`: multiples of 2τ, coded by a static model.

**SeedLM** (Shafipour et al., 2024, arXiv:2410.10714). C weights at a time are $U(s)\,t$: the C × P matrix U follows
from a seed s of 16 bits by a linear feedback shift register, t are P numbers of 4 bits with a common exponent of 4
bits: $(20 + 4 P) / C$ bits a weight, here (C, P) = (8, 3) for 4 bits and (12, 4) for 3. All seeds are tried.

Biases are stored as float32 by the first, as weights by the second; SeedLM is asked for weights alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from slth.graph import Affine, Target
from slth.numerics import half_step, quantiser_bits

_FLOAT = 32
_REGISTER = 16  # bits of SeedLM's register
_TAPS = (16, 15, 13, 4)  # of a register of that length with the longest period


@dataclass(frozen=True, slots=True, eq=False)
class Rival:
    """The coefficients that a quantiser gives back, and the bits it stores them in."""

    name: str
    bits: float  # of all maps together
    coefficients: Mapping[str, Affine]


def rounded(target: Target, bits: int) -> Rival:
    """Round to nearest with one scale for each output."""
    total, found = 0.0, dict[str, Affine]()
    most = 2 ** (bits - 1) - 1
    for path, affine in target.coefficients.items():
        weight = affine.weight
        largest = np.abs(weight).max(axis=(1, 2), keepdims=True)
        scale = np.where(largest > 0, largest / most, 1.0).astype(np.float32).astype(np.float64)
        restored = np.clip(np.rint(weight / scale), -most, most) * scale
        total += bits * weight.size + _FLOAT * len(weight)
        total += 0 if affine.bias is None else _FLOAT * affine.bias.size
        found[path] = Affine(restored, affine.bias)
    return Rival(f"int{bits}, round to nearest", total, found)


def coded(target: Target, tolerances: Mapping[str, float], name: str) -> Rival:
    """A uniform quantiser within a tolerance of each map's numbers, and an entropy coder."""
    total, found = 0.0, dict[str, Affine]()
    for path, affine in target.coefficients.items():
        parts = [affine.weight] if affine.bias is None else [affine.weight, affine.bias]
        halves = [half_step(part, tolerances[path]) for part in parts]
        total += _FLOAT + sum(quantiser_bits(part, half) for part, half in zip(parts, halves, strict=True))
        weight, *bias = (2 * half * np.rint(part / (2 * half)) for part, half in zip(parts, halves, strict=True))
        found[path] = Affine(weight, bias[0] if bias else None)
    return Rival(name, total, found)


@dataclass(frozen=True, slots=True)
class SeedLM:
    """What SeedLM makes of some weights: a sample of blocks, spread evenly."""

    name: str
    bits: float  # a weight
    error: float  # mean square of the error ÷ mean square of the weights, of the sample
    weights: int  # in the sample


def seedlm(target: Target, *, columns: int, numbers: int, most: int) -> SeedLM:
    """SeedLM on at most so many blocks of the weights. Cost: some 10 ms a block.

    Args:
        columns, numbers: C and P.
    """
    weights = np.concatenate([affine.weight.reshape(-1) for affine in target.coefficients.values()])
    blocks = weights[: len(weights) // columns * columns].reshape(-1, columns)
    sample = blocks[np.unique(np.linspace(0, len(blocks) - 1, min(most, len(blocks))).astype(np.int64))]
    bits = (_REGISTER + 4 + 4 * numbers) / columns
    if not len(sample) or not sample.any():
        return SeedLM(f"SeedLM, {bits:g} bits", bits, 0.0, sample.size)
    matrices = _matrices(columns, numbers)
    inverses = np.linalg.pinv(matrices)
    errors = [_best(block, matrices, inverses) for block in sample]
    return SeedLM(f"SeedLM, {bits:g} bits", bits, float(sum(errors) / (sample**2).sum()), sample.size)


def _best(block: Float64[np.ndarray, " c"], matrices: np.ndarray, inverses: np.ndarray) -> float:
    """The smallest squared error of a block over all seeds."""
    exact = inverses @ block  # (seed, p)
    largest = np.abs(exact).max(axis=1, keepdims=True)
    exponent = np.exp2(np.ceil(np.log2(np.maximum(largest, 1e-300) / 7.0)))
    t = np.clip(np.rint(exact / exponent), -8, 7) * exponent
    return float(((np.einsum("scp,sp->sc", matrices, t) - block) ** 2).sum(axis=1).min())


def _matrices(columns: int, numbers: int) -> Float64[np.ndarray, "seed c p"]:
    """U of every seed: so many states of the register after the seed, from (−1, 1]."""
    period = 2**_REGISTER - 1
    states = np.empty(period, np.int64)
    state = 1
    for i in range(period):
        states[i] = state
        bit = 0
        for tap in _TAPS:
            bit ^= state >> (_REGISTER - tap)
        state = (state >> 1) | ((bit & 1) << (_REGISTER - 1))
    middle = 2 ** (_REGISTER - 1)
    values = (states - middle) / (middle - 1)
    around = np.concatenate([values, values[: columns * numbers]])
    windows = np.lib.stride_tricks.sliding_window_view(around, columns * numbers)[1 : period + 1]
    return windows.reshape(period, columns, numbers)


def gaussian_bound(target: Target, errors: Mapping[str, float]) -> float:
    r"""Bits of all maps below which no code of Gaussian weights reaches a mean square error.

    $N \max(\tfrac12 \log_2 (\sigma^2 / D), 0)$ for N weights of mean square σ², D: `errors` by map. Necessary if the
    weights are Gaussian; real ones take a little less. Source: Shannon (1959).
    """
    total = 0.0
    for path, affine in target.coefficients.items():
        spread, error = float((affine.weight**2).mean()), errors[path]
        if spread > error > 0:
            total += math.prod(affine.shape) * 0.5 * np.log2(spread / error)
    return float(total)
