"""Inner values that can be negative: two maps without an activation between, one map at two nodes."""

import itertools

import numpy as np
import pytest
from helpers.networks import Pair

from slth import InputError
from slth.certificate import per_input_error
from slth.certificate.errors import MapErrors
from slth.graph import (
    INPUT,
    Affine,
    Box,
    Dense,
    Graph,
    Linear,
    Node,
    Pointwise,
    Realised,
    Target,
    signed_inputs,
)


def line(*ops):
    """A graph of ops one after the other, called 0, 1, ..."""
    return Graph(tuple(Node(str(i), op, (str(i - 1) if i else INPUT,)) for i, op in enumerate(ops)))


def values(graph, maps, x):
    """The value of every node of such a graph, in float64."""
    found = [x]
    for node in graph.nodes:
        linear = isinstance(node.op, Linear)
        found.append(maps[node.op.map].apply(node.op.basis, found[-1]) if linear else np.maximum(found[-1], 0))
    return found[1:]


def number(value):
    return np.full((1, 1, 1), value)


def two_maps():
    """f(x) = x by two maps; the bias of the first is off by -1/10, and N of the second is -3 in place of -1."""
    graph = line(*(Linear(path, Dense(1, 1), bias=True) for path in ("first", "second")))
    same, signed = Affine(number(1.0), np.zeros(1)), np.ones(1, np.bool_)
    realised = {
        "first": Realised(number(1.0), number(-1.0), np.array([-0.1]), signed),
        "second": Realised(number(1.0), number(-3.0), np.zeros(1), signed),
    }
    return Pair(Target(graph, {"first": same, "second": same}), realised, Box.uniform(-1.0, 1.0, 1))


def check_two_maps():
    """At x = -1 the networks give -1 and -3 · 1.1: they differ by 2.3, which both bounds must cover, and reach."""
    pair = two_maps()
    x = np.linspace(-1, 1, 2001)[:, None]
    ours, wanted = (values(pair.target.graph, maps, x)[-1] for maps in (pair.realised, pair.target.coefficients))
    seen, bounds = np.abs(ours - wanted), pair.bounds
    assert abs(seen.max() - 2.3) < 1e-12
    for bound in (bounds.sup_error, bounds.l2_error, bounds.output_error[0], bounds.maps["second"].sup_error):
        assert seen.max() <= bound <= 2.3 * (1 + 1e-12)
    found = per_input_error(pair.target, pair.realised.__getitem__, x)
    assert (seen <= found + 1e-14).all()
    assert found.max() <= 2.3 * (1 + 1e-12)


def test_an_error_acts_through_the_half_that_it_falls_into():
    check_two_maps()


WRONG = {
    "slopes": property(lambda errors: np.abs(errors.positive)),  # would give 2.1
    "norm": lambda errors, eta: errors.basis.norm(errors.positive),
}


@pytest.mark.parametrize("names", [("slopes",), ("norm",), ("slopes", "norm")])
def test_bounds_by_the_positive_half_alone_are_noticed(names, monkeypatch):
    for name in names:
        monkeypatch.setattr(MapErrors, name, WRONG[name])
    with pytest.raises(AssertionError):
        check_two_maps()


def random_line(seed):
    """Two to six ops, maps and ReLUs in any order, widths 1 to 3, some maps used again; errors of size 1e-3 to 1."""
    rng = np.random.default_rng([seed, 21])
    width = inputs = int(rng.integers(1, 4))
    ops, maps = [], {}
    while len(maps) < 1 or len(ops) < rng.integers(2, 7):
        if rng.random() < 0.35:
            ops.append(Pointwise("Relu"))
            continue
        same = [op for op in maps.values() if op.basis == Dense(width, width)]
        if same and rng.random() < 0.5:
            ops.append(same[0])
            continue
        outputs = int(rng.integers(1, 4))
        op = Linear(f"m{len(maps)}", Dense(width, outputs), bool(rng.random() < 0.6))
        ops.append(op)
        maps[op.map], width = op, outputs
    graph = line(*ops)
    box = Box(*np.sort(rng.normal(size=(2, inputs)), axis=0))
    scale = 10.0 ** rng.uniform(-3, 0)
    coefficients, realised = {}, {}
    for path, signed in signed_inputs(graph, (inputs,), box.lower < 0, {}).items():
        weight = rng.normal(size=graph.maps[path].coefficients)
        bias = rng.normal(size=len(weight)) if graph.maps[path].bias else None
        negative = -weight + scale * rng.normal(size=weight.shape)
        coefficients[path] = Affine(weight, bias)
        realised[path] = Realised(
            weight + scale * rng.normal(size=weight.shape),
            np.where(signed[:, None], negative, 0.0) if signed.any() else None,
            None if bias is None else bias + scale * rng.normal(size=bias.shape),
            signed,
        )
    return Pair(Target(graph, coefficients), realised, box)


