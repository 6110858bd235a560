"""Bases: which linear map a tensor of coefficients stands for. One file per kind, one line here."""

from slth.graph.bases.basis import Basis, Shape, TapBounds
from slth.graph.bases.conv import Conv, ConvTranspose
from slth.graph.bases.dense import Dense
from slth.graph.bases.one_hot import OneHot
from slth.graph.bases.partitions import gathered as tap_means
from slth.graph.bases.partitions import partitions
from slth.graph.bases.partitions import spread as spread_means
from slth.graph.bases.permutation import Permutation
from slth.graph.bases.steerable import Steerable
from slth.graph.bases.stored import coefficients_of, stored_weight
from slth.graph.bases.turns import inverse as inverse_element
from slth.graph.bases.turns import order as group_order
from slth.graph.bases.turns import product as group_product

# By name.
BASES: dict[
    str, type[Dense] | type[Conv] | type[ConvTranspose] | type[Steerable] | type[Permutation] | type[OneHot]
] = {basis.__name__: basis for basis in (Dense, Conv, ConvTranspose, Steerable, Permutation, OneHot)}

__all__ = [
    "BASES",
    "Basis",
    "Conv",
    "ConvTranspose",
    "Dense",
    "OneHot",
    "Permutation",
    "Shape",
    "Steerable",
    "TapBounds",
    "coefficients_of",
    "group_order",
    "group_product",
    "inverse_element",
    "partitions",
    "spread_means",
    "stored_weight",
    "tap_means",
]
