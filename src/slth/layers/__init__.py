"""PyTorch layers of networks with symmetry, each exported as one operator that `slth.construct` reads.

Import this package where a network is made: it needs PyTorch.
"""

from slth.layers.equivariance import Equivariance, equivariance
from slth.layers.graphs import Aggregation, GraphLinear, adjacency, aggregate
from slth.layers.group_conv import GroupConv2d, group_conv
from slth.layers.sets import PermutationLinear, SetLinear, equivariant

__all__ = [
    "Aggregation",
    "Equivariance",
    "GraphLinear",
    "GroupConv2d",
    "PermutationLinear",
    "SetLinear",
    "adjacency",
    "aggregate",
    "equivariance",
    "equivariant",
    "group_conv",
]
