"""Whole graphs: shapes that are computed, a batch that the file fixes, chains that spell out a function, names."""

import numpy as np
import pytest
import torch
from helpers.onnx_models import behind_a_map, model, run
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from slth import InputError
from slth.graph import Linear, Pointwise, evaluate
from slth.network import read_target

RNG = np.random.default_rng(3)
W = {"w": RNG.normal(size=(4, 4, 1, 1)).astype(np.float32), "v": RNG.normal(size=(4 * 36, 3)).astype(np.float32)}
CONV = ("Conv", "x w", "a", {})


def agrees(made, *, batch=3, **arguments):
    """What is read is what onnxruntime computes; gives what is read."""
    target = read_target(made, **arguments)
    x = np.random.default_rng(4).normal(size=(batch, *target.input_shape))
    expected = run(made, x)[0]
    found = evaluate(target.graph, target.coefficients, x, target.carried)
    assert abs(found - expected).max() <= 3e-6 * max(1.0, abs(expected).max())
    return target


def whole(*values):
    return np.array(values, np.int64)


def test_a_shape_that_is_computed_from_the_values_is_followed():
    """Shape, Gather, Unsqueeze, Concat, Reshape, as exporters write x.view(x.shape[0], -1)."""
    nodes = [
        CONV,
        ("Shape", "a", "s", {}),
        ("Gather", "s zero", "n", {}),
        ("Unsqueeze", "n first", "m", {}),
        ("Concat", "m rest", "t", {"axis": 0}),
        ("Reshape", "a t", "f", {}),
        ("MatMul", "f v", "y", {}),
    ]
    made = model(nodes, shape=(4, 6, 6), constants={**W, "zero": np.int64(0), "first": whole(0), "rest": whole(-1)})
    assert [type(node.op).__name__ for node in agrees(made).graph.nodes] == ["Linear", "Reshape", "Linear"]


def test_sizes_of_an_interpolation_may_be_computed():
    nodes = [
        CONV,
        ("Shape", "a", "s", {"end": 2}),
        ("Concat", "s big", "t", {"axis": 0}),
        ("Resize", "a - - t", "y", {"mode": "linear"}),
    ]
    agrees(model(nodes, shape=(4, 6, 6), constants={**W, "big": whole(9, 12)}))


@pytest.mark.parametrize(
    "node",
    [
        ("Conv", "a u", "y", {}),
        ("ConvTranspose", "a u", "y", {}),
        ("MatMul", "a m", "y", {}),
        ("MatMul", "m a", "y", {}),
        ("Gather", "a i", "y", {"axis": 1}),
    ],
    ids=lambda node: " ".join(node[:2]),
)
def test_a_weight_with_equal_rows_is_not_taken_for_a_batch(node):
    """As many rows as the file has examples: a last layer that begins at zero."""
    constants = {"u": np.zeros((4, 4, 1, 1), np.float32), "m": np.ones((4, 4), np.float32), "i": whole(*[[0, 2]] * 4)}
    agrees(model([CONV, node], shape=(4, 4, 4), constants={**W, **constants}, batch=4), batch=4)


def test_a_constant_that_is_repeated_for_every_example_is_one():
    """A class token: expanded to the batch, then joined."""
    nodes = [
        CONV,
        ("Shape", "a", "s", {"end": 1}),
        ("Concat", "s rest", "t", {"axis": 0}),
        ("Expand", "token t", "e", {}),
        ("Concat", "e a", "y", {"axis": 1}),
    ]
    token = RNG.normal(size=(1, 2, 6, 6)).astype(np.float32)
    agrees(model(nodes, shape=(4, 6, 6), constants={**W, "token": token, "rest": whole(2, 6, 6)}))


@pytest.mark.parametrize("batch", [1, 2, 6])
def test_a_batch_that_the_file_fixes_becomes_any(batch):
    nodes = [CONV, ("Reshape", "a s", "f", {}), ("MatMul", "f v", "y", {})]
    made = model(nodes, shape=(4, 6, 6), constants={**W, "s": whole(batch, -1)}, batch=batch)
    target = agrees(made, batch=batch)
    assert target.assumed == (
        f"the file fixes the batch at {batch}; every example is taken alike, so that any number can be given",
    )


