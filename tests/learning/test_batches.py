"""Order and augmentation of the data follow from the seed, the stage, the epoch and the step, and from nothing else."""

import numpy as np
import pytest
import torch

from slth import InputError
from slth.learning.batches import Batches, check_labels

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (37, 3, 8, 8), dtype=np.uint8)
LABELS = np.arange(37) % 5
PINNED = [32, 30, 3, 35, 16, 19, 12, 15]


def batches(x=IMAGES, y=LABELS, mean=(0.0,), std=(1.0,), size=10, crop=0):
    return Batches(x, y, mean, std, size, crop)


def test_every_example_comes_exactly_once_per_epoch():
    for epoch in range(3):
        assert sorted(batches().order("7/stage", epoch)) == list(range(37))
    assert len(batches()) == 4


def test_the_order_is_pinned():
    """Raw Philox words under SHA-256 of the key, sorted: no library version changes it."""
    assert batches().order("7/stage", 0)[:8].tolist() == PINNED
    assert Batches(np.zeros((37, 2), np.float32), None, (1.0,), (2.0,), 3).order("7/stage", 0)[:8].tolist() == PINNED


def test_seed_stage_and_epoch_each_change_the_order():
    orders = [batches().order(key, epoch).tolist() for key in ("7/a", "8/a", "7/b") for epoch in range(2)]
    assert len({tuple(order) for order in orders}) == 6


def test_what_becomes_of_an_example_does_not_depend_on_who_takes_it():
    """All rows at once, in two shares, or one by one: the same crops and flips."""
    data, rows = batches(crop=2), np.array([3, 30, 4, 9, 12])
    whole, labels = data.take(rows, key="7/stage/5")
    for parts in ([0, 2, 4], [1, 3]), ([0], [1], [2], [3], [4]):
        for part in parts:
            x, y = data.take(rows, key="7/stage/5", part=np.array(part))
            assert torch.equal(x, whole[part])
            assert torch.equal(y, labels[part])


def test_augmentation_follows_from_its_key():
    data, rows = batches(crop=2), np.arange(20)
    first, again, other = (data.take(rows, key=key)[0] for key in ("7/stage/5", "7/stage/5", "7/stage/6"))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(data.take(rows)[0], batches().take(rows)[0])  # without a key: as they are


def test_crops_are_uniform_and_half_are_flipped():
    """5 x 5 places, 2 sides of one white pixel, 20,000 draws: chi-squared, 49 degrees of freedom, below 86 (0.1%)."""
    x = np.zeros((20_000, 1, 9, 9), np.uint8)
    x[:, 0, 4, 3] = 255
    moved = batches(x, np.zeros(len(x), np.int64), crop=2).take(np.arange(len(x)), key="k")[0][:, 0]
    counts = moved.sum(0)
    rows, columns = np.nonzero(counts.numpy())
    assert counts.sum() == 20_000
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 6, 1, 7)
    expected = np.zeros((9, 9))
    expected[2:7, 1:6] += 400  # as it is
    expected[2:7, 3:8] += 400  # flipped
    seen = expected > 0
    assert ((counts.numpy() - expected)[seen] ** 2 / expected[seen]).sum() < 65


def test_bytes_are_divided_by_255_and_normalised_per_channel():
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    rows = np.array([5, 1])
    x, y = batches(mean=mean, std=std).take(rows)
    want = (IMAGES[rows] / 255 - np.array(mean)[:, None, None]) / np.array(std)[:, None, None]
    assert x.dtype == torch.float32
    np.testing.assert_allclose(x.numpy(), want, rtol=0, atol=5e-7)
    assert y.tolist() == LABELS[rows].tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.bool_])
def test_other_numbers_become_float32_unscaled(dtype):
    x = (RNG.random((6, 4)) * 2).astype(dtype)
    found, _ = batches(x, np.zeros(6, np.int64)).take(np.arange(6))
    assert found.dtype == torch.float32
    assert np.array_equal(found.numpy(), x.astype(np.float32))


def test_token_numbers_stay_whole():
    found, _ = batches(np.arange(12).reshape(6, 2), np.zeros(6, np.int64)).take(np.arange(6))
    assert found.dtype == torch.int64


def test_taking_changes_nothing_in_the_data():
    x = RNG.random((6, 3)).astype(np.float32)
    copy = x.copy()
    batches(x, np.zeros(6, np.int64), mean=(1.0, 2.0, 3.0), std=(2.0, 2.0, 2.0)).take(np.arange(6))
    assert np.array_equal(x, copy)


class Pairs:
    """A map-style data set."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, row):
        return torch.from_numpy(self.x[row]), self.y[row]


def test_a_data_set_gives_what_the_arrays_give():
    """Also uint8 and float64, with the same normalisation."""
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    for x in (IMAGES, IMAGES / 300):
        for labels in (LABELS, LABELS.tolist(), torch.from_numpy(LABELS)):
            rows, part = np.array([7, 2, 30]), np.array([0, 2])
            a, b = batches(x, mean=mean, std=std).take(rows, key="k", part=part)
            c, d = batches(Pairs(x, labels), None, mean, std).take(rows, key="k", part=part)
            assert torch.equal(a, c)
            assert torch.equal(b, d)


@pytest.mark.parametrize(("label", "said"), [(-1, "from -1 to 4"), (5, "from 0 to 5"), (-100, "from -100 to 4")])
def test_labels_out_of_range_are_named(label, said):
    with pytest.raises(InputError, match=said):
        check_labels(np.append(LABELS, label), 5)
    check_labels(LABELS, 5)


def test_labels_are_whole_numbers():
    with pytest.raises(InputError, match="float64: expected whole numbers from 0 to 4"):
        check_labels(LABELS * 1.0, 5)
