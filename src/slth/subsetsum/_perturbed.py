r"""Subset sums whose chosen values may move a little (Xiong, Liao and Kyrillidis, 2023).

Moves $|y_i| \le \varepsilon$ of the values in S reach exactly the sums in $[\Sigma_S - \varepsilon|S|,\ \Sigma_S +
\varepsilon|S|]$. So S is within $\eta$ of $z$ if and only if $|z - \Sigma_S| \le \eta + \varepsilon|S|$, and of all
moves that come as close as possible the equal ones, $y_i = \mathrm{clip}((z - \Sigma_S)/|S|, -\varepsilon,
\varepsilon)$, have the smallest largest size. Among subsets of one size the one with the closest sum is the best in
either respect: one search by size decides all.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from slth._errors import InputError
from slth._shapes import Targets, ValuesBatch
from slth.subsetsum._exact import doubted
from slth.subsetsum._inputs import Number, as_float, read_batch, read_problem, read_threads, read_tol
from slth.subsetsum._records import PerturbedSum, PerturbedSums
from slth.subsetsum._sized import solve_sized

Objective = Literal["size", "move"]


def perturbed(
    values: ArrayLike, target: Number, *, tol: Number, most_move: Number, objective: Objective = "size"
) -> PerturbedSum:
    r"""Choose S and moves $|y_i| \le \varepsilon$ with $|\sum_{i \in S} (v_i + y_i) - z| \le \eta$.

    Args:
        values: $v$, shape (n,), n <= 40. Finite, any order, not modified.
        target: $z$, in the unit of `values`.
        tol: $\eta > 0$, absolute, in the unit of `values`.
        most_move: $\varepsilon \ge 0$, the largest move, in the unit of `values`. 0 asks what `smallest` asks.
        objective: what is minimised among the subsets within `tol`. "size": $|S|$, then the distance of $\Sigma_S$ from
            z. "move": the move $|y| = \min(\varepsilon, |z - \Sigma_S| / |S|)$ (0 for the empty set), then $|S|$. Then
            the lowest mask.

    Returns:
        WITHIN_TOL, and the objective is optimal; or BEST_EFFORT: there is none, and this one comes closest (UNDECIDED
        as in `first`). The error is that of the moved values, |float64 sum of the kept $v_i + y$ in ascending order -
        z|, and decides the status.

    Exactness: as in `closest`, up to the rounding of moved values, $n\,2^{-52}$ of the largest.

    Cost: that of `smallest` for "size"; for "move" $O(n 2^{n/2})$ always.

    Sources: Xiong, Liao and Kyrillidis (2023).

    >>> answer = perturbed([0.5, -0.25, 0.75], 0.625, tol=0.01, most_move=0.125)
    >>> answer.kept, answer.moves
    (array([ True, False, False]), array([0.125, 0.   , 0.   ]))
    >>> perturbed([0.5, -0.25, 0.75], 0.625, tol=0.01, most_move=0.125, objective="move").moves
    array([0.    , 0.0625, 0.0625])
    """
    rows, targets = read_problem(values, target)
    return _solve(rows, targets, tol, most_move, objective, 1)[0]


def perturbed_batch(
    values: ArrayLike,
    targets: ArrayLike,
    *,
    tol: Number,
    most_move: Number,
    objective: Objective = "size",
    threads: int = 1,
) -> PerturbedSums:
    """Solve many problems, each exactly as `perturbed` does: values (batch, n), targets (batch,).

    The answers do not depend on `threads`, bit for bit. Memory: the answers, and O(2^(n/2)) bytes per thread.

    >>> perturbed_batch([[0.5, -0.25], [2, 3]], [0.375, 5.5], tol=0.01, most_move=0.25).move
    array([-0.125,  0.25 ])
    """
    rows, z = read_batch(values, targets)
    return _solve(rows, z, tol, most_move, objective, read_threads(threads))


def _solve(
    values: ValuesBatch, targets: Targets, tol: object, most_move: object, objective: str, threads: int
) -> PerturbedSums:
    n = values.shape[1]
    largest = _read_move(most_move)
    if objective not in ("size", "move"):
        raise InputError(f'objective must be "size" or "move", got {objective!r}; try objective="size"')
    with np.errstate(over="ignore"):
        if not np.isfinite(np.abs(values).sum(axis=1) + np.abs(targets) + np.float64(n) * largest).all():
            raise InputError(f"values moved by {largest:g} sum beyond the range of float64; make most_move smaller")
    within = read_tol(tol)
    answers, moves = solve_sized(
        values,
        targets,
        sizes=(0, n),
        tol=within,
        threads=threads,
        most_move=largest,
        by_move=objective == "move",
    )
    return PerturbedSums(doubted(values, targets, within, answers, most_move=largest), moves)


def _read_move(most_move: object) -> float:
    x = as_float(most_move)
    if not 0 <= x < math.inf:
        raise InputError(
            f"most_move must be a finite number of at least 0 in the unit of the values, got {most_move!r}; "
            "give the size of the largest move"
        )
    return x
