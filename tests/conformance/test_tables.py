"""Rules of ops that read tokens, over all tokens; of attention, whatever the length; of norms without a floor."""

from dataclasses import replace

import numpy as np
import pytest

from slth.certificate import certify, per_input_error
from slth.certificate.errors import map_errors
from slth.certificate.reach import Reach, at_inputs
from slth.certificate.rounded import map_of, run
from slth.certificate.rules import RULES, Facts
from slth.graph import (
    INPUT,
    Add,
    Affine,
    Attention,
    Box,
    Constant,
    Dense,
    Embedding,
    Graph,
    Linear,
    Node,
    OneHot,
    Permute,
    Realised,
    Reshape,
    Standardise,
    Target,
    evaluate,
)

RNG = np.random.default_rng(0)
TOKENS, WIDTH, LENGTH = 6, 3, 2
BOX = Box(np.zeros(1), np.full(1, TOKENS - 1.0), (LENGTH,))


def near(numbers, off=0.1):
    return numbers + off * RNG.uniform(-1, 1, numbers.shape)


def realised(affine, *, signed=False, rounded=False):
    """Of a map; every coefficient off by its own."""
    _, inputs, _ = affine.weight.shape
    bias = None if affine.bias is None else near(affine.bias)
    mask = np.full(inputs, signed)
    negative = near(-affine.weight) if signed else None
    return Realised(near(affine.weight), negative, bias, mask, rounded=rounded)


def drawn(op):
    bias = RNG.normal(size=op.basis.outputs) if op.bias else None
    return Affine(RNG.normal(size=op.coefficients), bias)


