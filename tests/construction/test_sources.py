"""Chances of a miss by the source of random numbers: every table, and what is derived from one, errs upwards."""

from importlib.resources import files

import numpy as np
import pytest

from slth import InputError
from slth.construction import miss_law, miss_probability
from slth.construction.chances import CENTRED, MEASURED, check_source
from slth.construction.law import LIVE, binomial
from slth.numerics import Stream, draw
from slth.subsetsum import closest_batch, first_batch


def live(law, count, path):
    """Values of a law, given that they are at least ½ in size: what a lift neuron serves with."""
    found = np.zeros(0)
    while len(found) < count:
        sizes = np.abs(draw(Stream(7, path), law, (4 * count,), start=len(found) * 8)).astype(np.float64)
        found = np.concatenate([found, sizes[sizes >= 0.5]])
    return found[:count]


def simulated(source, z, n, tolerance, count):
    """Share of fresh problems that miss."""
    law, path = ("uniform" if source == CENTRED else source), f"test_sources/{source}/{n}"
    u = live(law, count * n, f"{path}/u").reshape(count, n)
    x = u * draw(Stream(7, f"{path}/v"), law, (count, n)).astype(np.float64)
    if source == CENTRED:
        return float((closest_batch(2 * x, z + x.sum(axis=1)).error > tolerance).mean())
    return float((first_batch(x, np.full(count, z), tol=tolerance).error > tolerance).mean())


@pytest.mark.parametrize("z", [0.05, 0.3, 0.66])
@pytest.mark.parametrize(
    ("source", "n", "tolerance"),
    [
        ("normal/20", 10, 0.02),
        ("normal/20", 14, 2.0**-8),
        ("hyperbolic/4", 16, 0.02),
        ("hyperbolic/8", 20, 0.05),
        (CENTRED, 7, 0.02),
        (CENTRED, 8, 2.0**-6),
        (CENTRED, 11, 2.0**-10),
        ("pruned/0.5", 20, 0.02),
        ("pruned/0.25", 30, 0.05),
        ("grid/5", 10, 2.0**-5),
        ("grid/8", 14, 2.0**-8),
    ],
)
def test_the_estimate_is_an_upper_one_and_not_far_above(source, n, tolerance, z):
    """10,000 fresh problems each; the rounding of |z| and of the tolerance costs at most a factor of 8 here."""
    seen = simulated(source, z, n, tolerance, 10_000)
    noise = 4 * np.sqrt(seen * (1 - seen) / 10_000) + 4e-4
    estimate = float(miss_probability(np.array([z]), n, tolerance, source=source)[0])
    assert seen - noise <= 1.1 * estimate
    assert estimate <= 8 * (seen + noise)


@pytest.mark.parametrize("source", ["mixture/0.5/sign", "mixture/0.5/hyperbolic/8", "mixture/0.75/grid/2"])
def test_a_law_that_contains_a_uniform_misses_at_most_as_often_as_the_uniform_part_alone(source):
    """Lueker's corollary 3.3: what is not uniform may be left unused."""
    for z in (0.17, 0.61):
        estimate = miss_probability(np.array([z]), 20, 2.0**-6, source=source)[0]
        assert simulated(source, z, 20, 2.0**-6, 10_000) <= estimate


@pytest.mark.parametrize("source", [*MEASURED, "pruned/0.5", "mixture/0.5/sign", "grid/20"])
def test_more_candidates_or_tolerance_never_hurt_and_larger_weights_never_help(source):
    z = np.linspace(0.003, 2 / 3, 29)
    before = np.ones((40, len(z)))
    for t in np.geomspace(2.0**-20, 0.49, 25):
        found = np.array([miss_probability(z, n, t, source=source) for n in range(1, 41)])
        assert (np.diff(found, axis=0) <= 1e-15).all()
        assert (np.diff(found[:, z > t], axis=1) >= 0).all()
        comparable = z > t if source == CENTRED else z > 0  # of pairs |z| ≤ t counts as 0, which is worse
        assert (found <= before * (1 + 1e-12))[:, comparable].all()
        before = found


