"""Products with a constant matrix that are no layers: matmul, addmm, einsum."""

from typing import Any

import numpy as np

from slth.graph import Permute
from slth.network.reading.here import Here, Known, Operator, Value
from slth.network.reading.operators.maps import NONE, dense, known, vector


def matmul(here: Here, a: Any) -> Value:
    """x W or W x, with a constant matrix W."""
    first, second = a.self, a.mat2 if hasattr(a, "mat2") else a.other
    if isinstance(first, Value) and isinstance(second, Value):
        here.refuse("multiplies two values as matrices; only linear maps with constant weights are read")
    if isinstance(first, Value):
        tensor = known(here, second, "matrix")
        if tensor.tensor.ndim == 1:
            y = dense(here, first, tensor.numbers[None], None, (tensor.names, NONE))
            return here.reshape(y, y.shape[:-1])
        return dense(here, first, _flat(here, tensor.numbers).T, None, (tensor.names, NONE))
    matrix = _flat(here, known(here, first, "matrix").numbers)
    rank = len(second.shape)
    if rank < 2 or matrix.ndim != 2:
        here.refuse("multiplies along the batch; the examples of a batch must stay apart, on axis 0")
    order = (*range(rank - 2), rank - 1, rank - 2)
    y = dense(here, here.add(Permute(order), second), matrix, None, (first.names, NONE))
    return here.add(Permute(order), y)


def addmm(here: Here, a: Any) -> Value:
    """β b + α x W."""
    if not isinstance(a.mat1, Value):
        here.refuse("has a constant on the left of a value; the examples of a batch must stay apart, on axis 0")
    weight, first = known(here, a.mat2, "matrix"), a.self
    matrix = float(a.alpha) * weight.numbers.T
    bias = vector(first, len(matrix)) if isinstance(first, Known) else None
    if isinstance(first, Known) and bias is not None:
        return dense(here, a.mat1, matrix, float(a.beta) * bias, (weight.names, first.names))
    y = dense(here, a.mat1, matrix, None, (weight.names, NONE))
    return here.sum([(1.0, y), (float(a.beta), first)])


def einsum(here: Here, a: Any) -> Value:
    """One axis of a value contracted with a constant matrix: "bchw,oc->bohw"."""
    terms, arrow, result = a.equation.replace(" ", "").partition("->")
    names = terms.split(",")
    if not arrow or len(names) != 2 or "." in terms:
        here.refuse(f"{a.equation!r} is not read; the product of a value with one constant matrix is")
    (value, own), (matrix, other) = sorted(
        zip(a.tensors, names, strict=True), key=lambda pair: isinstance(pair[0], Known)
    )
    inner, new = set(own) & set(other), set(other) - set(own)
    kept = [letter for letter in own if letter not in inner]
    plain = len(inner) == len(new) == 1 and len(other) == 2 and len(set(own)) == len(own)
    plain = plain and sorted([*kept, *new]) == sorted(result)
    if not (isinstance(value, Value) and isinstance(matrix, Known) and plain and own[0] == kept[0] == result[0]):
        here.refuse(f"{a.equation!r} is not read; the product of a value with one constant matrix is")
    (i,), (o,) = inner, new
    numbers = matrix.numbers if other == o + i else matrix.numbers.T
    moved = here.permute(value, tuple(own.index(letter) - 1 for letter in (*kept[1:], i)))
    y = dense(here, moved, numbers, None, (matrix.names, NONE))
    after = [*kept[1:], o]
    return here.permute(y, tuple(after.index(letter) for letter in result[1:]))


def _flat(here: Here, matrix: np.ndarray) -> np.ndarray:
    while matrix.ndim > 2 and matrix.shape[0] == 1:
        matrix = matrix[0]
    if matrix.ndim > 2:
        here.refuse(f"multiplies by a stack of matrices of shape {matrix.shape}; one matrix is a linear map")
    return matrix


TABLE: dict[str, Operator] = {
    "mm.default": matmul,
    "matmul.default": matmul,
    "bmm.default": matmul,
    "addmm.default": addmm,
    "einsum.default": einsum,
}
