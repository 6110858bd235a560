"""Planned widths: the table is monotone, the promise holds in simulation, and nothing is redrawn in secret."""

import json
from importlib.resources import files

import numpy as np
import pytest
from helpers.networks import every_map, inputs_of, random_target

import slth
from slth import InputError
from slth.construction import (
    Request,
    construct,
    first_moment,
    gain,
    lay_out,
    miss_law,
    miss_probability,
    plan_layout,
    theorem,
)
from slth.construction import chances as chances_module
from slth.construction.sizes import Sizes, gaussian
from slth.construction.width import plan_sizes, plan_width
from slth.graph import Affine
from slth.numerics import Stream, uniform
from slth.subsetsum import first_batch

SIGNED, UNSIGNED = (-1.0, 1.0), (0.0, 1.0)


def simulated(z, n, tolerance, count, seed):
    """Share of fresh problems without a subset within the tolerance."""
    pair = uniform(Stream(seed, "test_width"), (2, count, n)).astype(np.float64)
    answers = first_batch((0.75 + 0.25 * pair[0]) * pair[1], np.full(count, z), tol=tolerance)
    return float((answers.error > tolerance).mean())


@pytest.mark.parametrize("z", [0.05, 0.2, 0.41, 0.66])
@pytest.mark.parametrize(("n", "tolerance"), [(8, 0.02), (10, 0.01), (12, 0.01), (14, 0.001), (20, 1e-5)])
def test_the_estimate_is_an_upper_one_and_not_far_above(z, n, tolerance):
    """20,000 fresh problems each; the rounding of |z| and of the tolerance costs at most a factor of 6 here."""
    seen = simulated(z, n, tolerance, 20_000, seed=n)
    noise = 4 * np.sqrt(seen * (1 - seen) / 20_000)
    estimate = float(miss_probability(np.array([z]), n, tolerance)[0])
    assert seen - noise <= 1.1 * estimate
    assert estimate <= 6 * (seen + noise) + 1e-3


def test_more_candidates_or_tolerance_never_hurt_and_larger_weights_never_help():
    """Exactly, in the table and beyond it: up to 40 candidates and 2⁻³⁰ gains."""
    z = np.linspace(0.003, 2 / 3, 97)
    tolerances = [*np.geomspace(0.49, 1e-9, 60), *(2.0**-bits for bits in range(1, 30))]
    before = np.ones((40, len(z)))
    for t in sorted(tolerances):
        chances = np.array([miss_probability(z, n, t) for n in range(1, 41)])
        assert (np.diff(chances, axis=0) <= 0).all()
        alive = z > t
        assert (np.diff(chances[:, alive], axis=1) >= 0).all()
        assert (chances <= before).all()
        before = chances
    assert miss_probability(np.array([0.001]), 1, 0.001)[0] == 0.0


def test_the_law_is_monotone_too():
    z = np.linspace(0.003, 2 / 3, 97)
    before = np.ones((64, len(z)))
    for t in np.geomspace(1e-9, 0.49, 60):
        chances = np.array([miss_law(z, n, t) for n in range(1, 65)])
        assert (np.diff(chances, axis=0) <= 0).all()
        assert (np.diff(chances[:, z > t], axis=1) >= 0).all()
        assert (chances <= before).all()
        before = chances


def test_the_tail_falls_faster_and_faster_and_by_half_to_one_bit_a_candidate():
    for z in (0.05, 0.3, 0.66):
        far = np.log2([miss_probability(np.array([z]), n, 0.01)[0] for n in (32, 36, 40, 44, 48, 64)])
        fall = -np.diff(far) / np.diff((32, 36, 40, 44, 48, 64))
        assert (np.diff(fall[1:]) >= 0).all()  # the first interval is measured
        assert ((fall > 0.5) & (fall < 1.3)).all()


@pytest.mark.parametrize("weights", ["gaussian", "uniform"])
@pytest.mark.parametrize("tolerance", [0.3, 0.1, 0.03, 0.008, 0.004])
def test_coarse_tolerances_of_wide_layers_need_fewer_candidates_than_fine_ones(weights, tolerance):
    """9 million weights, by their quantiles: cells of the table that never missed are no slope of zero."""
    sizes = gaussian(9_000_000, 0.0258)
    if weights == "uniform":
        sizes = Sizes(lambda x: 9e6 * np.clip(x / 0.0185, 0, 1), 0.0185)
    found, fine = (plan_sizes(sizes, None, t, failure=0.01) for t in (tolerance, 1e-4))
    assert found.candidates < fine.candidates <= 45
    assert 0 <= found.expected_misses <= 0.01


