"""Values that move, each by a reach of its own: what is found is reached, and moves lie on a grid."""

import numpy as np
import pytest

from slth.subsetsum import perturbed_batch
from slth.subsetsum._moved import solve_moved
from slth.subsetsum._moved_kernels import hand_out


def problems(seed, count, n):
    rng = np.random.default_rng(seed)
    u, v = rng.integers(2**22, 2**23, (count, n)) / 2**23, rng.integers(-(2**23), 2**23, (count, n)) / 2**23
    return u, v, rng.uniform(-2 / 3, 2 / 3, count)


def bits(packed, n):
    return (packed[:, None] >> np.arange(n, dtype=np.uint64)) & np.uint64(1)


@pytest.mark.parametrize("move", [0.0, 0.003, 0.05, 0.5])
def test_a_subset_reaches_the_target_exactly_if_its_moves_close_the_gap(move):
    """The lemma: S is within η of z if and only if |z − Σ| ≤ η + ε Σ u. All 2¹⁰ subsets say whether there is one."""
    u, v, z = problems(1, 500, 10)
    subsets = bits(np.arange(1 << 10, dtype=np.uint64), 10).astype(np.float64)
    gaps = np.abs((u * v) @ subsets.T - z[:, None]) - move * u @ subsets.T
    exists = gaps.min(axis=1) <= 1e-3
    found = solve_moved(u * v, move * u, z, tol=1e-3)
    kept = bits(found.packed, 10)
    assert not (found.reached & ~exists).any()
    assert np.count_nonzero(exists & ~found.reached) <= 3  # a heuristic between three values and all
    gap = np.maximum(np.abs((u * v * kept).sum(axis=1) - z) - move * (u * kept).sum(axis=1), 0)
    np.testing.assert_allclose(found.gap, gap, atol=1e-12)
    np.testing.assert_array_equal(found.reached, found.gap <= 1e-3)
    assert move == 0.5 or 0.01 < exists.mean() < 1


def test_it_finds_more_than_equal_reaches_do():
    """The gadget reaches ε Σu, equal reaches of ε/2 only ε|S|/2."""
    u, v, z = problems(2, 2000, 8)
    mine = solve_moved(u * v, 0.05 * u, z, tol=1e-3).reached
    equal = perturbed_batch(u * v, z, tol=1e-3, most_move=0.025).subsets.error <= 1e-3
    assert not (equal & ~mine).any()
    assert mine.sum() > equal.sum()


@pytest.mark.parametrize("move", [0.004, 0.05, 0.3, 1.0])
def test_moves_on_the_grid_leave_half_a_step(move):
    """Residual at most half a step of 2⁻²³ where the reach is not used up; no move beyond the largest."""
    u, v, z = problems(3, 3000, 24)
    most = int(move * 2**23)
    found = solve_moved(u * v, most * 2.0**-23 * u, z, tol=1e-5)
    kept = bits(found.packed, 24)
    rest = z - (u * v * kept).sum(axis=1)
    steps = np.empty((3000, 24), np.int32)
    hand_out(u, found.packed, rest * 2**23, most, steps)
    assert not steps[kept == 0].any()
    assert np.abs(steps).max() <= most
    left = np.abs(z - (u * (v + steps * 2.0**-23) * kept).sum(axis=1))
    free = found.reached & (np.abs(steps).max(axis=1) < most) & (kept.sum(axis=1) > 0)
    assert free.mean() > 0.9
    assert left[free].max() <= 0.5 * 2.0**-23
    assert left[found.reached].max() <= 1e-5