def test_a_branch_that_a_constant_decides_is_taken():
    then = helper.make_graph(
        [helper.make_node("Relu", ["a"], ["r"])], "then", [], [helper.make_tensor_value_info("r", 1, None)]
    )
    otherwise = helper.make_graph(
        [helper.make_node("Sin", ["a"], ["s"])], "else", [], [helper.make_tensor_value_info("s", 1, None)]
    )
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 6, 6), constants={**W, "true": np.bool_(True)})
    del made.graph.node[1]
    made.graph.node.append(helper.make_node("If", ["true"], ["y"], then_branch=then, else_branch=otherwise))
    assert agrees(made).graph.nodes[-1].op == Pointwise("Relu")


def test_local_functions_are_written_out():
    body = [helper.make_node("Relu", ["p"], ["q"]), helper.make_node("Neg", ["q"], ["z"])]
    function = helper.make_function("own", "Twist", ["p"], ["z"], body, [helper.make_opsetid("", 18)])
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 6, 6), constants=W)
    made.graph.node[1].op_type, made.graph.node[1].domain = "Twist", "own"
    made.functions.append(function)
    made.opset_import.append(helper.make_opsetid("own", 1))
    assert len(agrees(made).graph.nodes) == 3


CHAINS = {
    "Gelu": [
        ("Div", "h root", "d", {}),
        ("Erf", "d", "e", {}),
        ("Add", "e one", "f", {}),
        ("Mul", "h f", "g", {}),
        ("Mul", "g half", "y", {}),
    ],
    "Swish": [("Sigmoid", "h", "s", {}), ("Mul", "h s", "y", {})],
    "HardSwish": [
        ("Add", "h three", "s", {}),
        ("Clip", "s zero six", "c", {}),
        ("Mul", "h c", "m", {}),
        ("Div", "m six", "y", {}),
    ],
    "Mish": [("Softplus", "h", "s", {}), ("Tanh", "s", "t", {}), ("Mul", "h t", "y", {})],
    "Softsign": [("Abs", "h", "a", {}), ("Add", "a one", "b", {}), ("Div", "h b", "y", {})],
    "Sigmoid": [("Neg", "h", "n", {}), ("Exp", "n", "e", {}), ("Add", "e one", "d", {}), ("Div", "one d", "y", {})],
    "Clip": [("Max", "h zero", "m", {}), ("Min", "m six", "y", {})],
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_that_spells_out_a_function_is_that_function(name):
    numbers = {"root": 2**0.5, "one": 1, "half": 0.5, "three": 3, "zero": 0, "six": 6}
    constants = {key: np.float32(value) for key, value in numbers.items()}
    target = agrees(behind_a_map(CHAINS[name], shape=(4, 3, 3), constants=constants, opset=13))
    assert [getattr(node.op, "function", "") for node in target.graph.nodes] == ["", name]
    rounded = (
        "Gelu is read where the file spells it out with numbers rounded to float32, less than 2e-07 max(1, |y|) away"
    )
    assert target.assumed == ((rounded,) if name == "Gelu" else ())


def test_numbers_that_are_off_by_more_than_float32_are_no_gelu():
    constants = {"root": np.float32(1.4143), "one": np.float32(1), "half": np.float32(0.5)}
    with pytest.raises(InputError, match="Erf is a function for which no rule is known"):
        read_target(behind_a_map(CHAINS["Gelu"], shape=(4, 3, 3), constants=constants))


def test_numbers_of_attributes_are_the_decimals_that_were_written():
    """0.01 and 1e-05, not the float32 beside them: a file and its module have one digest."""
    nodes = [("LeakyRelu", "h", "l", {"alpha": 0.01}), ("BatchNormalization", "l g b m v", "y", {"epsilon": 1e-5})]
    constants = {name: np.ones(4, np.float32) for name in "gbm"} | {"v": np.zeros(4, np.float32)}
    target = agrees(behind_a_map(nodes, shape=(4, 3, 3), constants=constants))
    assert target.graph.nodes[1].op == Pointwise("LeakyRelu", alpha=0.01)
    (scale,) = (array for name, array in target.carried.items() if name.endswith("scale"))
    assert scale[0] == 1 / np.sqrt(1e-5)


def test_weights_in_half_precision_and_bfloat16_are_read_exactly():
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 6, 6), constants=W)
    for kind in (TensorProto.FLOAT16, TensorProto.BFLOAT16):
        half = [("Cast", "k", "w", {"to": 1}), CONV, ("Relu", "a", "y", {})]
        made = model(half, shape=(4, 6, 6), constants={})
        tensor = helper.make_tensor("k", kind, [4, 4, 1, 1], W["w"].reshape(-1))
        made.graph.initializer.append(tensor)
        exact = numpy_helper.to_array(tensor).astype(np.float64)
        (affine,) = agrees(made).coefficients.values()
        assert (affine.weight[:, :, 0] == exact[:, :, 0, 0]).all()


