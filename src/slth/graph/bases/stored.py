"""Coefficients of a map as layers store them."""

import numpy as np

from slth._errors import InputError
from slth.graph.bases.basis import Basis
from slth.graph.bases.conv import Conv, ConvTranspose
from slth.graph.bases.dense import Dense
from slth.graph.bases.one_hot import OneHot


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
    raise InputError(f"no layer is known for a {type(basis).__name__} map")
