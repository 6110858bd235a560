"""What is read of a module computes the same, to rounding, for networks as people write them."""

import copy

import numpy as np
import pytest
import torch
from references.zoo import ZOO

from slth.graph import INPUT, evaluate, shapes, signed_inputs
from slth.network import read_target

SAMPLE = (
    "mlp_with_batch_norm",
    "mlp_that_ends_in_softmax",
    "lenet",
    "resnet_option_a",
    "mobilenet_v2",
    "squeeze_and_excitation",
    "audio",
    "spelled_out_activations",
    "every_part",
    "every_pool",
)
NAMES = [pytest.param(name, marks=() if name in SAMPLE else pytest.mark.slow) for name in ZOO]


def walk(graph):
    """The one order of nodes that the file knows."""
    by_name, found = {node.name: node for node in graph.nodes}, []

    def visit(name):
        if name != INPUT and name not in found:
            for value in by_name[name].inputs:
                visit(value)
            found.append(name)

    visit(graph.output)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_network_is_read_as_it_computes(name):
    """Largest difference of float64 outputs, relative to the largest output; the module is as it was before."""
    model, shape = ZOO[name]()
    model.double().train(name in ("lenet", "mlp"))
    flags = [part.training for part in model.modules()]
    state = copy.deepcopy(model.state_dict())
    target = read_target(model, input_shape=shape)
    assert [part.training for part in model.modules()] == flags
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    model.eval()

    x = np.random.default_rng(0).normal(size=(4, *shape))
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    found = evaluate(target.graph, target.coefficients, x, target.carried)
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= 1e-12 * abs(expected).max()

    assert [node.name for node in target.graph.nodes] == walk(target.graph)
    assert shapes(target.graph, shape, target.carried)[target.graph.output] == expected.shape[1:]
    signed = signed_inputs(target.graph, shape, np.ones((1,) * len(shape), np.bool_), target.carried)
    assert set(signed) == set(target.graph.maps)


def test_the_zoo_holds_thirty_networks_and_the_sample_is_of_it():
    assert len(ZOO) >= 30
    assert set(SAMPLE) <= set(ZOO)


@pytest.mark.parametrize("name", ["lenet", "mobilenet_v2"])
def test_a_float32_module_is_read_as_its_numbers_say(name):
    """Coefficients are the float32 numbers in float64: the reading equals the module's copy in float64."""
    model, shape = ZOO[name]()
    target = read_target(model, input_shape=shape)
    x = np.random.default_rng(1).normal(size=(2, *shape))
    with torch.no_grad():
        expected = model.double()(torch.from_numpy(x)).numpy()
    found = evaluate(target.graph, target.coefficients, x, target.carried)
    assert abs(found - expected).max() <= 1e-12 * abs(expected).max()
