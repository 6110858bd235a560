r"""Float64 results that are upper bounds in real arithmetic: the one place where rounding is accounted for.

Model: IEEE float64, round to nearest, $u = 2^{-53}$; sums in any order, with or without fused multiply-add, as a BLAS
forms them. Then (Higham 2002, §3.1)

$$|\mathrm{fl}(\textstyle\sum_{k \le n} a_k b_k) - \sum a_k b_k| \le \gamma_n \sum |a_k b_k|, \qquad
\gamma_n = \frac{nu}{1 - nu}.$$

- A sum of *non-negative* terms that met k roundings is at least $(1-u)^k$ times the truth: `above(value, k)` covers it.
- A sum of *mixed signs* misses the truth by at most $\gamma_k \sum |a_k b_k|$: `slack(size, k)` covers it.

Both leave room for four roundings beside those counted: the allowance's own, that of a difference $P - W$, and that of
a factor $P$ which is itself a real number rounded once (the difference of such a one needs an allowance of its own).

Underflow is outside the model: a product may lose up to $2^{-1075}$ more. So no product or norm that may be positive is
reported below `FLOOR` = $2^{-960}$, which exceeds $2^{60}$ such losses even after multiplication by u: with zeros
everywhere the bound is 0, otherwise at least `FLOOR`. Overflow gives infinity or NaN, and no certificate is issued.
"""

from typing import TypeVar

import numpy as np
from jaxtyping import Float64

FLOOR = 2.0**-960  # the least bound that is not 0
_2U = 2.0**-52

Real = TypeVar("Real", float, np.ndarray)
Vector = Float64[np.ndarray, " count"]


def above(value: Real, roundings: int) -> Real:
    """`value` ≥ 0, raised so that `roundings` + 4 relative errors of u cannot have hidden a larger truth."""
    return value * (1.0 + (roundings + 4) * _2U)


def slack(size: Real, roundings: int) -> Real:
    r"""What a sum of mixed signs may be off by: $2u(k + 4)$ times `size`, an upper bound on $\sum|a_k b_k|$."""
    return size * ((roundings + 4) * _2U)


def product_bound(left: np.ndarray, right: np.ndarray | float) -> np.ndarray:
    """Upper bound on left · right, entry by entry, both ≥ 0; broadcasts."""
    zero = (left == 0) | (np.asarray(right) == 0)
    return np.where(zero, 0.0, np.maximum(above(left * right, 1), FLOOR))


def matmul_bound(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Upper bound on left @ right, entry by entry, both ≥ 0: (..., m, n) with (..., n, p), or (m, n) with (n,)."""
    if right.ndim == 1:
        return matmul_bound(left, right[:, None])[:, 0]
    both = left.any(axis=-1, keepdims=True) & right.any(axis=-2, keepdims=True)
    return np.where(both, np.maximum(above(left @ right, left.shape[-1]), FLOOR), 0.0)


def norm_bound(rows: np.ndarray) -> np.ndarray:
    r"""Upper bound on $\lVert\cdot\rVert_2$ along the last axis; scaled by powers of two against overflow."""
    largest = np.abs(rows).max(axis=-1, initial=0.0)
    _, exponent = np.frexp(largest)
    scaled = np.ldexp(rows, -exponent[..., None])
    squares = np.einsum("...j,...j->...", scaled, scaled)
    norm = np.ldexp(above(np.sqrt(squares), rows.shape[-1]), exponent)
    return np.where(largest == 0, 0.0, np.maximum(norm, FLOOR))
