r"""In how many bits can numbers be stored within a tolerance: what a plain coder takes, and what none can go below.

**Quantiser.** Multiples $2\tau q$, $q = \mathrm{round}(w / 2\tau)$, are within $\tau$ of any numbers. (Where w is
spread over many steps, the error is spread evenly over $[-\tau, \tau]$ and its mean square is $\tau^2 / 3$.) The q are
stored by an entropy coder of a static model, whose table counts 16 bits an entry. Of two models the cheaper one: a
probability for each q; or one for the length of |q|, then its sign and the bits below its highest one as they are.

**Packing.** A code that serves *every* choice of N numbers in $[-R, R]$ within $\tau$ has a word for each cube of side
$2\tau$ that it takes to cover one of side $2R$: at least $(R/\tau)^N$, so $\log_2 (R / \tau)$ bits a number.
"""

import math

import numpy as np

_LEVELS = 1 << 20  # different q that are counted one by one
_ENTRY = 16  # bits of a table's entry


def quantiser_bits(numbers: np.ndarray, tolerance: float) -> float:
    """Bits that all numbers take together, each within a tolerance: uniform quantiser of step 2τ, entropy coder.

    >>> quantiser_bits(np.array([0.0, 0.0, 1.0, 1.0] * 100), 0.25)
    432.0
    """
    if not numbers.size:
        return 0.0
    q = np.abs(np.rint(numbers.reshape(-1) / (2 * tolerance)))
    lengths = np.frexp(q)[1].astype(np.int64)
    bits = _entropy(lengths) + float(np.count_nonzero(q)) + float(np.maximum(lengths - 1, 0).sum())
    if q.max() < _LEVELS:
        signed = np.copysign(q, numbers.reshape(-1)).astype(np.int64)
        bits = min(bits, _entropy(signed - signed.min()))
    return bits


def packing_bits(largest: float, tolerance: float) -> float:
    """Bits a number below which no code reaches all numbers of size at most `largest` within a tolerance.

    >>> packing_bits(0.5, 0.0625)
    3.0
    """
    return max(math.log2(largest / tolerance), 0.0) if largest > 0 else 0.0


def finest_bit(values: np.ndarray) -> float:
    """The largest power of two of which all numbers are multiples; infinity for zeros.

    >>> finest_bit(np.array([0.75, -2.0, 0.0]))
    0.25
    """
    mantissa, exponent = np.frexp(values[values != 0])
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    lowest = np.ldexp((whole & -whole).astype(np.float64), exponent - 53)
    return float(lowest.min(initial=math.inf))


def half_step(numbers: np.ndarray, tolerance: float) -> float:
    """The tolerance; where it is 0, half the step of the grid on which the numbers lie: within it none is but itself.

    >>> half_step(np.array([0.75, -2.0]), 0.0), half_step(np.zeros(2), 0.0)
    (0.125, 1.0)
    """
    return tolerance or (finest_bit(numbers) / 2 if numbers.any() else 1.0)


def _entropy(symbols: np.ndarray) -> float:
    """Bits of all symbols by their own frequencies, and of the table that says these."""
    counts = np.bincount(symbols)
    counts = counts[counts > 0]
    return float((counts * np.log2(len(symbols) / counts)).sum()) + _ENTRY * len(counts)
