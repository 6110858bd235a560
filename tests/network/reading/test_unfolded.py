"""Read unfolded, a network says which tensor of its own every map is; what has none is refused by name."""

import numpy as np
import onnx
import pytest
import torch
from helpers.exact import int8, mlp, residual
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils import prune

from slth import InputError
from slth.graph import Normalise, evaluate, stored_weight
from slth.network import read_target

RNG = np.random.default_rng(0)


def file_of(nodes, tensors, width=(4, 2)):
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", width[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", width[1]])],
        [numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    return model


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def test_a_normalisation_is_a_node_and_every_tensor_is_told():
    model = residual()
    target = read_target(model, input_shape=(2, 3, 3), exact=True)
    assert list(target.tensors) == list(model.state_dict())
    assert [node.name for node in target.graph.nodes if isinstance(node.op, Normalise)] == ["norm"]
    for path, op in target.graph.maps.items():
        weight, bias = (
            (
                model.state_dict()[name].numpy()
                for name in (f"{path}.weight", f"{path}.bias")
                if name in model.state_dict()
            )
            if target.names[path][1]
            else (model.state_dict()[f"{path}.weight"].numpy(), None)
        )
        np.testing.assert_array_equal(stored_weight(op.basis, target.coefficients[path].weight), weight)
        assert (target.coefficients[path].bias is None) == (bias is None)
    x = torch.randn(4, 2, 3, 3)
    y = evaluate(target.graph, target.coefficients, x.numpy(), target.carried)
    np.testing.assert_allclose(y, model(x).detach().numpy(), atol=1e-5)


def test_a_folded_reading_stays_as_it_was():
    target = read_target(residual(), input_shape=(2, 3, 3))
    assert not target.tensors
    assert not any(isinstance(node.op, Normalise) for node in target.graph.nodes)
    with pytest.raises(InputError, match="exact=True"):
        read_target(target, exact=True)


def test_pruning_that_is_not_removed_is_the_weight_that_it_gives():
    model = mlp()
    prune.l1_unstructured(model[2], "weight", 0.5)
    target = read_target(model, exact=True)
    assert target.names["layers/1"] == ("2.weight", "2.bias")
    assert not any(name.endswith(("_orig", "_mask")) for name in target.tensors)


def test_whole_numbers_are_their_scale_times_them():
    state = int8(mlp(), zero_points=True)
    target = read_target(state, activation="relu", exact=True)
    stored = target.tensors["2.weight"]
    assert (stored.format, stored.scale, stored.zero) == ("I8", "2.weight_scale", "2.weight_zero_point")
    q, scale, zero = (state[f"2.weight{end}"].double().numpy() for end in ("", "_scale", "_zero_point"))
    np.testing.assert_array_equal(target.coefficients["layers/1"].weight[:, :, 0], scale[:, None] * (q - zero[:, None]))
    plain = read_target(state, activation="relu")
    np.testing.assert_array_equal(plain.coefficients["layers/1"].weight, target.coefficients["layers/1"].weight)


def test_the_tensors_of_an_onnx_file_are_its_initialisers():
    """A matrix on the right is (in, out); whole numbers are dequantised in the graph; BatchNormalization stays."""
    q = RNG.integers(-90, 90, (3, 4)).astype(np.int8)
    tensors = {"q": q, "s": np.abs(normal(3)) / 50, "z": np.zeros(3, np.int8), "b": normal(3), "v": normal(3, 2)}
    tensors |= {"gamma": normal(3), "beta": normal(3), "mean": normal(3), "variance": np.abs(normal(3))}
    model = file_of(
        [
            ("DequantizeLinear", ["q", "s", "z"], ["w"], {"axis": 0}),
            ("Gemm", ["x", "w", "b"], ["h"], {"transB": 1}),
            ("BatchNormalization", ["h", "gamma", "beta", "mean", "variance"], ["n"]),
            ("Relu", ["n"], ["r"]),
            ("MatMul", ["r", "v"], ["y"]),
        ],
        tensors,
    )
    target = read_target(model, exact=True)
    assert set(target.tensors) == set(tensors)
    by_part = {name: stored.part for name, stored in target.tensors.items()}
    assert {name for name, part in by_part.items() if part == "weight"} == {"q", "v"}
    assert target.tensors["v"].transposed
    assert not target.tensors["q"].transposed
    assert [type(node.op).__name__ for node in target.graph.nodes] == ["Linear", "Normalise", "Pointwise", "Linear"]


def test_constants_that_are_computed_are_no_tensors():
    model = file_of(
        [("Mul", ["v", "two"], ["w"]), ("MatMul", ["x", "w"], ["y"])], {"v": normal(4, 2), "two": np.float32([2.5])}
    )
    with pytest.raises(InputError, match="is no tensor of the target, but an expression of two, v"):
        read_target(model, exact=True)


def test_a_tensor_called_as_a_carried_array_is_stays_another_one():
    tensors = {name: normal(3) for name in ("n/scale", "beta", "mean")} | {
        "variance": np.abs(normal(3)),
        "v": normal(4, 3),
    }
    tensors["n/mean"] = normal(3)
    model = file_of(
        [
            ("MatMul", ["x", "v"], ["h"]),
            ("BatchNormalization", ["h", "n/scale", "beta", "mean", "variance"], ["n"]),
            ("Mul", ["n", "n/mean"], ["y"]),
        ],
        tensors,
        (4, 3),
    )
    target = read_target(model, exact=True)
    for name, stored in target.tensors.items():
        if stored.part == "carried":
            np.testing.assert_array_equal(target.carried[stored.of], tensors[name])


def test_tensors_with_equal_numbers_are_what_reads_them():
    """A shift of a normalisation is no bias, and scales are no biases, whatever their numbers."""
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).eval()
    nn.init.zeros_(model[0].bias)
    target = read_target(model, exact=True)
    assert (target.tensors["1.bias"].part, target.tensors["0.bias"].part) == ("carried", "bias")
    state = int8(mlp())
    state["0.bias"] = state["0.weight_scale"].clone()
    target = read_target(state, activation="relu", exact=True)
    assert target.tensors["0.weight_scale"].part == "carried"
    assert target.tensors["0.weight"].scale in target.carried


def test_a_buffer_that_is_not_finite_is_refused_before_anything_is_solved():
    model = nn.Sequential(nn.Linear(4, 2))
    model.register_buffer("limit", torch.tensor([torch.inf]))
    with pytest.raises(InputError, match="limit holds NaN or infinity"):
        read_target(model, exact=True)


def test_a_shape_that_takes_no_format_is_refused():
    model = nn.Sequential(nn.Linear(4, 2))
    model.register_buffer("wide", torch.ones(2, dtype=torch.complex64))
    with pytest.raises(InputError, match="complex"):
        read_target(model, exact=True)
    model = nn.Sequential(nn.Linear(4, 2))
    model.register_buffer("small", torch.ones(2).to(torch.float8_e4m3fn))
    with pytest.raises(InputError, match="small is float8_e4m3fn"):
        read_target(model, exact=True)
