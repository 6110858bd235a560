"""A state dict is read for the MLP that it is, or refused with one sentence; what was assumed is said."""

import numpy as np
import pytest
import torch
from torch import nn

from slth import InputError
from slth.graph import Pointwise, chain_of
from slth.network import read_target

INPUTS = "inputs: as the first layer takes them, and no step beside the layers (a state dict does not say)"


def tensors(*names_and_shapes, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in names_and_shapes}


def widths(target):
    found = chain_of(target.graph)
    assert found is not None
    return tuple(found[0])


def weights(target):
    return [affine.weight[:, :, 0] for affine in target.coefficients.values()]


def test_numbered_layers_come_in_natural_order():
    """`fc10` stands after `fc9`, whatever the order in the file."""
    sizes = list(range(12, 1, -1))
    state = {f"fc{i}.weight": np.ones((sizes[i + 1], sizes[i]), np.float32) for i in (9, 0, 5, 1, 8, 2, 7, 3, 6, 4)}
    target = read_target(state)
    assert widths(target) == tuple(sizes)
    assert len(target.assumed) == 2  # the activation, the inputs; no other order would fit


def test_weights_and_biases_are_kept_exactly():
    state = tensors(("0.weight", (4, 3)), ("0.bias", (4,)), ("2.weight", (2, 4)))
    target = read_target(state)
    assert target.names == {"layers/0": ("0.weight", "0.bias"), "layers/1": ("2.weight", None)}
    assert (weights(target)[0] == state["0.weight"]).all()
    assert (target.coefficients["layers/0"].bias == state["0.bias"]).all()
    assert target.coefficients["layers/1"].bias is None
    assert "relu" in target.assumed[0]


def test_named_layers_are_taken_in_the_only_order_that_chains():
    state = tensors(("out.weight", (2, 5)), ("body.weight", (5, 4)), ("stem.weight", (4, 3)))
    target = read_target(state)
    assert widths(target) == (3, 4, 5, 2)
    assert any("only order" in sentence for sentence in target.assumed)


def test_an_order_that_only_numbers_tell_is_an_assumption():
    """Two square layers fit either way."""
    square = tensors(("fc2.weight", (4, 4)), ("fc1.weight", (4, 4)))
    target = read_target(square, activation="relu")
    assert (weights(target)[0] == square["fc1.weight"]).all()
    (sentence, inputs) = sorted(target.assumed, reverse=True)
    assert inputs == INPUTS
    assert "in the order of their numbers, fc1, fc2" in sentence
    assert read_target(square, activation="relu", order=["fc2", "fc1"]).assumed == (INPUTS,)
    assert read_target(tensors(("fc1.weight", (4, 4)), ("fc2.weight", (3, 4))), activation="relu").assumed == (INPUTS,)
    many = {f"{2 * i}.weight": np.eye(3, dtype=np.float32) for i in range(20)}
    assert len(read_target(many, activation="relu").assumed) == 2


