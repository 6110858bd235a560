"""(a − m) / s rounded outward, against rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from slth.numerics import outward_quotient

RNG = np.random.default_rng(0)
DRAWS = {
    "normal": lambda: RNG.normal(size=3),
    "eighths": lambda: RNG.integers(-64, 64, 3) / 8,
    "scales": lambda: np.ldexp(RNG.normal(size=3), RNG.integers(-60, 60, 3)),
    "float32": lambda: np.float32(RNG.random(3)).astype(np.float64),
    "tiny": lambda: np.ldexp(RNG.normal(size=3), -1060),
    "powers of two": lambda: np.ldexp(1.0, RNG.integers(-6, 6, 3)) * (1 + RNG.integers(-1, 2, 3) * 2.0**-52),
}


def both_ends(a, m, s):
    given = [np.array([number]) for number in (a, m, s)]
    return [float(outward_quotient(*given, towards=side)[0]) for side in (-np.inf, np.inf)]


@pytest.mark.parametrize("name", DRAWS)
def test_the_two_sides_contain_the_truth_and_hardly_more(name):
    for _ in range(2_000):
        a, m, s = DRAWS[name]().tolist()
        s = abs(s) or 1.0
        low, high = both_ends(a, m, s)
        truth = (Fraction(a) - Fraction(m)) / Fraction(s)
        assert low <= truth <= high
        assert high - low <= max(2.0**-48 * abs(float(truth)), 10 * 2.0**-1074)


@pytest.mark.parametrize("name", ["eighths", "float32"])
def test_what_is_a_float64_is_not_moved(name):
    hits = 0
    for _ in range(2_000):
        a, m, s = DRAWS[name]().tolist()
        s = abs(s) or 1.0
        truth = (Fraction(a) - Fraction(m)) / Fraction(s)
        if float(truth) == truth and a - m == Fraction(a) - Fraction(m):
            assert both_ends(a, m, s) == [truth, truth]
            hits += 1
    assert name != "eighths" or hits > 300


def test_ends_of_the_range_of_float64():
    """The smallest number stays on its side; what is too large is infinite on the side that matters."""
    assert both_ends(5e-324, 0.0, 3.0)[0] == 0.0 == both_ends(-5e-324, 0.0, 3.0)[1]
    assert both_ends(0.1, 0.1, 3.0) == [0.0, 0.0]
    for case in ((1e308, -1e308, 1.0), (1.0, 0.0, 1e-320), (1e300, 0.0, 1e-300)):
        assert both_ends(*case)[1] == np.inf
    spread = outward_quotient(np.array([[0.0], [1.0]]), np.array([0.5]), np.array([1.0, 2.0]), towards=np.inf)
    assert spread.tolist() == [[-0.5, -0.25], [0.5, 0.25]]
