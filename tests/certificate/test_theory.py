"""The bound against the formulas it improves on, and against the mistakes it must not make."""

import itertools

import numpy as np
import pytest
from helpers.networks import Pair

from slth.graph import Affine, Box, Realised


def spectral(matrix):
    return np.linalg.svd(matrix, compute_uv=False)[0]


def errors(case):
    for a, r in case.layers:
        w, b = a.weight[:, :, 0], np.zeros(len(a.weight)) if a.bias is None else a.bias
        b_hat = np.zeros(len(b)) if r.bias is None else r.bias
        p = r.positive[:, :, 0]
        minus = np.where(r.signed, w + (0 if r.negative is None else r.negative[:, :, 0]), 0.0)
        yield w, b, p, p - w, minus, b_hat - b


def in_l2(case):
    """e_i <= (|W_i| + eta_i) e_{i-1} + eta_i r_{i-1} + |Delta b_i|, r_i <= |W_i| r_{i-1} + |b_i|, operator norms."""
    e, r = 0.0, np.linalg.norm(np.maximum(np.abs(case.box.lower), np.abs(case.box.upper)))
    for w, b, _, plus, minus, db in errors(case):
        eta = spectral(np.hstack([plus, minus]))
        e = (spectral(w) + eta) * e + eta * r + np.linalg.norm(db)
        r = spectral(w) * r + np.linalg.norm(b)
    return e


def in_sup(case):
    """e_{i,r} <= sum_j (|P_rj| e_{i-1,j} + |E_rj| xbar_j) + |Delta b_r|, xbar from interval bounds."""
    lower, upper, e = case.box.lower, case.box.upper, np.zeros(case.box.lower.size)
    for i, (w, b, p, plus, minus, db) in enumerate(errors(case)):
        if i:
            lower, upper = np.maximum(lower, 0), np.maximum(upper, 0)
        worst = np.maximum(np.abs(plus) * np.maximum(upper, 0), np.abs(minus) * np.maximum(-lower, 0))
        e = np.abs(p) @ e + worst.sum(axis=1) + np.abs(db)
        lower, upper = (
            np.minimum(w * lower, w * upper).sum(axis=1) + b,
            np.maximum(w * lower, w * upper).sum(axis=1) + b,
        )
    return e