@pytest.mark.parametrize(
    "names",
    [("a", "b"), ("down1", "up1"), ("block1.fc2", "block2.fc1"), ("up1", "up2.skip")],
)
def test_an_ambiguous_order_is_refused_and_can_be_given(names):
    """Natural order says something only where names differ in one number alone."""
    first, second = names
    state = tensors((f"{first}.weight", (4, 4)), (f"{second}.weight", (4, 4)))
    with pytest.raises(InputError, match=r"ambiguous.*order="):
        read_target(state)
    swapped = read_target(state, order=[second, first])
    assert (weights(swapped)[0] == state[f"{second}.weight"]).all()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({}, "no tensors"),
        (tensors(("0.weight", (4, 3)), ("2.weight", (2, 5))), "do not chain"),
        (tensors(("x.weight", (4, 3)), ("y.weight", (2, 5))), "do not chain in any order"),
        (tensors(("0.weight", (4, 3, 3, 3))), "unknown layer: 0.weight"),
        (tensors(("0.weight", (4, 3, 3, 3))), "of other networks the module itself"),
        (tensors(("0.weight", (4, 3)), ("1.running_mean", (4,))), "unknown layer: 1.running_mean"),
        (tensors(("0.weight", (4, 3)), ("1.bias", (4,))), "unknown layer: 1.bias"),
        (tensors(("0.weight", (4, 3)), ("0.bias", (3,))), "4 outputs"),
        (tensors(("weight", (4, 3)), (".weight", (4, 4))), r"unknown layer: \.weight"),
        ({"0.weight": np.ones((2, 2), np.int8)}, "dequantise"),
        ({"0.weight": np.array([[1.0, np.nan]])}, r"holds nan at \(0, 1\)"),
        ({"0.weight": np.array([[np.inf, 1.0]])}, r"holds inf at \(0, 0\)"),
        ({"0.weight": "x"}, "expected tensors only"),
        ({"0.weight": np.ones((0, 3))}, "none of them 0"),
        ({"0.weight": torch.ones(2, 2, device="meta")}, "0.weight holds no numbers"),
        ({"0.weight": torch.eye(2).to_sparse()}, "0.weight is sparse"),
        ({"0.weight": torch.ones(2, 2, dtype=torch.complex64)}, "0.weight is complex"),
        ({"0.weight\x1b[2J": np.ones((2, 2))}, r"unknown layer: 0\.weight\\x1b\[2J"),
        (3, "a target is an nn.Module, a path"),
    ],
)
def test_what_is_no_plain_mlp_is_refused_in_one_sentence(state, sentence):
    with pytest.raises(InputError, match=sentence) as error:
        read_target(state)
    assert "\n" not in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.filterwarnings("ignore")
def test_quantised_tensors_are_refused():
    weight = torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.qint8)
    with pytest.raises(InputError, match=r"0\.weight is quantised"):
        read_target({"0.weight": weight})


def test_a_name_that_is_a_layer_without_a_name_is_one():
    assert read_target({".weight": np.ones((2, 3))}).names == {"layers/0": (".weight", None)}


def test_an_order_must_name_each_layer_once():
    state = tensors(("a.weight", (4, 4)), ("b.weight", (4, 4)))
    for order in (["a"], ["a", "a"], ["a", "b", "c"]):
        with pytest.raises(InputError, match="each layer once"):
            read_target(state, order=order)


def test_an_unknown_activation_is_refused():
    with pytest.raises(InputError, match="unknown activation 'sine'; expected relu, tanh"):
        read_target(tensors(("0.weight", (4, 3))), activation="sine")


@pytest.mark.parametrize(
    ("activation", "op"),
    [("tanh", Pointwise("Tanh")), ("silu", Pointwise("Swish", alpha=1.0)), ("gelu", Pointwise("Gelu"))],
)
def test_an_activation_that_is_said_is_no_assumption(activation, op):
    target = read_target(tensors(("0.weight", (4, 3)), ("2.weight", (2, 4))), activation=activation)
    assert target.graph.nodes[1].op == op
    assert target.assumed == (INPUTS,)
    assert list(target.graph.maps) == ["layers/0", "layers/1"]


def test_the_identity_leaves_nothing_between_layers():
    target = read_target(tensors(("0.weight", (4, 3)), ("2.weight", (2, 4))), activation="identity")
    assert [node.name for node in target.graph.nodes] == ["layers/0", "layers/1"]


def test_the_module_and_its_state_dict_are_one_target():
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    own, state = read_target(module), read_target(module.state_dict(), activation="relu")
    assert own.graph == state.graph
    assert own.names == state.names
    assert (own.assumed, state.assumed) == ((), (INPUTS,))
    assert all((a == b).all() for a, b in zip(weights(own), weights(state), strict=True))


@pytest.mark.parametrize("given", [{"input_shape": (1, 28, 28)}, {"example": np.zeros((2, 5))}])
def test_inputs_of_another_size_than_the_first_layer_takes_are_refused(given):
    state = tensors(("0.weight", (4, 6)), ("2.weight", (2, 4)))
    with pytest.raises(InputError, match="but the first layer takes 6 numbers"):
        read_target(state, **given)
    assert widths(read_target(state, input_shape=(1, 2, 3), example=np.zeros((5, 6)))) == (6, 4, 2)
