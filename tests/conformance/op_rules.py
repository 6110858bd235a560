"""One op at a time: what its rule is given, what the op computes, and a search for inputs that the rule forgot.

Given l ≤ x ≤ h, ‖x‖ ≤ r, |x̂ - x| ≤ e and ‖x̂ - x‖ ≤ a of every input, no output may leave the rule's l, h, r, e, a.
Attacks on whole networks do not test rules: they stay far below a bound, whatever is wrong with it.
"""

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from helpers.ascent import largest
from helpers.graphs import map_in_long_doubles

from slth.certificate import rounded
from slth.certificate.errors import map_errors
from slth.certificate.reach import Reach
from slth.certificate.rules import RULES, Facts
from slth.graph import (
    EVALUATE,
    INPUT,
    Affine,
    Constant,
    Graph,
    Linear,
    Node,
    Op,
    Realised,
    Target,
    shape_of,
)
from slth.numerics import norm_bound


class Tried(NamedTuple):
    """An op, the shapes of its inputs, carried arrays; of a map, the channels that can be negative and its errors."""

    op: Op
    shapes: tuple[tuple[int, ...], ...] = ()
    carried: Mapping[str, np.ndarray] = {}
    signed: tuple[bool, ...] | None = None
    wide: float = 1.0  # boxes are so many times as wide
    off: float = 0.3  # coefficients are off by so much


BOXES = {"from 0": (0.0, 1.0), "across 0": (-1.0, 0.7), "above 0": (0.3, 1.0), "below 0": (-1.0, -0.3)}
LIMITS = ("each entry", "the norm", "both", "no difference")
DRAWS = list(itertools.product(BOXES, LIMITS, (False, True)))  # the last: does the ball ‖x‖ ≤ r cut the box?
SIDES = ("h", "l", "e", "e", "r", "a")


class Networks(NamedTuple):
    """What an op computes in the target and in the realisation, the facts of its rule, both numbers of its map."""

    target: object
    realised: object
    facts: Facts
    numbers: tuple[Affine, Realised] | None = None


def networks(tried: Tried, rng) -> Networks:
    """Both functions, of batches of inputs; errors of the two halves and of the bias have different sizes."""
    if not isinstance(tried.op, Linear):

        def both(*x):
            if isinstance(tried.op, Constant):
                return np.broadcast_to(tried.carried[tried.op.value], (1, *tried.carried[tried.op.value].shape))
            return EVALUATE[type(tried.op)](tried.op, x, tried.carried)

        return Networks(both, both, Facts({}, tried.carried))
    op, signed = tried.op, np.array(tried.signed)
    weight = rng.normal(size=op.coefficients)
    sizes = tried.off * rng.choice([0.0, 0.3, 1.0, 3.0], 3)
    negative = None
    if signed.any():
        negative = np.where(signed[:, None], -weight + max(sizes[1], 0.1) * rng.normal(size=weight.shape), 0.0)
    positive = weight + sizes[0] * rng.normal(size=weight.shape)
    bias = rng.normal(size=op.basis.outputs) if op.bias else None
    bias_hat = None if bias is None else bias + sizes[2] * rng.normal(size=bias.shape)
    wanted, found = Affine(weight, bias), Realised(positive, negative, bias_hat, signed)
    target = Target(Graph((Node("map", op, (INPUT,)),)), {op.map: wanted})
    errors = {op.map: map_errors(op.map, op, target.coefficients[op.map], found)}
    facts = Facts(errors, {})
    return Networks(lambda x: wanted.apply(op.basis, x), lambda x: found.apply(op.basis, x), facts, (wanted, found))


def floor_of(tried: Tried) -> np.ndarray | float:
    """The smallest that an input may be, in both networks: 0 where it has no sign."""
    if tried.signed is None:
        return -np.inf
    floor = np.where(tried.signed, -np.inf, 0.0)
    return floor if tried.op.basis.channel_axis else floor.reshape(-1, *(1 for _ in tried.shapes[0][1:]))


