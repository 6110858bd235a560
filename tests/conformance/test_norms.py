"""The norm of a convolution whatever the image: never below that of its dense matrix on any, and close to the supremum.

Closeness: dense matrices of small images reach the supremum only in part, a fine grid of the symbol reaches it.
"""

import math

import numpy as np
import pytest

from slth._errors import InputError
from slth.graph import Conv, ConvTranspose, Dense
from slth.numerics import NORMS, convolution_norm_bound, convolutions, gram, spectral_norm_bound
from slth.numerics.norms import largest_norm_bound


def matrix_of(basis, coefficients, shape):
    """The dense matrix on inputs of this shape."""
    size = math.prod(shape)
    return basis.apply(coefficients, np.eye(size).reshape(size, *shape)).reshape(size, -1).T


def random_basis(rng, kind):
    """1 to 3 axes, any stride, padding, dilation, up to 3 groups; a shape that it takes, coefficients of any kind."""
    axes, groups = int(rng.choice([1, 1, 2, 2, 3])), int(rng.choice([1, 1, 2, 3]))
    own, rows = rng.integers(1, 4, 2).tolist()

    def sizes(low, high, count=axes):
        return tuple(rng.integers(low, high, count).tolist())

    kernel, stride, dilation = sizes(1, (7, 4, 3)[axes - 1]), sizes(1, 4), sizes(1, 4)
    parts = (own * groups, rows * groups, kernel, stride, sizes(0, 3, 2 * axes), dilation, groups)
    extra = tuple(int(rng.integers(0, max(s, d))) for s, d in zip(stride, dilation, strict=True))
    basis = Conv(*parts) if kind is Conv else ConvTranspose(*parts, extra)
    shape = (own * groups, *sizes(3, (30, 8, 5)[axes - 1]))
    coefficients = rng.normal(size=(rows, own * groups, math.prod(kernel)))
    coefficients = [coefficients, np.abs(coefficients), coefficients * (rng.random(coefficients.shape) < 0.3)]
    return basis, shape, coefficients[rng.integers(3)]


@pytest.mark.parametrize("kind", [Conv, ConvTranspose])
def test_no_image_has_a_larger_norm(kind):
    """300 of each kind; half of the small images come within a tenth of the bound."""
    ratios = []
    for seed in range(320):
        basis, shape, coefficients = random_basis(np.random.default_rng([seed, 24]), kind)
        try:
            basis.shape(shape)
        except InputError:
            continue
        true = np.linalg.norm(matrix_of(basis, coefficients, shape), 2)
        bound = basis.norm(coefficients)
        assert true * (1 - 1e-12) <= bound
        ratios += [bound / true] if true else []
    print(f"{len(ratios)}: bound / norm has median {np.median(ratios):.3f}")
    assert len(ratios) > 250
    assert np.median(ratios) < 1.1


def symbol_supremum(kernel, steps, points=240):
    """max ‖K̂‖₂ of the regrouped kernel on a fine grid: a lower bound, within 1e-3 of the supremum for such kernels."""
    k = convolutions._regrouped(kernel, steps)
    grid = convolutions._symbol(k, [points if n > 1 else 1 for n in k.shape[3:]])
    return max(np.linalg.norm(stack, 2, axis=(1, 2)).max() for stack in grid)


