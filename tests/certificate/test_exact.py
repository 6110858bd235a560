"""The claim that a map is the target's: what is counted, what is carried, and what is seen to be false."""

from dataclasses import replace

import numpy as np
import pytest

from slth import InputError
from slth.certificate import ExactMap, compared, exact_numbers, prove, tolerances
from slth.graph import Affine, Conv, Dense, Linear, Realised
from slth.numerics import FORMATS, half_gap, rounded_to

MAPS = {
    "dense": Linear("m", Dense(5, 4), True),
    "grouped": Linear("m", Conv(4, 6, (2,), (1,), (0, 0), (1,), 2), True),
}
SIGNED = {"dense": np.array([True, False, True, False, False]), "grouped": np.array([False, True, False, False])}


def target_of(op, form, rng):
    """Numbers of a format, zeros of both signs among them."""
    weight = rounded_to(rng.normal(size=op.coefficients), form)
    weight[rng.random(weight.shape) < 0.3] = 0.0
    weight[rng.random(weight.shape) < 0.3] *= -0.0
    return Affine(weight, rounded_to(rng.normal(size=op.basis.outputs), form))


def near(op, wanted, signed, form, share, rng):
    """Each number off by so much of half its gap; a zero of the target is 0."""

    def moved(numbers):
        off = share * half_gap(numbers, form) * rng.choice([-1.0, 1.0], numbers.shape)
        return np.where(numbers == 0, 0.0, numbers + off)

    negative = np.where(signed[:, None], -moved(wanted.weight) + 0.0, 0.0) if signed.any() else None
    return Realised(moved(wanted.weight), negative, moved(wanted.bias), signed)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", MAPS)
def test_numbers_within_their_tolerances_are_the_targets_with_the_signs_of_their_zeros(name, form):
    op, rng = MAPS[name], np.random.default_rng(0)
    kinds = ExactMap(form, form, 0)
    for _ in range(20):
        wanted = target_of(op, form, rng)
        found = near(op, wanted, SIGNED[name], form, 0.999, rng)
        weight, bias = tolerances(op, wanted, kinds, {})
        assert (np.abs(found.positive - wanted.weight) <= weight).all()
        assert (np.abs(found.bias - wanted.bias) <= bias).all()
        claim, extra = prove("m", op, wanted=wanted, found=found, kinds=kinds, carried={})
        assert claim.differ == 0
        weight, bias = exact_numbers(op, found.positive, found.bias, claim=claim, carried=extra)
        for ours, theirs in ((weight, wanted.weight), (bias, wanted.bias)):
            np.testing.assert_array_equal(ours, theirs)
            np.testing.assert_array_equal(np.signbit(ours), np.signbit(theirs))


@pytest.mark.parametrize("carry", [False, True])
def test_every_number_that_is_off_is_counted_once_in_each_half_or_carried(carry):
    """A number that is off in P alone, in −N alone, in both, and a bias; where the channel has a sign."""
    op, form, rng = MAPS["dense"], "BF16", np.random.default_rng(1)
    wanted = Affine(rounded_to(rng.normal(size=(4, 5, 1)) + 3.0, form), rounded_to(rng.normal(size=4) + 3.0, form))
    found = near(op, wanted, SIGNED["dense"], form, 0.5, rng)
    found.positive[1, 0, 0] *= 2
    found.negative[2, 2, 0] *= 2
    found.positive[3, 2, 0] *= 2
    found.negative[3, 2, 0] *= 2
    found.positive[0, 1, 0] *= 2
    found.bias[2] *= 2
    kinds = ExactMap(form, form, 0)
    claim, extra = prove("m", op, wanted=wanted, found=found, kinds=kinds, carried={}, carry_rest=carry)
    if carry:
        assert claim.differ == 0
        np.testing.assert_array_equal(extra[claim.places], [1, 5, 12, 17, 22])
        np.testing.assert_array_equal(extra[claim.rest][:4], wanted.weight.ravel()[[1, 5, 12, 17]])
        return
    assert claim.differ == 6
    off = compared(op, wanted, found, claim=claim, carried=extra)
    assert (off.positive.sum(), off.negative.sum(), off.bias.sum()) == (3, 2, 1)


@pytest.mark.parametrize("form", ["I8", "U8"])
def test_whole_numbers_are_found_within_half_a_step_and_not_beyond(form):
    op, rng = MAPS["grouped"], np.random.default_rng(2)
    outputs = op.basis.outputs
    scale, zero = rng.uniform(0.01, 0.1, outputs).astype(np.float32), rng.integers(0, 9, outputs).astype(np.int8)
    least = 0 if form == "U8" else -128
    q = rng.integers(least, least + 256, op.coefficients).astype(float)
    kinds = ExactMap(form, "F32", 0, "s", "z")
    carried = {"s": scale, "z": zero}
    rows, inputs, _ = op.coefficients
    output = np.array([[j * 2 // inputs * rows + r for j in range(inputs)] for r in range(rows)])
    step = scale.astype(float)[output][:, :, None]
    wanted = Affine(step * (q - zero.astype(float)[output][:, :, None]), np.zeros(outputs))
    weight, _ = tolerances(op, wanted, kinds, carried)
    np.testing.assert_allclose(weight, np.broadcast_to(step / 2, weight.shape), rtol=1e-5)
    for share, expected in ((0.999, 0), (1.001, None)):
        off = share * step / 2 * rng.choice([-1.0, 1.0], q.shape)
        found = Realised(wanted.weight + off, None, np.zeros(outputs), np.zeros(4, bool))
        claim, _ = prove("m", op, wanted=wanted, found=found, kinds=kinds, carried=carried)
        if expected == 0:
            assert claim.differ == 0
            np.testing.assert_array_equal(exact_numbers(op, found.positive, None, claim=claim, carried=carried)[0], q)
        else:
            cut = ((q == least) & (off < 0)) | ((q == least + 255) & (off > 0))  # beyond the range there is nothing
            assert claim.differ == q.size - cut.sum()


def test_what_is_carried_has_to_fit():
    op, form = MAPS["dense"], "F32"
    weight, bias = np.ones((4, 5, 1)), np.zeros(4)
    claim = ExactMap(form, form, 0, zeros="z", rest="r", places="p")
    fits = {"z": np.zeros(1, np.uint8), "r": np.float32([2.0, 3.0]), "p": np.array([3, 21])}
    numbers = exact_numbers(op, weight, bias, claim=claim, carried=fits)
    assert (numbers[0].ravel()[3], numbers[1][1]) == (2.0, 3.0)
    for name, value, words in (
        ("p", np.array([21, 3]), "in order"),
        ("p", np.array([3, 3]), "in order"),
        ("p", np.array([3, 24]), "places of 24 numbers"),
        ("p", np.array([-1, 3]), "places of 24 numbers"),
        ("p", np.array([3]), "one for each"),
        ("z", np.zeros(2, np.uint8), "1 bytes"),
        ("z", np.uint8([8]), "padding"),
    ):
        with pytest.raises(InputError, match=words):
            exact_numbers(op, weight, bias, claim=claim, carried={**fits, name: value})


def test_a_claim_that_makes_no_sense_is_refused():
    for change in ({"format": "F64"}, {"scale": "s"}, {"format": "I8"}, {"rest": "r"}, {"bias": "I8"}):
        with pytest.raises(InputError):
            replace(ExactMap("F32", None, 0), **change)
