"""ONNX nodes as PyTorch's operators of numbers: what `recognise` runs to see which function a chain of them is."""

from typing import Any

import torch
from torch import fx

from slth.network.reading.onnx.call import Call

ATEN: Any = torch.ops.aten
BINARY = {
    "Add": ATEN.add.Tensor,
    "Sub": ATEN.sub.Tensor,
    "Mul": ATEN.mul.Tensor,
    "Div": ATEN.div.Tensor,
    "Pow": ATEN.pow.Tensor_Tensor,
    "Max": ATEN.maximum.default,
    "Min": ATEN.minimum.default,
    "Greater": ATEN.gt.Tensor,
    "Less": ATEN.lt.Tensor,
    "GreaterOrEqual": ATEN.ge.Tensor,
    "LessOrEqual": ATEN.le.Tensor,
    "Equal": ATEN.eq.Tensor,
    "And": ATEN.logical_and.default,
    "Or": ATEN.logical_or.default,
}
UNARY = {
    "Relu": ATEN.relu.default,
    "Neg": ATEN.neg.default,
    "Abs": ATEN.abs.default,
    "Exp": ATEN.exp.default,
    "Log": ATEN.log.default,
    "Sqrt": ATEN.sqrt.default,
    "Reciprocal": ATEN.reciprocal.default,
    "Erf": ATEN.erf.default,
    "Tanh": ATEN.tanh.default,
    "Sigmoid": ATEN.sigmoid.default,
    "Softplus": ATEN.softplus.default,
    "Sign": ATEN.sign.default,
    "Not": ATEN.logical_not.default,
    "HardSwish": ATEN.hardswish.default,
    "Mish": ATEN.mish.default,
    "Identity": ATEN.alias.default,
}
SPELLED = (*UNARY, *BINARY, "Where", "LeakyRelu", "Elu", "Gelu", "HardSigmoid", "Clip")


def spelled(graph: fx.Graph, call: Call, kind: str, inputs: list[fx.Node | None]) -> fx.Node:
    """A node of a graph of numbers; of an operator that mixes entries, or that PyTorch has not, a value of its own."""
    target, arguments = _target(call, kind, inputs)
    if target is None or (None in inputs and kind != "Clip"):
        return graph.placeholder("value")
    return graph.call_function(target, tuple(arguments))


def _target(call: Call, kind: str, inputs: list[fx.Node | None]) -> tuple[Any, list[Any]]:
    if kind in UNARY or (kind in BINARY and len(inputs) == 2):
        return {**UNARY, **BINARY}[kind], inputs
    match kind:
        case "Where":
            return ATEN.where.self, inputs
        case "LeakyRelu":
            return ATEN.leaky_relu.default, [*inputs, call.number("alpha", 0.01)]
        case "Elu":
            return ATEN.elu.default, [*inputs, call.number("alpha", 1.0)]
        case "Gelu":
            return ATEN.gelu.default, inputs if call.text("approximate", "none") == "none" else []
        case "HardSigmoid" if round(call.number("alpha", 0.2), 6) == 0.166667 and call.number("beta", 0.5) == 0.5:
            return ATEN.hardsigmoid.default, inputs
        case "Clip" if call.opset >= 11:
            return ATEN.clamp.Tensor, [*inputs, None, None][:3]
        case "Clip":
            return ATEN.clamp.default, [*inputs, call.attributes.get("min"), call.attributes.get("max")]
        case _:
            return None, []
