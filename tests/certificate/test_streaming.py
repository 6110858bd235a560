"""Maps are asked for one by one, held while they are used, and looked at in chunks of rows."""

import gc
import tracemalloc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from helpers.graphs import random_case
from helpers.networks import every_map

from slth.certificate import certify, errors, failed_claims
from slth.certificate.errors import Norms, map_errors
from slth.certificate.rules import RULES
from slth.graph import INPUT, Affine, Box, Conv, Dense, Graph, Linear, Node, Pointwise, Realised, Target, chain
from slth.numerics import NORMS


def random_map(basis, seed, signed=False, off=0.01):
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=Linear("m", basis, True).coefficients)
    signs = rng.random(basis.inputs) < 0.5 if signed else np.zeros(basis.inputs, np.bool_)
    negative = np.where(signs[:, None], -weight + off * rng.normal(size=weight.shape), 0.0) if signed else None
    bias = rng.normal(size=basis.outputs)
    return Affine(weight, bias), Realised(weight + off * rng.normal(size=weight.shape), negative, bias + off, signs)


class Parts:
    """Makes maps when they are asked for; remembers which, and which are still held."""

    def __init__(self, realised):
        self.realised, self.asked, self.most = realised, [], 0
        self.held = []

    def __call__(self, path):
        gc.collect()
        self.asked.append(path)
        part = replace(self.realised[path], positive=self.realised[path].positive.copy())
        self.held.append(weakref.ref(part.positive))
        self.most = max(self.most, self.alive)
        return part

    @property
    def alive(self):
        return sum(ref() is not None for ref in self.held)


def line_of_maps(count=5, width=4):
    layers, parts = zip(*(random_map(Dense(width, width), seed) for seed in range(count)), strict=True)
    target = chain(layers)
    return target, dict(zip(target.graph.maps, parts, strict=True))


@pytest.mark.parametrize("box", [pytest.param(None, marks=pytest.mark.slow), Box.uniform(0.0, 1.0, 4)])
def test_each_map_is_asked_for_once_in_order_and_held_alone(box):
    target, realised = line_of_maps()
    parts = Parts(realised)
    stored = certify(target, parts, tolerances=every_map(target), box=box)
    assert parts.asked == list(target.graph.maps) == list(stored.maps)
    gc.collect()
    assert (parts.most, parts.alive) == (1, 0)
    parts = Parts(realised)
    assert failed_claims(stored, target, parts, box=box) == []
    assert (parts.asked, parts.most) == (list(target.graph.maps), 1)
    whole = certify(target, realised.__getitem__, tolerances=every_map(target), box=box)
    assert whole == stored


def test_a_map_that_is_used_again_is_held_until_then():
    """a, b, a, c: two are held where b stands between both uses of a, one at c."""
    maps = {path: Linear(path, Dense(3, 3), True) for path in "abc"}
    names = [INPUT, "0", "0r", "1", "1r", "2", "2r", "3"]
    ops = [maps["a"], Pointwise("Relu"), maps["b"], Pointwise("Relu"), maps["a"], Pointwise("Relu"), maps["c"]]
    graph = Graph(tuple(Node(n, op, (m,)) for m, n, op in zip(names, names[1:], ops, strict=False)))
    both = {path: random_map(Dense(3, 3), seed) for seed, path in enumerate("abc")}
    target = Target(graph, {path: wanted for path, (wanted, _) in both.items()})
    parts = Parts({path: found for path, (_, found) in both.items()})
    certify(target, parts, tolerances=every_map(target), box=Box.uniform(0.0, 1.0, 3))
    assert parts.asked == ["a", "b", "c"]
    assert parts.most == 2
    alone = Parts(parts.realised)
    certify(target, alone, tolerances=every_map(target), box=None)
    assert alone.most == 1


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_any_graph_asks_for_every_map_also_behind_a_stop(seed, monkeypatch):
    case = random_case(seed)
    parts = Parts(case.realised)
    certify(case.target, parts, tolerances=every_map(case.target), box=case.box)
    assert parts.asked == list(case.target.graph.maps)
    monkeypatch.delitem(RULES, Linear)
    parts = Parts(case.realised)
    found = certify(case.target, parts, tolerances=every_map(case.target), box=case.box)
    assert found.stops
    assert parts.asked == list(case.target.graph.maps) == list(found.maps)


BASES = {
    "dense": (Dense(40, 30), (40,)),
    "conv": (Conv(6, 9, (3, 3), (2, 1), (1,) * 4, (1, 1), 3), (6, 9, 9)),
}


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", BASES)
def test_chunks_of_rows_bound_what_the_whole_bounds(name, signed, monkeypatch):
    """1e-13 apart at most, for products of matrices of another height sum in another order; counts are the same."""
    basis, shape = BASES[name]
    wanted, found = random_map(basis, 3, signed)
    nodes = (Node("m", Linear("m", basis, True), (INPUT,)), Node("r", Pointwise("Relu"), ("m",)))
    target = Target(Graph(nodes), {"m": wanted})
    box = Box.uniform(-0.7 if signed else 0.0, 1.0, *shape)
    if signed:
        lower = np.where(found.signed.reshape(-1, *(1 for _ in shape[1:])), -0.7, 0.0)
        box = Box(np.broadcast_to(lower, shape) + 0.0, np.ones(shape))
    certificates = []
    for chunk in (1, 100, 2**30):
        monkeypatch.setattr(errors, "CHUNK", chunk)
        monkeypatch.setattr(errors, "_WHOLE", 2**20 if chunk == 2**30 else 0)
        certificates.append(certify(target, {"m": found}.__getitem__, tolerances={"m": 0.01}, box=box))
    whole = certificates.pop()
    assert whole.maps["m"].misses > 0
    for each in certificates:
        assert each.maps["m"].misses == whole.maps["m"].misses
        assert each.maps["m"].weight_error == whole.maps["m"].weight_error
        numbers = [(c.sup_error, c.l2_error, c.maps["m"].operator_error, *c.output_error) for c in (each, whole)]
        assert np.allclose(*numbers, rtol=1e-12, atol=0)


