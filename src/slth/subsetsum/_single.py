r"""Sums that take no search: one value or none, a count of ±1, the bits of a number.

Three theorems build a weight without subset sums in the proper sense: from *one* random number (Malach et al., 2020),
from *as many* ±1 as the weight is large (Diffenderfer and Kailkhura, 2021), from a copy of each of its *binary digits*
(Sreenivasan et al., 2022). Each is a function of rows and targets, as the solvers beside it; rows may be long.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from slth._errors import InputError
from slth._shapes import Errors
from slth.subsetsum._inputs import LONG, Number, read_batch, read_tol


@dataclass(frozen=True, slots=True, eq=False)
class LongSums:
    """The answers to a batch of problems of any number of values."""

    packed: np.ndarray  # uint64 (batch, words): bit k of a row is candidate k
    error: Errors  # |sum of the kept values - target|


@dataclass(frozen=True, slots=True, eq=False)
class Singles:
    """The answers to a batch of problems of which at most one value is kept."""

    index: np.ndarray  # int64 (batch,): the value kept; -1: none
    n: int  # values of a problem
    error: Errors

    @property
    def packed(self) -> np.ndarray:
        """The masks, uint64 (batch, words)."""
        found = np.zeros((len(self.index), -(-self.n // 64)), np.uint64)
        kept = np.flatnonzero(self.index >= 0)
        at = self.index[kept]
        found[kept, at // 64] = np.uint64(1) << (at % 64).astype(np.uint64)
        return found


def single_batch(values: ArrayLike, targets: ArrayLike, *, tol: Number, closest: bool = False) -> Singles:
    r"""Keep at most one value of each row: nothing where $|z| \le \varepsilon$, else the first with $|v - z| \le
    \varepsilon$, else the closest of all and of nothing.

    Args:
        values: (batch, n), any n. targets: (batch,).
        tol: $\varepsilon > 0$, in the unit of `values`.
        closest: take the closest in any case; of equally close ones nothing, then the first.

    Cost: a nanosecond a value.

    Source: Malach, Yehudai, Shalev-Shwartz, Shamir (2020).

    >>> single_batch([[0.5, 0.2, 0.31], [0.5, 0.2, 0.31]], [0.3, 0.05], tol=0.1).index
    array([ 1, -1])
    >>> single_batch([[0.5, 0.2, 0.31], [0.5, 0.2, 0.31]], [0.3, 0.05], tol=0.1, closest=True).index
    array([ 2, -1])
    """
    from slth.subsetsum._single_kernels import single_rows

    rows, z = read_batch(values, targets, most=LONG)
    index, error = np.empty(len(rows), np.int64), np.empty(len(rows))
    single_rows(rows, z, read_tol(tol), closest, index, error)
    return Singles(index, rows.shape[1], error)


def sign_batch(values: ArrayLike, targets: ArrayLike, *, tol: Number, closest: bool = False) -> LongSums:
    r"""Keep the first $c$ values that have the sign of the target: of values $\pm 1$ they sum to $\pm c$.

    $c$ is the least count with $||z| - c| \le \varepsilon$; where there is none, and with `closest`, the nearest one.
    Where fewer values have the sign, all of them.

    Args:
        values: (batch, n), any n, all +1 or -1. targets: (batch,).
        tol: $\varepsilon > 0$.

    Source: Diffenderfer and Kailkhura (2021).

    >>> found = sign_batch([[1, -1, 1, 1], [1, -1, 1, -1]], [1.9, -3.4], tol=0.5)
    >>> found.packed.ravel(), found.error.round(2)
    (array([ 5, 10], dtype=uint64), array([0.1, 1.4]))
    """
    from slth.subsetsum._single_kernels import sign_rows

    rows, z = read_batch(values, targets, most=LONG)
    if not bool((np.abs(rows) == 1.0).all()):
        raise InputError("values must all be +1 or -1, so that a sum of them is a count; got others")
    found = _nothing(rows)
    sign_rows(rows, z, read_tol(tol), closest, found.packed, found.error)
    return found


def bit_batch(values: ArrayLike, targets: ArrayLike) -> LongSums:
    r"""Write each target in binary with copies of its digits: values $\pm 2^k \cdot$ unit, perhaps several of each.

    The target is rounded to a multiple of the least $|v|$, ties towards 0. For every binary digit 1 of $|z|$ the first
    value of that size and of the sign of $z$ is kept; a digit without one stays away.

    Args:
        values: (batch, n), any n; of each row powers of two times one unit, with signs. targets: (batch,).

    Source: Sreenivasan, Rajput, Sohn, Papailiopoulos (2022).

    >>> found = bit_batch([[0.25, -0.25, 0.5, 0.5]], [0.7])
    >>> found.packed.ravel(), found.error.round(2)
    (array([5], dtype=uint64), array([0.05]))
    """
    from slth.subsetsum._single_kernels import bit_rows

    rows, z = read_batch(values, targets, most=LONG)
    size = np.abs(rows)
    ratio = size / size.min(axis=1, keepdims=True, initial=np.inf) if size.all() else np.full(1, np.nan)
    if not bool((np.frexp(ratio)[0] == 0.5).all()) or float(ratio.max(initial=1.0)) > 2.0**52:
        raise InputError("values must be powers of two times one unit, at most 2**52 times it; got others")
    found = _nothing(rows)
    bit_rows(rows, z, found.packed, found.error)
    return found


def _nothing(rows: np.ndarray) -> LongSums:
    return LongSums(np.zeros((len(rows), -(-rows.shape[1] // 64)), np.uint64), np.empty(len(rows)))