def test_a_cell_that_never_missed_is_bounded_by_the_law_and_never_zero():
    """p = 0 of 40,000 after a cell with p = 10⁻³: the law's slope from there; a cell that is hardly sure likewise."""
    z, bits, n = np.array([0.25]), (4,), np.array([8.0, 10.0, 12.0, 14.0])
    chance, error = np.array([[[1e-2, 1e-3, 0.0, 1e-9]]]), np.array([[[1e-4, 1e-5, 0.0, 1e-9]]])
    cells = chances_module._upper(chance, error, z, bits, n)[0, 0]
    law = np.log2([miss_law(z, int(k), 2.0**-4)[0] for k in n])
    assert abs(cells[1] - np.log2(1.02e-3)) < 1e-9
    assert np.abs(np.diff(cells[1:]) - np.diff(law[1:])).max() < 1e-9


@pytest.mark.parametrize(("z", "n", "bits"), [(0.1, 14, 8), (0.5, 14, 8), (0.66, 16, 8), (0.5, 12, 3), (0.3, 20, 14)])
def test_the_law_is_within_a_factor_of_four_of_what_is_drawn(z, n, bits):
    """40,000 fresh problems each, some hundred misses; deeper cells are compared with the table below."""
    seen = simulated(z, n, 2.0**-bits, 40_000, seed=n + bits)
    assert 1e-3 < seen < 0.2
    assert 0.25 < miss_law(np.array([z]), n, 2.0**-bits)[0] / seen < 4


def test_the_law_is_within_a_factor_of_four_of_the_table_down_to_rare_misses():
    """Wherever the table was measured to a quarter: tolerances down to 2⁻¹⁴, from p = 0.01 to 10⁻¹⁰; elsewhere 8."""
    data = json.loads((files("slth.construction") / "miss_tables/uniform.json").read_text())
    ratios = {True: [], False: []}
    for bits, *cells in zip(data["bits"], data["chance"], data["error"], strict=True):
        for z, *row in zip(data["z"], *cells, strict=True):
            for n, p, sigma in zip(data["candidates"], *row, strict=True):
                if n >= bits + 4 and 0 < p < 0.05 and sigma <= p / 4:
                    ratios[bits <= 14 and p < 0.01].append(miss_law(np.array([z]), n, 2.0**-bits)[0] / p)
    assert len(ratios[True]) > 500
    assert 1 / 4 < min(ratios[True]) < max(ratios[True]) < 4
    assert 1 / 8 < min(ratios[False]) < max(ratios[False]) < 8


def test_the_law_is_one_bit_for_one_candidate_where_the_tolerance_is_fine():
    """p ≈ C 2^(b−n), t = 2^(−b−1): C nearly constant for b = 12 ... 23, n = b + 10; in |z| like e^(4|z| n/b)."""
    at = [[miss_law(np.array([z]), b + 10, 2.0 ** (-b - 1))[0] * 2.0**10 for b in range(12, 24)] for z in (0.1, 0.5)]
    assert np.ptp(np.log2(at), axis=1).max() < 1.2
    assert 4 < at[1][-1] / at[0][-1] < at[1][0] / at[0][0] < 10


def test_the_plan_promises_at_most_the_failure_probability():
    target = random_target((20, 40, 10))
    widths = []
    for failure in (0.3, 0.01, 1e-4, 1e-8):
        layout = plan_layout(
            target, Request(tolerance=1e-3, failure_probability=failure), inputs=inputs_of(target, *SIGNED)
        )
        assert 0 < layout.expected_misses <= failure
        widths.append(layout.gadgets["layers/0"].candidates)
    assert widths == sorted(set(widths))


