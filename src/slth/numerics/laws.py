"""Laws: how a word of a stream becomes a value. A closed vocabulary of names, which a ticket's file can hold.

Those of trained weights (Stream v1, float32), whose values never change:

    uniform    (word >> 8)·2⁻²³ − 1 in [−1, 1)
    sign       +1 if the top bit is 0, else −1
    normal     Φ⁻¹(((word >> 8) + ½)·2⁻²⁴) in float64, rounded once to float32

Those of the sources of constructed tickets, `SourceLaw`: multiples of 2⁻ᵏ, all of them exact in float32, and small
enough that sums of 128 products of two values are exact in float64. `uniform` and `sign` are two of them; then, with
t = ((word >> 8) + ½)·2⁻²⁴ and everything rounded to the nearest multiple:

    normal/20           Φ⁻¹(t), k = 20, |x| < 5.42
    grid/K              uniform on {−1, −1 + 2⁻ᴷ, ..., 1}: ⌊word·(2ᴷ⁺¹ + 1)·2⁻³²⌋·2⁻ᴷ − 1, K = 0 ... 20; each value
                        has its chance up to 2⁻³²
    hyperbolic/B        density 1/|x| on 2⁻ᴮ ≤ |x| < 1: ±2^(−B(1 − s)), s = |2t − 1|, k = 20, B = 1 ... 16; each factor
                        of 2 between 2⁻ᴮ and 1 is hit equally often
    pruned/P            uniform with chance P, else 0: a source of which a random part is pruned before any target is
                        seen. P = 1/256 ... 255/256: the value is uniform if the last byte of the word is below 256 P
    mixture/P/OTHER     the same, else the value that sign, a grid or a hyperbolic law makes of the word

Exactness: a product of two values is a multiple of 2⁻²ᵏ, of size at most bound², and 128·bound²·2²ᵏ ≤ 2⁵³ in every
case: 128·2⁴⁶ = 2⁵³ for k = 23 and bound 1, 128·29.4·2⁴⁰ < 2⁵² for `normal/20`. So no partial sum of 128 of them rounds.

Never drifting: Φ⁻¹ and 2^x are not correctly rounded everywhere, but no value comes nearer to the middle of two
multiples than 4·10⁻¹⁵, some twenty units in the last place of a float64 below 1: any library rounds alike.

Sources: normal, Pensia et al. (2020); grids, Kumar and Natale (2025); the hyperbolic law, Orseau, Hutter and Rivasplata
(2020); mixtures that contain a uniform, Lueker (1998), corollary 3.3; randomly pruned sources, Gadhikar, Mukherjee and
Burkholz (2023).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from jaxtyping import UInt32

from slth._errors import InputError
from slth._shapes import Draws, RawWords

Law = Literal["uniform", "sign", "normal"]  # of learned tickets
LAWS: tuple[Law, ...] = ("uniform", "sign", "normal")  # those of `Law`
# Of constructed tickets; K, B, P and OTHER stand for numbers and a law.
SOURCE_LAWS = ("uniform", "sign", "normal/20", "grid/K", "hyperbolic/B", "pruned/P", "mixture/P/OTHER")
EXACT_TERMS = 128  # so many products of two values of a source's law sum without rounding
_EMPTY = (1, 0)  # an interval of words, ends included


@dataclass(frozen=True, slots=True, eq=False)
class SourceLaw:
    """A law of the random numbers of a constructed ticket: multiples of 2^-bits, |x| ≤ bound."""

    name: str
    bits: int
    bound: float
    uniform: float  # the chance P that a value is one of U[−1, 1)
    parts: tuple["_Part", ...]  # what the word becomes; where there are two, the first if its last byte is below 256 P

    def values(self, words: RawWords) -> Draws:
        """Values of words, float32, exact."""
        found = self.parts[0].values(words)
        if len(self.parts) == 1:
            return found
        return np.where(
            (words & np.uint32(255)) < np.uint32(round(256 * self.uniform)), found, self.parts[1].values(words)
        )

    @property
    def prunes(self) -> bool:
        """A value is 0 where it was pruned before any target was seen."""
        return self.name.startswith("pruned/")

    def serving(self, threshold: float) -> UInt32[np.ndarray, "part side 2"]:
        """Which words stand for x ≥ threshold (side 0), and which for −x ≥ threshold (side 1), threshold > 0.

        First and last word for each part of the law; the first is beyond the last where no word does. The last byte is
        that of the coin: of a mixture, it is free in both parts.
        """
        return np.array([[_serving(part, threshold, side) for side in (1, -1)] for part in self.parts], np.uint32)


@dataclass(frozen=True, slots=True)
class _Part:
    """A monotone map of words to values."""

    values: Callable[[RawWords], Draws]
    falling: bool = False


@lru_cache(maxsize=256)
def _serving(part: _Part, threshold: float, side: int) -> tuple[int, int]:
    """The first and the last word with side · x ≥ threshold."""

    def holds(word: int) -> bool:
        return bool(side * part.values(np.array([word], np.uint32))[0] >= threshold)

    above = (side > 0) != part.falling  # the words are the last ones
    end, other = (2**32 - 1, 0) if above else (0, 2**32 - 1)
    if not holds(end):
        return _EMPTY
    if holds(other):
        return 0, 2**32 - 1
    while abs(end - other) > 1:
        middle = (end + other) // 2
        end, other = (middle, other) if holds(middle) else (end, middle)
    return (end, 2**32 - 1) if above else (0, end)


@cache
def source_law(name: str) -> SourceLaw:
    """The law of a name.

    Raises:
        InputError: it names none.

    >>> source_law("pruned/0.25").uniform, source_law("grid/4").bits
    (0.25, 4)
    """
    if name in _PLAIN:
        return _PLAIN[name]
    kind, _, rest = name.partition("/")
    if kind == "grid":
        size = _whole(name, rest, 0, 20)
        return SourceLaw(name, size, 1.0, 0.0, (_Part(_grid(size)),))
    if kind == "hyperbolic":
        return SourceLaw(name, 20, 1.0, 0.0, (_Part(_hyperbolic(_whole(name, rest, 1, 16))),))
    if kind == "pruned":
        return SourceLaw(name, 23, 1.0, _chance(name, rest), (_Part(_uniform), _Part(_zero)))
    if kind == "mixture":
        share, _, rest = rest.partition("/")
        if rest.partition("/")[0] not in ("sign", "grid", "hyperbolic"):
            raise InputError(
                f"a mixture is uniform with a chance P, else of the law sign, grid/K or hyperbolic/B, such as "
                f"mixture/0.5/sign; got {name[:99]!r}"
            )
        other = source_law(rest)
        return SourceLaw(name, 23, 1.0, _chance(name, share), (_Part(_uniform), *other.parts))
    raise InputError(
        f"expected a law of random numbers, one of {', '.join(SOURCE_LAWS)}, such as hyperbolic/8 or pruned/0.5; "
        f"got {name[:99]!r}"
    )


def from_words(raw: RawWords, law: str) -> Draws:
    """Map words to values by the name of a law, float32, any shape."""
    if law == "normal":
        return _quantiles(raw).astype(np.float32)
    return source_law(law).values(raw)


def _uniform(words: RawWords) -> Draws:
    return (words >> np.uint32(8)).astype(np.float32) * np.float32(2**-23) - np.float32(1)


def _sign(words: RawWords) -> Draws:
    return np.float32(1) - np.float32(2) * (words >> np.uint32(31)).astype(np.float32)


def _zero(words: RawWords) -> Draws:
    return np.zeros(words.shape, np.float32)


def _normal(words: RawWords) -> Draws:
    return _rounded(_quantiles(words))


def _quantiles(words: RawWords) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(((words >> np.uint32(8)).astype(np.float64) + 0.5) * 2.0**-24)


def _grid(size: int) -> Callable[[RawWords], Draws]:
    count = np.uint64(2 ** (size + 1) + 1)

    def values(words: RawWords) -> Draws:
        steps = (words.astype(np.uint64) * count) >> np.uint64(32)
        return (steps.astype(np.float64) * 2.0**-size - 1.0).astype(np.float32)

    return values


def _hyperbolic(octaves: int) -> Callable[[RawWords], Draws]:
    def values(words: RawWords) -> Draws:
        place = ((words >> np.uint32(8)).astype(np.float64) + 0.5) * 2.0**-23 - 1.0  # 2t − 1, exact, never 0
        return _rounded(np.copysign(np.exp2(-octaves * (1.0 - np.abs(place))), place))

    return values


def _rounded(values: np.ndarray) -> Draws:
    return (np.rint(values * 2.0**20) * 2.0**-20 + 0.0).astype(np.float32)  # no −0


def _whole(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and least <= int(text) <= most):
        raise InputError(
            f"{name.partition('/')[0]} takes a whole number from {least} to {most}, such as "
            f"{name.partition('/')[0]}/8; got {name[:99]!r}"
        )
    if text != str(int(text)):
        raise InputError(f"the law is spelled without leading zeros, got {name[:99]!r}")
    return int(text)


def _chance(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 1 / 256 <= share <= 255 / 256:
        raise InputError(f"a chance lies between 1/256 and 255/256, such as 0.5, got {name[:99]!r}")
    nearest = round(256 * share) / 256
    if repr(nearest) != text:
        raise InputError(f"a chance is a multiple of 1/256, got {name[:99]!r}; the nearest is {nearest!r}")
    return share


_PLAIN = {
    "uniform": SourceLaw("uniform", 23, 1.0, 1.0, (_Part(_uniform),)),
    "sign": SourceLaw("sign", 0, 1.0, 0.0, (_Part(_sign, falling=True),)),
    "normal/20": SourceLaw("normal/20", 20, 5.42, 0.0, (_Part(_normal),)),
}
