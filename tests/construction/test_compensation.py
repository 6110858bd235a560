"""Output-aware rounding: the order of least squares, the same candidates, outputs that are closer."""

import numpy as np
import pytest

import slth
from slth.construction import Request, plan_layout, within
from slth.construction import compensation as module
from slth.construction.compensation import compensated, orders
from slth.construction.halves import linear_maps
from slth.graph import INPUT, Affine, Conv, Graph, Linear, Node, Pointwise, Realised, Target, chain, evaluate
from slth.ticket import Inputs, Sums, empty_masks, realise

RNG = np.random.default_rng(0)


def dense(signed):
    """64-40-10 on inputs that hang together, as images do."""
    layers = [
        Affine(RNG.normal(0, 0.1, (40, 64, 1)), RNG.normal(0, 0.1, 40)),
        Affine(RNG.normal(0, 0.1, (10, 40, 1)), None),
    ]
    x = np.clip(RNG.random((300, 8)) @ RNG.random((8, 64)) / 4 + 0.05 * RNG.normal(size=(300, 64)), 0, 1)
    lower = -1.0 if signed else 0.0
    return chain(layers), Inputs((64,), lower=(lower,), upper=(1.0,)), 2 * x - 1 if signed else x


def conv():
    """A 3 x 3 convolution of stride 2 and one of 1 x 1, without and with a bias."""
    first = Linear("a", Conv(2, 6, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1)), True)
    second = Linear("b", Conv(6, 3, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1)), False)
    graph = Graph((Node("a", first, (INPUT,)), Node("r", Pointwise("Relu"), ("a",)), Node("b", second, ("r",))))
    coefficients = {
        "a": Affine(RNG.normal(0, 0.1, (6, 2, 9)), RNG.normal(0, 0.1, 6)),
        "b": Affine(RNG.normal(0, 0.1, (3, 6, 1)), None),
    }
    smooth = RNG.random((60, 2, 4, 4)).repeat(2, 2).repeat(2, 3)
    return Target(graph, coefficients, (2, 8, 8)), Inputs((2, 8, 8), lower=(-1.0,), upper=(1.0,)), 2 * smooth - 1


# By how much closer the outputs are at least; six channels of smooth noise hang together less than pixels do. The lift.
CASES = {
    "dense": (lambda: dense(False), 2.0, None),
    "dense, signed, ReLU": (lambda: dense(True), 2.0, "relu"),
    "dense, signed, linear": (lambda: dense(True), 1.5, "linear"),
    "conv, ReLU": (conv, 1.0, "relu"),
    "conv, linear": (conv, 1.0, "linear"),
}


def solved(target, inputs, examples, *, aware, lift):
    """What every map realises, and its masks."""
    layout = plan_layout(target, Request(relative_tolerance=0.05, lift=lift), inputs=inputs)
    assert any(gadget.linear for gadget in layout.gadgets.values()) == (lift == "linear")
    known = orders(target, inputs, examples, linear=linear_maps(layout.gadgets)) if aware else {}
    parts, masks = {}, {}
    for path, op in target.graph.maps.items():
        gadget = layout.gadgets[path].fitted(path, op, 0)
        masks[path], signed, linear = empty_masks(gadget, path, op), gadget.signed(op), gadget.linear
        blocks, tolerance = gadget.problems(path, op, 0), layout.tolerances[path]
        if aware:
            settings = {"signed": signed, "linear": linear, "order": known[path]}
            settings |= {"objective": within, "tolerance": tolerance}
            parts[path] = compensated(blocks, op, target.coefficients[path], masks=masks[path], **settings)
            again = realise(gadget, path, op, seed=0, masks=masks[path])
            assert (again.positive == parts[path].positive).all()
            continue
        sums = Sums(op, signed, linear=linear)
        for block in blocks:
            candidates = block.candidates()
            wanted = block.targets(Realised.of(target.coefficients[path], signed, linear=linear)).reshape(-1)
            answer = within(candidates.reshape(-1, candidates.shape[2]), wanted, tol=tolerance / block.gain)
            sums.add(block, block.chosen(candidates, answer.packed))
        parts[path] = sums.realised
    return parts


@pytest.mark.parametrize("case", CASES)
def test_outputs_on_other_data_are_closer(case):
    """At the same random network and tolerance; calibration and test are different halves of the data."""
    make, factor, lift = CASES[case]
    target, inputs, x = make()
    calibration, test = np.split(x, 2)
    y = evaluate(target.graph, target.coefficients, test, target.carried)
    errors = [
        np.sqrt(((evaluate(target.graph, parts, test) - y) ** 2).mean())
        for parts in (solved(target, inputs, calibration, aware=aware, lift=lift) for aware in (False, True))
    ]
    assert errors[1] < errors[0] / factor


