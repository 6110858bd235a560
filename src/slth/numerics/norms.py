r"""Certified upper bounds on operator norms.

Idea: if $sI - AA^T$ is positive semidefinite then $\lVert A\rVert_2^2 \le s$, and a Cholesky factorisation that
finishes in floating point proves this up to a known margin. An s slightly above the largest eigenvalue is only a
guess; a wrong guess costs tightness, never soundness. Nothing here trusts the routines that guess.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from slth._shapes import Matrix
from slth.numerics.bounds import FLOOR, above, norm_bound, slack
from slth.numerics.gram import Gram, product, raised
from slth.numerics.threads import LARGE, all_threads, one_thread

_STACKED = 24  # order up to which matrices are proved a stack at a time
CHUNK = 2**18  # numbers that are looked at together


@dataclass(frozen=True, slots=True)
class Parts:
    """An array that is never whole: any rows of it, or any of its second axis, when they are asked for."""

    shape: tuple[int, ...]
    part: Callable[[slice, slice], np.ndarray]

    def whole(self) -> np.ndarray:
        """All of it."""
        return self.part(slice(None), slice(None))


def spectral_norm_bound(matrix: Matrix | Parts, *, blocks: int = 1) -> float:
    r"""A number not below $\lVert A\rVert_2$: the smallest of $\sqrt{s}$, $\lVert A\rVert_F$ and
    $\sqrt{\lVert A\rVert_1 \lVert A\rVert_\infty}$.

    With G the computed Gram matrix of order m (the smaller side) and n terms per entry,

    $$\lVert A\rVert_2^2 \le \lVert G\rVert_2 + \gamma_n \lVert A\rVert_F^2, \qquad
    \lVert G\rVert_2 \le s + \gamma_{m+1}\,\mathrm{tr}\,S,\quad S = sI - G,$$

    the second if the Cholesky factorisation of S finishes: it is exact for an S + ΔS with
    $\lVert\Delta S\rVert_2 \le \gamma_{m+1}\,\mathrm{tr}\,S$ up to second order.

    Args:
        matrix: float64. Entries may each be rounded once. Never copied: parts of it are.
        blocks: of the smaller side, $\lVert A\rVert_2^2 \le \sum_i \lVert A_i\rVert_2^2$: cheaper, looser. A random
            square matrix in two is bounded by 1.21 times its norm, one of rank one by its norm.

    Returns:
        The bound; 0 if and only if A = 0, infinity or NaN if A holds such. It exceeds the norm by at most about
        $2(m^2 + mn) \cdot 2^{-53}$ relative, $2 \cdot 10^{-10}$ for 500 x 1568, and where m > `EXACT` by $2^{-23}$.

    Cost: O(m²n) time: one symmetric product, one Cholesky factorisation; 500 x 1568 takes about 20 ms, 4,200 x 5,000
    three seconds. Memory: m² numbers.

    Sources: Rump, Verification of positive definiteness, BIT 46 (2006); Higham (2002), theorem 10.3.

    >>> bound = spectral_norm_bound(np.ones((2, 2)))
    >>> 2.0 <= bound < 2.0 + 1e-12
    True
    """
    a = matrix if isinstance(matrix, Parts) else Parts(matrix.shape, lambda rows, columns: matrix[rows, columns])
    largest, sums = _sums(a)
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    _, exponent = np.frexp(largest)
    if abs(exponent) > 100:  # products could leave the range of float64
        # Entries in [-1, 1], the largest at least 1/2: exact, but for what is below 2^-1074.
        whole, exponent = a, int(exponent)
        a = Parts(a.shape, lambda rows, columns: np.ldexp(whole.part(rows, columns), -exponent))
        _, sums = _sums(a)
    else:
        exponent = 0
    rows = a.shape[0] <= a.shape[1]  # the smaller side, which is cut into blocks
    size = -(-min(a.shape) // blocks)
    square = frobenius = 0.0
    for start in range(0, min(a.shape), size):
        block = slice(start, start + size)
        part = _Matrix(a, (block, slice(None)) if rows else (slice(None), block))
        with all_threads() if min(part.shape) >= LARGE else one_thread():
            found, trace = _proved_square(part)
        square, frobenius = square + found, frobenius + trace
    bound = min(sums, float(above(np.sqrt(above(min(square, frobenius), blocks)), 1)))
    return max(float(np.ldexp(bound, exponent)), FLOOR)


@one_thread()
def largest_norm_bound(stacks: Iterable[np.ndarray]) -> float:
    r"""A number not below $\lVert A\rVert_2$ for every matrix A of every stack (count, m, n), real or complex.

    As `spectral_norm_bound`, with one s for all: what was proved for one matrix is first tried on the next, so that
    eigenvalues are asked for only where s must grow. Small complex G of order m are factorised as the real
    $\begin{pmatrix}\mathrm{Re}\,G & -\mathrm{Im}\,G\\ \mathrm{Im}\,G & \mathrm{Re}\,G\end{pmatrix}$ of order 2m,
    larger ones as they are. Real and imaginary part of a complex inner product of m terms are real ones of 2m, so that
    it is off by at most $\sqrt2\,\gamma_{2m} \sum |a_k||b_k|$, and the margin of the complex factorisation is
    $\sqrt2\,\gamma_{2m+2}\,\mathrm{tr}\,S$, $\mathrm{tr}\,S \le ms$: less than the $\gamma_{2m+1} 2ms$ of the real one,
    which is allowed for both.

    Args:
        stacks: all of one shape, entries neither huge nor tiny (scale by a power of two first). Entries may each be
            rounded once.

    Returns:
        The bound, infinity if it cannot be proved. Close to the norm as for `spectral_norm_bound`.

    >>> turns = np.array([[[1.0, 1.0j]], [[2.0, 0.0]]])
    >>> 2.0 <= largest_norm_bound([turns]) < 2.0 + 1e-12
    True
    """
    s = forming = 0.0
    order = 1
    for stack in stacks:
        m, n = sorted(stack.shape[1:])
        order = max(order, m * (2 if np.iscomplexobj(stack) else 1))
        if m <= _STACKED:
            a = stack if stack.shape[1] == m else stack.swapaxes(1, 2)
            frobenius = float(norm_bound(np.abs(a).reshape(len(a), -1)).max(initial=0.0))
            if frobenius == 0.0:
                continue
            forming = max(forming, slack(frobenius * frobenius, 4 * n))  # complex products round more than twice
            s = _covering(a @ a.conj().swapaxes(1, 2), s)
            continue
        for matrix in stack:
            a = np.ascontiguousarray(matrix)
            wide = a.shape[0] == m
            gram = product(a, wide=wide)
            trace = above(float(np.trace(gram).real), 2 * n + m)
            if trace == 0.0:
                continue
            forming = max(forming, slack(trace, 4 * n))
            s = raised(lambda a=a, wide=wide: product(a, wide=wide), gram, s)
    # As in `_proved_square`: twice what the theorem asks pays for the rounded diagonal, too.
    return float(above(np.sqrt(above(s + forming + slack(order * s, order + 1), 2)), 1))


@dataclass(frozen=True, slots=True)
class _Matrix:
    """A part of a matrix, and its Gram matrix of the smaller order."""

    whole: Parts
    at: tuple[slice, slice]

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = (len(range(*s.indices(n))) for s, n in zip(self.at, self.whole.shape, strict=True))
        return rows, columns

    def gram(self) -> Gram:
        """Of A Aᵀ or Aᵀ A, summed over pieces of the longer side."""
        rows, columns = self.shape
        wide = rows <= columns
        order, long = min(rows, columns), max(rows, columns)
        step = max(64, 2 * CHUNK // order)
        gram = None
        for start in range(0, long, step):
            piece = slice(start, min(start + step, long))
            part = self.whole.part(*((self.at[0], piece) if wide else (piece, self.at[1])))
            gram = product(part, gram, wide=wide)
        assert gram is not None
        return gram


def _sums(a: Parts) -> tuple[float, float]:
    """The largest size of an entry, and √(‖A‖₁ ‖A‖_∞) from above."""
    largest, rows = 0.0, 0.0
    columns = np.zeros(a.shape[1])
    for part in _rows(a):
        sizes = np.abs(part)
        largest = np.maximum(largest, sizes.max(initial=0.0))
        with np.errstate(over="ignore"):  # who asks looks at the largest first
            columns += sizes.sum(axis=0)
            rows = np.maximum(rows, sizes.sum(axis=1).max(initial=0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        both = above(float(columns.max(initial=0.0)), a.shape[0]) * above(float(rows), a.shape[1])
    return float(largest), float(above(np.sqrt(both), 2))


def _rows(a: Parts) -> Iterator[np.ndarray]:
    step = max(1, CHUNK // max(1, a.shape[1]))
    return (a.part(slice(start, start + step), slice(None)) for start in range(0, a.shape[0], step))


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


def _proved_square(a: _Matrix) -> tuple[float, float]:
    """Upper bounds on ‖A‖₂², proved by Cholesky, infinity if all trials fail, and on ‖A‖_F²."""
    order, terms = sorted(a.shape)
    gram = a.gram()
    frobenius = above(float(np.trace(gram)), terms + order)
    s = raised(a.gram, gram, 0.0)
    # tr S <= m s. The last term is twice what the theorem asks: it also pays for the rounded diagonal, u s.
    return above(s + slack(frobenius, terms) + slack(order * s, order + 1), 2), frobenius
