r"""Laws of candidates: seeded samplers for studies of random subset sums.

A law is any function (stream, shape) -> float64 array of that shape (vector laws append their d). Numbers come from
streams (`slth.numerics`), so a seed and a path name them for ever. `candidates` is the door:

>>> candidates(Uniform(), (2, 3), seed=0).shape
(2, 3)
>>> candidates(ScaledNormals(d=4), (2, 3)).shape
(2, 3, 4)

| law | a candidate | mean, variance |
| --- | --- | --- |
| `Uniform(low, high)` | uniform on [low, high) | (low + high)/2, (high − low)²/12 |
| `Normal(scale)` | N(0, scale²) | 0, scale² |
| `LiveProducts()` | u·v, u uniform on [0, 1), v on [−1, 1) | 0, 1/9 |
| `RawProducts()` | u⁺·v, u and v uniform on [−1, 1) | 0, 1/18 |
| `Signs()` | ±1 | 0, 1 |
| `Integers(largest)` | uniform on ±1 … ±largest | 0, (M + 1)(2M + 1)/6 |
| `Mixture(weight, other)` | uniform on [−1, 1) with probability weight, else from the other law | |
| `Resampled(numbers)` | one of the user's own numbers | theirs |
| `Normals(d)` | N(0, I) in R^d | 0, 1 per coordinate |
| `ScaledNormals(d)` | a·b, a ~ N(0, 1), b ~ N(0, I): "normally-scaled normal" | 0, 1 per coordinate; dependent |

Sources: LiveProducts and RawProducts, Pensia et al. (2020); Mixture, Lueker (1998); ScaledNormals, da Cunha, d'Amore
and Natale (2023); Integers, Borgs, Chayes and Pittel (2001).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from slth import _arguments
from slth._errors import InputError
from slth._shapes import Values
from slth.numerics import Stream, draw, words
from slth.subsetsum._inputs import as_float
from slth.subsetsum._readers import read_interval, read_positive, read_values

Candidates = Float64[np.ndarray, "..."]
Law = Callable[[Stream, tuple[int, ...]], Candidates]

LARGEST = 1 << 30  # of integers: 2^31 outcomes keep the 64-bit scaling of words exact


@dataclass(frozen=True, slots=True)
class Uniform:
    """Uniform on [low, high), on a grid of 2^24 steps."""

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        read_interval(self.low, self.high)

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        middle, half = self.low / 2 + self.high / 2, self.high / 2 - self.low / 2
        x = middle + half * draw(stream, "uniform", shape).astype(np.float64)
        return np.minimum(x, np.nextafter(self.high, self.low))  # where float64 is coarser than the grid


@dataclass(frozen=True, slots=True)
class Normal:
    """Normal with mean 0 and a standard deviation."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        read_positive(self.scale, "scale", "the unit of the values")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        return self.scale * draw(stream, "normal", shape).astype(np.float64)


@dataclass(frozen=True, slots=True)
class LiveProducts:
    """u·v, u uniform on [0, 1), v on [-1, 1): what a live neuron of a two-layer ReLU network offers. Multiples of
    2^-47."""

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        return Uniform(0.0, 1.0)(_part(stream, "u"), shape) * Uniform()(_part(stream, "v"), shape)


@dataclass(frozen=True, slots=True)
class RawProducts:
    """max(u, 0)·v, u and v uniform on [-1, 1): as `LiveProducts` for a random neuron; half of them are 0."""

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        return np.maximum(Uniform()(_part(stream, "u"), shape), 0.0) * Uniform()(_part(stream, "v"), shape)


