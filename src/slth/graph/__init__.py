"""Networks as plain data: nodes, ops, bases, and `fold`, the loop that every interpreter runs."""

from slth.graph.bases import BASES, Basis, Dense
from slth.graph.bases.basis import Shape
from slth.graph.chain import chain, chain_of, dense_chain
from slth.graph.interpreters import evaluate, shapes, signed_inputs
from slth.graph.nodes import INPUT, Graph, Node, fold
from slth.graph.ops import Linear, Op, Pointwise
from slth.graph.values import Affine, Box, Realised, Target

__all__ = [
    "BASES",
    "INPUT",
    "Affine",
    "Basis",
    "Box",
    "Dense",
    "Graph",
    "Linear",
    "Node",
    "Op",
    "Pointwise",
    "Realised",
    "Shape",
    "Target",
    "chain",
    "chain_of",
    "dense_chain",
    "evaluate",
    "fold",
    "shapes",
    "signed_inputs",
]
