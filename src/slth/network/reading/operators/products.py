"""Products with a constant matrix that are no layers: matmul, addmm, einsum."""

from string import ascii_letters
from types import SimpleNamespace
from typing import Any

import numpy as np

from slth.graph import MatMul, Permute
from slth.network.reading.here import Here, Known, Operator, Value
from slth.network.reading.operators.arithmetic import add as added
from slth.network.reading.operators.maps import NONE, dense, known, vector
from slth.network.reading.operators.pools import total


def matmul(here: Here, a: Any) -> Value:
    """x W or W x, with a constant matrix W."""
    first, second = a.self, a.mat2 if hasattr(a, "mat2") else a.other
    if isinstance(first, Value) and isinstance(second, Value):
        return product(here, first, second)
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


def product(here: Here, first: Value, second: Value) -> Value:
    """x y of two values as matrices."""
    if min(len(first.shape), len(second.shape)) < 2:
        here.refuse(
            f"multiplies values of shapes {first.shape} and {second.shape} (without the batch); both need two axes"
        )
    axes = max(len(first.shape), len(second.shape))
    first, second = (here.reshape(x, (1,) * (axes - len(x.shape)) + x.shape) for x in (first, second))
    return here.add(MatMul(), first, second)


def baddbmm(here: Here, a: Any) -> Value:
    """β b + α x y."""
    y = product(here, a.batch1, a.batch2)
    return added(here, SimpleNamespace(self=here.sum([(float(a.alpha), y)]), other=a.self, alpha=a.beta))


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
    """A value contracted with a constant: "bchw,oc->bohw"; or with its axes in another order: "bij->bji"."""
    terms, result = _terms(here, a.equation, [_rank(part) for part in a.tensors])
    pairs = sorted(zip(a.tensors, terms, strict=True), key=lambda pair: isinstance(pair[0], Known))
    plain = all(len(set(term)) == len(term) for term in (*terms, result))
    if plain and len(pairs) == 2 and isinstance(pairs[1][0], Value):
        return _of_two(here, a.equation, pairs, result)
    if not plain or len(pairs) > 2 or any(isinstance(part, Value) for part, _ in pairs[1:]):
        here.refuse(f"{a.equation!r} is not read; the product of a value with one constant tensor is")
    (value, own), other = pairs[0], pairs[1][1] if len(pairs) == 2 else ""
    if own[0] != result[0] or own[0] in other:
        here.refuse(f"{a.equation!r} mixes the batch; the examples of a batch must stay apart, on axis 0")
    summed = [letter for letter in own[1:] if letter not in other + result]
    if summed:
        value = total(here, SimpleNamespace(self=value, dim=[own.index(i) for i in summed], keepdim=False))
        own = "".join(letter for letter in own if letter not in summed)
    if other:
        value, own = _contracted(here, value, own, pairs[1][0], other, result)
    return here.permute(value, tuple(own.index(letter) - 1 for letter in result[1:]))


def _of_two(here: Here, equation: str, pairs: list[tuple[Any, str]], result: str) -> Value:
    """Two values summed over the letters that the result lacks: a product of matrices, one for each shared letter."""
    (x, left), (y, right) = pairs
    if len({left[0], right[0], result[0]}) != 1:
        here.refuse(f"{equation!r} mixes the batch; the examples of a batch must stay apart, on axis 0")
    left, right, result = left[1:], right[1:], result[1:]
    shared = [c for c in left if c in right and c in result]
    inner = [c for c in left if c in right and c not in result]
    rows, columns = [c for c in left if c not in right], [c for c in right if c not in left]
    if not set(rows + columns) <= set(result):
        here.refuse(f"{equation!r} sums a value by itself; sum it first")
    sizes = dict(zip(left + right, (*x.shape, *y.shape), strict=True))

    def matrix(value: Value, own: str, order: tuple[list[str], list[str]]) -> Value:
        moved = here.permute(value, tuple(own.index(c) for c in (*shared, *order[0], *order[1])))
        lengths = (int(np.prod([sizes[c] for c in letters])) for letters in order)
        return here.reshape(moved, (*(sizes[c] for c in shared), *lengths))

    z = here.add(MatMul(), matrix(x, left, (rows, inner)), matrix(y, right, (inner, columns)))
    z = here.reshape(z, tuple(sizes[c] for c in (*shared, *rows, *columns)))
    return here.permute(z, tuple([*shared, *rows, *columns].index(c) for c in result))


def _contracted(here: Here, x: Value, own: str, constant: Known, other: str, result: str) -> tuple[Value, str]:
    """x times a constant, entry by entry or summed over the letters that the result lacks; the letters of its axes."""
    numbers = constant.numbers
    alone = tuple(i for i, letter in enumerate(other) if letter not in own + result)
    numbers, other = numbers.sum(axis=alone), "".join(c for i, c in enumerate(other) if i not in alone)
    inner, new = (
        [c for c in own[1:] if c in other and c not in result],
        [c for c in result if c in other and c not in own],
    )
    kept = [c for c in own[1:] if c not in inner]
    if not inner and not new:
        ordered = numbers.transpose([other.index(c) for c in kept if c in other])
        sizes = [x.shape[own.index(c) - 1] if c in other else 1 for c in kept]
        return here.product(x, ordered.reshape(sizes)), own
    if set(kept) & set(other) or not inner:
        here.refuse("multiplies by a stack of matrices; one matrix is a linear map")
    moved = here.permute(x, tuple(own.index(c) - 1 for c in (*kept, *inner)))
    shape = moved.shape[: len(kept)]
    matrix = numbers.transpose([other.index(c) for c in (*new, *inner)])
    lengths = matrix.shape[: len(new)]
    matrix = matrix.reshape(int(np.prod(lengths)), -1)
    y = dense(here, here.reshape(moved, (*shape, matrix.shape[1])), matrix, None, (constant.names, NONE))
    return here.reshape(y, (*shape, *lengths)), own[0] + "".join([*kept, *new])


def _rank(part: Any) -> int:
    return len(part.shape) + 1 if isinstance(part, Value) else part.tensor.ndim


def _terms(here: Here, equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """The letters of every operand and of the result, an ellipsis written out."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    free = [c for c in ascii_letters if c not in equation]
    most = max(rank - len(term.replace("...", "")) for term, rank in zip(left.split(","), ranks, strict=True))
    dots = "".join(free[: max(most, 0)])

    def written(term: str, rank: int) -> str:
        count = rank - len(term.replace("...", ""))
        return term.replace("...", dots[len(dots) - count :])

    terms = [written(term, rank) for term, rank in zip(left.split(","), ranks, strict=True)]
    if not arrow:
        once = sorted(c for c in set(left) - set(",.") if left.count(c) == 1)
        return terms, (dots if "..." in left else "") + "".join(once)
    return terms, result.replace("...", dots)


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
    "baddbmm.default": baddbmm,
    "einsum.default": einsum,
}
