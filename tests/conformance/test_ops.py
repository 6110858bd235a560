"""One op at a time: no value and no difference exceeds what the rule of the op allows.

Given l ≤ x ≤ h, ‖x‖ ≤ r and |x̂ - x| ≤ e, ‖x̂ - x‖ ≤ a, a search over x and x̂ (corners, random points, ascent) looks for
an output outside of the rule's l, h, r, e or a. Attacks on whole networks cannot do this: they stay far below a bound.

A further op is a line of `OPS`: a function of a random generator that makes what is tried.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from slth.certificate import errors, predictions, reach
from slth.certificate.errors import MapErrors, errors_of
from slth.certificate.reach import RULES, MapRule, Reach
from slth.graph import Affine, Linear, Op, Pointwise, Realised, chain
from slth.numerics import norm_bound, spectral_norm_bound

STARTS, STEPS = 6, 90


class Tried(NamedTuple):
    """An op, what its rule knows of its maps, and what it computes; batches of values (batch, n)."""

    op: Op
    signed: tuple[np.ndarray, ...]  # for each input, the entries that can be negative
    target: Callable[..., np.ndarray]
    realised: Callable[..., np.ndarray]
    maps: Mapping[str, MapRule] = {}


def relu(x):
    return np.maximum(x, 0.0)


def linear(*signed):
    """3 inputs, 2 outputs; errors of the two halves and of the bias of different sizes."""

    def tried(rng):
        w, b = rng.normal(size=(2, 3)), rng.normal(size=2)
        p, n = w + rng.choice([0.0, 0.1, 1.0]) * rng.normal(size=w.shape), None
        if any(signed):
            n = np.where(signed, -w + rng.choice([0.1, 1.0, 3.0]) * rng.normal(size=w.shape), 0.0)
        b_hat = b + rng.choice([0.0, 0.5]) * rng.normal(size=2)
        part = Realised(p[:, :, None], None if n is None else n[:, :, None], b_hat, np.array(signed))
        target = chain([Affine(w[:, :, None], b)])
        found = errors_of(target, {"layers/0": part})["layers/0"]
        return Tried(
            target.graph.maps["layers/0"],
            (np.array(signed),),
            lambda x: x @ w.T + b,
            lambda x: relu(x) @ p.T + (0.0 if n is None else relu(-x) @ n.T) + b_hat,
            {"layers/0": MapRule(found, spectral_norm_bound(found.all()))},
        )

    return tried


OPS = {
    "relu": lambda rng: Tried(Pointwise("Relu"), (np.ones(3, np.bool_),), relu, relu),
    "linear, no sign": linear(False, False, False),
    "linear, one sign": linear(True, False, False),
    "linear, all signs": linear(True, True, True),
}


# --- what is given ---

BOXES = {"from 0": (0.0, 1.0), "across 0": (-1.0, 0.7), "above 0": (0.3, 1.0), "below 0": (-1.0, -0.3)}
LIMITS = ("each entry", "the norm", "both", "no difference")
DRAWS = list(itertools.product(BOXES, LIMITS, (False, True)))  # the last: does the ball ‖x‖ ≤ r cut the box?


def given(rng, signed, box, limit, ball) -> Reach:
    """One input's l, h, r, e, a, with e ≤ a as every rule leaves them."""
    low, high = BOXES[box]
    ends = np.sort(rng.uniform(low, high, (2, signed.size)), axis=0)
    ends = np.where(rng.random(signed.size) < 0.7, np.array([[low], [high]]), ends)
    lower, upper = np.where(signed, ends, np.sort(np.abs(ends), axis=0))
    near, far = (np.linalg.norm(point) for point in (np.clip(0, lower, upper), np.maximum(-lower, upper)))
    e = rng.choice([0.0, 0.2, 0.5, 1.5], signed.size)
    if limit == "no difference":
        e[:] = 0.0
    a = {"the norm": 0.4, "both": 0.6 * np.linalg.norm(e)}.get(limit, np.linalg.norm(e))
    e = np.minimum(a, np.full(signed.size, 5.0) if limit == "the norm" else e)
    return Reach(lower, upper, float(near + 0.5 * (far - near) if ball else far), e, float(a))


def possible(x, d, known: Reach):
    """The same points moved to where |d| ≤ e, ‖d‖ ≤ a, l ≤ x ≤ h and, towards the least x, ‖x‖ ≤ r."""
    least = np.clip(0.0, known.lower, known.upper)
    away = np.clip(x, known.lower, known.upper) - least
    square, along, rest = (away**2).sum(axis=1), away @ least, max(known.norm**2 - least @ least, 0.0)
    share = (np.sqrt(along**2 + square * rest) - along) / np.where(square == 0, 1.0, square)
    x = least + np.minimum(share * (1 - 1e-12), 1.0)[:, None] * away
    d = np.clip(d, -known.error, known.error)
    size = np.linalg.norm(d, axis=1, keepdims=True)
    return x, d * np.minimum(known.error_norm / np.where(size == 0, 1.0, size), 1.0)


# --- the search ---


