r"""Upper bounds on the operator norm $\lVert A\rVert_2 = \max_{\lVert x\rVert_2 \le 1} \lVert Ax\rVert_2$.

The operator norm, not max|a_ij|, is the Lipschitz constant of x -> Ax: the 2x2 matrix of ones has norm 2.
"""

import numpy as np

from slth._shapes import Matrix
from slth.numerics.bounds import FLOOR, above, norm_bound, slack


def spectral_norm_bound(matrix: Matrix) -> float:
    r"""A number not below $\lVert A\rVert_2$, in real arithmetic.

    With G = A Aᵀ (or Aᵀ A, whichever is smaller, of order m; the inner sums have n terms) and a trial value s,

    $$S = sI - G \succeq 0 \implies \lVert A\rVert_2 \le \sqrt{s}.$$

    `eigvalsh` proposes s, Cholesky proves it: if the factorisation of S runs to its end, then
    $S \succeq -\gamma_{m+1}/(1-\gamma_{m+1}) \operatorname{tr}(S) I$, and forming G costs at most
    $\gamma_n \lVert A\rVert_F^2$ in norm. No accuracy of the eigenvalue routine is trusted. The result is never above
    $\lVert A\rVert_F$ or $\sqrt{\lVert A\rVert_1 \lVert A\rVert_\infty}$, up to rounding.

    Args:
        matrix: A, shape (out, inp). Entries may each be rounded once: the bound has room for that, too.

    Returns:
        The bound; 0 if and only if A = 0, infinity or NaN if A holds such. It exceeds the norm by at most about
        $2(m^2 + mn) \cdot 2^{-53}$ relative, $2 \cdot 10^{-10}$ for 500 x 1568.

    Cost: O(m²n) time, O(mn) memory; 500 x 1568 takes about 30 ms.

    Sources: Rump, Verification of positive definiteness, BIT 46 (2006); Higham (2002), theorem 10.3.

    >>> bound = spectral_norm_bound(np.ones((2, 2)))
    >>> 2.0 <= bound < 2.0 + 1e-12
    True
    """
    largest = float(np.abs(matrix).max(initial=0.0))
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    _, exponent = np.frexp(largest)
    a = np.ldexp(
        matrix, -exponent
    )  # entries in [-1, 1], the largest at least 1/2: exact, but for what is below 2^-1074
    columns, rows = above(np.abs(a).sum(axis=0), a.shape[0]).max(), above(np.abs(a).sum(axis=1), a.shape[1]).max()
    frobenius = float(norm_bound(a.ravel()))
    bound = min(frobenius, float(above(np.sqrt(columns * rows), 2)))
    proved = float(np.sqrt(_proved_square(a if a.shape[0] <= a.shape[1] else a.T, frobenius)))
    return max(float(np.ldexp(min(bound, above(proved, 1)), exponent)), FLOOR)


def _proved_square(a: Matrix, frobenius: float) -> float:
    """An upper bound on ‖A Aᵀ‖₂, proved by Cholesky; infinity if three trials fail (the other norms then decide)."""
    m, n = a.shape
    gram = a @ a.T
    forming = slack(frobenius * frobenius, n)
    largest = float(np.linalg.eigvalsh(gram)[-1])
    for attempt in range(3):
        s = largest + slack(m * largest, m + 1) * 10.0**attempt
        shifted = -gram
        shifted[np.diag_indices(m)] += s
        try:
            np.linalg.cholesky(shifted)
        except np.linalg.LinAlgError:
            continue
        # tr S <= m s. The last term is twice what the theorem asks: it also pays for the rounded diagonal, u s.
        return above(s + forming + slack(m * s, m + 1), 2)
    return float("inf")
