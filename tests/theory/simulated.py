"""Simulations that bounds are compared with: how often all targets of an interval are reached."""

import math
from itertools import combinations

import numpy as np

from slth.subsetsum import reach


def uniform(rng, n):
    return rng.uniform(-1, 1, n)


def products(rng, n):
    """Pairs (u, v) from U[-1, 1], those with u < 0 dead."""
    return np.maximum(rng.uniform(-1, 1, n), 0) * rng.uniform(-1, 1, n)


def all_reached(draw, n, *, tolerance, runs, low=-1.0, high=1.0, seed=0):
    """The part of the runs in which every target of the interval is within the tolerance of a subset sum."""
    rng = np.random.default_rng(seed)
    covered = (reach(draw(rng, n), tol=tolerance, low=low, high=high).covered[-1] for _ in range(runs))
    return sum(part >= 1 - 1e-9 for part in covered) / runs


def all_reached_by_size(n, k, *, epsilon, runs, seed):
    """The part of the runs in which all of [-sqrt k, sqrt k] is within epsilon of a sum of k of n numbers."""
    rng = np.random.default_rng(seed)
    chosen, end = np.array(list(combinations(range(n), k))), math.sqrt(k) + epsilon
    reached = 0
    for _ in range(runs):
        sums = np.sort(rng.uniform(-1, 1, n)[chosen].sum(1))
        inside = np.concatenate([[-end], sums[np.abs(sums) <= end], [end]])
        reached += np.diff(inside).max() <= 2 * epsilon
    return reached / runs


def entropy(x):
    """Of a coin, in bits."""
    return -x * math.log2(x) - (1 - x) * math.log1p(-x) / math.log(2)


def at_least(share, chance, runs):
    """Whether a measured share agrees with a chance that it is at least, up to three standard deviations."""
    return share >= chance - 3 * np.sqrt(chance * (1 - chance) / runs)


def about(share, chance, runs, factor):
    """Whether a measured share is a chance up to a factor and three standard deviations."""
    noise = 3 * np.sqrt(chance / runs)
    return chance / factor - noise <= share <= chance * factor + noise
