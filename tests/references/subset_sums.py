"""What a subset sum is, in a loop."""

import numpy as np


def fresh_error(values, kept, target):
    """|float64 sum of the kept values, in ascending order of index − target|; of vectors, the largest entry."""
    values = np.asarray(values, float)
    total = np.zeros(values.shape[1:])
    for value in values[kept]:
        total = total + value
    return float(np.abs(total - target).max())


def all_sums(values):
    """The float64 sums of all subsets, that of mask m at m; and how many values each of them has."""
    values = np.asarray(values, float)
    sums, sizes = np.zeros((1, *values.shape[1:])), np.zeros(1, int)
    for value in values:
        sums, sizes = np.concatenate([sums, sums + value]), np.concatenate([sizes, sizes + 1])
    return sums, sizes
