"""Bases: which linear map a tensor of coefficients stands for. One file per kind, one line here."""

from slth.graph.bases.basis import Basis, Shape
from slth.graph.bases.conv import Conv, ConvTranspose
from slth.graph.bases.dense import Dense
from slth.graph.bases.stored import coefficients_of, stored_weight

BASES: dict[str, type[Dense] | type[Conv] | type[ConvTranspose]] = {
    basis.__name__: basis for basis in (Dense, Conv, ConvTranspose)
}

__all__ = ["BASES", "Basis", "Conv", "ConvTranspose", "Dense", "Shape", "coefficients_of", "stored_weight"]
