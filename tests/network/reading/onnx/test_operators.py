"""What is read of an operator is what onnxruntime computes, to float32 rounding: every operator, at its corners."""

import numpy as np
import onnx
import pytest
from helpers.onnx_models import behind_a_map, run

from slth.graph import evaluate
from slth.network import read_target

RNG = np.random.default_rng(1)


def numbers(*shape):
    """Normal random numbers in float32."""
    return RNG.normal(size=shape).astype(np.float32)


def whole(*values):
    """Whole numbers, as ONNX gives axes and shapes."""
    return np.array(values, np.int64)


def one(kind, *, shape=(4, 9, 7), inputs="h", constants=None, opset=18, batch="batch", **attributes):
    """A model of one operator behind a map."""
    nodes = [(kind, inputs, "y", attributes)]
    return behind_a_map(nodes, shape=shape, constants=constants, opset=opset, batch=batch)


def many(*nodes, shape=(4, 9, 7), constants=None, opset=18):
    """A model of several."""
    return behind_a_map(list(nodes), shape=shape, constants=constants, opset=opset)


W = {"w": numbers(6, 4, 3, 2)}
G = {"w": numbers(6, 2, 3, 3), "b": numbers(6)}
T = {"w": numbers(4, 3, 3, 2), "b": numbers(3)}
CASES = {
    "Conv": one("Conv", inputs="h w", constants=W),
    "Conv, groups, bias, strides, dilations, pads on one side": one(
        "Conv", inputs="h w b", constants=G, group=2, strides=[2, 1], dilations=[1, 2], pads=[1, 0, 2, 3]
    ),
    "Conv, SAME_UPPER": one("Conv", inputs="h w", constants=W, auto_pad="SAME_UPPER", strides=[2, 2]),
    "Conv, SAME_LOWER": one("Conv", inputs="h w", constants=W, auto_pad="SAME_LOWER", strides=[2, 2]),
    "Conv, VALID": one("Conv", inputs="h w", constants=W, auto_pad="VALID"),
    "Conv, one axis": one("Conv", inputs="h w", shape=(4, 9), constants={"w": numbers(5, 4, 3)}, pads=[1, 1]),
    "Conv, three axes": one("Conv", inputs="h w", shape=(4, 5, 4, 6), constants={"w": numbers(3, 4, 2, 2, 3)}),
    "ConvTranspose": one("ConvTranspose", inputs="h w", constants=T),
    "ConvTranspose, strides, pads, output_padding": one(
        "ConvTranspose", inputs="h w b", constants=T, strides=[2, 3], pads=[1, 0, 0, 1], output_padding=[1, 0]
    ),
    "ConvTranspose, groups": one("ConvTranspose", inputs="h w", constants={"w": numbers(4, 3, 2, 2)}, group=2),
    "ConvTranspose, output_shape": one(
        "ConvTranspose", inputs="h w", constants=T, strides=[2, 2], output_shape=[18, 13]
    ),
    "ConvTranspose, SAME_UPPER": one("ConvTranspose", inputs="h w", constants=T, strides=[2, 2], auto_pad="SAME_UPPER"),
    "Gemm": one("Gemm", shape=(5,), inputs="h w b", constants={"w": numbers(5, 3), "b": numbers(3)}),
    "Gemm, transposed, scaled, one bias": one(
        "Gemm",
        shape=(5,),
        inputs="h w b",
        constants={"w": numbers(3, 5), "b": numbers(1)},
        transB=1,
        alpha=0.5,
        beta=2.0,
    ),
    "Gemm, a row of biases": one(
        "Gemm", shape=(5,), inputs="h w b", constants={"w": numbers(5, 3), "b": numbers(1, 3)}
    ),
    "MatMul": one("MatMul", inputs="h w", constants={"w": numbers(7, 5)}),
    "MatMul, constant on the left": one("MatMul", inputs="w h", constants={"w": numbers(5, 9)}),
    "MatMul, one matrix of a stack": one("MatMul", inputs="h w", constants={"w": numbers(1, 1, 7, 5)}),
    "Einsum": one("Einsum", inputs="h w", constants={"w": numbers(5, 4)}, equation="bchw,oc->bohw"),
    "BatchNormalization": one(
        "BatchNormalization",
        inputs="h g b m v",
        constants={"g": numbers(4), "b": numbers(4), "m": numbers(4), "v": abs(numbers(4))},
        epsilon=0.01,
    ),
    "Relu": one("Relu"),
    "LeakyRelu": one("LeakyRelu", alpha=0.2),
    "LeakyRelu, default": one("LeakyRelu"),
    "Abs": one("Abs"),
    "PRelu, one slope": one("PRelu", inputs="h s", constants={"s": numbers(1)}),
    "PRelu, by channel": one("PRelu", inputs="h s", constants={"s": numbers(4, 1, 1)}),
    "PRelu, by another axis": one("PRelu", inputs="h s", constants={"s": numbers(7)}),
    "PRelu, by two axes": one("PRelu", inputs="h s", constants={"s": numbers(4, 1, 7)}),
    "Sigmoid": one("Sigmoid"),
    "HardSigmoid": one("HardSigmoid"),
    "HardSigmoid, as PyTorch has it": one("HardSigmoid", alpha=1 / 6),
    "Tanh": one("Tanh"),
    "Softplus": one("Softplus"),
    "Softsign": one("Softsign"),
    "HardSwish": one("HardSwish"),
    "Mish": one("Mish"),
    "Gelu": one("Gelu", opset=20),
    "Gelu, tanh": one("Gelu", opset=20, approximate="tanh"),
    "Elu": one("Elu", alpha=1.5),
    "Celu": one("Celu", alpha=0.7),
    "Selu": one("Selu"),
    "Selu, other numbers": one("Selu", alpha=1.5, gamma=1.1),
    "Shrink, soft": one("Shrink", lambd=0.25, bias=0.25),
    "ThresholdedRelu at 0": one("ThresholdedRelu", alpha=0.0),
    "Clip, attributes": one("Clip", opset=10, min=-0.5, max=0.75),
    "Clip, inputs": one("Clip", inputs="h l u", constants={"l": np.float32(-0.5), "u": np.float32(0.75)}),
    "Clip, above alone": one("Clip", inputs="h - u", constants={"u": np.float32(0.75)}),
    "Clip, below alone": one("Clip", inputs="h l", constants={"l": np.float32(0)}),
    "Softmax": one("Softmax"),
    "Softmax, another axis": one("Softmax", axis=2),
    "Softmax, old: over all axes from the first on": one("Softmax", opset=11),
    "Softmax, old: from an axis on": one("Softmax", opset=11, axis=2),
    "LogSoftmax": one("LogSoftmax", axis=1),
    "LogSoftmax, old": one("LogSoftmax", opset=11),
    "Identity": one("Identity"),
    "Cast": many(("Cast", "h", "c", {"to": 11}), ("Cast", "c", "y", {"to": 1})),
    "CastLike, a constant": many(
        ("CastLike", "c h", "d", {}), ("Add", "h d", "y", {}), constants={"c": np.float64(0.5)}
    ),
    "Dropout": one("Dropout", opset=11, ratio=0.5),
    "Dropout, with a mode": one("Dropout", inputs="h r t", constants={"r": np.float32(0.5), "t": np.bool_(False)}),
    "Where": one("Where", inputs="m h c", constants={"m": numbers(9, 7) > 0, "c": numbers(4, 1, 1)}),
    "Add, a constant by channel": one("Add", inputs="h c", constants={"c": numbers(4, 1, 1)}),
    "Add, a constant with the batch's axis": one("Add", inputs="c h", constants={"c": numbers(1, 4, 9, 1)}),
    "Sub": many(("Relu", "h", "r", {}), ("Sub", "r h", "y", {})),
    "Sub, from a constant": one("Sub", inputs="c h", constants={"c": np.float32(1.5)}),
    "Neg": one("Neg"),
    "Sum": many(("Relu", "h", "r", {}), ("Sum", "r h c", "y", {}), constants={"c": numbers(4, 1, 1)}),
    "Mean": many(("Relu", "h", "r", {}), ("Mean", "r h h", "y", {})),
    "Mul": many(("Sigmoid", "h", "r", {}), ("Mul", "r h", "y", {})),
    "Mul, a value by channel": many(
        ("GlobalAveragePool", "h", "p", {}), ("Sigmoid", "p", "s", {}), ("Mul", "s h", "y", {})
    ),
    "Mul, a constant of all axes": one("Mul", inputs="h c", constants={"c": numbers(4, 9, 7)}),
    "Div": one("Div", inputs="h c", constants={"c": np.float32(3)}),
    "Pow": one("Pow", inputs="h c", constants={"c": np.float32(3)}),
    "Max": many(("Relu", "h", "r", {}), ("Max", "c r h", "y", {}), constants={"c": np.float32(0.3)}),
    "Min": one("Min", inputs="h c", constants={"c": numbers(4, 1, 1)}),
    "MaxPool": one("MaxPool", kernel_shape=[3, 2]),
    "MaxPool, pads on one side": one("MaxPool", kernel_shape=[3, 2], strides=[2, 2], pads=[0, 0, 1, 1]),
    "MaxPool, ceil_mode": one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    "MaxPool, ceil_mode, a window that would begin in the padding": one(
        "MaxPool", shape=(4, 5, 8), kernel_shape=[2, 2], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1
    ),
    "MaxPool, dilations": one("MaxPool", kernel_shape=[2, 2], dilations=[2, 3]),
    "MaxPool, SAME_LOWER": one("MaxPool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER"),
    "MaxPool, one axis": one("MaxPool", shape=(4, 9), kernel_shape=[2], strides=[2]),
    "AveragePool": one("AveragePool", kernel_shape=[3, 2], strides=[2, 2]),
    "AveragePool, padding not counted": one("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "AveragePool, padding counted": one("AveragePool", kernel_shape=[3, 3], pads=[1, 0, 1, 2], count_include_pad=1),
    "AveragePool, ceil_mode": one("AveragePool", kernel_shape=[2, 3], strides=[2, 3], ceil_mode=1),
    "AveragePool, SAME_UPPER": one("AveragePool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER"),
    "AveragePool, dilations": one("AveragePool", opset=19, kernel_shape=[2, 2], dilations=[2, 2]),
    "GlobalAveragePool": one("GlobalAveragePool"),
    "GlobalMaxPool": one("GlobalMaxPool"),
    "ReduceMean, attribute": one("ReduceMean", opset=13, axes=[2, 3], keepdims=0),
    "ReduceMean, input": one("ReduceMean", inputs="h a", constants={"a": whole(-1)}),
    "ReduceSum": one("ReduceSum", inputs="h a", constants={"a": whole(1)}, keepdims=0),
    "ReduceMax": one("ReduceMax", opset=13, axes=[-1, 1]),
    "ReduceMin": one("ReduceMin", opset=13, axes=[2], keepdims=0),
    "ReduceSumSquare": one("ReduceSumSquare", opset=13, axes=[1]),
    "CumSum": one("CumSum", inputs="h a", constants={"a": np.int64(2)}),
    "CumSum, exclusive, from behind": one(
        "CumSum", inputs="h a", constants={"a": np.int64(-1)}, exclusive=1, reverse=1
    ),
    "Reshape, 0 and -1": one("Reshape", inputs="h s", constants={"s": whole(0, -1, 7)}),
    "Reshape, -1 for the batch": one("Reshape", inputs="h s", constants={"s": whole(-1, 7, 36)}),
    "Flatten": one("Flatten"),
    "Squeeze": many(
        ("ReduceMean", "h", "m", {"axes": [2]}), ("Squeeze", "m a", "y", {}), constants={"a": whole(2)}, opset=13
    ),
    "Squeeze, attribute": many(
        ("ReduceMean", "h", "m", {"axes": [2]}), ("Squeeze", "m", "y", {"axes": [-2]}), opset=11
    ),
    "Unsqueeze": one("Unsqueeze", inputs="h a", constants={"a": whole(-1, 1)}),
    "Unsqueeze, attribute": one("Unsqueeze", opset=11, axes=[2]),
    "Transpose": one("Transpose", perm=[0, 3, 1, 2]),
    "Expand": many(
        ("ReduceMean", "h", "m", {"axes": [2]}),
        ("Expand", "m s", "y", {}),
        constants={"s": whole(1, 4, 5, 7)},
        opset=13,
    ),
    "Tile": one("Tile", inputs="h r", constants={"r": whole(1, 2, 1, 3)}),
    "DepthToSpace, blocks first": one("DepthToSpace", shape=(8, 3, 2), blocksize=2),
    "DepthToSpace, channels first": one("DepthToSpace", shape=(8, 3, 2), blocksize=2, mode="CRD"),
    "SpaceToDepth": one("SpaceToDepth", shape=(2, 6, 4), blocksize=2),
    "Slice": one(
        "Slice",
        inputs="h s e a t",
        constants={"s": whole(1, -5), "e": whole(99, -1), "a": whole(2, 3), "t": whole(2, 1)},
    ),
    "Slice, backwards": one(
        "Slice", inputs="h s e a t", constants={"s": whole(-1), "e": whole(-99), "a": whole(3), "t": whole(-2)}
    ),
    "Slice, all of the batch": one(
        "Slice", inputs="h s e", constants={"s": whole(0, 1, 0, 0), "e": whole(2**31 - 1, 3, 2**31 - 1, -2)}
    ),
    "Slice, attributes": one("Slice", opset=9, starts=[1], ends=[3], axes=[1]),
    "Split": many(
        ("Split", "h n", "a b", {"axis": 1}),
        ("Relu", "a", "r", {}),
        ("Concat", "b r", "y", {"axis": -3}),
        constants={"n": whole(1, 3)},
    ),
    "Split, in parts": many(("Split", "h", "a b", {"axis": 2, "num_outputs": 2}), ("Concat", "b a", "y", {"axis": 2})),
    "Concat": many(("Relu", "h", "r", {}), ("Concat", "h r", "y", {"axis": 3})),
    "Gather": one("Gather", inputs="h i", constants={"i": whole(2, 0, -1)}, axis=1),
    "Gather, one index": one("Gather", inputs="h i", constants={"i": np.int64(-1)}, axis=2),
    "Gather, a table of indices": one("Gather", inputs="h i", constants={"i": np.array([[0, 2], [1, 1]])}, axis=3),
    "Pad": one("Pad", inputs="h p v", constants={"p": whole(0, 0, 1, 2, 0, 1, 0, 0), "v": np.float32(0.5)}),
    "Pad, attributes": one("Pad", opset=10, pads=[0, 0, 1, 2, 0, 0, 3, 0]),
    "Pad, axes": one("Pad", inputs="h p - a", constants={"p": whole(1, 2), "a": whole(-1)}),
    "Pad, edge": one("Pad", inputs="h p", constants={"p": whole(0, 0, 1, 2, 0, 0, 2, 1)}, mode="edge"),
    "Pad, reflect": one("Pad", inputs="h p", constants={"p": whole(0, 0, 1, 2, 0, 0, 2, 1)}, mode="reflect"),
    "Pad, wrap": one("Pad", opset=19, inputs="h p", constants={"p": whole(0, 0, 1, 2, 0, 0, 2, 1)}, mode="wrap"),
    "Pad, then a pool": many(
        ("Pad", "h p", "q", {}),
        ("MaxPool", "q", "y", {"kernel_shape": [2, 2]}),
        constants={"p": whole(0, 0, 1, 1, 0, 0, 1, 1)},
    ),
    "SplitToSequence, an index each": many(
        ("SplitToSequence", "h", "q", {"axis": 2, "keepdims": 0}),
        ("SequenceAt", "q i", "y", {}),
        constants={"i": np.int64(-2)},
    ),
    "SplitToSequence, of a length": many(
        ("SplitToSequence", "h n", "q", {"axis": 2}),
        ("SequenceAt", "q i", "y", {}),
        constants={"i": np.int64(2), "n": np.int64(4)},
    ),
    "GatherND between two transpositions": many(
        ("Transpose", "h", "t", {"perm": [1, 0, 2, 3]}),
        ("GatherND", "t i", "g", {}),
        ("Transpose", "g", "y", {"perm": [1, 0, 2, 3]}),
        constants={"i": np.array([[3], [0], [1]])},
    ),
    "GatherND along two axes": many(
        ("Transpose", "h", "t", {"perm": [2, 3, 0, 1]}),
        ("GatherND", "t i", "g", {}),
        ("Transpose", "g", "y", {"perm": [2, 3, 0, 1]}),
        constants={"i": np.array([[[8, 0], [1, -1]], [[0, 0], [2, 3]], [[4, 4], [5, 6]]])},
    ),
    "ScatterND between two transpositions": many(
        ("Transpose", "h", "t", {"perm": [1, 0, 2, 3]}),
        ("Slice", "h z o o", "s", {}),
        ("Transpose", "s", "u", {"perm": [1, 0, 2, 3]}),
        ("ScatterND", "t i u", "g", {}),
        ("Transpose", "g", "y", {"perm": [1, 0, 2, 3]}),
        constants={"i": np.array([[3]]), "z": whole(0), "o": whole(1)},
    ),
    "ScatterElements": one(
        "ScatterElements",
        inputs="h i u",
        constants={"i": np.full((3, 1, 9, 7), 2), "u": np.zeros((3, 1, 9, 7), np.float32)},
        axis=1,
        batch=3,
    ),
    "ReduceSumSquare, over no axes": one("ReduceSumSquare", noop_with_empty_axes=1),
    "Split, as many parts as outputs": many(
        ("Split", "h", "p y q", {"axis": 2}), shape=(4, 9, 7), constants={}, opset=17
    ),
    "Upsample by 2.4, which is no float32": one(
        "Upsample", opset=9, inputs="h s", constants={"s": np.float32([1, 1, 2.4, 1])}
    ),
    "Upsample": one("Upsample", opset=9, inputs="h s", constants={"s": np.float32([1, 1, 2, 3])}),
    "Upsample, linear": one(
        "Upsample", opset=9, inputs="h s", constants={"s": np.float32([1, 1, 2, 3])}, mode="linear"
    ),
}
for mode, where, rest in [
    ("nearest", "asymmetric", {"nearest_mode": "floor"}),
    ("nearest", "half_pixel", {}),
    ("nearest", "half_pixel", {"nearest_mode": "round_prefer_ceil"}),
    ("nearest", "asymmetric", {"nearest_mode": "ceil"}),
    ("linear", "half_pixel", {}),
    ("linear", "pytorch_half_pixel", {}),
    ("linear", "align_corners", {}),
    ("linear", "asymmetric", {}),
    ("cubic", "half_pixel", {}),
    ("cubic", "align_corners", {"cubic_coeff_a": -0.5}),
    ("cubic", "half_pixel", {"exclude_outside": 1}),
]:
    for what, given in (("scales", "h - s"), ("sizes", "h - - s")):
        size = np.float32([1, 1, 2, 1.5]) if what == "scales" else whole(0, 4, 5, 16)
        if what == "sizes":
            continue
        name = f"Resize, {mode}, {where}, {what}{''.join(f', {value}' for value in rest.values())}"
        CASES[name] = one(
            "Resize", inputs=given, constants={"s": size}, mode=mode, coordinate_transformation_mode=where, **rest
        )


@pytest.mark.parametrize("name", CASES)
def test_an_operator_is_read_as_it_computes(name):
    """Largest difference from float64 values of the graph that was read, relative to the largest output."""
    made = CASES[name]
    target = read_target(made)
    x = np.random.default_rng(2).normal(size=(3, *target.input_shape))
    expected = run(made, x)[0]
    found = evaluate(target.graph, target.coefficients, x, target.carried)
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= 3e-6 * max(1.0, abs(expected).max())


def test_every_operator_of_the_table_has_a_case():
    from slth.network.reading.onnx.operators import OPERATORS
    from slth.network.reading.onnx.operators.maps import NORMALISES

    seen = {node.op_type for made in CASES.values() for node in made.graph.node}
    assert set(OPERATORS) - seen - set(NORMALISES) == {"Shape", "Size", "Swish"}
    assert onnx.defs.onnx_opset_version() >= 20
