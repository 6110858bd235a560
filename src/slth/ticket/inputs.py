"""What a network takes: shape, normalisation and range of its inputs, in one record."""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int64

from slth._errors import InputError
from slth.graph import Box, spread
from slth.numerics import outward_quotient

MOST_SIZE = 2**40  # numbers in one array
MOST_TOKENS = 2**24  # float32 holds every integer up to it
Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a network: it is given (x − mean) / std; uint8 images are divided by 255 first.

    `lower` and `upper` bound what enters the network, after that normalisation; None: any real numbers. Each of mean,
    std, lower, upper holds one number, one per channel (the first axis), or one for every entry of `shape`.

    Or inputs are tokens, integers from 0 to `tokens` − 1 that name rows of a table; nothing else is said of them then.

    Raises:
        InputError: an impossible shape, numbers that do not fit it, std ≤ 0, an end without the other, an empty range,
            tokens with any of them.
    """

    shape: tuple[int, ...]  # without the batch: (features,) or (channels, height, width)
    mean: Values | None = None  # None: nothing is normalised
    std: Values | None = None
    lower: Values | None = None
    upper: Values | None = None
    tokens: int | None = None  # how many there are; None: inputs are numbers

    def __post_init__(self) -> None:
        if not 1 <= len(self.shape) <= 8 or min(self.shape) < 1 or math.prod(self.shape) > MOST_SIZE:
            raise InputError(f"inputs: expected a shape such as (3, 32, 32) or (784,), got {self.shape}")
        if self.tokens is not None:
            self._check_tokens(self.tokens)
        for first, second, what in (
            (self.mean, self.std, "a normalisation needs mean and std"),
            (self.lower, self.upper, "an input range needs both ends, lower and upper, such as 0,1"),
        ):
            if (first is None) != (second is None):
                raise InputError(f"{what}; one of them is missing")
        for name in ("mean", "std", "lower", "upper"):
            self._check_count(name, getattr(self, name))
        mean, std = self.mean or (0.0,), self.std or (1.0,)
        if not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
            raise InputError(f"inputs: expected a finite mean and std > 0, got {few(mean)} and {few(std)}")
        if self.lower is not None and self.upper is not None:
            for lower, upper in zip(*self._beside(self.lower, self.upper), strict=True):
                if not (math.isfinite(lower) and math.isfinite(upper) and lower <= upper):
                    raise InputError(f"an input range needs finite lower <= upper such as 0,1, got {lower:g},{upper:g}")

    def _check_tokens(self, count: int) -> None:
        if not 1 <= count <= MOST_TOKENS:
            raise InputError(f"inputs: expected 1 to {MOST_TOKENS:,} tokens, got {count:,}")
        said = [name for name in ("mean", "std", "lower", "upper") if getattr(self, name) is not None]
        if said:
            raise InputError(f"inputs that are tokens have no {said[0]}: they are the integers from 0 to {count - 1:,}")

    def _check_count(self, name: str, values: Values | None) -> None:
        if values is not None and len(values) not in spread.counts(self.shape):
            counts, shape = " or ".join(map(str, sorted(spread.counts(self.shape)))), "×".join(map(str, self.shape))
            raise InputError(f"inputs: {name} needs {counts} numbers for inputs of shape {shape}, got {len(values)}")

    def _beside(self, first: Values, second: Values) -> tuple[Values, Values]:
        """Both with as many numbers; no more than were given, however large the shape is."""
        if len(first) == len(second):
            return first, second
        if 1 in (len(first), len(second)):
            most = max(len(first), len(second))
            return first * (most // len(first)), second * (most // len(second))
        full = (np.broadcast_to(self.spread(values), self.shape).reshape(-1).tolist() for values in (first, second))
        return tuple(next(full)), tuple(next(full))

    @property
    def size(self) -> int:
        """Numbers in one input."""
        return math.prod(self.shape)

    def spread(self, values: Values) -> np.ndarray:
        """Values as an array that broadcasts against `shape`: size 1 along every axis whose entries share one."""
        return spread.over(values, self.shape)

    @property
    def box(self) -> Box | None:
        """The inputs that can occur, or None where no range is known; of tokens all numbers between the ends."""
        if self.tokens is not None:
            return Box(self.spread((0.0,)), self.spread((self.tokens - 1.0,)), self.shape)
        if self.lower is None or self.upper is None:
            return None
        return Box(self.spread(self.lower), self.spread(self.upper), self.shape)

    @property
    def negative(self) -> Bool[np.ndarray, "..."]:
        """Where an input can be negative, broadcasting against `shape`: everywhere, if no range is known."""
        if self.tokens is not None:
            return np.zeros((1,) * len(self.shape), np.bool_)
        return np.ones((1,) * len(self.shape), np.bool_) if self.lower is None else self.spread(self.lower) < 0

    @property
    def words(self) -> str:
        """Shape or range, and normalisation, for people. A bound holds on this range: its ends are not rounded.

        >>> Inputs((2,), lower=(0.0,), upper=(1.0,)).words, Inputs((2,), lower=(0.0, -0.1), upper=(1.0, 3.0)).words
        ('[0, 1] in every coordinate', '[0, 1] x [-0.1, 3]')
        >>> Inputs((128,), tokens=50257).words
        '128 tokens, each from 0 to 50,256'
        """
        if self.tokens is not None:
            several = " x ".join(map(str, self.shape))
            return f"{several} {'token' if self.size == 1 else 'tokens'}, each from 0 to {self.tokens - 1:,}"
        lower, upper, mean, std = self.lower, self.upper, self.mean, self.std
        if lower is None or upper is None:
            text = "any real numbers" if len(self.shape) == 1 and mean is None else " x ".join(map(str, self.shape))
        elif len(lower) == len(upper) == 1:
            text = f"[{_exact(lower[0])}, {_exact(upper[0])}] in every coordinate"
        elif len(lower) == len(upper) <= 4:
            text = " x ".join(f"[{_exact(a)}, {_exact(b)}]" for a, b in zip(lower, upper, strict=True))
            text += "" if len(lower) == self.size else " in the channels"
        else:
            text = f"a box in {self.size:,} coordinates, within [{_exact(min(lower))}, {_exact(max(upper))}]"
        if mean is None or std is None or (mean == (0.0,) and std == (1.0,)):
            return text
        mean_, std_ = (_listed(part) if len(part) == 1 else f"[{_listed(part)}]" for part in (mean, std))
        return f"{text}, (x - {mean_}) / {std_}"

    def with_raw_range(self, lower: Values, upper: Values) -> "Inputs":
        r"""The same, of data whose values are in these ranges before (x − mean) / std: they become `lower` and `upper`.

        Each end contains (x − mean) / std of every real x in the range, and what `normalised` makes of it: float32
        rounding is monotone, so that its values at the ends are the outermost. An end that is the mean becomes 0.

        Raises:
            InputError: an empty range; ends that overflow.

        >>> Inputs((2,), (0.5,), (0.25,)).with_raw_range((0.0, 0.5), (1.0,)).lower
        (-2.0, 0.0)
        """
        Inputs(self.shape, lower=lower, upper=upper)  # refuses what is no range
        low, high = self._entering(self.spread(lower), -np.inf), self._entering(self.spread(upper), np.inf)
        return replace(self, lower=tuple(low.ravel().tolist()), upper=tuple(high.ravel().tolist()))

    def with_float32_ends(self) -> "Inputs":
        """The same range, widened to what float32 makes of its ends: networks are given float32, and ends belong to it.

        >>> Inputs((1,), lower=(-0.1,), upper=(0.5,)).with_float32_ends().lower  # float32(-0.1) is less than -0.1
        (-0.10000000149011612,)
        """
        if self.lower is None or self.upper is None:
            return self
        lower, upper = (np.array(end) for end in (self.lower, self.upper))
        with np.errstate(over="ignore"):  # an end that float32 does not hold stays
            low, high = (end.astype(np.float32).astype(np.float64) for end in (lower, upper))
        low, high = np.where(np.isinf(low), lower, low), np.where(np.isinf(high), upper, high)
        ends = np.minimum(lower, low).tolist(), np.maximum(upper, high).tolist()
        return replace(self, lower=tuple(ends[0]), upper=tuple(ends[1]))

    @np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore")  # infinity and NaN are no range
    def _entering(self, end: np.ndarray, towards: float) -> np.ndarray:
        """What an end of a raw range becomes, rounded outward."""
        mean, std = self.spread(self.mean or (0.0,)), self.spread(self.std or (1.0,))
        seen = ((end.astype(np.float32) - mean.astype(np.float32)) / std.astype(np.float32)).astype(np.float64)
        exact = outward_quotient(end, mean, std, towards=towards)
        return np.minimum(seen, exact) if towards < 0 else np.maximum(seen, exact)

    def normalised(self, x: np.ndarray) -> Float32[np.ndarray, "count ..."] | Int64[np.ndarray, "count ..."]:
        """What the network takes, float32, of uint8 images or floats (count, *shape); in float32, as in training.

        Of tokens int64, of whole numbers of any type.

        Raises:
            InputError: what is no token.
        """
        if self.tokens is not None:
            return self._as_tokens(x, self.tokens)
        x = x.astype(np.float32) / np.float32(255) if x.dtype == np.uint8 else x.astype(np.float32, copy=False)
        if self.mean is None or self.std is None or (self.mean == (0.0,) and self.std == (1.0,)):
            return x
        mean, std = (self.spread(values).astype(np.float32) for values in (self.mean, self.std))
        return (x - mean) / std

    def _as_tokens(self, x: np.ndarray, count: int) -> Int64[np.ndarray, "count ..."]:
        whole = x.dtype.kind in "biu" or (x.dtype.kind == "f" and bool((x == np.floor(x)).all()))
        low, high = (x.min(), x.max()) if x.size else (0, 0)
        if not whole or low < 0 or high >= count:
            got = f"{low} to {high}" if whole else f"{x.dtype} that are not whole numbers"
            raise InputError(
                f"the network takes tokens, integers from 0 to {count - 1:,}; got {got}; is it the right data, by the "
                "right tokenizer?"
            )
        return x.astype(np.int64)


def _exact(value: float) -> str:
    """The fewest digits that are this number: a domain that is printed rounded is not the one a bound holds on."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _listed(values: Values) -> str:
    """The first numbers, in full."""
    shown = ", ".join(map(_exact, values[:4]))
    return shown if len(values) <= 4 else f"{shown}, ... ({len(values)} numbers)"


def few(values: Values, digits: int = 6) -> str:
    """The first numbers, for people."""
    shown = ", ".join(f"{value:.{digits}g}" for value in values[:4])
    return shown if len(values) <= 4 else f"{shown}, ... ({len(values)} numbers)"
