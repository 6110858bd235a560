"""Number formats: rounding is that of PyTorch, and the interval that rounds to a number is the whole of it."""

import numpy as np
import pytest
import torch

from slth.numerics import FORMATS, from_format, half_gap, rounded_to, to_format

TYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


def numbers(name, rng, count=4000):
    """Numbers of every size of a format: subnormal ones, powers of two, zeros, the largest."""
    form = FORMATS[name]
    low, high = form.least, int(np.frexp(form.largest)[1])
    whole = rng.integers(-(2**form.precision) + 1, 2**form.precision, count)
    found = np.ldexp(whole.astype(float), rng.integers(low, high - form.precision + 1, count))
    powers = np.ldexp(1.0, np.arange(low, high))
    return np.concatenate([found, powers, -powers, [0.0, form.largest, -form.largest]])


@pytest.mark.parametrize("name", FORMATS)
def test_rounding_is_that_of_pytorch(name):
    rng = np.random.default_rng(0)
    near = numbers(name, rng)
    values = np.concatenate([near + half_gap(near, name) * rng.choice([-2, -1, -0.5, 0, 0.3, 1, 2], near.size), [-0.0]])
    values = values[np.abs(values) < 3e38]
    ours = rounded_to(values, name)
    theirs = torch.from_numpy(values).to(TYPES[name]).double().numpy()
    if name != "F32":  # PyTorch rounds float64 by way of float32: twice
        single = torch.from_numpy(rounded_to(values, "F32"))
        exact = single.numpy() == values
        ours, theirs = ours[exact], theirs[exact]
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_closer_than_half_the_gap_rounds_to_the_number_and_what_is_further_does_not(name):
    rng = np.random.default_rng(1)
    x = numbers(name, rng)
    gap = half_gap(x, name)
    inside, outside = gap * (1 - 2.0**-20), gap * (1 + 2.0**-20)
    towards = -np.where(x == 0, 1, np.sign(x))
    for sign in (1, -1):
        np.testing.assert_array_equal(rounded_to(x + sign * inside, name), x)
    further = rounded_to(x + towards * outside, name)
    assert (further != x).all()  # towards 0 the neighbour is never further than on the other side


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_are_those_of_pytorch(name):
    x = np.append(numbers(name, np.random.default_rng(2)), -0.0)
    stored = to_format(x, name)
    theirs = torch.from_numpy(x).to(TYPES[name])
    assert stored.tobytes() == theirs.view(torch.uint8).numpy().tobytes()
    back = from_format(stored, name)
    np.testing.assert_array_equal(back, x)
    assert np.signbit(back[-1])
