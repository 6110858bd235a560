r"""The closest of all $2^n$ subset sums: meet in the middle, with a sieve in place of sorting.

List the sums $a$ of one half of the values and $b$ of the other, $2^{n/2}$ each. If $\rho$ is about three divided by
the $2^n$-fold density of the sums at $z$, half a dozen pairs have $|a + b - z| \le \rho$. Only sums with such a partner
are wanted, and these must fall into a cell of the line that the partner marked. One pass over either list leaves a
handful of both; comparing them finds the closest pair, or shows that a wider $\rho$ is needed. Nothing is sorted.
Lists with many equal sums, as integers have, are merged and swept with two pointers instead; so are subsets of a
given size, one list for each number of values (see `_bucket_kernels`).
"""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from slth.subsetsum._inputs import Number, check_exact, read_batch, read_problem, read_size, read_threads
from slth.subsetsum._records import SubsetSum, SubsetSums
from slth.subsetsum._rows import solve_rows
from slth.subsetsum._sized import Size, solve_sized


def closest(values: ArrayLike, target: Number, *, size: Size = None) -> SubsetSum:
    r"""Choose the subset $S$ of the values that minimises $|\sum_{i \in S} v_i - z|$, if asked with $k \le |S| \le l$.

    Args:
        values: $v$, shape (n,), with at most 40 non-zero values. Finite, any order, not modified. Zeros are never kept.
        target: $z$, in the unit of `values`.
        size: how many values to keep: $k = l$, or the pair $(k, l)$, $0 \le k \le l \le n$; (1, n) asks for a subset
            that is not empty. None for any number. With a size zeros count as values, and up to 64 are taken if l is
            small: $\sum_{j \le l} \binom{\lceil n/2 \rceil}{j} \le 2^{20}$.

    Returns:
        An optimal subset, status OPTIMAL. Among several the one whose mask, read as a binary number with value i as
        bit i, is the smallest.

    Exactness: the error is |float64 sum of the kept values in ascending order - target|. Optimality and ties are
    exact if values and target are multiples of a power of two that is at least $2^{-55}$ of the largest value, as
    products of stream values are. Else up to rounding: no subset is closer by more than $n\,2^{-52}$ of that value.

    Cost: $O(2^{n/2})$ time and memory for random values; 6 microseconds for n = 21, 0.4 ms for 32, 15 ms for 40.
    With a size, $O(\sum_{j \le l} \binom{n/2}{j})$; with a pair, up to n/2 times that.

    Sources: Horowitz and Sahni (1974); subsets of a given size, Natale et al. (2024).

    >>> closest([0.5, -0.25, 0.75], 0.3).kept
    array([ True,  True, False])
    >>> closest([0.5, -0.25, 0.75], 0.3, size=1).kept
    array([ True, False, False])
    >>> closest([0.5, -0.25, 0.75], 0.1, size=(2, 3)).kept
    array([ True,  True, False])
    """
    rows, targets = read_problem(values, target)
    return _solve(rows, targets, size, 1)[0]


def closest_batch(values: ArrayLike, targets: ArrayLike, *, size: Size = None, threads: int = 1) -> SubsetSums:
    """Solve many problems, each exactly as `closest` does: values (batch, n), targets (batch,).

    The answers do not depend on `threads`, bit for bit. Memory: the answers, and O(2^(n/2)) bytes per thread.

    >>> closest_batch([[0.5, -0.25], [2, 3]], [0.3, 4]).error
    array([0.05, 1.  ])
    """
    rows, z = read_batch(values, targets)
    return _solve(rows, z, size, read_threads(threads))


def _solve(values: np.ndarray, targets: np.ndarray, size: object, threads: int) -> SubsetSums:
    sizes = read_size(size, values.shape[1])
    if sizes is not None:
        return solve_sized(values, targets, sizes=sizes, tol=None, threads=threads)[0]
    check_exact(values)
    from slth.subsetsum._closest_kernels import closest_rows

    return solve_rows(partial(closest_rows, values, targets), len(values), values.shape[1], threads)
