"""Subset sums of integers, without any rounding: weights of finite precision."""

from operator import index

import numpy as np
from numpy.typing import ArrayLike

from slth._errors import InputError
from slth.subsetsum._inputs import read_size
from slth.subsetsum._records import IntegerSum, Status, unpacked
from slth.subsetsum._sized import Size, check_sized, make_sized_work

RANGE = 1 << 62  # of sums and distances in the kernels
NOTHING = RANGE + RANGE // 2  # no sum is as far


def closest_integer(values: ArrayLike, target: int | np.integer, *, size: Size = None) -> IntegerSum:
    r"""Choose the subset S of integers that minimises $|\sum_{i \in S} v_i - z|$, in exact arithmetic.

    Args:
        values: $v$, shape (n,), n <= 40, integers with $\sum |v_i| + |z| < 2^{62}$. Any order, not modified.
        target: $z$, an integer.
        size: how many values to keep, as in `closest`.

    Returns:
        OPTIMAL with error 0: the subset sums to the target. INFEASIBLE with error > 0: it is proved that no subset does
        (none of these sizes, if they are given), and this one is closest. Ties: the lowest mask, so that without a size
        zeros are never kept.

    Cost: $O(2^{n/2})$ time and memory: 50 ms and 50 MB for n = 40.

    Sources: Horowitz and Sahni (1974); tickets of finite precision, Kumar and Natale (2025).

    >>> closest_integer([3, 34, 4, 12, 5, 2], 9).kept
    array([False, False,  True, False,  True, False])
    >>> closest_integer([3, -1, -2, 7], 0, size=(1, 4)).kept  # not the empty subset
    array([ True,  True,  True, False])
    >>> closest_integer([2, 4, 6], 7).status.value
    'no subset sums to the target'
    """
    row = _integers(values)
    try:
        z = index(target)
    except TypeError as error:
        raise InputError(
            f"target must be an integer, got {target!r}; round it, or use closest for real numbers"
        ) from error
    n = len(row)
    sizes = read_size(size, n)
    check_sized(n, n if sizes is None else sizes[1])
    reach = sum(abs(int(value)) for value in row) + abs(z)
    if reach >= RANGE:
        raise InputError(
            f"the sizes of values and target must add up to less than 2^62, where int64 sums are safe, got {reach}; "
            "divide them by a common factor, or use closest for real numbers"
        )
    kept = unpacked(_lowest_mask(row, z, sizes), n)
    error = abs(sum(int(value) for value in row[kept]) - z)
    return IntegerSum(kept, error, Status.INFEASIBLE if error else Status.OPTIMAL)


def _lowest_mask(row: np.ndarray, z: int, sizes: tuple[int, int] | None) -> int:
    """The lowest mask among the closest sums of some sizes, or of any. One size after another: Ctrl-C is heard."""
    from slth.subsetsum._bucket_kernels import list_halves, sweep_sizes

    n = len(row)
    fewest, most = (-1, -1) if sizes is None else sizes
    work = make_sized_work(n, n if sizes is None else most)
    list_halves(row, n, most, True, work)
    nearest, bits = NOTHING, 0
    for k in range(fewest, most + 1):
        nearest, bits = sweep_sizes(n, k, z, -1, nearest, np.uint64(bits), np.uint64(0), work.low, work.high)
    return int(bits)


def _integers(values: object) -> np.ndarray:
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError) as error:
        raise InputError("values must be one row of integers, got rows of different lengths; give one row") from error
    if array.ndim != 1:
        raise InputError(f"values must be one row of integers, got shape {array.shape}; solve one row at a time")
    if array.dtype == object and all(isinstance(value, int) for value in array):
        raise InputError("values must fit in int64, got integers beyond 2^63; divide them by a common factor")
    if array.dtype.kind not in "iu" and len(array):
        raise InputError(f"values must be integers, got dtype {array.dtype}; round them, or use closest")
    if array.dtype.kind == "u" and len(array) and array.max() > np.iinfo(np.int64).max:
        raise InputError(f"values must fit in int64, got {array.max()}; divide them by a common factor")
    return np.array(array, np.int64)  # a copy, contiguous and writeable: one compilation for all