HEAD = Linear("map", Dense(WIDTH, TOKENS), True)
READERS = {
    "one-hot": Linear("map", OneHot(TOKENS, WIDTH), False),
    "one-hot, bias": Linear("map", OneHot(TOKENS, WIDTH), True),
    "tied": Embedding("map", tied=True),
    "carried": Embedding("table"),
}
CARRIED = {"table": RNG.normal(size=(TOKENS, WIDTH)).astype(np.float16)}


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("name", READERS)
def test_rows_of_all_tokens_fill_what_the_rule_allows(name, rounded):
    """Exactly, but for rounding: every bound is met by some tokens; in norm by the worst token at each position."""
    op = READERS[name]
    own = op if isinstance(op, Linear) else HEAD
    wanted = drawn(own)
    found = realised(wanted, signed=not isinstance(op, Linear), rounded=rounded)
    facts = Facts({"map": map_errors("map", own, wanted, found)}, CARRIED)
    bound = RULES[type(op)](op, (at_inputs(BOX),), facts)
    tokens = np.stack(np.meshgrid(*[np.arange(TOKENS)] * LENGTH), axis=-1).reshape(-1, LENGTH)
    nodes = (Node("rows", op, (INPUT,)),)
    head = (Node("head", own, ("rows",)),) if isinstance(op, Embedding) else ()
    graph = Graph((*nodes, *head)) if op is not READERS["carried"] else None
    if graph is None:
        z = z_hat = CARRIED["table"].astype(np.float64)[tokens]
    elif isinstance(op, Embedding):
        z, z_hat = wanted.table[tokens], found.table[tokens]
    else:
        z, z_hat = (evaluate(graph, {"map": part}, tokens) for part in (wanted, found))
    assert bound.shape == z.shape[1:]
    for side, most in (
        (bound.upper, z.max(axis=0)),
        (-bound.lower, (-z).max(axis=0)),
        (bound.error, np.abs(z_hat - z).max(axis=0)),
        (bound.norm, np.linalg.norm(z.reshape(len(z), -1), axis=1).max()),
        (bound.error_norm, np.linalg.norm((z_hat - z).reshape(len(z), -1), axis=1).max()),
    ):
        assert (np.broadcast_to(side, np.shape(most)) >= most).all()
        np.testing.assert_allclose(np.broadcast_to(side, np.shape(most)), most, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("op", [READERS["one-hot, bias"], READERS["tied"]], ids=str)
def test_a_rule_that_forgets_the_worst_row_is_noticed(op, monkeypatch):
    """Of the mean error of rows, of a bias that is left out, of one position in norm."""
    from slth.certificate.rules import tables

    def first_only(blocks, x, honest=tables._over):
        return honest(((rows[:1], off[:1]) for rows, off in blocks), x)

    name = next(name for name in READERS if READERS[name] is op)
    for wrong in (first_only, lambda blocks, x, honest=tables._over: honest(blocks, replace(x, shape=(1,)))):
        monkeypatch.setattr(tables, "_over", wrong)
        with pytest.raises(AssertionError):
            test_rows_of_all_tokens_fill_what_the_rule_allows(name, False)


def test_positions_that_are_carried_are_known():
    """Rows by tokens of a constant are these rows, at each position, not any of the table."""
    x = Reach(np.array([2.0, 0.0]), np.array([2.0, 0.0]), np.inf, np.zeros(1), 0.0)
    found = RULES[Embedding](Embedding("table"), (x,), Facts({}, CARRIED))
    assert (found.lower == CARRIED["table"][[2, 0]]).all()
    assert (found.lower == found.upper).all()


def attention_layer(length, heads=2, width=4, *, causal=True):
    """Projections, grouped heads, the last projection; and its numbers."""
    own = width // heads
    nodes = []

    def add(name, op, *inputs):
        nodes.append(Node(name, op, inputs or (nodes[-1].name if nodes else INPUT,)))
        return name

    def split(name, count):
        add(name, Linear(name, Dense(width, count * own), True), INPUT)
        add(f"{name}/heads", Reshape((length, count, own)))
        return add(f"{name}/first", Permute((1, 0, 2)))

    parts = split("q", heads), split("k", 1), split("v", 1)
    add("attention", Attention(own**-0.5, causal), *parts)
    add("last", Permute((1, 0, 2)))
    add("joined", Reshape((length, width)))
    add("o", Linear("o", Dense(width, width), True))
    return Graph(tuple(nodes))


def numbers_of(graph, off, seed=3):
    rng = np.random.default_rng(seed)
    wanted, found = {}, {}
    for path, op in graph.maps.items():
        wanted[path] = Affine(rng.normal(size=op.coefficients) / 2, rng.normal(size=op.basis.outputs) / 2)
        halves = [sign * wanted[path].weight + off * rng.uniform(-1, 1, op.coefficients) for sign in (1, -1)]
        bias = wanted[path].bias + off * rng.uniform(-1, 1, op.basis.outputs)
        found[path] = Realised(halves[0], halves[1], bias, np.ones(op.basis.inputs, bool))
    return wanted, found


@pytest.mark.parametrize("causal", [False, True])
def test_the_claim_does_not_depend_on_the_length_of_the_sequence(causal):
    """T = 8 to 8192: one bound, to the bit; and an attack at every length stays below it."""
    bounds = []
    for length in (8, 64, 512, 8192):
        graph = attention_layer(length, causal=causal)
        wanted, found = numbers_of(graph, 0.01)
        box = Box(np.full((1, 1), -1.0), np.ones((1, 1)), (length, 4))
        target = Target(graph, wanted, input_shape=(length, 4))
        claims = certify(target, found.__getitem__, tolerances=dict.fromkeys(wanted, 0.01), box=box)
        bounds.append(claims.sup_error)
        if length <= 512:
            x = np.random.default_rng(1).choice([-1.0, 1.0], (4, length, 4))
            seen = np.abs(evaluate(graph, found, x) - evaluate(graph, wanted, x)).max()
            assert 0.02 * claims.sup_error < seen < claims.sup_error
    assert len(set(bounds)) == 1, bounds


def test_through_attention_a_bound_is_of_use():
    """Coefficients off by 1e-4 give a bound below 1e-2, and one at an input below what that shows plus 1e-12."""
    graph = attention_layer(16)
    wanted, found = numbers_of(graph, 1e-4)
    target = Target(graph, wanted, input_shape=(16, 4))
    box = Box(np.full((1, 1), -1.0), np.ones((1, 1)), (16, 4))
    claims = certify(target, found.__getitem__, tolerances=dict.fromkeys(wanted, 1e-4), box=box)
    assert claims.sup_error < 1e-2
    x = np.random.default_rng(1).uniform(-1, 1, (3, 16, 4))
    seen = np.abs(evaluate(graph, found, x) - evaluate(graph, wanted, x)).reshape(3, -1)
    bound = per_input_error(target, found.__getitem__, x)
    assert (seen <= bound).all()
    assert (bound <= seen + 1e-12).all()


@pytest.mark.parametrize(("epsilon", "low", "stops"), [(0.0, -1.0, ("norm",)), (0.0, 0.5, ()), (1e-5, -1.0, ())])
def test_claims_stop_at_a_norm_without_a_floor(epsilon, low, stops):
    """A root mean square with ε = 0 over inputs that may all be 0; not where they stay away from it."""
    maps = Linear("in", Dense(2, 2), False), Linear("out", Dense(2, 2), False)
    nodes = (
        Node("norm", Standardise((0,), epsilon, centred=False), (INPUT,)),
        Node("in", maps[0], ("norm",)),
        Node("out", maps[1], ("in",)),
    )
    target = Target(Graph(nodes), {op.map: drawn(op) for op in maps}, input_shape=(2,))
    parts = {op.map: realised(target.coefficients[op.map], signed=True) for op in maps}
    box = Box(np.full(1, low), np.ones(1), (2,))
    claims = certify(target, parts.__getitem__, tolerances={"in": 0.1, "out": 0.1}, box=box)
    assert claims.stops == stops
    assert (claims.sup_error is None) == bool(stops)
    assert (claims.maps["out"].sup_error is None) == bool(stops)
    assert claims.maps["out"].operator_error > 0


def test_tied_rows_are_read_where_the_map_is_held_once():
    """From the embedding, where P is first needed, to the head: the realisation is asked for once."""
    nodes = (Node("rows", Embedding("map", tied=True), (INPUT,)), Node("head", HEAD, ("rows",)))
    wanted = drawn(HEAD)
    found = realised(wanted, signed=True)
    asked = []
    target = Target(Graph(nodes), {"map": wanted}, input_shape=(LENGTH,))

    def part(path):
        asked.append(path)
        return found

    claims = certify(target, part, tolerances={"map": 0.1}, box=BOX)
    assert asked == ["map"]
    tokens = np.array([[a, b] for a in range(TOKENS) for b in range(TOKENS)])
    seen = np.abs(evaluate(target.graph, {"map": found}, tokens) - evaluate(target.graph, {"map": wanted}, tokens))
    assert 0.2 * claims.sup_error < seen.max() <= claims.sup_error
    bound = per_input_error(target, part, tokens)
    assert (seen.reshape(bound.shape) <= bound).all()
    assert (bound <= seen.reshape(bound.shape) + 1e-12).all()


def test_a_column_and_its_bias_round_once():
    """What float64 loses on the way, of a target over OneHot: less than a last place."""
    op = READERS["one-hot, bias"]
    wanted = drawn(op)
    graph = Graph((Node("rows", op, (INPUT,)),))
    (value,) = run(graph, lambda _: map_of(op, wanted, 1.0), [np.array([[0, 5]])], {})
    assert 0 < value.off.max() < 1e-13
    assert (value.value == evaluate(graph, {"map": wanted}, np.array([[0, 5]]))).all()


def test_positions_are_added_to_rows():
    """Rows and carried positions: intervals add up, and nothing is off."""
    nodes = (
        Node("rows", Embedding("table"), (INPUT,)),
        Node("places", Constant("places"), ()),
        Node("sum", Add((1.0, 1.0)), ("rows", "places")),
        Node("head", HEAD, ("sum",)),
    )
    carried = {**CARRIED, "places": RNG.normal(size=(LENGTH, WIDTH))}
    target = Target(Graph(nodes), {"map": drawn(HEAD)}, input_shape=(LENGTH,), carried=carried)
    part = realised(target.coefficients["map"], signed=True)
    claims = certify(target, lambda _: part, tolerances={"map": 0.1}, box=BOX)
    tokens = np.array([[a, b] for a in range(TOKENS) for b in range(TOKENS)])
    seen = [evaluate(target.graph, {"map": m}, tokens, carried) for m in (part, target.coefficients["map"])]
    assert 0.3 * claims.sup_error < np.abs(seen[0] - seen[1]).max() <= claims.sup_error