@pytest.mark.parametrize("count", [60, pytest.param(150, marks=pytest.mark.slow)])
def test_no_network_of_maps_and_relus_errs_more_than_claimed(count):
    """150 of them, at corners and random points. Close bounds: a tenth above what is seen, or less, for 48 of them."""
    met = twice = meets = 0
    for seed in range(count):
        pair = random_line(seed)
        graph, box = pair.target.graph, pair.box
        linear = [isinstance(node.op, Linear) for node in graph.nodes]
        twice += sum(linear) > len(graph.maps)
        meets += any(a and b for a, b in itertools.pairwise(linear))
        corners = np.array(list(itertools.product(*zip(box.lower, box.upper, strict=True))))
        inside = np.random.default_rng(seed).uniform(box.lower, box.upper, (1000, box.lower.size))
        x = np.vstack([corners, inside])
        z, bounds = values(graph, pair.target.coefficients, x), pair.bounds
        seen = [np.abs(v_hat - v) for v_hat, v in zip(values(graph, pair.realised, x), z, strict=True)]
        slack = 1e-12 * (1 + np.abs(z[-1]).max())
        assert (seen[-1] <= np.array(bounds.output_error) + slack).all()
        assert (np.linalg.norm(seen[-1], axis=1) <= bounds.l2_error + slack).all()
        assert (seen[-1] <= per_input_error(pair.target, pair.realised.__getitem__, x) + slack).all()
        met += seen[-1].max() >= 0.9 * bounds.sup_error
        for node, error in zip(graph.nodes, seen, strict=True):
            if isinstance(node.op, Linear):  # at each node that uses a map, its claim holds
                claim = bounds.maps[node.op.map]
                assert error.max() <= claim.sup_error + slack
                assert np.linalg.norm(error, axis=1).max() <= claim.l2_error + slack
    print(f"met {met}, a map twice {twice}, two maps in a row {meets}")
    assert met >= 40 / 150 * count
    assert min(twice, meets) > 20 / 150 * count


def test_the_claim_of_a_map_covers_each_of_its_nodes():
    """-2 becomes -2 - x: the first use errs by 1, the second one reads 0 and does not err; the claim is about both."""
    graph = line(Linear("a", Dense(1, 1), bias=True), Pointwise("Relu"), Linear("a", Dense(1, 1), bias=True))
    target = Target(graph, {"a": Affine(number(0.0), np.full(1, -2.0))})
    realised = {"a": Realised(number(-1.0), None, np.full(1, -2.0), np.zeros(1, np.bool_))}
    bounds = Pair(target, realised, Box.uniform(0.0, 1.0, 1)).bounds
    assert bounds.sup_error == bounds.l2_error == 0.0
    assert 1.0 <= bounds.maps["a"].sup_error <= 1.0 + 1e-12
    assert 1.0 <= bounds.maps["a"].l2_error <= 1.0 + 1e-12


def test_signs_are_checked_where_a_map_reads_them():
    """A ReLU first: negative inputs are fine. A map whose input is negative, and no half for it: refused."""
    part = Realised(number(2.0), None, None, np.zeros(1, np.bool_))
    map_ = Linear("a", Dense(1, 1), bias=False)
    one, x = {"a": Affine(number(1.0), None)}, np.array([[-1.0], [0.5]])
    target = Target(line(Pointwise("Relu"), map_), one)
    assert np.allclose(per_input_error(target, {"a": part}.__getitem__, x), [[0.0], [0.5]], atol=1e-12)
    assert abs(Pair(target, {"a": part}, Box.uniform(-1.0, 1.0, 1)).bounds.sup_error - 1.0) < 1e-12
    for graph in (line(map_), line(map_, map_)):
        with pytest.raises(InputError, match="no negative half"):
            per_input_error(Target(graph, one), {"a": part}.__getitem__, x)
        with pytest.raises(InputError, match="no negative half"):
            _ = Pair(Target(graph, one), {"a": part}, Box.uniform(-1.0, 1.0, 1)).bounds