def test_values_in_half_precision_are_compared_as_such():
    nodes = [("Cast", "x", "c", {"to": 10}), ("Cast", "c", "d", {"to": 1}), ("Conv", "d w", "y", {})]
    assert len(read_target(model(nodes, shape=(4, 6, 6), constants=W)).graph.nodes) == 1
    made = model([CONV, ("Relu", "a", "y", {})], shape=(4, 6, 6), constants={"w": W["w"].astype(np.float16)})
    made.graph.input[0].type.tensor_type.elem_type = made.graph.output[0].type.tensor_type.elem_type = 10
    del made.graph.value_info[:]
    assert len(read_target(made).graph.nodes) == 2


def test_maps_are_called_after_modules_of_weights_or_after_nodes():
    nodes = [("Conv", "x block.conv.weight", "a", {}), ("Conv", "a onnx::Conv_7", "y", {})]
    constants = {"block.conv.weight": W["w"], "onnx::Conv_7": W["w"]}
    made = model(nodes, shape=(4, 6, 6), constants=constants)
    made.graph.node[1].name = "/block/second/Conv"
    target = agrees(made)
    assert list(target.graph.maps) == ["block.conv", "/block/second/Conv"]
    assert target.names == {
        "block.conv": ("block.conv.weight", None),
        "/block/second/Conv": ("onnx::Conv_7", None),
    }


def test_a_weight_that_two_nodes_read_is_one_map():
    nodes = [("Conv", "x w", "a", {}), ("Relu", "a", "r", {}), ("Conv", "r w", "b", {}), ("Add", "a b", "y", {})]
    target = agrees(model(nodes, shape=(4, 6, 6), constants=W))
    assert len(target.graph.maps) == 1
    assert sum(isinstance(node.op, Linear) for node in target.graph.nodes) == 2


def test_the_reading_is_compared_with_what_onnxruntime_computes(monkeypatch):
    """A reader that makes a mistake does not get away with it."""
    from slth.network.reading.onnx.operators import OPERATORS

    monkeypatch.setitem(OPERATORS, "Tanh", OPERATORS["Sigmoid"])
    with pytest.raises(InputError, match=r"what was read differs from what onnxruntime computes by .* please report"):
        read_target(behind_a_map([("Tanh", "h", "y", {})], shape=(4, 3, 3)))


def test_a_model_that_was_not_exported_for_any_batch_is_the_module_too(tmp_path):
    model_ = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5)).eval()
    path = tmp_path / "net.onnx"
    torch.onnx.export(model_, (torch.randn(1, 3, 8, 8),), path, dynamo=False)
    target = read_target(path)
    x = np.random.default_rng(0).normal(size=(4, 3, 8, 8))
    with torch.no_grad():
        expected = model_.double()(torch.from_numpy(x)).numpy()
    found = evaluate(target.graph, target.coefficients, x, target.carried)
    assert abs(found - expected).max() <= 1e-12
