"""The forms of the problem, each by its definition, and the problems that all of them are tried on.

A form is an admissible set of subsets and an order on it. With k = |S| and r = sum over S - target, exact rationals:
`first` takes anything admissible; every other form the first in its order, and if nothing is admissible the first in
a second order. The solvers know none of this: they meet in the middle.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from slth.subsetsum import (
    closest,
    closest_batch,
    fewest,
    fewest_batch,
    first,
    first_batch,
    perturbed,
    perturbed_batch,
    smallest,
    smallest_batch,
    trade_off,
)

TOL, EPSILON = 2.0**-4, 2.0**-3  # in units of the scale of a law


@dataclass(frozen=True)
class Form:
    """`solve(values, target, scale, k)` answers; subsets are (size, r, mask); `size`: only those of k values."""

    solve: Callable
    order: Callable = lambda k, r, tol, eps: (abs(r),)
    admissible: Callable = lambda k, r, tol, eps: True
    fallback: Callable = lambda k, r, tol, eps: (abs(r), k)
    slack: Callable = lambda k, r, tol, eps: abs(r)  # the error
    sized: bool = False
    any_will_do: bool = False
    first_in_order: bool = False  # of the values: another order, another subset of the same size
    batch: Callable | None = None


def within(k, r, tol, eps):
    return abs(r) <= tol


def within_moved(k, r, tol, eps):
    return abs(r) <= tol + eps * k


def moved_error(k, r, tol, eps):
    return max(Fraction(0), abs(r) - eps * k)


def by_move(k, r, tol, eps):
    return (min(abs(r) / k, eps) if k else 0, k, abs(r))


def moving(objective):
    def options(scale):
        return {"tol": TOL * scale, "most_move": EPSILON * scale, "objective": objective}

    return Form(
        lambda v, z, s, k: perturbed(v, z, **options(s)),
        order=by_move if objective == "move" else lambda k, r, tol, eps: (k, abs(r)),
        admissible=within_moved,
        fallback=lambda k, r, tol, eps: (moved_error(k, r, tol, eps), k),
        slack=moved_error,
        batch=lambda v, z, s, k, t: perturbed_batch(v, z, threads=t, **options(s)),
    )


FORMS = {
    "closest": Form(lambda v, z, s, k: closest(v, z), batch=lambda v, z, s, k, t: closest_batch(v, z, threads=t)),
    "closest of a size": Form(
        lambda v, z, s, k: closest(v, z, size=k),
        sized=True,
        batch=lambda v, z, s, k, t: closest_batch(v, z, size=k, threads=t),
    ),
    "trade-off": Form(lambda v, z, s, k: trade_off(v, z)[k], sized=True),
    "first": Form(
        lambda v, z, s, k: first(v, z, tol=TOL * s),
        admissible=within,
        fallback=lambda k, r, tol, eps: (abs(r),),
        any_will_do=True,
        batch=lambda v, z, s, k, t: first_batch(v, z, tol=TOL * s, threads=t),
    ),
    "first of a size": Form(
        lambda v, z, s, k: first(v, z, tol=TOL * s, size=k),
        admissible=within,
        sized=True,
        any_will_do=True,
        batch=lambda v, z, s, k, t: first_batch(v, z, tol=TOL * s, size=k, threads=t),
    ),
    "fewest": Form(
        lambda v, z, s, k: fewest(v, z, tol=TOL * s),
        order=lambda k, r, tol, eps: (k,),
        admissible=within,
        fallback=lambda k, r, tol, eps: (abs(r),),
        first_in_order=True,
        batch=lambda v, z, s, k, t: fewest_batch(v, z, tol=TOL * s, threads=t),
    ),
    "smallest": Form(
        lambda v, z, s, k: smallest(v, z, tol=TOL * s),
        order=lambda k, r, tol, eps: (k, abs(r)),
        admissible=within,
        batch=lambda v, z, s, k, t: smallest_batch(v, z, tol=TOL * s, threads=t),
    ),
    "perturbed, fewest": moving("size"),
    "perturbed, least move": moving("move"),
}

# Values whose float64 sums are exact, and the scale of a law.
LAWS = {
    "uniform": (1.0, lambda rng, n: rng.integers(-(2**23), 2**23, n) * 2.0**-23),
    "products": (1.0, lambda rng, n: rng.integers(2**22, 2**23, n) * rng.integers(-(2**23), 2**23, n) * 2.0**-46),
    "ties and zeros": (16.0, lambda rng, n: rng.integers(-3, 4, n).astype(float)),
    "equal": (1.0, lambda rng, n: np.full(n, 0.75)),
    "powers of two": (2.0**-8, lambda rng, n: 2.0 ** -rng.integers(0, 12, n)),
    "large": (2.0**900, lambda rng, n: rng.integers(-(2**23), 2**23, n) * 2.0**877),
}


def problems(law, n, how_many, seed=0):
    """(values, target, scale), every third target a subset sum, every sixth out of reach."""
    scale, draw = LAWS[law]
    rng = np.random.default_rng([seed, n])
    for number in range(how_many):
        values = draw(rng, n)
        target = float(values[rng.integers(0, 2, n) == 1].sum())
        if number % 3:
            target += float(rng.integers(-8, 9)) * scale / 64
        yield values, target + (np.abs(values).sum() + scale if number % 6 == 5 else 0.0), scale


def all_subsets(values, target):
    """(size, exact sum - target, mask) of every subset."""
    sums = [(0, -Fraction(float(target)), 0)]
    for i, value in enumerate(values):
        sums += [(k + 1, r + Fraction(float(value)), mask | 1 << i) for k, r, mask in sums]
    return sums


@cache
def enumerated(law, n):
    """Six problems with all their subsets."""
    return [(*problem, all_subsets(*problem[:2])) for problem in problems(law, n, 6)]


def best(form, subsets, k, tol, eps):
    """The answer by definition: (size, r, mask, whether anything was admissible)."""
    asked = [subset for subset in subsets if not form.sized or subset[0] == k]
    good = [subset for subset in asked if form.admissible(*subset[:2], tol, eps)]
    order = form.order if good else form.fallback
    return *min(good or asked, key=lambda s: (*order(s[0], s[1], tol, eps), s[2])), bool(good)


def mask_of(kept):
    return sum(1 << int(i) for i in np.flatnonzero(kept))
