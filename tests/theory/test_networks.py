"""Bounds about networks: the fitted constants against the constructions at small sizes, the others' forms."""

import math
from itertools import combinations

import numpy as np
import pytest
from theory.simulated import at_least, products

from slth.subsetsum import reach
from slth.theory import THEOREMS, Standing, Unit, bound


def number(name, **values):
    return bound(name, **values).value


def layers_reached(pairs, *, problems, tolerance, runs, shared, draw=products, seed=0):
    """Runs in which all problems of an input reach all of [-1, 1]; of `shared` ones the first factors are the same."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(runs):
        done = True
        for _ in range(problems // shared):
            u = np.maximum(rng.uniform(-1, 1, pairs), 0)
            rows = (u * rng.uniform(-1, 1, pairs) for _ in range(shared))
            done = done and all(reach(row, tol=tolerance).covered[-1] >= 1 - 1e-9 for row in rows)
        hits += done
    return hits / runs


@pytest.mark.parametrize(
    ("d", "d_out", "layers", "epsilon", "delta"),
    [
        (1, 1, 3, 0.5, 0.3),
        pytest.param(2, 2, 1, 0.3, 0.2, marks=pytest.mark.slow),
        pytest.param(2, 1, 2, 0.1, 0.1, marks=pytest.mark.slow),
        pytest.param(3, 3, 1, 0.3, 0.3, marks=pytest.mark.slow),
    ],
)
def test_pensia(d, d_out, layers, epsilon, delta):
    """The whole construction: d inputs with two signs, in each half the lift shared by all outputs, every layer."""
    h = number("pensia", d=d, d_out=d_out, layers=layers, epsilon=epsilon, delta=delta)
    pairs = h // (2 * d)
    tolerance = epsilon / (2 * layers * d * d_out)
    reached = layers_reached(pairs, problems=2 * layers * d * d_out, tolerance=tolerance, runs=25, shared=d_out)
    assert at_least(reached, 1 - delta, 25)


def test_the_tolerance_of_one_weight_is_small_enough():
    """(1 + x)^L - 1 <= 2 L x: all layers wrong by epsilon / 2 L in norm are an error of at most epsilon."""
    for layers in (1, 2, 10, 1000):
        for epsilon in (1e-9, 0.1, 0.999):
            assert math.expm1(layers * math.log1p(epsilon / (2 * layers))) <= epsilon


def test_pensia_for_inputs_of_any_norm():
    """The variant's x has error e^(alpha x / 2) - 1 = epsilon: by inversion."""
    found = bound("pensia", d=10, epsilon=0.01, delta=0.5, alpha=3.0, C=1.0)
    x = 2 * math.log(1.01) / 3
    assert math.expm1(3 * x / 2) == pytest.approx(0.01)
    assert found.others["inputs of norm alpha"] == math.ceil(10 * math.log(400 / x))


def test_parameters_are_those_of_the_two_matrices():
    """d before and d_out behind each hidden neuron."""
    found = bound("pensia", d=7, d_out=5, epsilon=0.1)
    assert found.also[Unit.PARAMETERS] == pytest.approx((7 + 5) * found.value / (7 * 5))
    found = bound("natale", gamma=0.2, d=7, d_out=5, epsilon=0.1)
    hidden = 2 * 7 * found.value
    assert found.also[Unit.NEURONS] == hidden
    assert found.also[Unit.PARAMETERS] == pytest.approx(hidden * (7 + 5) / (7 * 5))
    assert bound("natale", gamma=0.2, d=7, epsilon=0.1).also[Unit.PARAMETERS] == 4 * number(
        "natale", gamma=0.2, d=7, epsilon=0.1
    )
    found = bound("dacunha-cnn", kernel=3, c=2, c_out=4, epsilon=0.1)
    assert found.also[Unit.PARAMETERS] == pytest.approx(found.value * 2 * (2 + 9 * 4) / (9 * 2 * 4))


def test_dacunha_cnn():
    """One half only: non-negative inputs. 2 kernels of 2 x 2 from one channel, the lift shared by all 8 entries."""
    n = number("dacunha-cnn", kernel=2, c=1, c_out=2, epsilon=0.3, delta=0.2)
    reached = layers_reached(n, problems=8, tolerance=0.3 / 16, runs=20, shared=8)
    assert at_least(reached, 0.8, 20)


