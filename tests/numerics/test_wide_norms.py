"""Norms of wide matrices: Lanczos guesses, Cholesky proves; in parts, in blocks, never below the norm."""

import numpy as np
import pytest

from slth.numerics import Parts, Stream, blocks_of, gram, matrix_rule, norms, spectral_norm_bound, uniform


def in_parts(matrix):
    """The same matrix, of which only parts are handed out."""
    return Parts(matrix.shape, lambda rows, columns: matrix[rows, columns])


def hilbert(m, n):
    return 1.0 / (1.0 + np.add.outer(np.arange(m), np.arange(n)))


def adversarial():
    """(name, matrix, its norm) of order 40 to 90; norms that are known, or by LAPACK."""
    rng = np.random.default_rng(0)
    q = np.linalg.qr(rng.normal(size=(90, 60)))[0]
    u, v = rng.normal(size=70), rng.normal(size=50)
    one = np.zeros((60, 80))
    one[37, 51] = -3.0
    start = uniform(Stream(0, "norms/start"), (64,)).astype(np.float64)
    across = np.linalg.qr(np.column_stack([start, rng.normal(size=64)]))[0][:, 1]  # where Lanczos does not look
    hidden = 0.5 * np.eye(64) + 0.5 * np.outer(across, across)
    sparse = rng.normal(size=(64, 64)) * (rng.random((64, 64)) < 0.02)
    orthogonal = np.linalg.qr(rng.normal(size=(60, 60)))[0]
    trained = np.outer(u, v) / 9 + 0.1 * rng.normal(size=(70, 50))
    cases = {
        "orthogonal": (q, 1.0),
        "rank one": (np.outer(u, v), np.linalg.norm(u) * np.linalg.norm(v)),
        "ones": (np.ones((60, 40)), np.sqrt(2400)),
        "one entry": (one, 3.0),
        "hidden from the start vector": (hidden, 1.0),
        "one eigenvalue, all of it": (np.eye(64), 1.0),
        "two close ones": (np.diag([1.0, 1 - 1e-9] * 32), 1.0),
        "sparse": (sparse, None),
        **{
            f"a cluster {width:g} wide": (orthogonal * (1 + width * rng.random(60)), None)
            for width in (1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
        },
        "hilbert": (hilbert(60, 60), None),
        "random": (rng.normal(size=(60, 80)), None),
        "low rank and noise": (trained, None),
    }
    return [(name, a, np.linalg.norm(a, 2) if norm is None else norm) for name, (a, norm) in cases.items()]


@pytest.fixture(params=["LAPACK", "Lanczos"])
def guess(request, monkeypatch):
    """Both ways to guess, at an order where both are quick."""
    if request.param == "Lanczos":
        monkeypatch.setattr(gram, "EXACT", 8)
        monkeypatch.setattr(norms, "CHUNK", 512)  # parts of a few rows, a few columns
    return request.param


@pytest.mark.parametrize("scale", [1.0, 2.0**-900, 2.0**900])
def test_never_below_the_norm_and_close_whatever_the_matrix(guess, scale):
    """1e-9 above by LAPACK, 2e-7 by Lanczos, also where its first start vector sees nothing of the largest."""
    for name, matrix, norm in adversarial():
        for a in (matrix, matrix.T, np.asfortranarray(matrix), in_parts(matrix), in_parts(matrix.T)):
            scaled = Parts(a.shape, lambda r, c, a=a: a.part(r, c) * scale) if isinstance(a, Parts) else a * scale
            bound = spectral_norm_bound(scaled) / scale
            close = 1e-9 if guess == "LAPACK" else 2e-7
            assert norm * (1 - 1e-13) <= bound <= norm * (1 + close), name


def test_what_is_no_matrix_of_numbers_has_no_finite_bound(guess):
    for value in (np.inf, np.nan):
        a = np.ones((30, 40))
        a[17, 23] = value
        for matrix in (a, in_parts(a), a.T):
            assert not np.isfinite(spectral_norm_bound(matrix))
    assert spectral_norm_bound(in_parts(np.zeros((30, 40)))) == 0.0
    assert spectral_norm_bound(in_parts(np.full((30, 40), 5e-324))) >= 2.0**-960


def test_the_proof_trusts_no_guess_of_lanczos(monkeypatch):
    monkeypatch.setattr(gram, "EXACT", 8)
    honest = gram._largest_eigenvalue
    for _, matrix, norm in adversarial():
        for factor in (0.0, 0.1, 0.9, 0.999999, 10.0):
            monkeypatch.setattr(gram, "_largest_eigenvalue", lambda *known, factor=factor: honest(*known) * factor)
            assert norm * (1 - 1e-13) <= spectral_norm_bound(matrix) <= np.linalg.norm(matrix) * (1 + 1e-9)


def test_parts_give_what_the_whole_gives(monkeypatch):
    """Sums in another order: 1e-12 apart, and both above the norm."""
    matrix = np.random.default_rng(1).normal(size=(50, 300))
    whole, norm = spectral_norm_bound(matrix), np.linalg.norm(matrix, 2)
    for chunk in (1, 300, 4000, 2**30):
        monkeypatch.setattr(norms, "CHUNK", chunk)
        for a in (in_parts(matrix), in_parts(matrix.T)):
            bound = spectral_norm_bound(a)
            assert norm <= bound
            assert abs(bound / whole - 1) < 1e-12


def test_blocks_bound_the_norm_and_cost_what_is_said():
    """√Σ‖A_i‖²: 1.21 times the norm of a random square matrix in two, the norm of one of rank one."""
    rng = np.random.default_rng(2)
    square = rng.normal(size=(400, 400))
    assert 1.15 < spectral_norm_bound(square, blocks=2) / np.linalg.norm(square, 2) < 1.25
    for name, matrix, norm in adversarial():
        for blocks in (2, 3, 7):
            for a in (matrix, matrix.T, in_parts(matrix)):
                bound = spectral_norm_bound(a, blocks=blocks)
                assert norm * (1 - 1e-13) <= bound <= np.linalg.norm(matrix) * (1 + 1e-9)
                assert bound <= norm * np.sqrt(blocks) * (1 + 1e-9)
        if name == "rank one":
            assert bound <= norm * (1 + 1e-9)


def test_rules_follow_from_shapes_alone():
    """Monotone in the smaller side; as many blocks as bring the cost down to what is allowed."""
    found = [matrix_rule(m, 30_000) for m in range(1000, 30_001, 1000)]
    assert found == sorted(found, reverse=True)
    assert {"spectral", "blocks"} == set(found)
    assert matrix_rule(4200, 5000) == matrix_rule(5000, 4200) == "spectral"
    assert blocks_of(4200, 5000) == 1
    assert blocks_of(49_152, 49_152) == 4


@pytest.mark.slow
def test_a_wide_layer_is_bounded_within_a_ten_millionth():
    """Order 1,500: random weights, whose largest eigenvalues are close, and a few strong directions in noise."""
    rng = np.random.default_rng(3)
    random = rng.normal(size=(1500, 1600))
    strong = rng.normal(size=(1500, 5)) @ rng.normal(size=(5, 1600)) + random
    for matrix in (random, strong):
        norm = np.linalg.norm(matrix, 2)
        assert norm * (1 - 1e-13) <= spectral_norm_bound(matrix) <= norm * (1 + 1e-7)
