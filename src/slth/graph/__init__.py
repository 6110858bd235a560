"""Networks as plain data: nodes, ops, bases, and `fold`, the loop that every interpreter runs."""

from slth.graph import spread
from slth.graph.axis_maps import AxisMatrix, apply_along
from slth.graph.bases import BASES, Basis, Conv, ConvTranspose, Dense, Shape, coefficients_of, stored_weight
from slth.graph.chain import chain, chain_of, dense_chain
from slth.graph.copies import check_copies, copies_made, graph_with_copies, of_channels, read_together, with_copies
from slth.graph.evaluation import EVALUATE, along, evaluate, max_pool, pointwise, square
from slth.graph.functions import FUNCTIONS, Function
from slth.graph.memory import formed, most_entries
from slth.graph.nodes import INPUT, Graph, Node, fold
from slth.graph.ops import (
    OPS,
    Add,
    AxisMap,
    Concat,
    Constant,
    Linear,
    LogSoftmax,
    MaxPool,
    Multiply,
    Normalise,
    Op,
    Pad,
    Permute,
    Pointwise,
    Reshape,
    Scale,
    Slice,
    Softmax,
    carried_names,
)
from slth.graph.shapes import Carried, shape_of, shapes
from slth.graph.signs import signed_inputs
from slth.graph.tensors import Part, Stored
from slth.graph.values import Affine, Box, Realised, Target

__all__ = [
    "BASES",
    "EVALUATE",
    "FUNCTIONS",
    "INPUT",
    "OPS",
    "Add",
    "Affine",
    "AxisMap",
    "AxisMatrix",
    "Basis",
    "Box",
    "Carried",
    "Concat",
    "Constant",
    "Conv",
    "ConvTranspose",
    "Dense",
    "Function",
    "Graph",
    "Linear",
    "LogSoftmax",
    "MaxPool",
    "Multiply",
    "Node",
    "Normalise",
    "Op",
    "Pad",
    "Part",
    "Permute",
    "Pointwise",
    "Realised",
    "Reshape",
    "Scale",
    "Shape",
    "Slice",
    "Softmax",
    "Stored",
    "Target",
    "along",
    "apply_along",
    "carried_names",
    "chain",
    "chain_of",
    "check_copies",
    "coefficients_of",
    "copies_made",
    "dense_chain",
    "evaluate",
    "fold",
    "formed",
    "graph_with_copies",
    "max_pool",
    "most_entries",
    "of_channels",
    "pointwise",
    "read_together",
    "shape_of",
    "shapes",
    "signed_inputs",
    "spread",
    "square",
    "stored_weight",
    "with_copies",
]