TABLE = {  # (out, in, kernel, stride): what the grid may add at most
    "LeNet, first": (6, 1, 5, 1, 1.01),
    "LeNet, second": (16, 6, 5, 1, 1.01),
    "3 x 3": (16, 16, 3, 1, 1.01),
    "3 x 3, stride 2": (16, 8, 3, 2, 1.01),
    "7 x 7, stride 2": (16, 3, 7, 2, 1.011),
    "patches of 4": (24, 3, 4, 4, 1 + 1e-9),
    "1 x 1": (8, 8, 1, 1, 1 + 1e-9),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_bound_is_close_to_the_supremum(name):
    """If the kernel is no longer than the stride it is the norm of a matrix; below √taps ‖reshaped‖ by up to half."""
    out, inp, k, s, most = TABLE[name]
    kernel = np.random.default_rng(0).normal(size=(1, out, inp, k, k))
    supremum = symbol_supremum(kernel, (s, s))
    bound = convolution_norm_bound(kernel, stride=(s, s), dilation=(1, 1))
    reshaped = -(-k // s) * np.linalg.norm(kernel.reshape(out, -1), 2)
    print(f"{name}: {bound / supremum:.4f} of the supremum; √taps ‖reshaped‖ {reshaped / supremum:.2f}")
    assert supremum * (1 - 1e-12) <= bound <= supremum * most
    assert bound <= reshaped * (1 + 1e-9)
    if s > 1 and k > s:  # the symbol without regard to the stride is larger by a fifth or more
        assert symbol_supremum(kernel, (1, 1)) > 1.2 * bound


def test_never_above_the_simple_bounds():
    """√⌈k/s⌉ ‖reshaped‖, Σ ‖K_p‖, √(‖·‖₁ ‖·‖_∞), whatever the grid costs."""
    for seed in range(60):
        basis, _, coefficients = random_basis(np.random.default_rng([seed, 25]), Conv)
        rows, inputs, taps = coefficients.shape
        steps = [s // math.gcd(s, d) for s, d in zip(basis.stride, basis.dilation, strict=True)]
        overlap = math.prod(-(-k // s) for k, s in zip(basis.kernel, steps, strict=True))
        groups = coefficients.reshape(rows, basis.groups, inputs // basis.groups, taps).swapaxes(0, 1)
        bound = basis.norm(coefficients) * (1 - 1e-9)
        assert bound <= math.sqrt(overlap) * max(np.linalg.norm(g.reshape(rows, -1), 2) for g in groups)
        sizes = np.abs(groups).sum(axis=3)
        assert bound <= np.sqrt(sizes.sum(axis=1).max(axis=1) * sizes.sum(axis=2).max(axis=1)).max()
        if basis.groups == 1:
            assert bound <= sum(np.linalg.norm(groups[0, ..., t], 2) for t in range(taps))


def test_what_happens_between_the_points_of_the_grid_counts(monkeypatch):
    """On 9 points of a kernel of 4 the symbol stays below its supremum; the bound does not, and exceeds it by 1/cos."""
    monkeypatch.setattr(convolutions, "DENSITIES", (3,))
    missed = 0
    for seed in range(40):
        kernel = np.random.default_rng(seed).normal(size=(1, 3, 3, 4))
        supremum = symbol_supremum(kernel, (1,), 3000)
        grid = convolutions._symbol(kernel, [9])
        on_grid = max(np.linalg.norm(stack, 2, axis=(1, 2)).max() for stack in grid)
        missed += on_grid < supremum * (1 - 1e-3)
        assert supremum <= convolution_norm_bound(kernel, stride=(1,), dilation=(1,)) <= supremum * 1.1548
    assert missed > 10


def test_groups_and_dilation():
    """Of several groups the largest; dilation changes nothing, and takes from the stride what both share."""
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(3, 2, 2, 3))
    each = [convolution_norm_bound(kernel[g : g + 1], stride=(1,), dilation=(1,)) for g in range(3)]
    assert abs(convolution_norm_bound(kernel, stride=(1,), dilation=(1,)) / max(each) - 1) < 1e-9
    for stride, dilation, same in ((1, 5, 1), (2, 2, 1), (6, 4, 3), (3, 2, 3)):
        found = convolution_norm_bound(kernel, stride=(stride,), dilation=(dilation,))
        assert found == convolution_norm_bound(kernel, stride=(same,), dilation=(1,))


def test_a_transposed_convolution_has_the_norm_of_its_adjoint():
    coefficients = np.random.default_rng(2).normal(size=(3, 4, 9))  # (row, inp, tap)
    there = ConvTranspose(4, 3, (3, 3), (2, 2), (1,) * 4, (1, 1), 1, (0, 0)).norm(coefficients)
    back = Conv(3, 4, (3, 3), (2, 2), (1,) * 4, (1, 1)).norm(coefficients.swapaxes(0, 1))
    assert there == back


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1.0, 1e150, 1e290])
def test_scales_and_zero(scale):
    kernel = np.random.default_rng(3).normal(size=(1, 2, 3, 3, 3))
    bound = convolution_norm_bound(kernel * scale, stride=(1, 1), dilation=(1, 1))
    assert symbol_supremum(kernel, (1, 1)) * scale <= bound * (1 + 1e-12)
    assert bound <= max(1.011 * symbol_supremum(kernel, (1, 1)) * scale, 2.0**-960)
    assert convolution_norm_bound(0 * kernel, stride=(1, 1), dilation=(1, 1)) == 0.0
    one = np.zeros((1, 1, 1, 3, 3))
    one[..., 1, 1] = 1.0
    assert 1.0 <= convolution_norm_bound(one, stride=(1, 1), dilation=(1, 1)) <= 1.0 + 1e-12  # the identity
    assert convolution_norm_bound(np.full((1, 1, 1, 2), np.inf), stride=(1,), dilation=(1,)) == np.inf


def test_the_proof_does_not_trust_the_eigenvalue_routine(monkeypatch):
    """Whatever `eigvalsh` says, the bound stays a bound."""
    kernel = np.random.default_rng(4).normal(size=(2, 3, 3, 3))
    supremum, honest = symbol_supremum(kernel, (1,), 3000), np.linalg.eigvalsh
    for factor in (0.1, 0.9, 1.0, 10.0):
        monkeypatch.setattr(np.linalg, "eigvalsh", lambda g, factor=factor: honest(g) * factor)
        assert supremum <= convolution_norm_bound(kernel, stride=(1,), dilation=(1,))


def test_many_matrices_at_once_are_as_tight_as_one_by_one():
    rng = np.random.default_rng(5)
    for m, n in ((1, 1), (1, 5), (5, 1), (3, 4)):
        for imaginary in (0.0, 1.0j):
            stacks = [rng.normal(size=(4, m, n)) + imaginary * rng.normal(size=(4, m, n)) for _ in range(3)]
            true = max(np.linalg.norm(stack, 2, axis=(1, 2)).max() for stack in stacks)
            assert true * (1 - 1e-14) <= largest_norm_bound(stacks) <= true * (1 + 1e-12)
    assert largest_norm_bound([np.zeros((2, 3, 3))]) == 0.0


def test_a_dense_map_has_the_norm_of_its_matrix():
    coefficients = np.random.default_rng(6).normal(size=(4, 5, 1))
    assert Dense(5, 4).norm(coefficients) == spectral_norm_bound(coefficients[:, :, 0])


def square(channels, k=3, stride=1):
    return Conv(channels, channels, (k, k), (stride, stride), (k // 2,) * 4, (1, 1))


def test_wide_kernels_get_a_sparse_grid_or_none():
    """By sizes alone: 16 points per axis and tap up to 64 channels, 4 for 512; 4,096 channels: no symbol."""
    rules = {channels: square(channels).norms for channels in (1, 16, 64, 128, 256, 512, 4096)}
    assert rules == {
        1: "spectral",
        16: "spectral",
        64: "spectral",
        128: "grid/6",
        256: "grid/4",
        512: "grid/4",
        4096: "flattened",
    }
    assert square(2048, 1).norms == square(512, 2, 2).norms == Dense(5000, 4200).norms == "spectral"
    assert square(40_000, 1).norms == square(40_000).norms == Dense(40_000, 40_000).norms == "blocks"
    assert Dense(2, 10**9).norms == Dense(10**9, 2).norms == "spectral"
    assert (
        Conv(64, 32, (3,), (2,), (1, 1), (1,)).norms == ConvTranspose(32, 64, (3,), (2,), (1, 1), (1,), 1, (0,)).norms
    )


@pytest.mark.parametrize("by", NORMS)
@pytest.mark.parametrize("kind", [Conv, ConvTranspose])
def test_every_rule_is_a_bound_and_none_is_tighter_than_the_first(by, kind, monkeypatch):
    """40 kernels of any stride, dilation and groups, matrices cut into blocks of 3: never below the dense matrix."""
    monkeypatch.setattr(convolutions, "blocks_of", lambda rows, columns: -(-min(rows, columns) // 3))
    for seed in range(40):
        basis, shape, coefficients = random_basis(np.random.default_rng([seed, 26]), kind)
        try:
            basis.shape(shape)
        except InputError:
            continue
        true = np.linalg.norm(matrix_of(basis, coefficients, shape), 2)
        bound, tightest = basis.norm(coefficients, by), basis.norm(coefficients, NORMS[0])
        assert true * (1 - 1e-12) <= bound
        assert tightest <= bound * 1.02 ** len(basis.kernel)  # a grid adds up to that


@pytest.mark.parametrize(
    ("by", "most"), [("spectral", 1.011), ("grid/8", 1.04), ("grid/6", 1.073), ("grid/4", 1.172), ("grid/3", 1.335)]
)
def test_large_symbols_are_proved_one_by_one(by, most):
    """40 and 90 channels, with Lanczos and without: what the grid may add, and no more."""
    for channels in (40, 90):
        kernel = np.random.default_rng(channels).normal(size=(1, channels, channels + 3, 3, 3))
        supremum = symbol_supremum(kernel, (1, 1), 24)
        bound = convolution_norm_bound(kernel, stride=(1, 1), dilation=(1, 1), by=by)
        assert supremum <= bound <= supremum * most
    flattened = convolution_norm_bound(kernel, stride=(1, 1), dilation=(1, 1), by="flattened")
    assert supremum <= flattened <= 2.2 * supremum


def test_complex_proofs_do_not_trust_the_eigenvalue_routines(monkeypatch):
    """Orders beyond a stack, where a complex matrix is factorised as it is: the guesses of LAPACK and of Lanczos."""
    rng = np.random.default_rng(7)
    for order in (30, 70):
        stack = rng.normal(size=(3, order, order + 2)) + 1j * rng.normal(size=(3, order, order + 2))
        true = np.linalg.norm(stack, 2, axis=(1, 2)).max()
        assert true * (1 - 1e-14) <= largest_norm_bound([stack]) <= true * (1 + 1e-7)
        for factor in (0.1, 0.999, 10.0):
            with monkeypatch.context() as patch:
                honest, eigenvalues = gram._largest_eigenvalue, np.linalg.eigvalsh
                patch.setattr(gram, "_largest_eigenvalue", lambda *g, f=factor, h=honest: f * h(*g))
                patch.setattr(np.linalg, "eigvalsh", lambda g, f=factor, h=eigenvalues: f * h(g))
                assert true * (1 - 1e-14) <= largest_norm_bound([stack])
