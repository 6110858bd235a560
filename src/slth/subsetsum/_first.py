r"""Some subset within tolerance, as cheaply as possible.

Of $2^n$ subset sums of random values, a fraction $1/D = 2\varepsilon\,\mathcal N(z;\ \sum v/2,\ \sum v^2/4)$ is within
$\varepsilon$ of $z$: about one subset in 170 for 21 values from U[-1, 1] and $\varepsilon = 0.01$. So there is no need
to list $2^{n/2}$ sums. A table of $2^s \approx \sqrt D$ sums of a few values is asked for one subset of the others
after another, starting from one that leaves a central rest of the target; about $D/2^s$ questions are enough. Where
that would cost more than meet in the middle, or has, meet in the middle answers (see `closest`).
"""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from slth.subsetsum._exact import doubted
from slth.subsetsum._exactly import solve_exactly
from slth.subsetsum._inputs import Number, read_batch, read_problem, read_size, read_threads, read_tol
from slth.subsetsum._records import SubsetSum, SubsetSums
from slth.subsetsum._rows import solve_rows
from slth.subsetsum._sized import Size, solve_sized


def first(values: ArrayLike, target: Number, *, tol: Number, size: Size = None) -> SubsetSum:
    r"""Choose some subset $S$ of the values with $|\sum_{i \in S} v_i - z| \le \varepsilon$, of a size if asked.

    Args:
        values: $v$, shape (n,), n <= 64. Finite, any order, not modified. Zeros are never kept.
        target: $z$, in the unit of `values`.
        tol: $\varepsilon > 0$, absolute, in the unit of `values`.
        size: how many values to keep, as in `closest`; of a pair the fewest that will do. With a size zeros count as
            values. Pairs are searched to the end or refused; one size of any n up to 64 is looked for by swaps (see
            `_swap_kernels`), a few microseconds, and then searched to the end as far as `closest` would.

    Returns:
        WITHIN_TOL; or, up to 40 non-zero values, the closest subset with BEST_EFFORT: there is none within `tol`. The
        same when every sum lies on one side of the target. UNDECIDED in place of BEST_EFFORT where the closest is so
        near to `tol` that the rounding of float64 sums decides. Otherwise BUDGET_SPENT after some 20 ms, with the
        closest subset among $2^{40}$. The same input always gives the same subset.

    Exactness: the error is |float64 sum of the kept values in ascending order - target|, and the status is decided on
    that number. That no subset is within `tol` is exact, or up to rounding, as optimality is in `closest`.

    Cost: about $2\sqrt D$ steps of 1 ns where $1/D$ is the fraction of subsets within `tol`, at most $O(2^{n/2})$.
    Many problems at once: `first_batch`, without the 60 microseconds of a call.

    Sources: existence for random values, Lueker (1998); Horowitz and Sahni (1974).

    >>> first([0.5, -0.25, 0.75], 0.3, tol=0.06).kept
    array([ True,  True, False])
    >>> first([0.5, -0.25, 0.75], 0.3, tol=0.01).status.value
    'the search finished; no subset is within tol'
    >>> first([0.5, -0.25, 0.75], 0.3, tol=0.3, size=2).kept
    array([ True,  True, False])
    >>> first([0.5, -0.5, 0.75], 0.0, tol=0.01, size=(1, 3)).kept
    array([ True,  True, False])
    """
    rows, targets = read_problem(values, target)
    return _solve(rows, targets, read_tol(tol), size, 1)[0]


def first_batch(
    values: ArrayLike, targets: ArrayLike, *, tol: Number, size: Size = None, threads: int = 1
) -> SubsetSums:
    """Solve many problems, each exactly as `first` does: values (batch, n), targets (batch,).

    The answers do not depend on `threads`, bit for bit. Cost: a third of a microsecond per problem and thread for
    n = 21 and tol = 0.01. Memory: the answers, and O(2^(n/2)) bytes per thread.

    >>> answers = first_batch([[0.5, -0.25], [2, 3]], [0.3, 5], tol=0.1)
    >>> answers.packed
    array([3, 3], dtype=uint64)
    """
    rows, z = read_batch(values, targets)
    return _solve(rows, z, read_tol(tol), size, read_threads(threads))


def _solve(values: np.ndarray, targets: np.ndarray, tol: float, size: object, threads: int) -> SubsetSums:
    sizes = read_size(size, values.shape[1])
    if sizes is not None and sizes[0] == sizes[1]:
        answers = solve_exactly(values, targets, size=sizes[0], tol=tol, threads=threads)
        return doubted(values, targets, tol, answers)
    if sizes is not None:
        return doubted(values, targets, tol, solve_sized(values, targets, sizes=sizes, tol=tol, threads=threads)[0])
    from slth.subsetsum._first_kernels import first_rows

    n = values.shape[1]
    return doubted(values, targets, tol, solve_rows(partial(first_rows, values, targets, tol), len(values), n, threads))