@pytest.mark.parametrize(("name", "scale"), [("otsuka", lambda d: 8 * d**3), ("otsuka-values", lambda d: 2 * d**2)])
def test_otsuka(name, scale):
    """Linear products of d^2 merged weights, at alpha = sqrt(d), the smallest: half of the failures may be theirs."""
    d, epsilon = 2, 0.5
    n = number(name, d=d, alpha=math.sqrt(d), epsilon=epsilon) // d
    rng = np.random.default_rng(0)

    def draw(count):
        return rng.uniform(-1, 1, count) * rng.uniform(-1, 1, count)

    hits = [
        all(reach(draw(n), tol=epsilon / scale(d)).covered[-1] >= 1 - 1e-9 for _ in range(d * d)) for _ in range(50)
    ]
    assert at_least(np.mean(hits), 1 - epsilon / 2, 50)


def test_burkholz():
    """2 weights, each a subset sum of plain numbers in every one of r copies."""
    r = number("burkholz", tolerance=0.1, weights=2, delta=0.3)
    rng = np.random.default_rng(0)
    hits = [all(reach(rng.uniform(-1, 1, r), tol=0.1).covered[-1] >= 1 - 1e-9 for _ in range(2 * r)) for _ in range(10)]
    assert at_least(np.mean(hits), 0.7, 10)


def test_the_copies_of_burkholz_are_the_least_that_agree_with_themselves():
    for weights in (1, 1000, 10**9):
        r = number("burkholz", tolerance=0.01, weights=weights)
        assert r >= number("lueker", epsilon=0.01, delta=0.01 / (weights * r))
        assert r - 1 < number("lueker", epsilon=0.01, delta=0.01 / (weights * (r - 1)))


@pytest.mark.parametrize("name", ["natale", "natale-equivariant"])
def test_the_fixed_point_of_natale_holds_there_and_for_all_larger_n(name):
    more = {"d_out": 6} if name == "natale" else {"basis": 3, "norm": 2.0}
    for gamma in (1e-4, 0.03, 0.5):
        for epsilon in (0.9, 0.01, 1e-9):
            n = number(name, gamma=gamma, d=5, epsilon=epsilon, **more)
            inside = 2 * 5 * (6 if name == "natale" else 15) * gamma / epsilon
            h = -gamma * math.log2(gamma) - (1 - gamma) * math.log2(1 - gamma)
            for m in (n, n + 1, 2 * n, 100 * n):
                assert m * h >= 2.4 * math.log2(inside * m) ** 2
            least = max(1 / gamma, math.exp(2) / inside)
            assert n - 1 < least or (n - 1) * h < 2.4 * math.log2(inside * (n - 1)) ** 2 * (1 + 1e-9)