def test_of_pairs_zero_is_the_worst_target_and_stands_for_all_within_the_tolerance():
    p = miss_probability(np.array([0.0, 0.003, 0.005, 0.3]), 12, 0.004, source=CENTRED)
    assert p[0] == p[1] > 5 * p[2] == 5 * p[3]
    seen = [simulated(CENTRED, z, 9, 2.0**-6, 20_000) for z in (0.0, 0.05)]
    assert seen[0] > 2 * seen[1]


def test_pairs_have_no_empty_subset_and_their_misses_fall_faster_than_any_exponential():
    """p falls by more for each further pair: at 2⁻⁸ by a factor of 4 from 8 to 10 pairs, then of 40."""
    assert miss_probability(np.array([0.0]), 3, 0.01, source=CENTRED)[0] > 0.1
    p = [miss_probability(np.array([0.3]), n, 2.0**-8, source=CENTRED)[0] for n in (8, 10, 12)]
    fall = np.diff(-np.log2(p))
    assert (np.diff(fall) > 1).all()


def test_pairs_need_far_fewer_candidates_than_independent_ones():
    """For one miss in 10⁷: b + 9 pairs or fewer, b + 26 and more independent candidates at |z| = 1/3 (b = 9)."""

    def least(source):
        z = np.array([1 / 3])
        return next(n for n in range(1, 65) if miss_probability(z, n, 2.0**-10, source=source)[0] < 1e-7)

    assert least(CENTRED) <= 18
    assert least("uniform") >= least(CENTRED) + 12


def test_of_n_candidates_a_binomial_number_survives():
    assert abs(binomial(20, 0.25).sum() - 1) < 1e-12
    p, z = miss_probability(np.array([0.25]), 16, 0.01, source="pruned/0.5")[0], np.array([0.25])
    each = [1.0, *(miss_probability(z, k, 0.01)[0] for k in range(1, 17))]
    assert abs(p - binomial(16, 0.5) @ each) < 1e-12


@pytest.mark.parametrize("source", ["normal/20"])
def test_the_law_is_within_a_factor_of_four_of_the_table(source):
    """Wherever the table was measured to a quarter, from p = 0.01 to 10⁻¹⁰, tolerances 2⁻² ... 2⁻¹⁴."""
    import json

    data = json.loads((files("slth.construction") / f"miss_tables/{source.replace('/', '-')}.json").read_text())
    ratios = []
    for bits, *cells in zip(data["bits"], data["chance"], data["error"], strict=True):
        for z, *row in zip(data["z"], *cells, strict=True):
            for n, p, sigma in zip(data["candidates"], *row, strict=True):
                if 2 <= bits <= 14 and n >= bits + 4 and 0 < p < 0.01 and sigma <= p / 4:
                    ratios.append(miss_law(np.array([z]), n, 2.0**-bits, source=source)[0] / p)
    assert len(ratios) > 100
    assert 1 / 4 < min(ratios) < max(ratios) < 4


def test_where_there_is_no_law_in_closed_form_it_says_so():
    assert np.isnan(miss_law(np.array([0.3]), 20, 0.01, source=CENTRED)).all()
    assert np.isnan(miss_law(np.array([0.3]), 20, 0.01, source="hyperbolic/8")).all()
    assert 0 < miss_law(np.array([0.3]), 20, 0.01, source="pruned/0.5")[0] < 1
    assert miss_law(np.array([0.3]), 20, 0.01, source="grid/8") == miss_law(np.array([0.3]), 20, 0.01)


@pytest.mark.parametrize(
    ("source", "tolerance", "words"),
    [
        ("sign", 0.01, "whole gains"),
        ("hyperbolic/7", 0.01, "measured for hyperbolic/4, hyperbolic/8"),
        ("grid/5", 0.03, r"2\*\*-5 gains and more"),
        ("gaussian", 0.01, "expected a law"),
    ],
)
def test_a_source_of_which_no_chances_are_known_is_refused(source, tolerance, words):
    with pytest.raises(InputError, match=words):
        check_source(source, tolerance)


def test_every_table_says_which_law_it_is_of():
    import json

    assert set(LIVE) | {CENTRED} == set(MEASURED)
    for source in MEASURED:
        data = json.loads((files("slth.construction") / f"miss_tables/{source.replace('/', '-')}.json").read_text())
        assert data["law"] == source
