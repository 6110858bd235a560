r"""Gram matrices $G = AA^T$, and numbers s for which a Cholesky factorisation proves that $sI - G$ is definite.

An s slightly above the largest eigenvalue is only a guess; a wrong guess costs tightness, never soundness: see `norms`
for what a factorisation that finishes proves. The guess is that of LAPACK up to order `EXACT`; beyond, that of a
Lanczos iteration, which costs a tenth of the product $AA^T$. Its start is a fixed random vector. It stops where a
residual says that an eigenvalue is within $2^{-23}$; that this is the largest one is proved by what follows, or not:
then, or where it does not stop, LAPACK is asked after all. So a bound that is not infinite is within $2^{-23}$ of the
norm: two machines, whatever their sums rounded, differ by less than the $2^{-20}$ by which claims are rounded up.

Matrices are as LAPACK wants them: the lower half, in the order of Fortran, used up by what is done to them.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from slth.numerics.bounds import slack
from slth.numerics.streams import Stream, uniform

EXACT = 512  # order up to which LAPACK finds the eigenvalues of a real G
_EXACT_COMPLEX = 64  # the same for a complex one
_RESIDUAL = 2.0**-23  # of the eigenvalue, where Lanczos stops: an eigenvalue is no further from the guess
_STEPS = 200  # of Lanczos at most; 50 to 90 are usual

Gram = np.ndarray


def product(a: np.ndarray, known: Gram | None = None, *, wide: bool) -> Gram:
    """A Aᵀ (wide) or Aᵀ A, of complex A the conjugate; a real `known` is used up and added to it."""
    # Whatever the order of the sums: blocks, parts, fused multiply-add. Strassen-like products are in no BLAS.
    stands = a.flags.f_contiguous and not a.flags.c_contiguous
    f, along = (a, not wide) if stands else (a.T, wide)  # as Fortran wants it: no copy if `a` is contiguous
    if np.iscomplexobj(a):
        return _routine("herk", a)(1.0, f, trans=2 * int(along), lower=1)
    if known is None:
        return _routine("syrk", a)(1.0, f, trans=int(along), lower=1)
    return _routine("syrk", a)(1.0, f, beta=1.0, c=known, trans=int(along), lower=1, overwrite_c=1)


def raised(form: Callable[[], Gram], gram: Gram, s: float) -> float:
    """The given s if s I - G is proved definite, else a larger one; infinity if none is. G is formed for each trial."""
    order = len(gram) * (2 if np.iscomplexobj(gram) else 1)
    if s > 0:
        if _definite(gram, s):
            return s
        gram = form()
    for attempt, trial in enumerate(_trials(form, gram, order)):
        if _definite(form() if attempt else gram, max(s, trial)):
            return max(s, trial)
    return float("inf")


def _trials(form: Callable[[], Gram], gram: Gram, order: int) -> Iterator[float]:
    """Guesses at the largest eigenvalue, upwards; only the first is made with the G that is given."""
    if len(gram) > (_EXACT_COMPLEX if np.iscomplexobj(gram) else EXACT):
        largest = _largest_eigenvalue(gram)
        if largest is not None:
            yield largest + slack(order * largest, order + 1) + _RESIDUAL * largest
            gram = form()
    largest = float(np.linalg.eigvalsh(gram)[-1])
    yield from (largest + slack(order * largest, order + 1) * 10.0**attempt for attempt in range(3))


def _definite(gram: Gram, s: float) -> bool:
    """Whether a Cholesky factorisation of s I - G finishes; G is used up."""
    np.negative(gram, out=gram)
    gram[np.diag_indices(len(gram))] += s
    factor, failed = _routine("potrf", gram)(gram, lower=1, clean=0, overwrite_a=1)
    return failed == 0 and bool(np.isfinite(factor.diagonal()).all())


def _largest_eigenvalue(gram: Gram) -> float | None:
    """A guess from below, by Lanczos with full reorthogonalisation (Golub and Van Loan 2013, §10.3), or None."""
    multiply = _routine("hemv" if np.iscomplexobj(gram) else "symv", gram)
    order = len(gram)
    steps = min(_STEPS, order)
    basis = np.empty((steps, order), gram.dtype)
    first = uniform(Stream(0, "norms/start"), (order,)).astype(np.float64)
    basis[0] = first / np.linalg.norm(first)
    diagonal, beside = np.zeros(steps), np.zeros(steps)
    largest = 0.0
    for k in range(steps):
        w = multiply(1.0, gram, basis[k], lower=1)
        diagonal[k] = np.vdot(basis[k], w).real
        for _ in range(2):  # twice is enough (Kahan, Parlett)
            w = w - basis[: k + 1].T @ (basis[: k + 1].conj() @ w)
        beside[k] = np.linalg.norm(w)
        last = k + 1 == steps or beside[k] <= 1e-14 * max(abs(diagonal[0]), largest)
        if last or k % 4 == 3:
            small = np.diag(diagonal[: k + 1]) + np.diag(beside[:k], 1) + np.diag(beside[:k], -1)
            values, vectors = np.linalg.eigh(small)
            largest = float(values[-1])
            if beside[k] * abs(float(vectors[-1, -1])) <= _RESIDUAL * largest:
                return largest
        if last:
            return None
        basis[k + 1] = w / beside[k]
    return None


def _routine(name: str, of: np.ndarray) -> Any:
    """Of BLAS or LAPACK, for numbers of this kind; loaded on use."""
    from scipy.linalg import get_blas_funcs, get_lapack_funcs

    return cast(Any, get_lapack_funcs if name == "potrf" else get_blas_funcs)(name, dtype=of.dtype)
