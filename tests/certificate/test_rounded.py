"""One input: what float64 loses is bounded, and no prediction is called unchanged that changes."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.graphs import in_long_doubles, random_case, values

from slth.certificate import computed, per_input_error, predictions, proved_per_input, rounded
from slth.certificate.functions import lipschitz
from slth.graph import (
    FUNCTIONS,
    INPUT,
    Affine,
    Dense,
    Graph,
    Linear,
    Node,
    Pointwise,
    Realised,
    Reshape,
    Target,
    chain,
    pointwise,
)
from slth.numerics import slack


def draw(case, count, seed=0):
    rng = np.random.default_rng(seed)
    lower, upper = (np.broadcast_to(end, case.box.shape) for end in (case.box.lower, case.box.upper))
    return rng.uniform(lower, upper, (count, *case.box.shape))


def has_gelu(case):
    return any(node.op == Pointwise("Gelu") for node in case.target.graph.nodes)  # SciPy has none in long doubles


def worst_use(seeds, *, linear=False):
    """The largest share of a bound on rounding that is used, over networks and their realisations."""
    used = []
    for seed in seeds:
        case = random_case(seed, linear=linear)
        if has_gelu(case):
            continue
        x = draw(case, 20, seed)
        ((z, z_hat),) = predictions._Networks(case.target, case.realised.__getitem__).outputs(x)
        for found, maps in ((z, case.target.coefficients), (z_hat, case.realised)):
            exact = in_long_doubles(case.target, maps, x)
            off = np.abs(found.value - exact.reshape(len(x), -1)).astype(np.float64)
            used.append(max((off / found.off).max(), (np.linalg.norm(off, axis=1) / found.off_norm).max()))
    return used


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long doubles are no longer than doubles here")
@pytest.mark.parametrize("count", [32, pytest.param(64, marks=pytest.mark.slow)])
def test_float64_loses_no_more_than_is_said(count, monkeypatch):
    """64 networks and their realisations, against 64 bits: a 33rd of the bound is used; a 50th would be wrong."""
    used = worst_use(range(count))
    print(f"{len(used)} networks: {max(used):.3f} of the bound")
    assert len(used) > 80 / 64 * count
    assert 0.02 < max(used) < 0.5
    monkeypatch.setattr(rounded, "slack", lambda size, roundings: 0.02 * slack(size, roundings))
    assert max(worst_use(range(16))) > 1


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long doubles are no longer than doubles here")
def test_float64_loses_no_more_than_is_said_with_linear_lifts():
    assert 0.01 < max(worst_use(range(200, 212), linear=True)) < 0.5


@pytest.mark.parametrize("scale", [1e-150, 1e-30, 1.0, 1e30, 1e150])
def test_rounding_is_covered_at_every_scale(scale):
    """Sums that are moved, in fractions: squares of what 1e-150 is off by are below the smallest number."""
    graph = Graph((Node("0", Linear("map", Dense(7, 4), False), (INPUT,)), Node("1", Reshape((2, 2)), ("0",))))
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(4, 7, 1))
    target = Target(graph, {"map": Affine(weight, None)})
    parts = {"map": Realised(weight, -weight, None, np.ones(7, np.bool_))}
    x = scale * rng.normal(size=(20, 7))
    (both,) = predictions._Networks(target, parts.__getitem__).outputs(x)
    for found in both:
        assert found.value.shape == found.off.shape == (20, 2, 2)
        value, off = found.value.reshape(20, 4), found.off.reshape(20, 4)
        for i, j in np.ndindex(20, 4):
            real = sum(Fraction(w) * Fraction(v) for w, v in zip(weight[j, :, 0], x[i], strict=True))
            assert abs(Fraction(value[i, j]) - real) <= Fraction(off[i, j])


@pytest.mark.parametrize("count", [16, pytest.param(64, marks=pytest.mark.slow)])
def test_the_difference_at_an_input_is_known_to_ten_digits(count):
    """The bound exceeds what float64 sees by 1e-10 of the outputs' size, and covers it."""
    for seed in range(count):
        case = random_case(seed)
        x = draw(case, 50, seed)
        y, y_hat = (
            values(case.target, maps, x)[case.target.graph.output].reshape(len(x), -1)
            for maps in (case.target.coefficients, case.realised)
        )
        bound, size = per_input_error(case.target, case.realised.__getitem__, x), 1 + np.abs(y).max()
        assert (np.abs(y_hat - y) <= bound).all()
        assert (bound <= np.abs(y_hat - y) + 1e-10 * size).all()
        box = computed(
            case.target, case.realised.__getitem__, tolerances=dict.fromkeys(case.realised, 0.0), box=case.box
        )
        assert (bound <= np.array(box.output_error) * (1 + 1e-9) + 1e-10 * size).all()