def test_the_sum_of_norms_gives_way_to_the_norm_of_p_by_degrees():
    """Where norms are dear: ‖W‖ + η for a small η, ‖P‖ for a large one, never less than ‖P‖; no step between."""
    weight = np.random.default_rng(4).normal(size=(20, 30, 1))
    size, before = np.linalg.norm(weight[:, :, 0], 2), None
    for ratio in np.linspace(0.0, 0.7, 401):
        found = Realised(weight * (1 - ratio), None, None, np.zeros(30, np.bool_))  # ‖P‖ = ‖W‖ - η: as small as can be
        op = Linear("m", Dense(30, 20), False)
        part = map_errors("m", op, Affine(weight, None), found, by="blocks")
        norm = part.norm(part.eta) / size
        assert norm >= (1 - ratio) * (1 - 1e-13)
        assert before is None or abs(norm - before) < 0.02
        if ratio <= 1 / 4:
            assert norm == pytest.approx(1 + ratio, rel=1e-9)
            assert "_positive_size" not in part.__dict__  # not even asked for
        if ratio >= 1 / 2 + 1e-9:
            assert norm == pytest.approx(1 - ratio, rel=1e-9)
        exact = map_errors("m", op, Affine(weight, None), found, by="spectral")
        assert exact.norm(exact.eta) == pytest.approx(size * (1 - ratio), rel=1e-9)
        before = norm


def test_a_checker_follows_the_rule_that_a_claim_names(monkeypatch):
    """Looser norms, honestly named, hold, also of a map that would have had tighter ones; under a tighter name they
    hold the more, and what a tight rule found does not hold under a looser name."""
    basis = Conv(3, 4, (3, 3), (1, 1), (1,) * 4, (1, 1))
    wanted, found = random_map(basis, 5)
    target = Target(Graph((Node("m", Linear("m", basis, True), (INPUT,)),)), {"m": wanted})
    box = Box.uniform(0.0, 1.0, 3, 5, 5)
    arguments = (target, {"m": found}.__getitem__)
    honest = certify(*arguments, tolerances={"m": 0.1}, box=box)
    assert honest.maps["m"].norms == "spectral"
    for name in NORMS[1:]:
        with monkeypatch.context() as patch:
            patch.setattr(Conv, "norms", name)
            looser = certify(*arguments, tolerances={"m": 0.1}, box=box)
        assert looser.maps["m"].norms == name
        assert looser.maps["m"].operator_error >= honest.maps["m"].operator_error
        assert failed_claims(looser, *arguments, box=box) == []
        small = replace(looser.maps["m"], operator_error=looser.maps["m"].operator_error * (1 - 1e-5))
        (sentence,) = failed_claims(replace(looser, maps={"m": small}), *arguments, box=box)
        assert sentence.startswith("m: operator error is")
        renamed = replace(looser, maps={"m": replace(looser.maps["m"], norms="spectral")})
        assert failed_claims(renamed, *arguments, box=box) == []
    tight = replace(honest, maps={"m": replace(honest.maps["m"], norms="flattened")})
    assert failed_claims(tight, *arguments, box=box) != []


@pytest.mark.parametrize("signed", [False, True])
def test_beside_its_coefficients_a_map_takes_one_gram_matrix(signed):
    """1,500 x 1,400: 17 MB each of W, P and N, which are there; 16 MB for a Gram matrix, 16 for what is in parts."""
    basis = Dense(1500, 1400)
    wanted, found = random_map(basis, 6, signed)
    target = Target(Graph((Node("m", Linear("m", basis, True), (INPUT,)),)), {"m": wanted})
    box = Box(np.where(found.signed, -1.0, 0.0), np.ones(1500))
    certify(target, {"m": found}.__getitem__, tolerances={"m": 0.1}, box=box)  # imports
    tracemalloc.start()
    certify(target, {"m": found}.__getitem__, tolerances={"m": 0.1}, box=box)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 8 * 1400**2 < peak < 8 * 1400**2 + 16e6


def test_coefficients_in_float32_are_certified_without_a_copy_in_float64():
    """1,500 x 1,400: norms and errors to the last bit those of the same W in float64, whose 17 MB are never there."""
    basis = Dense(1500, 1400)
    wide, found = random_map(basis, 6)
    wanted = Affine(wide.weight.astype(np.float32).astype(np.float64), wide.bias)
    assert wanted.kept.dtype == np.float32
    op = Linear("m", basis, True)
    whole = replace(map_errors("m", op, wanted, found), wanted=wanted.weight)
    facts = whole.size, whole.eta, whole.sizes(0.02)
    tracemalloc.start()
    narrow = map_errors("m", op, wanted, found)
    assert (narrow.size, narrow.eta, narrow.sizes(0.02)) == facts
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1400**2 + 16e6


def test_nothing_is_hashed_where_nobody_caches(monkeypatch):
    def refuse(*_):
        raise AssertionError("hashed")

    target, realised = line_of_maps(2)
    monkeypatch.setattr(errors, "sha256", refuse)
    certify(target, realised.__getitem__, tolerances=every_map(target), box=Box.uniform(0.0, 1.0, 4))
    with pytest.raises(AssertionError, match="hashed"):
        certify(target, realised.__getitem__, tolerances=every_map(target), box=None, norms=Norms())
