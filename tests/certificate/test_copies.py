"""Bounds where every channel has copies: fresh errors add up over copies, propagated ones do not cancel."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.copies import KINDS, network, plain_weights, reads

from slth import InputError
from slth.certificate import certify, failed_claims, per_input_error
from slth.graph import Affine, Box, Realised, chain, evaluate, with_copies

every_kind = pytest.mark.parametrize("kind", KINDS)


def bounds(wide, realised, *, lower=0.0, upper=1.0):
    box = Box.uniform(lower, upper, *wide.input_shape)
    tolerances = dict.fromkeys(wide.graph.maps, 1.0)
    return certify(wide, realised.__getitem__, tolerances=tolerances, box=box), box


def worst(wide, realised, box, count):
    """The largest error of each output that corners, random points and small changes of the worst ones show."""
    rng, shape = np.random.default_rng(2), wide.input_shape
    points = rng.uniform(box.lower, box.upper, (count, *shape))
    points[::2] = np.where(rng.random((len(points[::2]), *shape)) < 0.5, box.lower, box.upper)
    found = 0.0
    for _ in range(3):
        theirs = evaluate(wide.graph, wide.coefficients, points, wide.carried)
        error = np.abs(evaluate(wide.graph, realised, points, wide.carried) - theirs).reshape(len(points), -1)
        found = np.maximum(found, error.max(axis=0))
        best = points[np.argsort(error.max(axis=1))[-20:]]
        change = rng.random((len(best), 50, *shape)) < 0.1
        moved = np.where(change, rng.uniform(box.lower, box.upper, change.shape), best[:, None])
        points = moved.reshape(-1, *shape)
    return found


@every_kind
@pytest.mark.parametrize("lower", [0.0, -1.0])
def test_no_input_exceeds_the_bound(kind, lower):
    wide = with_copies(network(kind), reads(network(kind)))
    realised = plain_weights(wide, off=0.05, lower=lower)
    found, box = bounds(wide, realised, lower=lower)
    assert found.output_error is not None
    assert (worst(wide, realised, box, 2000) <= np.array(found.output_error)).all()
    assert not failed_claims(found, wide, realised.__getitem__, box=box)


def test_propagated_errors_do_not_cancel_over_copies():
    """Σ_k P = W exactly, and the copies err by ∓0.05: contracting e over copies would claim 0.05, a tenth of it."""
    wide = with_copies(
        chain([Affine(np.ones((1, 1, 1)), None), Affine(np.full((1, 1, 1), 1.0), None)]), {"layers/1": 2}
    )
    realised = {
        "layers/0": Realised(np.array([[[0.95]], [[1.05]]]), None, None, np.zeros(1, bool)),
        "layers/1": Realised(np.array([[[-5.0], [6.0]]]), None, None, np.zeros(2, bool)),
    }
    found, box = bounds(wide, realised)
    x = np.ones((1, 1))
    true = np.abs(evaluate(wide.graph, realised, x) - evaluate(wide.graph, wide.coefficients, x)).item()
    contracted = abs(realised["layers/1"].positive.sum()) * 0.05  # |Σ_k P| e
    assert true == pytest.approx(0.55)
    assert true > 10 * contracted
    assert found.output_error == pytest.approx((0.55,))
    assert not failed_claims(found, wide, realised.__getitem__, box=box)
    forged = replace(found, output_error=(0.06,))
    assert failed_claims(forged, wide, realised.__getitem__, box=box)


@every_kind
def test_claims_of_a_map_are_those_of_its_channels(kind):
    """Errors and misses of Σ_k P - W, one for each weight and copy of a row."""
    wide = with_copies(network(kind), reads(network(kind)))
    realised = plain_weights(wide, off=0.05)
    found, _ = bounds(wide, realised)
    for path, affine in wide.coefficients.items():
        by_channel = realised[path].positive - affine.weight
        by_channel = by_channel.reshape(len(by_channel), -1, wide.copies.get(path, 1), by_channel.shape[2]).sum(axis=2)
        assert found.maps[path].weight_error == pytest.approx(np.abs(by_channel).max(), rel=1e-5)
    tolerances = {path: claim.weight_error * 0.9 for path, claim in found.maps.items()}
    again = certify(wide, realised.__getitem__, tolerances=tolerances, box=None)
    assert all(claim.misses > 0 for claim in again.maps.values())


def test_intervals_are_those_of_the_target():
    """Small copies of large opposite weights: their intervals would make the error 200 times as large."""
    layers = [Affine(np.ones((1, 1, 1)), None)] * 3
    wide = with_copies(chain(layers), {"layers/1": 2, "layers/2": 2})
    first = Realised(np.ones((2, 1, 1)), None, None, np.zeros(1, bool))
    middle = Realised(np.array([[[-100.0], [101.0]]] * 2), None, None, np.zeros(2, bool))
    last = Realised(np.array([[[0.5], [0.51]]]), None, None, np.zeros(2, bool))
    found, _ = bounds(wide, {"layers/0": first, "layers/1": middle, "layers/2": last})
    assert found.output_error == pytest.approx((0.01,), rel=1e-5)


def test_what_treats_signs_apart_is_no_plain_weight():
    target = network("linear")
    wide = with_copies(target, reads(target))
    realised = plain_weights(wide, lower=-1.0)
    path = next(path for path in wide.copies if realised[path].negative is not None)
    part = realised[path]
    forged = {**realised, path: replace(part, negative=part.negative * 2)}
    with pytest.raises(InputError, match="copies are read by plain weights"):
        bounds(wide, forged, lower=-1.0)


@every_kind
def test_single_inputs_are_bounded_too(kind):
    wide = with_copies(network(kind), reads(network(kind)))
    realised = plain_weights(wide, off=0.05)
    x = np.random.default_rng(1).random((4, *wide.input_shape))
    bound = per_input_error(wide, realised.__getitem__, x)
    theirs = evaluate(wide.graph, wide.coefficients, x, wide.carried)
    true = np.abs(evaluate(wide.graph, realised, x, wide.carried) - theirs)
    assert (true.reshape(bound.shape) <= bound).all()
    assert (bound <= true.reshape(bound.shape) + 1e-6).all()