@pytest.mark.parametrize("count", [24, pytest.param(64, marks=pytest.mark.slow)])
def test_predictions_are_proved_unchanged_wherever_they_are(count):
    """Where the largest outputs stand 1e-9 apart in both networks, the verdict is what float64 sees."""
    same = changed = 0
    for seed in range(count):
        case = random_case(seed, noise=0.1)
        x = draw(case, 200, seed)
        y, y_hat = (
            values(case.target, maps, x)[case.target.graph.output].reshape(len(x), -1)
            for maps in (case.target.coefficients, case.realised)
        )
        verdict = proved_per_input(case.target, case.realised.__getitem__, x).unchanged
        agree = y.argmax(1) == y_hat.argmax(1)
        assert not (verdict & ~agree).any()
        gaps = [np.diff(np.sort(v, axis=1)[:, -2:], axis=1)[:, 0] for v in (y, y_hat)]
        clear = np.minimum(*gaps) > 1e-9 * (1 + np.abs(y).max())
        assert (verdict == agree)[clear].all()
        same, changed = same + verdict.sum(), changed + (~agree).sum()
    print(f"{same} proved unchanged, {changed} changed")
    assert min(same, changed) > 500 / 64 * count


def test_deep_networks_need_the_norm():
    """Twelve maps of 64 inputs: entry by entry the bound grows like Π ‖|W|‖, in norm like Π ‖W‖."""
    rng = np.random.default_rng(0)
    target = chain([Affine(np.linalg.qr(rng.normal(size=(64, 64)))[0][:, :, None], None) for _ in range(12)])

    def off(norm):
        maps = {path: rounded.map_of(op, target.coefficients[path], norm) for path, op in target.graph.maps.items()}
        return rounded.run(target.graph, maps.__getitem__, [rng.random((3, 64))], {})[0].off.max()

    assert off(1.0 + 1e-9) < 1e-11
    assert off(1e30) > 1e-9


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_moves_its_value_no_further_than_its_image(function):
    """Of an x that is off by ρ, from rounding to more than the function has of range: against 201 points of [x ± ρ]."""
    of = {"Clip": {"low": 0.0, "high": 6.0}, "PRelu": {"slope": "slope", "axis": 0}}
    op = Pointwise(function, **of.get(function, dict.fromkeys(FUNCTIONS[function].parameters, 0.25)))
    carried = {"slope": np.array([-0.5, 0.25, 2.0])}
    rng = np.random.default_rng(0)
    x, off = rng.normal(scale=4.0, size=(5, 3, 8)), 10.0 ** rng.uniform(-12, 2, (5, 3, 8))
    value, before = pointwise(op, x, carried), rounded.Rounded(x, off, np.linalg.norm(off, axis=(1, 2)))
    moved, _, own = rounded.STEPS[Pointwise](op, (before,), value, carried)
    assert (moved <= lipschitz(op, carried, 2) * off * (1 + 1e-9)).all()
    for part in np.linspace(-1.0, 1.0, 201):
        there = pointwise(op, x + part * off, carried)  # x + part * off is rounded, too
        assert (np.abs(there - value) <= moved + 2 * own + 1e-14 * (1 + np.abs(x))).all(), part


def test_what_was_lost_is_forgotten_where_values_are_bounded():
    """Thirty maps that each multiply an error by hundreds, ReLU6 behind each: the outputs of both lie in [0, 6]."""
    rng = np.random.default_rng(0)
    names = [f"{i}" for i in range(30)]
    nodes, before = list[Node](), INPUT
    for name in names:
        nodes.append(Node(name, Linear(name, Dense(64, 64), False), (before,)))
        nodes.append(Node(f"{name}/clip", Pointwise("Clip", low=0.0, high=6.0), (name,)))
        before = f"{name}/clip"
    weights = {name: rng.normal(size=(64, 64, 1)) * 10 for name in names}
    target = Target(Graph(tuple(nodes)), {name: Affine(weight, None) for name, weight in weights.items()})
    realised = {name: Realised(weight, -weight, None, np.ones(64, np.bool_)) for name, weight in weights.items()}
    assert per_input_error(target, realised.__getitem__, rng.random((3, 64))).max() <= 12.001