@pytest.mark.slow
def test_expected_misses_bound_the_misses_of_whole_networks():
    """120 seeds of a 20-40-10 network planned for at most 2 misses: the mean seen is below, and not ten times below."""
    target = random_target((20, 40, 10))
    plan = Request(tolerance=1e-3, failure_probability=0.99)
    layout = plan_layout(target, plan, inputs=inputs_of(target, *SIGNED))
    seen = [
        construct(
            target, Request(tolerance=1e-3, failure_probability=0.99, seed=seed), inputs=inputs_of(target, *SIGNED)
        ).misses
        for seed in range(120)
    ]
    mean, noise = np.mean(seen), 3 * np.std(seen) / np.sqrt(len(seen))
    assert mean <= layout.expected_misses + noise
    assert layout.expected_misses <= 10 * (mean + noise)


def test_inputs_that_can_be_negative_are_two_problems_wherever_they_stand():
    """E[misses] = Σ p over all weights, and once more over those of the signed inputs, here the second and fourth."""
    layer = random_target((4, 5), bias=False).coefficients["layers/0"]
    layer.weight[:, ::2] /= 8
    signed = np.array([False, True, False, True])
    width = plan_width(layer, 0.01, signed=signed, failure=0.5, candidates=12)
    z = layer.weight / gain(layer.weight)
    problems = np.concatenate([z.ravel(), z[:, signed].ravel()])
    expected = miss_probability(problems, 12, 0.01 / gain(layer.weight)).sum()
    assert abs(width.expected_misses - expected) < 1e-12
    others = plan_width(layer, 0.01, signed=~signed, failure=0.5, candidates=12)
    assert others.expected_misses < 0.9 * width.expected_misses


def test_candidates_of_a_further_attempt_count_in_the_misses_expected():
    target = random_target((6, 9, 3))
    tolerances, inputs = every_map(target, 1e-3), inputs_of(target, *SIGNED)
    asked = {"inputs": inputs, "failure_probability": 0.99}
    first, wider = (lay_out(target, tolerances, extra=extra, **asked) for extra in (0, 4))
    for path, gadget in first.gadgets.items():
        assert wider.gadgets[path].candidates == gadget.candidates + 4
    assert wider.expected_misses < first.expected_misses / 4
    given = [lay_out(target, tolerances, inputs=inputs, candidates=n, extra=20 - n) for n in (10, 20)]
    assert given[0].expected_misses == given[1].expected_misses


def test_one_random_network_serves_many_targets():
    """The theorem's "simultaneously for every f": 50 targets, one source, no miss; the same seed, heads and widths."""
    first = random_target((5, 8, 3), seed=0, scale=2.0)
    source = construct(first, Request(tolerance=1e-2, seed=3), inputs=inputs_of(first, *SIGNED))
    for seed in range(1, 51):
        target = random_target((5, 8, 3), seed=seed, scale=2.0)
        ticket = construct(target, Request(tolerance=1e-2, source=source), inputs=inputs_of(target, *SIGNED))
        assert ticket.seed == 3
        assert ticket.heads == source.heads
        assert ticket.misses == 0
    for bad, ends in [
        (random_target((5, 7, 3)), SIGNED),
        (random_target((5, 8, 3), bias=False), SIGNED),
        (random_target((5, 8, 3)), UNSIGNED),
        (random_target((5, 8, 8, 3)), SIGNED),
    ]:
        with pytest.raises(InputError, match="does not fit"):
            construct(bad, Request(source=source), inputs=inputs_of(bad, *ends))
    for more in ({"candidates": 5}, {"retries": 1}):
        with pytest.raises(InputError, match="a source fixes"):
            Request(source=source, **more)


def test_a_tolerance_beyond_float64_is_refused_with_what_to_try():
    target = random_target((5, 8, 3))
    with pytest.raises(InputError, match="finer than float64 holds beside coefficients of that size; ask for a larger"):
        plan_layout(target, Request(tolerance=1e-16), inputs=inputs_of(target, *SIGNED))
    plan_layout(target, Request(tolerance=1e-14), inputs=inputs_of(target, *SIGNED))


def test_a_failure_that_64_candidates_of_no_stage_meet_is_refused_with_what_to_try():
    target = random_target((5, 8, 3))
    asked = Request(tolerance=1e-6, failure_probability=1e-18)
    with pytest.raises(InputError, match="more than 64 candidates, in any number of stages, for an expected"):
        plan_layout(target, asked, inputs=inputs_of(target, *SIGNED))


