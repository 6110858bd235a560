"""One rule for each op, tried op by op by the conformance suite. An op without one is an op where claims stop."""

from collections.abc import Mapping

from slth.certificate.rules.combine import add, multiply, scale
from slth.certificate.rules.linear import linear, through_linear
from slth.certificate.rules.move import concatenate, constant, pad, permute, reshape, take
from slth.certificate.rules.pointwise import pointwise, through_relu
from slth.certificate.rules.rule import Facts, Rule
from slth.certificate.rules.softmax import log_softmax, softmax
from slth.certificate.rules.windows import axis_map, largest
from slth.graph import (
    Add,
    AxisMap,
    Concat,
    Constant,
    Linear,
    LogSoftmax,
    MaxPool,
    Multiply,
    Pad,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
)

RULES: Mapping[type, Rule] = {
    Linear: linear,
    Pointwise: pointwise,
    MaxPool: largest,
    AxisMap: axis_map,
    Add: add,
    Multiply: multiply,
    Scale: scale,
    Concat: concatenate,
    Reshape: reshape,
    Permute: permute,
    Slice: take,
    Pad: pad,
    Constant: constant,
    Softmax: softmax,
    LogSoftmax: log_softmax,
}

__all__ = ["RULES", "Facts", "Rule", "through_linear", "through_relu"]