@pytest.mark.slow
@pytest.mark.parametrize("count", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_never_worse_than_either_published_formula(count, random_case):
    for seed in range(count):
        case = random_case(seed)
        certificate = case.bounds
        assert certificate.l2_error <= in_l2(case) * (1 + 1e-7)
        assert (np.array(certificate.output_error) <= in_sup(case) * (1 + 1e-9) + 1e-300).all()


def wide(rng, widths, *, error, box):
    target, realised = [], []
    for inp, out in itertools.pairwise(widths):
        w = rng.normal(size=(out, inp, 1)) / np.sqrt(inp)
        target.append(Affine(w, np.zeros(out)))
        realised.append(
            Realised(w + error * rng.uniform(-1, 1, w.shape), None, np.zeros(out), np.zeros(inp, dtype=bool))
        )
    return Pair.of(target, realised, Box.uniform(0.0, box, widths[0]))


def test_each_norm_wins_somewhere():
    """Random errors add like square roots in ℓ2 and like sums in ℓ∞: ℓ∞ wins at width 3, ℓ2 at 200."""
    rng = np.random.default_rng(0)
    narrow = [wide(rng, [3, 3, 3, 3], error=1e-3, box=1.0) for _ in range(20)]
    broad = [wide(rng, [200, 200, 200, 10], error=1e-3, box=1.0)]
    assert sum(in_sup(case).max() < 0.8 * in_l2(case) for case in narrow) > 10
    assert all(in_l2(case) < 0.5 * in_sup(case).max() for case in broad)


def test_switching_norms_between_layers_beats_either():
    """The better of both at every layer is better than the better of both at the end."""
    cases = [wide(np.random.default_rng(seed), [20, 100, 5, 5, 40, 3], error=1e-2, box=1.0) for seed in range(10)]
    for case in cases:
        assert case.bounds.sup_error < 0.9 * min(in_l2(case), in_sup(case).max())


@pytest.mark.parametrize(("size", "error", "at_least"), [(1.0, 0.3, 5), (50.0, 0.0, 15)])
def test_leaving_out_biases_is_unsound_and_ours_does_not(layers_in_float64, size, error, at_least):
    """6-7-7-3 networks err more than a bias-free bound allows, whether or not the biases are off; ours covers them."""
    beaten = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        target, realised = [], []
        for inp, out in itertools.pairwise([6, 7, 7, 3]):
            w, b = rng.normal(size=(out, inp, 1)) / np.sqrt(inp), size * rng.normal(size=out)
            target.append(Affine(w, b))
            p, b_hat = w + rng.uniform(-0.02, 0.02, w.shape), b + error * rng.uniform(-1, 1, out)
            realised.append(Realised(p, None, b_hat, np.zeros(inp, dtype=bool)))
        case = Pair.of(target, realised, Box.uniform(0.0, 1.0, 6))
        free = [Affine(a.weight, None) for a in target], [Realised(r.positive, None, None, r.signed) for r in realised]
        z, z_hat = layers_in_float64(case, rng.uniform(0, 1, (500, 6)))
        worst = np.abs(z_hat[-1] - z[-1]).max()
        assert worst <= case.bounds.sup_error
        beaten += worst > Pair.of(*free, case.box).bounds.sup_error
    assert beaten >= at_least


def test_the_largest_entry_is_no_lipschitz_constant():
    """W = ones(3, 3): an error of 1 per coordinate grows to 3 per layer, max |w| = 1 would let it stay 1."""
    ones = np.ones((3, 3, 1))
    target = [Affine(ones, np.zeros(3))] * 3
    realised = [Realised(ones, None, np.ones(3) if i == 0 else np.zeros(3), np.zeros(3, bool)) for i in range(3)]
    certificate = Pair.of(target, realised, Box.uniform(0.0, 1.0, 3)).bounds
    assert [round(claim.sup_error, 9) for claim in certificate.maps.values()] == [1, 3, 9]


def test_a_sleeping_neuron_passes_no_error_on():
    """z <= -1 and an error of 1/2: both networks output 0."""
    target = [Affine(np.ones((1, 1, 1)), np.array([-2.0])), Affine(np.ones((1, 1, 1)), None)]
    realised = [
        Realised(np.full((1, 1, 1), 1.5), None, np.array([-2.0]), np.zeros(1, bool)),
        Realised(np.ones((1, 1, 1)), None, None, np.zeros(1, bool)),
    ]
    certificate = Pair.of(target, realised, Box.uniform(0.0, 1.0, 1)).bounds
    assert certificate.maps["layers/0"].sup_error >= 0.5
    assert certificate.sup_error == 0.0


def test_positive_and_negative_halves_answer_for_their_own_side():
    """E+ = 1, E- = 4: on [0, 1] the error is 1, on [-1, 0] it is 4, on [-1/8, 1] it is 1."""
    target = [Affine(np.zeros((1, 1, 1)), None)]
    realised = [Realised(np.full((1, 1, 1), 1.0), np.full((1, 1, 1), 4.0), None, np.ones(1, bool))]
    for lower, upper, expected in ((0.0, 1.0, 1.0), (-1.0, 0.0, 4.0), (-0.125, 1.0, 1.0), (-2.0, -1.0, 8.0)):
        found = Pair.of(target, realised, Box.uniform(lower, upper, 1)).bounds.sup_error
        assert expected <= found <= expected * (1 + 1e-12)


def test_signed_errors_cancel_against_the_bias():
    """f(x) = x - 1/2 on [0, 1] has supremum 1/2; |E| x + |Delta b| would give 3/2."""
    target = [Affine(np.zeros((1, 1, 1)), np.zeros(1))]
    realised = [Realised(np.ones((1, 1, 1)), None, np.array([-0.5]), np.zeros(1, bool))]
    found = Pair.of(target, realised, Box.uniform(0.0, 1.0, 1)).bounds.sup_error
    assert 0.5 <= found <= 0.5 * (1 + 1e-12)