def given(tried: Tried, shape, rng, draw) -> Reach:
    """One input's l, h, r, e, a, shared along some axes, with e ≤ a as every rule leaves them."""
    box, limit, ball = draw
    low, high = (tried.wide * end for end in BOXES[box])
    own = tuple(1 if rng.random() < 0.4 else length for length in shape)
    ends = np.sort(rng.uniform(low, high, (2, *own)), axis=0)
    ends = np.where(rng.random(own) < 0.7, np.array([low, high]).reshape(2, *(1 for _ in own)), ends)
    floor = floor_of(tried)
    if np.max(floor) == 0:
        ends = np.where(floor == 0, np.sort(np.abs(ends), axis=0), ends)
    lower, upper = ends
    full = [np.broadcast_to(end, shape) for end in ends]
    near = np.linalg.norm(np.clip(0, *full))
    far = np.linalg.norm(np.maximum(np.abs(full[0]), np.abs(full[1])))
    e = tried.wide * rng.choice([0.0, 0.2, 0.5, 1.5], tuple(1 if rng.random() < 0.4 else length for length in shape))
    e = np.zeros_like(e) if limit == "no difference" else e
    size = np.linalg.norm(np.broadcast_to(e, shape))
    a = {"the norm": 0.4 * tried.wide, "both": 0.6 * size}.get(limit, size)
    e = np.minimum(a, np.full_like(e, 5.0) if limit == "the norm" else e)
    return Reach(lower, upper, float(near + 0.5 * (far - near) if ball else far), e, float(a), shape)


def possible(x, d, known: Reach, floor):
    """Points (count, *shape) moved to where |d| ≤ e, ‖d‖ ≤ a, l ≤ x ≤ h and, towards the least x, ‖x‖ ≤ r."""
    flat = (len(x), -1)
    least = np.broadcast_to(np.clip(0.0, known.lower, known.upper), known.shape)
    away = (np.clip(x, known.lower, known.upper) - least).reshape(flat)
    least = least.ravel()
    square, along, rest = (away**2).sum(axis=1), away @ least, max(known.norm**2 - least @ least, 0.0)
    share = (np.sqrt(along**2 + square * rest) - along) / np.where(square == 0, 1.0, square)
    x = (least + np.minimum(share * (1 - 1e-12), 1.0)[:, None] * away).reshape(x.shape)
    d = np.maximum(x + np.clip(d, -known.error, known.error), floor) - x
    size = np.linalg.norm(d.reshape(flat), axis=1).reshape(-1, *(1 for _ in known.shape))
    return x, d * np.minimum(known.error_norm / np.where(size == 0, 1.0, size), 1.0)


def by_box(tried: Tried, inputs, both: Networks) -> Reach:
    """The rule for a box of inputs."""
    return RULES[type(tried.op)](tried.op, inputs, both.facts)


def by_point(tried: Tried, inputs, both: Networks) -> Reach:
    """What one network computes at a point that it knows up to e and a, in the same words."""
    op = tried.op
    values = tuple(rounded.Rounded(x.lower[None], x.error[None], np.array([x.error_norm])) for x in inputs)
    if isinstance(op, Linear):
        errors = both.facts.errors[op.map]
        z = rounded._linear(op, rounded.map_of(op, both.numbers[1], errors.norm(errors.eta)), values[0])
    else:
        value = both.realised(*(v.value for v in values))
        z = rounded._bounded(value, *rounded.STEPS[type(op)](op, values, value, tried.carried))
    size = float(np.linalg.norm(z.value) + z.off_norm[0])
    return Reach(z.value[0] - z.off[0], z.value[0] + z.off[0], size, z.off[0], float(z.off_norm[0]))


def at_a_point(known: Reach, floor, rng) -> Reach:
    """The same differences, at one x."""
    x = rng.uniform(known.lower, known.upper, known.shape)[None]
    x, _ = possible(x, np.zeros_like(x), known, floor)
    e = np.array(np.broadcast_to(known.error, known.shape))
    return Reach(x[0], x[0], float(np.linalg.norm(x)), e, known.error_norm)


def rounding(tried: Tried, rng) -> list[tuple[str, np.longdouble, float]]:
    """(side, value, bound) at one point, known as it is; for a map with the same numbers at every position."""
    both = networks(tried, rng)
    sizes = list(tried.shapes)
    if isinstance(tried.op, Linear):
        channel = tried.op.basis.channel_axis % len(sizes[0])
        sizes = [tuple(length if axis == channel else 1 for axis, length in enumerate(sizes[0]))]
    x = [tried.wide * np.maximum(rng.normal(size=size), floor_of(tried)) for size in sizes]
    x = [np.array(np.broadcast_to(v, shape)) for v, shape in zip(x, tried.shapes, strict=True)]
    none = [np.zeros((1,) * len(shape)) for shape in tried.shapes]
    inputs = tuple(Reach(v, v, float(norm_bound(v.ravel())), e, 0.0) for v, e in zip(x, none, strict=True))
    bound = by_box(tried, inputs, both)
    exact = [v[None].astype(np.longdouble) for v in x]
    if both.numbers is None:
        z = z_hat = EVALUATE[type(tried.op)](tried.op, tuple(exact), tried.carried)
    else:
        z, z_hat = (map_in_long_doubles(numbers, tried.op.basis, exact[0]) for numbers in both.numbers)
    z, gap = z[0], (z_hat - z)[0]
    limits = (bound.upper, -bound.lower, bound.error, bound.norm, bound.error_norm)
    sides = (z, -z, np.abs(gap), np.sqrt((z**2).sum()), np.sqrt((gap**2).sum()))
    found = list[tuple[str, np.longdouble, float]]()
    for side, value, limit in zip("hlera", sides, limits, strict=True):
        full = np.broadcast_to(limit, value.shape)
        found += [(side, v, m) for v, m in zip(np.ravel(value), np.ravel(full), strict=True)]
    return found