@dataclass(frozen=True, slots=True)
class Signs:
    """+1 or -1."""

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        return draw(stream, "sign", shape).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Integers:
    """Uniform on ±1 ... ±largest; each has its probability up to 2^-64."""

    largest: int

    def __post_init__(self) -> None:
        if isinstance(self.largest, bool) or not 1 <= self.largest <= LARGEST or self.largest % 1:
            raise InputError(f"largest must be an integer from 1 to 2^30, got {self.largest!r}; try a power of two")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        outcome = _below(2 * self.largest, stream, shape)  # 0 ... 2M-1 -> -M ... -1, 1 ... M
        return np.where(outcome < self.largest, outcome - self.largest, outcome - self.largest + 1).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mixture that contains a uniform: uniform on [-1, 1) with probability `weight`, else from the other law."""

    weight: float
    other: Law

    def __post_init__(self) -> None:
        if not 0 <= as_float(self.weight) <= 1:
            raise InputError(f"weight must be a probability, 0 to 1, got {self.weight!r}; try weight=0.5")
        if not callable(self.other):
            raise InputError(f"other must be a law, got {self.other!r}; try Mixture(0.5, Signs())")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        coin = _below(1 << 31, _part(stream, "coin"), shape) < self.weight * 2.0**31
        drawn = np.asarray(self.other(_part(stream, "other"), shape))
        if drawn.shape != shape:
            raise InputError(f"a mixture takes laws of numbers: asked for {shape}, the other law gave {drawn.shape}")
        return np.where(coin, Uniform()(_part(stream, "uniform"), shape), drawn)


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare to one bool
class Resampled:
    """The user's own numbers, each drawn with the same probability, with replacement: weights of a network, say."""

    numbers: Values

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", read_values(self.numbers, summed=False))
        if len(self.numbers) >= LARGEST:
            raise InputError(f"at most 2^30 numbers can be resampled, got {len(self.numbers)}; leave some out")

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        return self.numbers[_below(len(self.numbers), stream, shape)].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Normals:
    """Independent standard normal vectors in R^d: shape (..., d)."""

    d: int

    def __post_init__(self) -> None:
        _check_dimension(self.d)

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        return draw(stream, "normal", (*shape, self.d)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ScaledNormals:
    """a·b with a ~ N(0, 1) and b ~ N(0, I) in R^d: the coordinates share the factor. Shape (..., d)."""

    d: int

    def __post_init__(self) -> None:
        _check_dimension(self.d)

    def __call__(self, stream: Stream, shape: tuple[int, ...]) -> Candidates:
        a = draw(_part(stream, "a"), "normal", (*shape, 1)).astype(np.float64)
        return a * draw(_part(stream, "b"), "normal", (*shape, self.d))


def candidates(law: Law | ArrayLike, shape: tuple[int, ...], *, seed: int = 0, path: str = "candidates") -> Candidates:
    """Draw candidates: `shape`, or `shape` + (d,) from a vector law; float64.

    Args:
        law: one of this module, any function of a stream and a shape, or an array of numbers to resample.
        shape: (n,) for one problem, (batch, n) for many.
        seed, path: name the numbers. The same two give the same numbers, everywhere and always.

    Raises:
        InputError: if a law of the user's own returns another shape, or numbers that are not finite.

    >>> candidates([2.0, 3.0], (4,), seed=1)
    array([3., 3., 2., 2.])
    """
    if not all(_arguments.is_whole(length) and length >= 0 for length in shape):
        raise InputError(f"shape must hold lengths of at least 0, got {shape}; try (100, 20) for 100 problems")
    shape = tuple(int(length) for length in shape)
    sampler: Law = law if callable(law) else Resampled(read_values(law, summed=False))
    drawn = np.asarray(sampler(Stream(seed, path), shape))
    if drawn.dtype.kind not in "iuf":
        raise InputError(f"a law must return real numbers of one shape, got dtype {drawn.dtype}")
    drawn = drawn.astype(np.float64)
    if drawn.shape[: len(shape)] != tuple(shape) or drawn.ndim > len(shape) + 1:
        raise InputError(
            f"a law must return the shape that it is asked for, {shape}, or {shape} + (d,), got {drawn.shape}"
        )
    if not np.isfinite(drawn).all():
        raise InputError("a law must return finite numbers, got NaN or infinity; clip or redraw them in the law")
    return drawn


def _part(stream: Stream, name: str) -> Stream:
    return Stream(stream.seed, f"{stream.path}/{name}")


def _below(outcomes: int, stream: Stream, shape: tuple[int, ...]) -> np.ndarray:
    """Integers 0 ... outcomes - 1: floor(w · outcomes / 2^64) of 64-bit words w, outcomes <= 2^31. int64."""
    pairs = words(stream, 0, 2 * math.prod(shape)).reshape(-1, 2).astype(np.uint64)
    low, high = pairs[:, 0] * np.uint64(outcomes), pairs[:, 1] * np.uint64(outcomes)
    return ((high + (low >> np.uint64(32))) >> np.uint64(32)).astype(np.int64).reshape(shape)


def _check_dimension(d: object) -> None:
    if isinstance(d, bool) or not isinstance(d, int | np.integer) or d < 1:
        raise InputError(f"d must be an integer of at least 1, got {d!r}; for numbers use Uniform or Normal")
