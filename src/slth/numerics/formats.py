"""Number formats of weights: rounding to them, and how far off a number may be and still round to the same.

A number of a format is m · 2^q with |m| < 2^p and q no smaller than that of its least number. Names are those of
safetensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

Numbers = Float64[np.ndarray, "..."]


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format."""

    precision: int  # p, significant bits
    least: int  # exponent of the least number > 0
    largest: float
    bits: int  # of a number in a file


FORMATS: Mapping[str, Format] = {  # number formats by name
    "F32": Format(24, -149, float.fromhex("0x1.fffffep127"), 32),
    "BF16": Format(8, -133, float.fromhex("0x1.fep127"), 16),
    "F16": Format(11, -24, 65504.0, 16),
}


def rounded_to(values: Numbers, name: str) -> Numbers:
    """The nearest numbers of a format, ties to even; infinity beyond its largest. Zeros keep their sign.

    >>> rounded_to(np.array([1.001, 2.0**-24, 1e5]), "F16")
    array([1.00097656e+00, 5.96046448e-08,            inf])
    """
    form = FORMATS[name]
    unit = _unit(values, form)
    found = np.ldexp(np.rint(np.ldexp(values, -unit)), unit)
    return np.where(np.abs(found) > form.largest, np.copysign(np.inf, found), found)


def half_gap(numbers: Numbers, name: str) -> Numbers:
    """Half the distance from numbers of a format to their nearest neighbours: what is closer rounds to them.

    At this distance ties to even decide. Below a power of two the neighbour towards 0 is half as far.

    >>> half_gap(np.array([1.0, 1.5, 0.0]), "BF16") == [2.0**-9, 2.0**-8, 2.0**-134]
    array([ True,  True,  True])
    """
    form = FORMATS[name]
    mantissa, _ = np.frexp(np.abs(numbers))
    unit = _unit(numbers, form)
    return np.ldexp(np.where((mantissa == 0.5) & (unit > form.least), 0.25, 0.5), unit)


def to_format(numbers: Numbers, name: str) -> np.ndarray:
    """Numbers of a format as its little-endian bytes hold them; those of BF16 as uint16, which NumPy lacks.

    >>> hex(to_format(np.array([-1.5]), "BF16")[0])
    '0xbfc0'
    """
    if name == "F16":
        return numbers.astype("<f2")
    single = numbers.astype("<f4")
    return single if name == "F32" else (single.view("<u4") >> 16).astype("<u2")


def from_format(stored: np.ndarray, name: str) -> Numbers:
    """The inverse of `to_format`."""
    if name == "BF16":
        stored = (stored.astype("<u4") << 16).view("<f4")
    return stored.astype(np.float64)


def _unit(values: Numbers, form: Format) -> np.ndarray:
    """The exponent of the last place that the format has for values."""
    _, exponent = np.frexp(values)
    return np.where(values == 0, form.least, np.maximum(exponent - form.precision, form.least))
