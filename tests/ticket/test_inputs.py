"""`Inputs`: mean, std, lower and upper hold one number, one per channel, or one per entry; nothing else."""

import itertools
import math
import resource
from fractions import Fraction

import numpy as np
import pytest

from slth import InputError
from slth.ticket import Inputs

SHAPES = [(3,), (2, 3), (3, 2, 2), (1, 4, 1), (2, 1, 1, 3)]


def spread(shape, values):
    """The numbers that `values` stands for, entry by entry, by counting."""
    entries = list(itertools.product(*(range(size) for size in shape)))
    if len(values) == 1:
        found = [values[0] for _ in entries]
    elif len(values) == len(entries):
        found = list(values)
    else:
        found = [values[index[0]] for index in entries]
    return np.array(found).reshape(shape)


def numbers(count, least):
    """So many different numbers, exact in float32."""
    return tuple(least + i / 8 for i in range(count))


def counts(shape):
    return sorted({1, shape[0], math.prod(shape)})


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_normalised_is_x_less_mean_by_std_in_float32(shape):
    """Every pair of counts; in the order of training: one float32 subtraction, one float32 division."""
    x = np.random.default_rng(0).random((4, *shape)).astype(np.float32)
    for many, more in itertools.product(counts(shape), repeat=2):
        mean, std = tuple(value / 3 for value in numbers(many, -0.5)), tuple(v / 7 for v in numbers(more, 0.25))
        found = Inputs(shape, mean, std).normalised(x)
        wide = [np.float32(spread(shape, values)) for values in (mean, std)]
        assert found.dtype == np.float32
        assert found.tobytes() == ((x - wide[0]) / wide[1]).tobytes()


def test_images_are_divided_by_255_first():
    spec = Inputs((2, 1, 3), (0.1, 0.25), (0.3, 2.0))
    x = np.arange(12, dtype=np.uint8).reshape(2, 2, 1, 3)
    found = spec.normalised(x)
    assert found.dtype == np.float32
    one = (np.float32(7) / np.float32(255) - np.float32(0.1)) / np.float32(0.3)
    assert found[1, 0, 0, 1] == one
    for plain in (Inputs((3,), (0.0,), (1.0,)), Inputs((3,))):
        assert np.array_equal(plain.normalised(x[:, 0, 0]), x[:, 0, 0] / np.float32(255))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_range_is_one_interval_for_every_entry(shape):
    """Both ends broadcast against the shape; an entry is signed where its lower end is negative."""
    for many, more in itertools.product(counts(shape), repeat=2):
        lower, upper = numbers(many, -0.125), numbers(more, 4.0)
        inputs = Inputs(shape, None, None, lower, upper)
        assert inputs.size == math.prod(shape)
        assert np.broadcast_to(inputs.box.lower, shape).tolist() == spread(shape, lower).tolist()
        assert np.broadcast_to(inputs.box.upper, shape).tolist() == spread(shape, upper).tolist()
        assert np.broadcast_to(inputs.negative, shape).tolist() == (spread(shape, lower) < 0).tolist()
    assert not Inputs(shape, lower=(-0.0,), upper=(0.0,)).negative.any()


def test_without_a_range_every_input_can_be_negative():
    assert Inputs((3, 2)).box is None
    assert np.broadcast_to(Inputs((3, 2)).negative, (3, 2)).all()


@pytest.mark.parametrize("name", ["mean", "std", "lower", "upper"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_other_count_is_refused(shape, name):
    beside = {"mean": "std", "std": "mean", "lower": "upper", "upper": "lower"}[name]
    for count in range(math.prod(shape) + 2):
        given = {name: (1.0,) * count, beside: (1.0,)}
        if count in counts(shape):
            Inputs(shape, **given)
        else:
            listed = " or ".join(map(str, counts(shape)))
            with pytest.raises(InputError, match=f"inputs: {name} needs {listed} numbers .*, got {count}"):
                Inputs(shape, **given)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"shape": ()}, "expected a shape such as"),
        ({"shape": (1,) * 9}, "expected a shape such as"),
        ({"shape": (0,)}, "expected a shape such as"),
        ({"shape": (3, -1)}, "expected a shape such as"),
        ({"shape": (2**20, 2**20 + 1)}, "expected a shape such as"),
        ({"mean": (0.0,)}, "a normalisation needs mean and std; one of them is missing"),
        ({"std": (1.0,)}, "a normalisation needs mean and std; one of them is missing"),
        ({"lower": (0.0,)}, "needs both ends, lower and upper, such as 0,1; one of them is missing"),
        ({"upper": (1.0,)}, "needs both ends, lower and upper, such as 0,1; one of them is missing"),
        ({"mean": (math.nan,), "std": (1.0,)}, "expected a finite mean and std > 0, got nan and 1"),
        ({"mean": (math.inf,), "std": (1.0,)}, "expected a finite mean and std > 0"),
        ({"mean": (0.0,), "std": (0.0,)}, "expected a finite mean and std > 0, got 0 and 0"),
        ({"mean": (0.0,), "std": (1.0, 1.0, -1.0)}, "expected a finite mean and std > 0, got 0 and 1, 1, -1"),
        ({"mean": (0.0,), "std": (math.nan,)}, "expected a finite mean and std > 0"),
        ({"lower": (1.0,), "upper": (0.0,)}, "needs finite lower <= upper such as 0,1, got 1,0"),
        ({"lower": (0.0,), "upper": (1.0, 1.0, -1.0)}, "needs finite lower <= upper such as 0,1, got 0,-1"),
        ({"lower": (-math.inf,), "upper": (0.0,)}, "needs finite lower <= upper such as 0,1, got -inf,0"),
        ({"lower": (0.0,), "upper": (math.nan,)}, "needs finite lower <= upper such as 0,1, got 0,nan"),
    ],
)
def test_what_cannot_be_is_refused(given, reason):
    with pytest.raises(InputError, match=reason):
        Inputs(**{"shape": (3,), **given})


