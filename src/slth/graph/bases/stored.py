"""Coefficients of a map as layers store them."""

import numpy as np

from slth._errors import InputError
from slth.graph.bases.basis import Basis
from slth.graph.bases.conv import Conv, ConvTranspose
from slth.graph.bases.dense import Dense
from slth.graph.bases.one_hot import OneHot
from slth.graph.bases.permutation import Permutation
from slth.graph.bases.steerable import Steerable


def coefficients_of(basis: Basis, weight: np.ndarray) -> np.ndarray:
    """The inverse of `stored_weight`."""
    if isinstance(basis, Dense):
        return weight[:, :, None]
    if isinstance(basis, ConvTranspose):
        return weight.reshape(*weight.shape[:2], -1).transpose(1, 0, 2)
    if isinstance(basis, Conv):
        rows = basis.outputs // basis.groups
        own = weight.reshape(basis.groups, rows, weight.shape[1], -1).transpose(1, 0, 2, 3)
        return own.reshape(rows, basis.inputs, -1)
    raise InputError(f"no layer is known for a {type(basis).__name__} map")


def stored_weight(basis: Basis, coefficients: np.ndarray) -> np.ndarray:
    """Coefficients (row, inp, tap) as PyTorch stores the weight of such a layer."""
    rows, inputs, _ = coefficients.shape
    if isinstance(basis, Dense):
        return coefficients[:, :, 0]
    if isinstance(basis, OneHot):
        return coefficients[:, :, 0].T
    if isinstance(basis, ConvTranspose):
        return coefficients.transpose(1, 0, 2).reshape(inputs, rows, *basis.kernel)
    if isinstance(basis, Conv):
        own = coefficients.reshape(rows, basis.groups, inputs // basis.groups, -1)
        return own.transpose(1, 0, 2, 3).reshape(basis.outputs, inputs // basis.groups, *basis.kernel)
    if isinstance(basis, Steerable):
        return coefficients.reshape(rows, inputs, *(() if basis.lifting else (basis.order,)), *((basis.kernel,) * 2))
    if isinstance(basis, Permutation):
        return coefficients
    raise InputError(f"no layer is known for a {type(basis).__name__} map")
