"""Mending: what a stage misses is hit from another subset of a stage before, with the candidates that are there."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from slth.construction.mending import Step, mend
from slth.numerics import Stream, uniform
from slth.subsetsum import first_batch

BITS = 12


@dataclass
class Answers:
    packed: np.ndarray
    reached: np.ndarray
    error: np.ndarray


def within(rows, targets, *, tol):
    """As the objective of that name; masks of one word."""
    found = first_batch(rows, targets, tol=tol)
    return Answers(found.packed[:, None], found.error <= tol, found.error)


def sums(step, masks):
    """In fractions: what a step's masks keep."""
    kept = np.unpackbits(masks.view(np.uint8), axis=1, count=step.rows.shape[1], bitorder="little").astype(bool)
    return [
        Fraction(step.gain) * sum((Fraction(x) for x in row[keep]), Fraction(0))
        for row, keep in zip(step.rows, kept, strict=True)
    ]


def candidates(seed, count, n):
    pair = uniform(Stream(seed, "test_mending"), (2, count, n)).astype(np.float64)
    return np.float32(0.75 + 0.25 * pair[0]).astype(np.float64) * pair[1]


def run(weights, widths, seed=0):
    """Stages one after the other, each mended; per stage (missed, left), and steps, masks, rests of all weights."""
    steps, masks, targets, counts = [], [], [weights], []
    for s, n in enumerate(widths):
        step = Step(candidates(seed + s, len(weights), n), 2.0 ** (-BITS * s), 2.0 ** (-BITS * (s + 1) - 1))
        answers = within(step.rows, targets[-1] / step.gain, tol=step.tolerance / step.gain)
        steps.append(step)
        masks.append(answers.packed)
        missed = np.flatnonzero(~answers.reached)
        if s and len(missed):
            behind = slice(max(0, s - 2), None)
            found = mend(
                [each.of(missed) for each in steps[behind]],
                [each[missed] for each in targets[behind]],
                [each[missed] for each in masks[behind]],
                objective=within,
                most=10**9,
            )
            for into, new in zip(masks[behind], found.masks, strict=True):
                into[missed] = new
            counts.append((len(missed), int((~found.reached).sum())))
        targets = [weights]
        for each, chosen in zip(steps, masks, strict=True):
            left = [Fraction(a) - b for a, b in zip(targets[-1], sums(each, chosen), strict=True)]
            assert all(Fraction(float(x)) == x for x in left)  # every rest is exact
            targets.append(np.array([float(x) for x in left]))
    return counts, steps, masks, targets


@pytest.mark.parametrize("bits", [np.float32, np.float64])
def test_narrow_later_stages_hit_all_that_wide_ones_would(bits):
    """With 8 candidates more than bits about 1 rest in 300 is missed, and each of them is mended."""
    weights = np.random.default_rng(1).normal(0, 0.1, 6_000).astype(bits).astype(np.float64)
    counts, steps, _, targets = run(weights, [38, 20, 20])
    assert [5 <= missed <= 60 for missed, _ in counts] == [True, True]
    assert [left for _, left in counts] == [0, 0]
    for step, rests in zip(steps, targets[1:], strict=True):
        assert np.abs(rests).max() <= step.tolerance * (1 + 1e-12)


def test_two_stages_back_is_tried_where_the_stage_before_has_too_few_subsets():
    """Four candidates more than bits: the second stage alone has no other subset for many, the first has."""
    weights = np.random.default_rng(2).normal(0, 0.1, 600)
    counts, _, _, targets = run(weights, [38, 17, 16])
    assert counts[1][0] > 15
    assert counts[1][1] == 0
    assert np.abs(targets[-1]).max() <= 2.0 ** (-3 * BITS - 1)


def test_what_cannot_be_mended_keeps_its_masks():
    """A stage all of whose candidates are too large leaves every rest as it is."""
    weights = np.random.default_rng(3).normal(0, 0.1, 5)
    first = Step(candidates(9, 5, 20), 1.0, 2.0**-7)
    answers = within(first.rows, weights, tol=first.tolerance)
    rests = weights - np.array([float(x) for x in sums(first, answers.packed)])
    hopeless = Step(np.full((5, 4), 0.96875), 2.0**-6, 2.0**-30)
    kept = [answers.packed, np.zeros((5, 1), np.uint64)]
    found = mend([first, hopeless], [weights, rests], kept, objective=within, most=10**9)
    assert not found.reached.any()
    assert (found.masks[0] == answers.packed).all()


def test_a_pass_that_could_take_too_long_is_left_out():
    asked = []

    def never(rows, targets, *, tol):
        asked.append(len(rows))
        return Answers(np.zeros((len(rows), 1), np.uint64), np.zeros(len(rows), np.bool_), np.abs(targets))

    steps, none = [Step(np.ones((50, 3)), 1.0, 1.0)] * 2, np.zeros((50, 1), np.uint64)
    for most, solves in ((799, 0), (800, 800), (50 * 256, 800 + 50 * 256)):
        asked.clear()
        assert not mend(steps, [np.ones(50)] * 2, [none, none], objective=never, most=most).reached.any()
        assert sum(asked) == solves


def test_a_rest_that_float64_cannot_hold_is_passed_over():
    """A target of 53 bits far below the sums: with any kept candidate its last bits would be lost."""

    def everything(rows, targets, *, tol):
        return Answers(np.full((len(rows), 1), 1, np.uint64), np.ones(len(rows), np.bool_), np.zeros(len(rows)))

    steps, none = [Step(np.array([[0.75]]), 1.0, 1.0)] * 2, np.zeros((1, 1), np.uint64)
    for target, reached in ((2.0**-60 * (1 + 2.0**-52), False), (2.0**-10 * (1 + 2.0**-40), True)):
        found = mend(steps, [np.array([target])] * 2, [none, none], objective=everything, most=10**9)
        assert found.reached.tolist() == [reached]
