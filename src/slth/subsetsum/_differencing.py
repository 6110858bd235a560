r"""The differencing heuristic of Karmarkar and Karp: the named baseline for many values.

Subset sum is partition: with signs $\sigma_i = 1$ for kept values and -1 for others, and $\Lambda = \sum v_i$,
$\sum_{i \in S} v_i = (\Lambda + \sigma \cdot v) / 2$, so $\sigma \cdot v = 2z - \Lambda$ is wanted: a partition of the
values and one more number. The two largest sizes are put on opposite sides, and their difference goes back, until one
number is left.
"""

import heapq

import numpy as np
from numpy.typing import ArrayLike

from slth.subsetsum._exact import sum_error
from slth.subsetsum._inputs import Number
from slth.subsetsum._readers import read_numbers
from slth.subsetsum._records import Status, SubsetSum


def karmarkar_karp(values: ArrayLike, target: Number) -> SubsetSum:
    r"""Choose a subset with a small $|\sum_{i \in S} v_i - z|$ by largest differencing: a heuristic.

    The typical error is $n^{-\Theta(\log n)}$, against $2^{-\Theta(n)}$ of the optimum: 1e-6 for n = 50, and below what
    float64 sums resolve from n = 1,000 on. It asks for no tolerance, and takes some ten times as long as `first_large`.
    Kept for comparison.

    Args:
        values: $v$, shape (n,), any n. Finite, any order, not modified. Zeros are never kept.
        target: $z$, in the unit of `values`.

    Returns:
        Status BUDGET_SPENT, always: nothing is proved. The error is that of the float64 sum.

    Cost: $O(n \log n)$: 40 ms for n = 10^4.

    Sources: Karmarkar and Karp (1982).

    >>> karmarkar_karp([8, 7, 6, 5, 4], 15).error
    1.0
    """
    v, z = read_numbers(values, target)
    t = z + (z - float(v.sum()))
    numbers = np.append(v, t)
    heap = [(-abs(number), i) for i, number in enumerate(numbers.tolist())]
    heapq.heapify(heap)
    opposite: list[tuple[int, int]] = []
    while len(heap) > 1:
        (a, i), (b, j) = heapq.heappop(heap), heapq.heappop(heap)
        opposite.append((i, j))
        heapq.heappush(heap, (a - b, i))  # sizes are negated: smallest first is largest first
    side = np.ones(len(numbers), np.int8)
    for i, j in reversed(opposite):  # i stands for a difference made earlier: its side is known first
        side[j] = -side[i]
    signs = side * np.where(numbers < 0, -1, 1)
    kept = (signs[:-1] != signs[-1]) & (v != 0)  # the extra number counts negatively: sigma · v - t is what is left
    return SubsetSum(kept, sum_error(v, z, kept), Status.BUDGET_SPENT)