@pytest.mark.parametrize("runs", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_natale_by_brute_force(runs):
    """One weight, two halves: at n and gamma = k / n all of [-1, 1] by subsets of k, failing in at most epsilon."""
    k, epsilon = 3, 0.8
    n = next(n for n in range(4 * k, 500) if number("natale", gamma=k / n, d=1, epsilon=epsilon) <= n)
    rng = np.random.default_rng(0)
    chosen = np.array(list(combinations(range(n), k)))
    hits = 0
    for _ in range(runs):
        done = True
        for _ in range(2):
            sums = np.sort(products(rng, n)[chosen].sum(1))
            inside = np.concatenate([[-1 - epsilon / 2], sums, [1 + epsilon / 2]])
            inside = inside[(inside >= -1 - epsilon / 2) & (inside <= 1 + epsilon / 2)]
            done = done and np.diff(inside).max() <= epsilon
        hits += done
    assert at_least(hits / runs, 1 - epsilon, runs)


def test_large_subsets_need_no_fixed_point():
    """Corollary 2's n is at least the fixed point, where it says that it holds."""
    for epsilon in (1e-12, 1e-15):
        given = {"gamma": 0.5, "d": 10**9, "layers": 10**6, "epsilon": epsilon}
        assert number("natale-large", **given) >= number("natale", **given)


SPECIAL_CASES = {
    "ferbach of one map": (("ferbach", {"basis": 1}), ("pensia", {}), {"d": 5, "d_out": 7, "epsilon": 0.01}),
    "natale-equivariant of one map": (
        ("natale-equivariant", {}),
        ("natale", {}),
        {"d": 5, "gamma": 0.1, "epsilon": 0.01},
    ),
}


@pytest.mark.parametrize("case", SPECIAL_CASES)
def test_a_general_theorem_contains_the_special_one(case):
    (general, more), (special, other), given = SPECIAL_CASES[case]
    assert number(general, **given, **more) == number(special, **given, **other)


def test_nothing_moved_is_the_theorem_without_moves():
    given = {"d": 5, "d_out": 7, "delta": 0.1}
    assert number("xiong", **given, epsilon=0.01, move=0) == number("pensia", **given, epsilon=0.01)
    assert number("xiong-sums", epsilon=0.01, move=0) == number("lueker", epsilon=0.01)
    assert number("perturbed", epsilon=0.01, move=0) == number("lueker", epsilon=0.01)


def test_both_logarithms_of_xiong_stand_side_by_side():
    found = bound("xiong", d=100, d_out=10, layers=3, epsilon=0.01, move=0, C=1)
    (poster,) = found.others.values()
    assert found.value == math.ceil(100 * math.log(100 * 10 * 3 / 0.01))
    assert poster == math.ceil(100 * math.log(10 * 10 / 0.01))


def test_both_logarithms_of_diffenderfer_stand_side_by_side():
    """The smaller of delta and epsilon is used, so that the number is never below either form."""
    for delta, epsilon in ((0.1, 0.01), (0.01, 0.1)):
        found = bound("diffenderfer", d=16, layers=2, epsilon=epsilon, delta=delta)
        assert found.value == max(found.others.values())
        assert found.others["ln(layers d / delta)"] == math.ceil(2 * 64 / epsilon + 32 * math.log(32 / delta))


FORMS = {  # what a tenth of the error costs, in the limit
    "malach": (("epsilon", 1e-6, 1e-7), 100.0),
    "becchetti": (("epsilon", 1e-60, 1e-120), 4.0),
    "borst": (("epsilon", 1e-60, 1e-120), 2.0),
    "diffenderfer": (("epsilon", 1e-6, 1e-7), 10.0),
    "sreenivasan": (("epsilon", 1e-30, 1e-60), 4.0),
    "sreenivasan-depth": (("epsilon", 1e-30, 1e-60), 2.0),
    "orseau": (("epsilon", 1e-60, 1e-120), 2.0),
    "structured": (("epsilon", 1e-60, 1e-120), 8.0),
    "structured-sums": (("epsilon", 1e-60, 1e-120), 4.0),
    "kumar": (("step", 2.0**-100, 2.0**-200), 2.0),
    "kumar-shallow": (("step", 2.0**-100, 2.0**-200), 4.0),
    "otsuka-block": (("epsilon", 1e-60, 1e-120), 2.0),
    "otsuka-block-dense": (("epsilon", 1e-60, 1e-120), 2.0),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_grows_as_it_says(name):
    from theory.examples import values_for

    (letter, larger, smaller), factor = FORMS[name]
    given = values_for(name)
    grown = number(name, **{**given, letter: smaller}) / number(name, **{**given, letter: larger})
    assert grown == pytest.approx(factor, rel=0.25)


def test_constants_that_nobody_knows_are_those_of_forms_alone():
    """Every theorem with an unknown constant is tried by its form."""
    unknown = {
        name
        for name, theorem in THEOREMS.items()
        if any(constant.standing is Standing.UNKNOWN for constant in theorem.constants.values())
    }
    assert unknown <= set(FORMS)


def test_a_logarithm_of_a_power_of_two_is_whole():
    assert number("kumar", d=10, step=2.0**-8) == 80
    assert number("kumar", d=3, step=2.0**-8, C=1.5) == 36
    assert number("kumar-shallow", d=10, step=2.0**-8) == 640
    assert [number("doubling", bits=64, delta=delta) for delta in (0.5, 0.25, 0.249, 0.1)] == [7, 8, 9, 10]
    assert number("doubling", bits=1, delta=0.9) == 1
