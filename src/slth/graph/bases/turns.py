"""The groups C4 and D4 of the square: turns by 90° against the clock, and turns with a reflection before.

Element a = r + 4 m of D4 (of C4: m = 0) is R^r F^m: F reflects the columns, then R^r turns r times. An array is moved
by g as (g · x)(q) = x(g⁻¹ q), the last two axes being those of the grid, which is square.
"""

import numpy as np

ORDERS = {"C4": 4, "D4": 8}  # elements of each group


def order(group: str) -> int:
    """Elements of a group."""
    return ORDERS[group]


def product(a: int, b: int) -> int:
    """The element a b: first b, then a.

    >>> product(4, 1), product(1, 4)  # a reflection after a turn, and before it
    (7, 5)
    """
    (m, r), (n, s) = divmod(a, 4), divmod(b, 4)
    return (r + (-s if m else s)) % 4 + 4 * ((m + n) % 2)


def inverse(a: int) -> int:
    """The element that undoes a.

    >>> [product(a, inverse(a)) for a in range(8)]
    [0, 0, 0, 0, 0, 0, 0, 0]
    """
    return a if a >= 4 else -a % 4


def turned(x: np.ndarray, a: int) -> np.ndarray:
    """a · x, of an array on a grid.

    >>> turned(np.array([[1, 2], [3, 4]]), 1).tolist(), turned(np.array([[1, 2], [3, 4]]), 4).tolist()
    ([[2, 4], [1, 3]], [[2, 1], [4, 3]])
    """
    return np.rot90(np.flip(x, -1) if a >= 4 else x, a % 4, axes=(-2, -1))


def moved(x: np.ndarray, a: int, group: str) -> np.ndarray:
    """a · x, of an array (..., |G|, L, L) with one grid for each element h: (a · x)[h] = a · x[a⁻¹ h]."""
    order = [product(inverse(a), h) for h in range(ORDERS[group])]
    return turned(np.take(x, order, axis=-3), a)