def test_the_first_moment_is_where_one_subset_is_expected():
    """n* ≈ log2(1/2t) + ½ log2(2π · 7n/72) for z = 0; about one more for each halving."""
    assert [first_moment(0.0, 2.0**-k) for k in (4, 8, 12, 16)] == sorted(
        first_moment(0.0, 2.0**-k) for k in (4, 8, 12, 16)
    )
    assert 3 <= first_moment(0.0, 2.0**-12) - first_moment(0.0, 2.0**-8) <= 5


def test_the_theorem_grows_with_whichever_of_tolerance_and_failure_is_smaller():
    """n / C = ln(2 / min{t, δ'}): ln 2 more for each halving of the smaller one, nothing for the larger one."""
    assert theorem(2.0, 2.0) == 0.0
    assert theorem(1e-3, 1e-9) == theorem(0.5, 1e-9) == theorem(1e-9, 1e-3)
    assert abs(theorem(1e-3, 0.5e-9) - theorem(1e-3, 1e-9) - np.log(2)) < 1e-12


def test_more_candidates_than_are_searched_do_not_help():
    """Of 50 values 2⁴² subsets are looked at; one in 2⁴³ is within 2⁻⁴² gains: most are missed, and planned so."""
    assert simulated(0.3, 50, 2.0**-42, 12, seed=5) > 0.5
    assert miss_probability(np.array([0.3]), 50, 2.0**-42)[0] == 1.0
    assert miss_probability(np.array([0.3]), 64, 2.0**-36)[0] < 1e-6
    layer = Affine(np.full((1, 1, 1), 0.375), None)
    stages = plan_width(layer, 2.0**-42, signed=np.zeros(1, np.bool_), failure=0.01).stages
    assert len(stages) > 1
    assert max(stage.candidates for stage in stages) <= 40


def least_misses(weights, tolerance, gain, n):
    """Misses that no solver avoids, per weight: where all positive products together fall short of |w| - tolerance.

    A product is u v, u uniform on [1/2, 1), v on [-1, 1). Sums are rounded up to a grid, so this is a lower bound.
    """
    step, cells = 1e-3, 700
    middle = (np.arange(cells) + 0.5) * step
    one = np.append(0.5, np.log(1 / np.maximum(0.5, middle)) * step)  # nothing, or x with this density
    total = np.zeros(cells + 1)
    total[0] = 1.0
    for _ in range(n):
        total = np.convolve(total, one)[: cells + 1]
    short = np.maximum(np.abs(weights) / gain - tolerance / gain, 0.0)
    chance = np.cumsum(total)[np.minimum((short / step).astype(int), cells)]
    return float(np.where(short > 0, chance, 0.0).mean())


@pytest.mark.parametrize("failure", [0.01, 0.9])
def test_a_wide_layer_at_a_coarse_tolerance_gets_hardly_more_candidates_than_any_solver_needs(failure):
    """3,000 x 2,600 at 0.0078: at 0.01 expected misses 30 are not enough for any solver."""
    planned = slth.plan(shape=(3000, 2600), tolerance=0.0078, failure_probability=failure).maps[0]
    weights = np.random.default_rng(0).normal(0, np.sqrt(2 / 3000), 200_000)  # as the planner takes them to be
    assert planned.gain == 0.25
    size = 3000 * 2600
    needed = next(n for n in range(1, 65) if size * least_misses(weights, 0.0078, planned.gain, n) <= failure)
    assert needed <= planned.candidates <= needed + 4
    assert (needed > 30) == (failure == 0.01)


def test_a_tolerance_out_of_reach_is_refused_before_the_work_with_one_that_is_in_reach():
    state, told = {"weight": random_target((6, 4)).coefficients["layers/0"].weight[:, :, 0]}, []
    options = {"input_range": (0, 1), "threads": 1, "progress": lambda *counts: told.append(counts)}
    with pytest.raises(InputError, match=r"larger tolerance \(\S+ gains, \S+, is in reach here\)") as caught:
        slth.construct(state, tolerance=1e-17, **options)
    assert told == []
    finest = float(str(caught.value).partition(" gains, ")[2].partition(",")[0])
    assert slth.construct(state, tolerance=finest, **options).misses == 0
