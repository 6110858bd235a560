r"""Upper bounds on the operator norm $\lVert A\rVert_2 = \max_{\lVert x\rVert_2 \le 1} \lVert Ax\rVert_2$.

The operator norm, not max|a_ij|, is the Lipschitz constant of x -> Ax: the 2x2 matrix of ones has norm 2.
"""

from collections.abc import Iterable

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


def largest_norm_bound(stacks: Iterable[np.ndarray]) -> float:
    r"""A number not below $\lVert A\rVert_2$ for every matrix A of every stack (count, m, n), real or complex.

    As `spectral_norm_bound`, with one s for all: what was proved for one matrix is first tried on the next, so that
    eigenvalues are asked for only where s must grow. A complex G of order m is the real
    $\begin{pmatrix}\mathrm{Re}\,G & -\mathrm{Im}\,G\\ \mathrm{Im}\,G & \mathrm{Re}\,G\end{pmatrix}$ of order 2m.

    Args:
        stacks: all of one shape, entries neither huge nor tiny (scale by a power of two first). Entries may each be
            rounded once.

    Returns:
        The bound, infinity if it cannot be proved.

    >>> turns = np.array([[[1.0, 1.0j]], [[2.0, 0.0]]])
    >>> 2.0 <= largest_norm_bound([turns]) < 2.0 + 1e-12
    True
    """
    s = forming = 0.0
    order = 1
    for stack in stacks:
        a = stack if stack.shape[1] <= stack.shape[2] else stack.swapaxes(1, 2)
        frobenius = float(norm_bound(np.abs(a).reshape(len(a), -1)).max(initial=0.0))
        if frobenius == 0.0:
            continue
        forming = max(forming, slack(frobenius * frobenius, 4 * a.shape[2]))  # complex products round more than twice
        gram = a @ a.conj().swapaxes(1, 2)
        order = max(order, gram.shape[1] * (2 if np.iscomplexobj(gram) else 1))
        s = _covering(gram, s)
    # As in `_proved_square`: twice what the theorem asks pays for the rounded diagonal, too.
    return float(above(np.sqrt(above(s + forming + slack(order * s, order + 1), 2)), 1))


def _covering(gram: np.ndarray, s: float) -> float:
    """The given s if s I - G is proved definite for every G of the stack, else a larger one; infinity if none is."""
    g = gram
    if np.iscomplexobj(gram):
        real, imaginary = np.real(gram), np.imag(gram)
        g = np.block([[real, -imaginary], [imaginary, real]])
    order = g.shape[1]
    diagonal = np.arange(order)

    def proves(trial: float) -> bool:
        shifted = -g
        shifted[:, diagonal, diagonal] += trial
        try:
            np.linalg.cholesky(shifted)
        except np.linalg.LinAlgError:
            return False
        return True

    if s > 0 and proves(s):
        return s
    largest = float(np.linalg.eigvalsh(gram)[:, -1].max())
    for attempt in range(3):
        trial = max(s, largest + slack(order * largest, order + 1) * 10.0**attempt)
        if proves(trial):
            return trial
    return float("inf")


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
