"""Sums without a search are what their definitions say: one value or none, a count, a copy of every binary digit."""

import numpy as np
import pytest

from slth import InputError
from slth.subsetsum import bit_batch, sign_batch, single_batch


def kept(packed, n):
    """Masks as bool (batch, n)."""
    bits = np.unpackbits(packed.astype("<u8").view(np.uint8).reshape(len(packed), -1), axis=1, bitorder="little")
    assert not bits[:, n:].any()
    return bits[:, :n].astype(bool)


@pytest.mark.parametrize("n", [1, 5, 64, 65, 200])
@pytest.mark.parametrize("closest", [False, True])
def test_a_single_is_the_first_within_or_the_closest(n, closest):
    rng = np.random.default_rng(n)
    values, targets = rng.uniform(-1, 1, (300, n)), rng.uniform(-0.6, 0.6, 300)
    found = single_batch(values, targets, tol=0.02, closest=closest)
    masks = kept(found.packed, n)
    for row, z, at, error, mask in zip(values, targets, found.index, found.error, masks, strict=True):
        off = np.abs(row - z)
        wanted = int(np.argmin(off)) if off.min() < abs(z) else -1
        if not closest and abs(z) <= 0.02:
            wanted = -1
        elif not closest and (off <= 0.02).any():
            wanted = int(np.argmax(off <= 0.02))
        assert at == wanted
        assert error == (abs(z) if at < 0 else off[at])
        assert mask.nonzero()[0].tolist() == [at] * int(at >= 0)


def test_of_equally_close_singles_nothing_then_the_first():
    found = single_batch([[0.5, 0.0, 0.5], [0.25, 0.75, 0.25]], [0.25, 0.5], tol=0.01, closest=True)
    assert found.index.tolist() == [-1, 0]


@pytest.mark.parametrize("n", [1, 7, 64, 130])
def test_signs_are_counted_to_the_nearest(n):
    rng = np.random.default_rng(n)
    values, targets = rng.choice([-1.0, 1.0], (400, n)), rng.uniform(-n / 2, n / 2, 400)
    targets[:4] = 0.5, 1.5, -0.5, 0.0  # ties
    found = sign_batch(values, targets, tol=0.5, closest=True)
    for row, z, mask, error in zip(values, targets, kept(found.packed, n), found.error, strict=True):
        fit = np.flatnonzero(row == (1.0 if z >= 0 else -1.0))
        best = min(range(len(fit) + 1), key=lambda c: (abs(abs(z) - c), c))
        assert mask.nonzero()[0].tolist() == fit[:best].tolist()
        assert error == abs(abs(z) - best)


def test_a_wide_tolerance_takes_the_least_count():
    found = sign_batch(np.ones((3, 8)), [3.4, 1.0, -2.0], tol=1.5)
    assert kept(found.packed, 8).sum(axis=1).tolist() == [2, 0, 0]
    assert found.error.tolist() == pytest.approx([1.4, 1.0, 2.0])


@pytest.mark.parametrize("p", [1, 4, 9])
def test_digits_are_exact_where_every_copy_is_there(p):
    """Both signs of every digit: the sum is the nearest multiple of 2^-p, ties towards 0."""
    rng = np.random.default_rng(p)
    row = np.concatenate([[2.0 ** (k - p), -(2.0 ** (k - p))] for k in range(p)])
    top = 1 - 2.0**-p
    targets = np.concatenate([rng.uniform(-top, top, 200), [0.0, 2.0 ** -(p + 1)]])
    found = bit_batch(np.tile(row, (len(targets), 1)), targets)
    sums = kept(found.packed, 2 * p) @ row
    wanted = np.sign(targets) * np.ceil(np.abs(targets) * 2.0**p - 0.5) * 2.0**-p
    assert (sums == wanted).all()
    assert (found.error == np.abs(sums - targets)).all()
    assert found.error.max() <= 2.0 ** -(p + 1)


def test_a_digit_without_a_copy_stays_away():
    found = bit_batch([[0.25, -0.5]], [0.75])
    assert found.packed.tolist() == [[1]]
    assert found.error.tolist() == [0.5]


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"\+1 or -1"):
        sign_batch([[1.0, 0.5]], [1.0], tol=0.5)
    for row in ([0.5, 0.3], [1.0, 0.0]):
        with pytest.raises(InputError, match="powers of two"):
            bit_batch([row], [1.0])
