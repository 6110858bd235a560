"""All subset sums, one after another: the oracle. Plain NumPy, no trick, nothing shared with the compiled solvers."""

import numpy as np
from numpy.typing import ArrayLike

from slth._errors import InputError
from slth.subsetsum._inputs import Number, read_problem
from slth.subsetsum._records import Status, SubsetSum, unpacked

ENUMERATED = 24  # most values: 2^24 sums take about 0.1 s
BLOCK = 16  # log2 of the sums held at a time


def enumerate_closest(values: ArrayLike, target: Number) -> SubsetSum:
    r"""Choose the subset that minimises $|\sum_{i \in S} v_i - z|$ by looking at all $2^n$ of them.

    Every sum is the float64 sum of its values in ascending order of index, so the error is optimal to the last bit,
    whatever the values. Ties: the smallest mask read as a binary number, as in `closest`.

    Args:
        values: $v$, shape (n,), n <= 24. Finite, not modified.
        target: $z$, in the unit of `values`.

    Returns:
        The optimum, status OPTIMAL.

    Cost: $O(2^n)$ time, $2^{\min(n, 16)}$ sums in memory.

    >>> enumerate_closest([0.5, -0.25, 0.75], 0.3).kept
    array([ True,  True, False])
    """
    rows, targets = read_problem(values, target)
    row, z = rows[0], targets[0]
    if len(row) > ENUMERATED:
        raise InputError(f"enumerate_closest takes at most {ENUMERATED} values, got {len(row)}; use closest, up to 40")
    low = np.zeros(1)
    for value in row[:BLOCK]:
        low = np.concatenate([low, low + value])
    high = row[BLOCK:]
    best, mask = np.inf, 0
    for block in range(1 << len(high)):
        sums = low.copy()
        for i, value in enumerate(high):
            if block >> i & 1:
                sums += value
        errors = np.abs(sums - z)
        at = int(errors.argmin())
        if errors[at] < best:
            best, mask = float(errors[at]), (block << BLOCK) | at
    return SubsetSum(unpacked(mask, len(row)), best, Status.OPTIMAL)