def sides(tried: Tried, x, d):
    """What is bounded, a column each: z, -z, ẑ - z, z - ẑ, then ‖z‖, ‖ẑ - z‖."""
    z = tried.target(*x)
    gap = tried.realised(*(v + move for v, move in zip(x, d, strict=True))) - z
    return np.hstack([z, -z, gap, -gap, *(np.linalg.norm(v, axis=1, keepdims=True) for v in (z, gap))])


def largest(tried: Tried, inputs: tuple[Reach, ...], rng):
    """The largest value found of each side."""

    def moved(x, d):
        return zip(*map(possible, x, d, inputs), strict=True)

    x, d = moved(*zip(*(starts(known, rng) for known in inputs), strict=True))
    found = sides(tried, x, d)
    best = np.argsort(found, axis=0)[-STARTS:].T.ravel()
    goal = np.repeat(np.arange(found.shape[1]), STARTS)
    x, d = ([v[best] for v in values] for values in (x, d))
    reached, rows = found[best, goal], np.arange(len(best))
    for step in range(STEPS):
        width = 0.5 ** (step // 8)
        trial = [[v + width * rng.normal(size=v.shape) * (rng.random(v.shape) < 0.5) for v in vs] for vs in (x, d)]
        new_x, new_d = moved(*trial)
        value = sides(tried, new_x, new_d)[rows, goal]
        better = value > reached
        for old, new in zip((*x, *d), (*new_x, *new_d), strict=True):
            old[better] = new[better]
        reached[better] = value[better]
    return reached.reshape(-1, STARTS).max(axis=1)


def starts(known: Reach, rng):
    """Corners, with x̂ at an end or at 0, and random points."""
    n = known.lower.size
    ends = np.stack([known.lower, known.upper, np.clip(0.0, known.lower, known.upper)])
    x = np.array(list(itertools.product(range(3), repeat=n)))
    x = np.repeat(ends[x, np.arange(n)], 40, axis=0)
    choice = rng.integers(0, 4, x.shape)
    d = np.choose(choice, [known.error * np.ones_like(x), -known.error * np.ones_like(x), -x, np.zeros_like(x)])
    inside = rng.uniform(known.lower, known.upper, (300, n)), known.error * rng.uniform(-1, 1, (300, n))
    return np.vstack([x, inside[0]]), np.vstack([d, inside[1]])


# --- the judgement ---


def by_box(tried: Tried, inputs):
    """The rule for a box of inputs."""
    return RULES[type(tried.op)](tried.op, tried.maps, inputs)


def by_point(tried: Tried, inputs):
    """The rule for one input whose activations are known, in the same words; it bounds no norm."""
    (x,) = inputs
    none = np.zeros((1, x.lower.size))
    known = predictions._Known(x.lower[None], none, x.error[None], np.array([x.error_norm]))
    if isinstance(tried.op, Linear):
        z = predictions._through_linear(predictions._map(tried.maps[tried.op.map].errors), known)
    else:
        z = predictions._through_relu(known)
    lower, upper = z.value - z.rounding, z.value + z.rounding
    return Reach(lower[0], upper[0], float(norm_bound(upper - lower + np.abs(z.value))[0]), z.error[0], z.error_norm[0])


KINDS = {"box": by_box, "point": by_point}


def trials(name, kind):
    """(where, side, the largest value found, its bound) over all draws."""
    for seed, (box, limit, ball) in enumerate(DRAWS):
        rng = np.random.default_rng([seed, 22])
        tried = OPS[name](rng)
        inputs = tuple(given(rng, signed, box, limit, ball) for signed in tried.signed)
        if kind == "point":
            inputs = tuple(at_a_point(known, rng) for known in inputs)
        bound = KINDS[kind](tried, inputs)
        limits = [*bound.upper, *-bound.lower, *bound.error, *bound.error, bound.norm, bound.error_norm]
        names = [side for side in "hlee" for _ in bound.error] + ["r", "a"]
        for side, value, most in zip(names, largest(tried, inputs, rng), limits, strict=True):
            yield f"{box}, {limit}", side, float(value), float(most)


def violations(found):
    """Each side that some input brings above its bound."""
    return (trial for trial in found if trial[2] > trial[3] + 1e-9 * (1 + abs(trial[3])))


def at_a_point(known: Reach, rng) -> Reach:
    """The same differences, at one x."""
    x, _ = possible(rng.uniform(known.lower, known.upper)[None], np.zeros((1, known.lower.size)), known)
    return Reach(x[0], x[0], float(np.linalg.norm(x)), known.error, known.error_norm)


def test_every_op_with_a_rule_is_tried():
    assert {type(make(np.random.default_rng(0)).op) for make in OPS.values()} == set(RULES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OPS)
def test_no_input_exceeds_what_the_rule_allows(name, kind):
    """And the search is worth something: it comes within a hundredth of 38 % of the bounds or more."""
    found = list(trials(name, kind))
    assert list(violations(found)) == []
    met = np.mean([value >= most - 0.01 * abs(most) for _, _, value, most in found])
    print(f"{name}, {kind}: {met:.0%} of {len(found)} bounds met")
    assert met > 0.3


# --- wrong rules, each of which must be noticed ---


def ends_only(positive, negative, bias, x):
    """The range of P x⁺ + N x⁻ + b as if no extreme lay at 0."""
    at = [positive * relu(end) + (0.0 if negative is None else negative * relu(-end)) for end in (x.lower, x.upper)]
    return np.minimum(*at).sum(axis=1) + bias, np.maximum(*at).sum(axis=1) + bias


def without_bias(positive, negative, bias, x, honest=reach._extremes):
    return honest(positive, negative, np.zeros_like(bias), x)


def ball_by_the_positive_half(positive, negative, bias, x, honest=reach._extremes):
    low, high = honest(positive, negative, bias, x)
    ball = norm_bound(positive) * x.norm
    return np.maximum(low, bias - ball), np.minimum(high, bias + ball)


def largest_entry(matrix):
    return float(np.abs(matrix).max())


def norm_without_bias(op, maps, inputs, honest=RULES[Linear]):
    (x,) = inputs
    return replace(honest(op, maps, inputs), norm=spectral_norm_bound(maps[op.map].errors.weight) * x.norm)


def relu_asleep_by_the_target(z):
    """min(e, max(upper, 0)): forgets that x̂ may be awake where x is not."""
    error = np.minimum(z.error, relu(z.upper))
    return Reach(relu(z.lower), relu(z.upper), z.norm, error, min(z.error_norm, float(norm_bound(error))))


def relu_where_awake(z):
    """No error where the target sleeps for sure, a half where it may sleep."""
    error = np.where(z.upper <= 0, 0.0, np.where(z.lower < 0, 0.5 * z.error, z.error))
    return Reach(relu(z.lower), relu(z.upper), z.norm, error, float(norm_bound(error)))


def relu_of_nothing(z):
    """The interval as it was."""
    return replace(z, lower=relu(z.lower))


def relu_of_values_alone(z, honest=predictions._through_relu):
    return replace(honest(z), error=np.minimum(z.error, relu(z.value)))


def positive_slopes(found):
    return np.abs(found.positive)


def positive_norm(found, eta):
    return spectral_norm_bound(found.positive)


def weight_norm(found, eta):
    return spectral_norm_bound(found.weight)


E_MINUS = [(MapErrors, "all", lambda found: found.error)]
SLOPES = [(MapErrors, "slopes", property(positive_slopes))]
NORM = [(MapErrors, "norm", positive_norm)]

WRONG: dict[str, tuple[str, str, list[tuple[Any, Any, Any]]]] = {
    # name: the op and the kind of rule that must notice, and what is replaced
    "η without E⁻": ("linear, all signs", "box", E_MINUS),
    "η without E⁻, one sign": ("linear, one sign", "box", E_MINUS),
    "η without E⁻, at a point": ("linear, all signs", "point", E_MINUS),
    "|P| alone": ("linear, all signs", "box", SLOPES),
    "|P| alone, one sign": ("linear, one sign", "box", SLOPES),
    "|P| alone, at a point": ("linear, all signs", "point", SLOPES),
    "‖P‖ in spite of signs": ("linear, all signs", "box", NORM),
    "‖P‖ in spite of signs, at a point": ("linear, all signs", "point", NORM),
    "‖W‖ where P acts": ("linear, no sign", "box", [(MapErrors, "norm", weight_norm)]),
    "an error from before is forgotten": (
        "linear, no sign",
        "box",
        [(reach, "matmul_bound", lambda left, right: np.zeros(len(left)))],
    ),
    "the bias does not err": ("linear, no sign", "box", [(reach, "_extremes", without_bias)]),
    "0 joins no range": ("linear, all signs", "box", [(reach, "_extremes", ends_only)]),
    "the ball ‖x‖ ≤ r through |P| alone": (
        "linear, all signs",
        "box",
        [(reach, "_extremes", ball_by_the_positive_half)],
    ),
    "the largest entry for a norm": (
        "linear, no sign",
        "box",
        [(reach, "spectral_norm_bound", largest_entry), (errors, "spectral_norm_bound", largest_entry)],
    ),
    "r without the bias": ("linear, no sign", "box", [(RULES, Linear, norm_without_bias)]),
    "relu: upper in place of upper + e": ("relu", "box", [(reach, "through_relu", relu_asleep_by_the_target)]),
    "relu: half of an error": ("relu", "box", [(reach, "through_relu", relu_where_awake)]),
    "relu: an interval below 0": ("relu", "box", [(reach, "through_relu", relu_of_nothing)]),
    "relu: v in place of v + e, at a point": ("relu", "point", [(predictions, "_through_relu", relu_of_values_alone)]),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_rule_is_noticed(wrong, monkeypatch):
    name, kind, changes = WRONG[wrong]
    for place, what, change in changes:
        if isinstance(place, dict):
            monkeypatch.setitem(place, what, change)
        else:
            monkeypatch.setattr(place, what, change)
    found = next(violations(trials(name, kind)), None)
    print(found)
    assert found is not None
