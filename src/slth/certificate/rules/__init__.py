"""One rule for each op, tried op by op by the conformance suite. An op without one is an op where claims stop."""

from collections.abc import Mapping

from slth.certificate.rules.attention import through_attention, through_mat_mul
from slth.certificate.rules.combine import through_add, through_multiply, through_normalise, through_scale
from slth.certificate.rules.linear import through_linear, through_map
from slth.certificate.rules.move import (
    through_concat,
    through_constant,
    through_pad,
    through_permute,
    through_reshape,
    through_slice,
)
from slth.certificate.rules.pointwise import through_pointwise, through_relu
from slth.certificate.rules.rule import Facts, Rule
from slth.certificate.rules.softmax import through_log_softmax, through_softmax
from slth.certificate.rules.standardise import through_standardise
from slth.certificate.rules.tables import through_embedding
from slth.certificate.rules.windows import through_axis_map, through_max_pool
from slth.graph import (
    Add,
    Attention,
    AxisMap,
    Concat,
    Constant,
    Embedding,
    Linear,
    LogSoftmax,
    MatMul,
    MaxPool,
    Multiply,
    Normalise,
    Pad,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Standardise,
)

RULES: Mapping[type, Rule] = {
    Linear: through_map,
    Pointwise: through_pointwise,
    MaxPool: through_max_pool,
    AxisMap: through_axis_map,
    Add: through_add,
    Multiply: through_multiply,
    Scale: through_scale,
    Normalise: through_normalise,
    Concat: through_concat,
    Reshape: through_reshape,
    Permute: through_permute,
    Slice: through_slice,
    Pad: through_pad,
    Constant: through_constant,
    Softmax: through_softmax,
    LogSoftmax: through_log_softmax,
    MatMul: through_mat_mul,
    Attention: through_attention,
    Standardise: through_standardise,
    Embedding: through_embedding,
}

__all__ = ["RULES", "Facts", "Rule", "through_linear", "through_relu"]