def trials(tried: Tried, *, seed=0, point=False):
    """(draw, side, largest value found, bound) of every draw."""
    for number, draw in enumerate(DRAWS):
        if point and draw[2]:
            continue  # a point is in no ball
        rng = np.random.default_rng([seed, number, 22])
        both = networks(tried, rng)
        inputs = tuple(given(tried, shape, rng, draw) for shape in tried.shapes)
        if point:
            both = both._replace(target=both.realised)
            inputs = tuple(at_a_point(known, floor_of(tried), rng) for known in inputs)
        bound = (by_point if point else by_box)(tried, inputs, both)
        shape = shape_of(tried.op, tried.shapes, tried.carried)
        assert bound.shape == shape
        limits = [np.broadcast_to(v, shape).ravel() for v in (bound.upper, -bound.lower, bound.error, bound.error)]
        yield from (
            (draw, side, value, limit)
            for side, limit, value in zip(
                np.repeat(SIDES, [*(len(v) for v in limits), 1, 1]),
                [*np.concatenate(limits), bound.norm, bound.error_norm],
                _search(tried, inputs, both, rng),
                strict=True,
            )
        )


def _search(tried: Tried, inputs, both: Networks, rng):
    """The largest found of each of z, -z, ẑ - z, z - ẑ, ‖z‖, ‖ẑ - z‖, over all x and x̂."""
    sizes = [int(np.prod(shape)) for shape in tried.shapes]
    floor = floor_of(tried)

    def split(points):
        parts = np.split(points, np.cumsum(sizes * 2)[:-1], axis=1) if sizes else []
        shaped = [part.reshape(-1, *shape) for part, shape in zip(parts, tried.shapes * 2, strict=True)]
        return shaped[: len(sizes)], shaped[len(sizes) :]

    def project(points):
        x, d = zip(
            *(possible(*vs, known, floor) for *vs, known in zip(*split(points), inputs, strict=True)), strict=True
        )
        return np.hstack([v.reshape(len(points), -1) for v in (*x, *d)])

    def columns(points):
        x, d = split(points)
        z = both.target(*x)
        gap = (both.realised(*(v + move for v, move in zip(x, d, strict=True))) - z).reshape(len(z), -1)
        z = z.reshape(len(z), -1)
        return np.hstack([z, -z, gap, -gap, *(np.linalg.norm(v, axis=1, keepdims=True) for v in (z, gap))])

    if not sizes:
        return columns(np.zeros((1, 0)))[0]
    return largest(columns, project, _starts(tried, inputs, rng), rng=rng)


def _starts(tried: Tried, inputs, rng, count=300):
    """Corners, with x̂ at an end or at 0, and random points."""
    x, d = list[np.ndarray](), list[np.ndarray]()
    for known, shape in zip(inputs, tried.shapes, strict=True):
        ends = np.stack(
            [np.broadcast_to(v, shape) for v in (known.lower, known.upper, np.clip(0, known.lower, known.upper))]
        )
        corner = np.take_along_axis(ends, rng.integers(0, 3, (count, *shape)), axis=0)
        inside = rng.uniform(known.lower, known.upper, (count, *shape))
        x.append(np.where(rng.random(count).reshape(-1, *(1 for _ in shape)) < 0.7, corner, inside))
        e = np.broadcast_to(known.error, (count, *shape))
        d.append(
            np.choose(rng.integers(0, 5, (count, *shape)), [e, -e, -x[-1], 0 * e, e * rng.uniform(-1, 1, e.shape)])
        )
    return np.hstack([v.reshape(count, -1) for v in (*x, *d)])


def violations(found):
    """Each side that some input brings above its bound."""
    return (trial for trial in found if not trial[2] <= trial[3] + 1e-9 * (1 + abs(trial[3])))


def plant(changes, monkeypatch) -> None:
    """Wrong rules in the place of right ones: (table, key, rule) or (module, name, function) each."""
    for change in changes:
        if isinstance(change[0], dict):
            monkeypatch.setitem(*change)
        else:
            monkeypatch.setattr(*change)
