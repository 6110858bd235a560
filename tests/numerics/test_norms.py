"""`spectral_norm_bound` is never below the operator norm, and close to it."""

from fractions import Fraction

import numpy as np
import pytest

from slth.numerics import spectral_norm_bound
from slth.numerics.bounds import matmul_bound, norm_bound, product_bound


def rayleigh_squared(matrix, vector):
    """|Av|^2 / |v|^2 in rational arithmetic: never above the squared norm, for any v."""
    v = [Fraction(x) for x in vector.tolist()]
    image = [sum(Fraction(a) * x for a, x in zip(row, v, strict=True)) for row in matrix.tolist()]
    return sum(y * y for y in image) / sum(x * x for x in v)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 5), (3, 20), (20, 3), (12, 13)])
@pytest.mark.parametrize("scale", [1.0, 1e-150, 1e-280, 1e150, 1e290])
def test_never_below_the_norm_and_close_to_it(shape, scale):
    for seed in range(4):
        matrix = np.random.default_rng(seed).normal(size=shape) * scale
        _, values, right = np.linalg.svd(matrix / scale)
        bound = spectral_norm_bound(matrix)
        assert rayleigh_squared(matrix, right[0]) <= Fraction(bound) ** 2
        assert bound <= values[0] * scale * (1 + 1e-9)


@pytest.mark.parametrize("shape", [(10, 500), (100, 784), (500, 300)])
def test_within_a_millionth_for_layers_of_real_size(shape):
    matrix = np.random.default_rng(0).uniform(-1, 1, shape)
    norm = np.linalg.svd(matrix, compute_uv=False)[0]
    assert norm * (1 - 1e-12) <= spectral_norm_bound(matrix) <= norm * (1 + 1e-6)


def test_known_norms_are_never_undershot():
    """Rank one: |u| |v|. Hadamard of order n: sqrt(n). Diagonal: the largest entry. Ones (m, n): sqrt(mn)."""
    hadamard = np.ones((1, 1))
    for _ in range(5):
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
        assert Fraction(spectral_norm_bound(hadamard)) ** 2 >= len(hadamard)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        u, v = rng.integers(-9, 10, 4), rng.integers(-9, 10, 6)
        bound = spectral_norm_bound(np.outer(u, v).astype(float))
        square = int((u * u).sum()) * int((v * v).sum())
        assert square <= Fraction(bound) ** 2 <= square * (1 + Fraction(1, 10**9))
        diagonal = rng.normal(size=6) * 10.0 ** rng.integers(-200, 200, 6)
        bound = spectral_norm_bound(np.diag(diagonal))
        assert np.abs(diagonal).max() <= bound <= np.abs(diagonal).max() * (1 + 1e-9)
    for m, n in ((2, 2), (3, 5), (40, 7)):
        assert m * n <= Fraction(spectral_norm_bound(np.ones((m, n)))) ** 2 <= m * n * (1 + Fraction(1, 10**9))


def test_long_sums_are_allowed_for():
    """100,000 equal entries c: the norm is c sqrt(n), a long sum that float64 gets wrong systematically."""
    n = 100_000
    for c in np.linspace(0.1, 1.0, 40).tolist():
        assert n * Fraction(c) ** 2 <= Fraction(spectral_norm_bound(np.full((1, n), c))) ** 2
        assert n * Fraction(c) ** 2 <= Fraction(float(norm_bound(np.full(n, c)))) ** 2


def test_zero_is_zero_and_the_smallest_number_is_not():
    assert spectral_norm_bound(np.zeros((3, 4))) == 0.0
    assert spectral_norm_bound(np.full((1, 2), 5e-324)) > 7e-324
    assert spectral_norm_bound(np.array([[np.inf]])) == np.inf


def test_the_proof_does_not_trust_the_eigenvalue_routine(monkeypatch):
    """Whatever `eigvalsh` says, the bound stays a bound; a wildly wrong answer only costs tightness."""
    matrix = np.random.default_rng(0).normal(size=(6, 9))
    norm = np.linalg.svd(matrix, compute_uv=False)[0]
    honest = np.linalg.eigvalsh
    for factor in (0.1, 0.9, 0.999999, 1.0, 10.0):
        monkeypatch.setattr(np.linalg, "eigvalsh", lambda gram, factor=factor: honest(gram) * factor)
        assert norm <= spectral_norm_bound(matrix) <= np.linalg.norm(matrix) * (1 + 1e-12)


def test_helpers_never_undershoot_the_rational_result():
    """Products, sums of products and norms of non-negative numbers, from the smallest to the largest magnitudes."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 30))
        a, b = (rng.random(n) * 10.0 ** rng.integers(-170, 100, n) * (rng.random(n) < 0.8) for _ in range(2))
        exact = [(Fraction(x), Fraction(y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        products = [x * y for x, y in exact]
        assert all(p <= Fraction(q) for p, q in zip(products, product_bound(a, b).tolist(), strict=True))
        assert sum(products) <= Fraction(matmul_bound(a[None], b)[0])
        assert sum(x * x for x, _ in exact) <= Fraction(float(norm_bound(a))) ** 2
    assert product_bound(np.zeros(1), 1.0)[0] == matmul_bound(np.zeros((1, 2)), np.ones(2))[0] == 0.0