def test_a_range_by_channel_is_compared_entry_by_entry():
    """Channel 1 starts at 1; one of its four entries ends at ½."""
    upper = [2.0] * 8
    Inputs((2, 2, 2), lower=(0.0, 1.0), upper=tuple(upper))
    upper[6] = 0.5
    with pytest.raises(InputError, match=r"got 1,0\.5"):
        Inputs((2, 2, 2), lower=(0.0, 1.0), upper=tuple(upper))


def test_a_sentence_shows_a_few_numbers_of_many():
    with pytest.raises(InputError) as caught:
        Inputs((10_000,), (0.5,), (1.0,) * 9_999 + (0.0,))
    assert (
        str(caught.value) == "inputs: expected a finite mean and std > 0, got 0.5 and 1, 1, 1, 1, ... (10000 numbers)"
    )


def test_a_shape_alone_costs_nothing():
    """A file may name 2^40 inputs: neither record, box and signs nor a normalisation take memory for all of them."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    x = np.ones((1, 3, 2, 2), np.float32)
    for shape in ((2**40,), (3, 2**19, 2**19), (1, 2**20, 2**20)):
        inputs = Inputs(shape, (0.5,), (0.25,), (-1.0,), (1.0,))
        assert inputs.size <= 2**40
        assert inputs.box.lower.size == inputs.box.upper.size == inputs.negative.size == 1
        assert inputs.normalised(x.reshape(1, -1, *(1 for _ in shape[1:]))).max() == 2.0
    per_channel = Inputs((3, 2**19, 2**19), (0.5, 0.25, 0.0), (0.25,), (-1.0,), (1.0,) * 3)
    assert per_channel.normalised(x)[0, :, 0, 0].tolist() == [2.0, 3.0, 4.0]
    assert per_channel.box.upper.size == 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_a_range_is_shown_as_it_is():
    """Read back it is the range that a bound holds on: never a wider one."""
    for lower, upper in ((-0.42421296, 2.8214867), (0.0, 0.9999999), (-1e-9, 1 / 3), (-2.0, 255.0)):
        shown = Inputs((3,), lower=(lower,), upper=(upper,)).words
        assert tuple(map(float, shown.removesuffix(" in every coordinate")[1:-1].split(", "))) == (lower, upper)
    channels = Inputs((2, 4, 4), lower=(0.0, -1.0), upper=(0.9999999, 1.0)).words
    assert channels == "[0, 0.9999999] x [-1, 1] in the channels"


def every_float32(low, high):
    """All float32 numbers in a small range of them, and the float64 numbers beside its ends."""
    x = np.arange(np.float32(low).view(np.uint32), np.float32(high).view(np.uint32) + 1, dtype=np.uint32)
    return x.view(np.float32)


@pytest.mark.parametrize("shape", [(2,), (2, 3), (3, 2, 2)], ids=str)
def test_a_raw_range_contains_whatever_the_network_is_given(shape):
    """Of every pair of counts: float32 as `normalised` has it, and in rational arithmetic; float64 data, too."""
    rng = np.random.default_rng(1)
    for many, more in itertools.product(counts(shape), repeat=2):
        mean, std = (tuple(rng.uniform(low, 1, count).tolist()) for low, count in ((-1, many), (0.05, more)))
        lower = tuple(rng.uniform(-2, 0, many).tolist())
        upper = tuple((rng.uniform(0, 2, more)).tolist())
        found = Inputs(shape, mean, std).with_raw_range(lower, upper)
        assert (found.mean, found.std) == (mean, std)
        low, high = spread(shape, lower), spread(shape, upper)
        x = low + (high - low) * np.concatenate([[0.0, 1.0], rng.random(50)]).reshape(-1, *(1 for _ in shape))
        x = np.clip(x, low, high)
        seen = found.normalised(x).astype(np.float64)
        ends = [np.broadcast_to(part, shape) for part in (found.box.lower, found.box.upper)]
        assert (ends[0] <= seen).all()
        assert (seen <= ends[1]).all()
        means, stds = spread(shape, mean), spread(shape, std)
        for at in itertools.product(*map(range, shape)):
            exact = [(Fraction(end[at]) - Fraction(means[at])) / Fraction(stds[at]) for end in (low, high)]
            assert Fraction(ends[0][at]) <= exact[0] <= Fraction(exact[1]) <= Fraction(ends[1][at])
            assert ends[0][at] >= float(exact[0]) - 1e-5
            assert ends[1][at] <= float(exact[1]) + 1e-5


@pytest.mark.parametrize(("low", "high"), [(0.4375, 0.43751), (1.0, 1.0001)])
def test_a_raw_range_contains_every_float32_number_of_it(low, high):
    """All of them, brute force: the outermost normalised values are those at the ends, which are reached."""
    x = every_float32(low, high)
    for mean, std in ((0.1307, 0.3081), (0.4375, 1e-3), (-7.5, 3.0), (0.0, 0.7)):
        found = Inputs((1,), (mean,), (std,)).with_raw_range((float(x[0]),), (float(x[-1]),))
        seen = found.normalised(x[:, None]).astype(np.float64)
        assert found.lower[0] <= seen.min()
        assert seen.max() <= found.upper[0]
        real = [(Fraction(float(end)) - Fraction(mean)) / Fraction(std) for end in (x[0], x[-1])]
        assert min(Fraction(float(seen.min())), real[0]) - Fraction(found.lower[0]) <= abs(real[0]) / 2**48
        assert Fraction(found.upper[0]) - max(Fraction(float(seen.max())), real[1]) <= abs(real[1]) / 2**48


def test_a_raw_range_that_can_be_said_exactly_is():
    """Sparse bits stay as they are; an end that is the mean becomes 0, so that no input is negative."""
    assert Inputs((2,), (0.5,), (0.5,)).with_raw_range((0.0,), (1.0,)) == Inputs((2,), (0.5,), (0.5,), (-1.0,), (1.0,))
    assert Inputs((2,)).with_raw_range((0.0,), (1.0,)) == Inputs((2,), None, None, (0.0,), (1.0,))
    assert Inputs((2,), (0.1,), (0.3,)).with_raw_range((0.1,), (1.0,)).lower == (0.0,)
    assert not Inputs((2,), (0.1,), (0.3,)).with_raw_range((0.1,), (1.0,)).negative.any()
    assert Inputs((3, 2, 2), (0.0, 0.5, 1.0), (0.5,)).with_raw_range((0.0,), (1.0,)).lower == (0.0, -1.0, -2.0)


def test_float64_data_that_becomes_float32_stays_inside():
    """0.1 becomes a float32 above it, −0.1 one below: without a mean, too."""
    found = Inputs((1,)).with_raw_range((-0.1,), (0.1,))
    low, high = found.normalised(np.array([[-0.1], [0.1]])).ravel().tolist()
    assert found.lower[0] == low < -0.1
    assert found.upper[0] == high > 0.1


@pytest.mark.parametrize(
    ("given", "raw", "reason"),
    [
        ({}, ((1.0,), (0.0,)), "finite lower <= upper such as 0,1, got 1,0"),
        ({"mean": (0.0,), "std": (1e9,)}, ((1.0 + 2**-40,), (1.0,)), "finite lower <= upper"),
        ({}, ((0.0,), (math.nan,)), "finite lower <= upper"),
        ({}, ((0.0, 1.0), (1.0,)), "lower needs 1 or 3 numbers"),
        ({"mean": (0.0,), "std": (1e-320,)}, ((0.0,), (1.0,)), "finite lower <= upper"),
        ({"mean": (0.0,), "std": (1e-40,)}, ((0.0,), (1.0,)), "finite lower <= upper"),
        ({}, ((0.0,), (1e39,)), "finite lower <= upper"),
    ],
)
def test_what_is_no_raw_range_is_refused(given, raw, reason):
    with pytest.raises(InputError, match=reason):
        Inputs((3,), **given).with_raw_range(*raw)


def test_what_is_printed_of_inputs_is_not_rounded():
    """[-1.0000001, 0.9999996] is another box than [-1, 1]: a bound holds on the one that is printed."""
    ends, scale = ((-1.0000001,), (0.9999996,)), ((0.28604060411453247,), (0.35302424430847168,))
    words = Inputs((3,), *scale, *ends).words
    assert words == ("[-1.0000001, 0.9999996] in every coordinate, (x - 0.28604060411453247) / 0.3530242443084717")
    pairs = Inputs((2,), lower=(-0.1, 0.0), upper=(np.nextafter(1.0, 2), 1e-7)).words
    assert pairs == "[-0.1, 1.0000000000000002] x [0, 1e-07]"
    many = Inputs((5,), lower=(0.1 + 0.2, 1.0, 1.0, 1.0, 1.0), upper=(2.0,)).words
    assert many == "a box in 5 coordinates, within [0.30000000000000004, 2]"
