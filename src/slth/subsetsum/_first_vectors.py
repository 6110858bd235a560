r"""Many subset sums of vectors within tolerance, in the largest coordinate, as cheaply as possible.

What `first` does, in d coordinates: one subset in $D = \prod_k 1 / 2\varepsilon\,\mathcal N(z_k)$ will do, so a hash
table of $\sqrt D$ sums is asked for one subset of the other vectors after another; where that finds nothing, meet in
the middle decides. With 32 products of uniform numbers in two coordinates and a tolerance of a tenth, D is about 250.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from slth.subsetsum._inputs import Number, read_threads, read_tol
from slth.subsetsum._readers import read_vector_batch
from slth.subsetsum._records import SubsetSums
from slth.subsetsum._rows import solve_rows

_FLOATS = 1 << 22  # of a list of half sums, at most: 32 MiB
_HALF_MAX = 20  # log2 of the longest list


class VectorWork(NamedTuple):
    """Memory that problems share, allocated once; nothing of it passes from one problem to the next."""

    half: int  # log2 of the longest list of sums
    a: np.ndarray  # float64 (d, 2^half), sums
    b: np.ndarray  # float64 (d, 2^half)
    rows_a: np.ndarray  # float64 (2^half, d)
    rows_b: np.ndarray  # float64 (2^half, d)
    spare: np.ndarray  # float64 (2^half, d)
    keys_a: np.ndarray  # uint64, cells
    keys_b: np.ndarray
    heads: np.ndarray  # int32, twice as long: the first sum in each cell of the walk's table
    nexts: np.ndarray  # int32, the next one in the same cell
    order: np.ndarray  # int64


def first_vector_batch(values: ArrayLike, targets: ArrayLike, *, tol: Number, threads: int = 1) -> SubsetSums:
    r"""Choose for each problem some subset S with $\max_k |\sum_{i \in S} v_{ik} - z_k| \le \varepsilon$.

    Args:
        values: $v$, shape (batch, n, d), n <= 64: one vector per row. Finite, any order, not modified. Vectors of
            zeros are never kept.
        targets: $z$, shape (batch, d), in the unit of `values`.
        tol: $\varepsilon > 0$, absolute, in the unit of `values`.
        threads: of the answers not a bit depends on them.

    Returns:
        WITHIN_TOL; BEST_EFFORT: there is none within `tol`, and this is the closest; or BUDGET_SPENT: the closest that
        was seen. Up to $h = \min(40, 2 \log_2(2^{22} / d))$ vectors every subset is looked at where none is found
        earlier; of more, $2^h$.

    Exactness: the error is that of the float64 sums of the kept vectors in ascending order, and the status is decided
    on it: where the answer is BEST_EFFORT no subset has such a sum within `tol`.

    Cost: about $4 \sqrt D$ steps of 2 ns where $1/D$ is the fraction of subsets within `tol`: with products u v and a
    tolerance of 0.1, 1 microsecond for d = 2 and n = 32, 3 for d = 3 and n = 37. Where there is none, $O(2^{n/2})$.
    Memory: the answers, and per thread up to $d\,2^{n/2}$ numbers five times.

    Sources: existence, Becchetti et al. (2022); meet in the middle, Horowitz and Sahni (1974).

    >>> answers = first_vector_batch([[[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]], [[1.5, 0.6]], tol=0.2)
    >>> answers.packed, answers[0].status.name
    (array([3], dtype=uint64), 'WITHIN_TOL')
    """
    rows, z = read_vector_batch(values, targets)
    return solve_vectors(rows, z, read_tol(tol), closest=True, threads=read_threads(threads))


def solve_vectors(values: np.ndarray, targets: np.ndarray, tol: float, *, closest: bool, threads: int) -> SubsetSums:
    """The same of arguments that were read; without `closest` a problem out of reach gets any subset, sooner."""
    from slth.subsetsum._first_vector_kernels import first_vectors

    _, n, d = values.shape
    kernel = partial(first_vectors, values, targets, tol, closest)
    return solve_rows(kernel, len(values), n, threads, partial(_make_work, n, d))


def _make_work(n: int, d: int) -> VectorWork:
    half = max(1, min((n + 1) // 2, _HALF_MAX, (_FLOATS // d).bit_length() - 1))
    size = 1 << half
    return VectorWork(
        half=half,
        a=np.empty((d, size)),
        b=np.empty((d, size)),
        rows_a=np.empty((size, d)),
        rows_b=np.empty((size, d)),
        spare=np.empty((size, d)),
        keys_a=np.empty(size, np.uint64),
        keys_b=np.empty(size, np.uint64),
        heads=np.empty(2 * size, np.int32),
        nexts=np.empty(size, np.int32),
        order=np.empty(size, np.int64),
    )
