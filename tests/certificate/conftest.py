"""Small random networks, evaluated in float64 and in rational arithmetic."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from helpers.networks import Pair

from slth.graph import Affine, Box, Realised


def make_case(seed: int, *, layers: int | None = None) -> Pair:
    """1-5 layers, widths 1-8, every kind of box and bias, errors of size 1e-6 to 1."""
    rng = np.random.default_rng([seed, 20])
    depth = layers or int(rng.integers(1, 6))
    widths = rng.integers(1, 9, depth + 1)
    scale = 10.0 ** rng.uniform(-6, 0)
    target, realised = [], []
    signed = rng.random(widths[0]) < rng.choice([0.0, 0.5, 1.0])
    for i, (inp, out) in enumerate(itertools.pairwise(widths)):
        shape = (int(out), int(inp), 1)
        w = rng.normal(size=shape) * rng.choice([0.3, 1.0])
        b = rng.normal(size=out) if rng.random() < 0.7 else None
        here = signed if i == 0 else np.zeros(inp, bool)
        n = np.where(here[:, None], -w + scale * rng.normal(size=shape), 0.0) if here.any() else None
        b_hat = None if b is None and rng.random() < 0.5 else (0.0 if b is None else b) + scale * rng.normal(size=out)
        target.append(Affine(w, b))
        realised.append(Realised(w + scale * rng.normal(size=shape), n, b_hat, here))
    ends = np.sort(rng.normal(size=(2, widths[0])), axis=0)
    lower, upper = (
        np.where(signed, ends[0], np.abs(ends).min(axis=0)),
        np.where(signed, ends[1], np.abs(ends).max(axis=0)),
    )
    lower = np.where(~signed & (rng.random(widths[0]) < 0.5), 0.0, lower)
    upper = np.where(rng.random(widths[0]) < 0.1, lower, upper)  # degenerate
    return Pair.of(target, realised, Box(lower, upper))


def float_layers(case: Pair, x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pre-activations (batch, out) of every layer: target, realised. Float64, as one would write it."""
    targets, realiseds = [], []
    x_hat = x
    for i, (a, r) in enumerate(case.layers):
        if i:
            x, x_hat = np.maximum(targets[-1], 0), np.maximum(realiseds[-1], 0)
        z = x @ a.weight[:, :, 0].T + (0 if a.bias is None else a.bias)
        z_hat = np.maximum(x_hat, 0) @ r.positive[:, :, 0].T + (0 if r.bias is None else r.bias)
        if r.negative is not None:
            z_hat = z_hat + np.maximum(-x_hat, 0) @ r.negative[:, :, 0].T
        targets.append(z)
        realiseds.append(z_hat)
    return targets, realiseds


def exact_layers(case: Pair, x: np.ndarray) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """The same for one input (inp,), in rational arithmetic."""
    zero = Fraction(0)

    def affine(matrix, vector):
        return [
            sum((Fraction(w) * v for w, v in zip(row, vector, strict=True)), zero) for row in matrix[:, :, 0].tolist()
        ]

    def shifted(vector, bias):
        return vector if bias is None else [v + Fraction(b) for v, b in zip(vector, bias.tolist(), strict=True)]

    v = v_hat = [Fraction(value) for value in x.tolist()]
    targets, realiseds = [], []
    for i, (a, r) in enumerate(case.layers):
        if i:
            v, v_hat = [max(value, zero) for value in targets[-1]], [max(value, zero) for value in realiseds[-1]]
        targets.append(shifted(affine(a.weight, v), a.bias))
        z_hat = affine(r.positive, [max(value, zero) for value in v_hat])
        if r.negative is not None:
            minus = affine(r.negative, [max(-value, zero) for value in v_hat])
            z_hat = [p + n for p, n in zip(z_hat, minus, strict=True)]
        realiseds.append(shifted(z_hat, r.bias))
    return targets, realiseds


@pytest.fixture(scope="session")
def random_case():
    return make_case


@pytest.fixture(scope="session")
def layers_in_float64():
    return float_layers


@pytest.fixture(scope="session")
def layers_exactly():
    return exact_layers


@pytest.fixture(scope="session")
def corners():
    """All points whose coordinates are an end of their range or, where it lies inside, 0."""

    def all_corners(box: Box) -> np.ndarray:
        choices = [
            sorted({lo, hi} | ({0.0} if lo < 0 < hi else set()))
            for lo, hi in zip(box.lower.tolist(), box.upper.tolist(), strict=True)
        ]
        return np.array(list(itertools.product(*choices)))

    return all_corners