def test_one_row_is_solved_as_successive_least_squares():
    """Each coefficient asked for is the minimiser of the mean square error given all that were solved before."""
    affine, features = Affine(RNG.normal(size=(1, 5, 1)), None), RNG.random((200, 5)) @ RNG.random((5, 5))
    target = chain([affine])
    order = orders(target, Inputs((5,), lower=(0.0,), upper=(6.0,)), features)["layers/0"]
    h = np.linalg.inv(order.factor.T @ order.factor)
    asked, given = affine.weight[0, :, 0].copy(), []
    for q in range(5):
        rest = slice(q, 5)
        fixed = np.array(given)
        if q:  # min over the rest of (E H E'), E = (fixed - w, rest - w): a linear system
            off = fixed - affine.weight[0, :q, 0]
            best = affine.weight[0, rest, 0] - np.linalg.solve(h[rest, rest], h[rest, :q] @ off)
            np.testing.assert_allclose(asked[rest], best, atol=1e-9)
        kept = asked[q] + RNG.normal(0, 0.1)
        error = (asked[q] - kept) / order.factor[q, q]
        asked[q + 1 :] -= error * order.factor[q, q + 1 :]
        given.append(kept)


def test_features_are_what_coefficients_are_multiplied_with():
    basis = Conv(2, 3, (2, 3), (2, 1), (1, 0, 1, 2), (1, 2))
    x, coefficients = RNG.normal(size=(4, 2, 6, 7)), RNG.normal(size=(3, 2, 6))
    y = np.moveaxis(basis.apply(coefficients, x), 1, -1).reshape(-1, 3)
    np.testing.assert_allclose(np.einsum("sit,rit->sr", module._features(basis, x), coefficients), y, atol=1e-12)


def test_maps_in_groups_and_with_too_many_features_have_no_order(monkeypatch):
    target, inputs, x = conv()
    assert orders(target, inputs, x).keys() == {"a", "b"}
    monkeypatch.setattr(module, "_MOST_FEATURES", 6)
    assert orders(target, inputs, x).keys() == {"b"}
    op = Linear("a", Conv(2, 2, (1,), (1,), (0, 0), (1,), groups=2), False)
    grouped = Target(Graph((Node("a", op, (INPUT,)),)), {"a": Affine(np.ones((1, 2, 1)), None)}, (2, 4))
    assert orders(grouped, Inputs((2, 4)), RNG.random((3, 2, 4))) == {}


def test_a_ticket_claims_what_its_weights_are_off_by():
    """From Python: closer outputs, the same network and bits, a claim that verifies, a tolerance that is larger."""
    rng = np.random.default_rng(5)
    model = {"weight": rng.normal(0, 0.1, (20, 64)), "bias": rng.normal(0, 0.1, 20)}
    x = (rng.random((200, 6)) @ rng.random((6, 64)) / 6).astype(np.float32)
    plain, aware = (
        slth.construct(model, input_range=(0, 1), relative_tolerance=0.05, threads=1, calibration=data)
        for data in (None, x[:100])
    )
    errors = [slth.evaluate(t, (x[100:], None), target=model).measured_error for t in (plain, aware)]
    assert errors[1] < errors[0] / 2
    assert (aware.misses, aware.mask_bits) == (0, plain.mask_bits)
    assert aware.claims.tolerances["layers/0"] == aware.claims.weight_error > plain.claims.tolerances["layers/0"]
    assert slth.verify(aware, target=model).holds
    asked = slth.ticket.decode(slth.ticket.encode(aware)).provenance.asked
    assert (asked["searched_relative_tolerance"], asked["calibration"]) == (0.05, "arrays")


def test_an_error_of_the_network_is_met_whatever_weights_are_off_by():
    rng = np.random.default_rng(6)
    model = {"weight": rng.normal(0, 0.1, (5, 12))}
    ticket = slth.construct(model, input_range=(0, 1), epsilon=0.5, threads=1, calibration=rng.random((50, 12)))
    assert ticket.claims.sup_error <= 0.5
    assert slth.verify(ticket, target=model).holds


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.ones((3, 4)), "expected inputs of shape 5"),
        (np.ones(5), "expected inputs of shape 5"),
        (np.ones((0, 5)), "at least one"),
        (np.full((2, 5), np.nan), "NaN"),
        ("no such data", "no such data"),
    ],
)
def test_calibration_that_does_not_fit_is_refused(data, words):
    with pytest.raises(slth.InputError, match=words):
        slth.construct({"weight": np.ones((2, 5))}, input_range=(0, 1), calibration=data)


def test_an_exact_ticket_has_no_errors_to_make_up_for():
    with pytest.raises(slth.InputError, match="exact and not centred"):
        slth.construct(
            {"weight": np.ones((2, 5), np.float32)}, input_range=(0, 1), exact=True, calibration=np.ones((1, 5))
        )
