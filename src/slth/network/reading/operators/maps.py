"""Linear maps: layers, convolutions, products with a constant matrix; normalisation by stored statistics."""

from typing import Any

import numpy as np

from slth.graph import Affine, Conv, ConvTranspose, Dense, Linear, Permute
from slth.network.reading.here import Here, Known, Operator, Value

NONE: frozenset[str] = frozenset()


def dense(here: Here, x: Any, matrix: np.ndarray, bias: np.ndarray | None, names: tuple[Any, Any]) -> Value:
    """W x + b along the last axis; the matrix is (out, in)."""
    outputs, inputs = matrix.shape
    affine = Affine(np.ascontiguousarray(matrix)[:, :, None], bias)
    return here.add(Linear("", Dense(inputs, outputs), bias is not None), x, affine=affine, tensors=names)


def linear(here: Here, a: Any) -> Value:
    """x Wᵀ + b."""
    weight = _known(here, a.weight, "weight")
    bias = None if a.bias is None else _known(here, a.bias, "bias")
    matrix = weight.numbers
    if matrix.ndim == 1:
        y = dense(here, a.input, matrix[None], None, (weight.names, NONE))
        y = here.reshape(y, y.shape[:-1])
        return y if bias is None else here.sum([(1.0, y), (1.0, bias)])
    return dense(here, a.input, matrix, _vector(bias, len(matrix)), (weight.names, bias.names if bias else NONE))


def matmul(here: Here, a: Any) -> Value:
    """x W or W x, with a constant matrix W."""
    first, second = a.self, a.mat2 if hasattr(a, "mat2") else a.other
    if isinstance(first, Value) and isinstance(second, Value):
        here.refuse("multiplies two values as matrices; only linear maps with constant weights are read")
    if isinstance(first, Value):
        known = _known(here, second, "matrix")
        if known.tensor.ndim == 1:
            y = dense(here, first, known.numbers[None], None, (known.names, NONE))
            return here.reshape(y, y.shape[:-1])
        return dense(here, first, _flat(here, known.numbers).T, None, (known.names, NONE))
    matrix = _flat(here, _known(here, first, "matrix").numbers)
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
    weight, first = _known(here, a.mat2, "matrix"), a.self
    matrix = float(a.alpha) * weight.numbers.T
    vector = _vector(first, len(matrix)) if isinstance(first, Known) else None
    if isinstance(first, Known) and vector is not None:
        return dense(here, a.mat1, matrix, float(a.beta) * vector, (weight.names, first.names))
    y = dense(here, a.mat1, matrix, None, (weight.names, NONE))
    return here.sum([(1.0, y), (float(a.beta), first)])


def conv(here: Here, a: Any) -> Value:
    """A convolution; C[r, j, t] is weight[o, j − γ·in/G, p]."""
    weight = _known(here, a.weight, "weight")
    bias = None if a.bias is None else _known(here, a.bias, "bias")
    w = weight.numbers
    axes, kernel = w.ndim - 2, w.shape[2:]
    _check_axes(here, a.input, axes)
    stride, dilation = spatial(a.stride, axes), spatial(a.dilation, axes)
    groups, inputs, outputs = a.groups, w.shape[1] * a.groups, w.shape[0]
    if isinstance(a.padding, str):
        extra = [d * (k - 1) if a.padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
        padding = (*(e // 2 for e in extra), *(e - e // 2 for e in extra))  # PyTorch puts the odd one behind
    else:
        padding = spatial(a.padding, axes) * 2
    basis = Conv(inputs, outputs, kernel, stride, padding, dilation, groups)
    own = w.reshape(groups, outputs // groups, w.shape[1], -1).transpose(1, 0, 2, 3)
    affine = Affine(own.reshape(outputs // groups, inputs, -1), _vector(bias, outputs))
    names = (weight.names, bias.names if bias else NONE)
    return here.add(Linear("", basis, bias is not None), a.input, affine=affine, tensors=names)


def conv_transpose(here: Here, a: Any) -> Value:
    """A transposed convolution; C[r, j, t] is weight[j, r, p]."""
    weight = _known(here, a.weight, "weight")
    bias = None if a.bias is None else _known(here, a.bias, "bias")
    w = weight.numbers
    axes, kernel = w.ndim - 2, w.shape[2:]
    _check_axes(here, a.input, axes)
    outputs = w.shape[1] * a.groups
    basis = ConvTranspose(
        w.shape[0],
        outputs,
        kernel,
        spatial(a.stride, axes),
        spatial(a.padding, axes) * 2,
        spatial(a.dilation, axes),
        a.groups,
        spatial(a.output_padding, axes),
    )
    affine = Affine(np.ascontiguousarray(w.reshape(*w.shape[:2], -1).transpose(1, 0, 2)), _vector(bias, outputs))
    names = (weight.names, bias.names if bias else NONE)
    return here.add(Linear("", basis, bias is not None), a.input, affine=affine, tensors=names)


def convolution(here: Here, a: Any) -> Value:
    """Either of the two."""
    return conv_transpose(here, a) if a.transposed else conv(here, a)


def batch_norm(here: Here, a: Any) -> Any:
    """g x + t with g = γ/√(σ² + ε), t = β − μ g, in float64."""
    mean = getattr(a, "running_mean", None)
    variance = getattr(a, "running_var", None)
    training = getattr(a, "training", False) or getattr(a, "use_input_stats", False)
    if mean is None or variance is None or training:
        here.refuse(
            "normalises by the statistics of the batch; only running statistics make a function of one input: "
            "track_running_stats=True, evaluation mode"
        )
    gain = 1.0 / np.sqrt(mean_square := variance.numbers + float(a.eps))
    if not (mean_square > 0).all():
        here.refuse("has a variance that is not positive")
    gain = gain if a.weight is None else _known(here, a.weight, "weight").numbers * gain
    shift = -mean.numbers * gain
    shift = shift if a.bias is None else _known(here, a.bias, "bias").numbers + shift
    ones = (1,) * (len(a.input.shape) - 1)
    return (here.diagonal(a.input, gain.reshape(-1, *ones), shift.reshape(-1, *ones)),)


def no_running_statistics(here: Here, _: Any) -> Any:
    """BatchNorm that never kept any."""
    here.refuse(
        "normalises by the statistics of the batch, it has no running statistics; build it with "
        "track_running_stats=True and train it so"
    )


def spatial(numbers: Any, axes: int) -> tuple[int, ...]:
    """One number per axis, of one for all or one each."""
    listed = tuple(numbers) if isinstance(numbers, (list, tuple)) else (numbers,)
    return listed * axes if len(listed) == 1 else listed


def _known(here: Here, tensor: Any, what: str) -> Known:
    if not isinstance(tensor, Known):
        here.refuse(f"has a {what} that depends on the input; only constant weights are linear maps")
    return tensor


def _flat(here: Here, matrix: np.ndarray) -> np.ndarray:
    while matrix.ndim > 2 and matrix.shape[0] == 1:
        matrix = matrix[0]
    if matrix.ndim > 2:
        here.refuse(f"multiplies by a stack of matrices of shape {matrix.shape}; one matrix is a linear map")
    return matrix


def _vector(bias: Known | None, outputs: int) -> np.ndarray | None:
    """One number for each output; None if there is no bias, or none that is a vector."""
    if bias is None or bias.tensor.ndim > 2 or bias.tensor.numel() not in (1, outputs):
        return None
    return np.array(np.broadcast_to(bias.numbers.reshape(-1), (outputs,)))


def _check_axes(here: Here, x: Value, axes: int) -> None:
    if len(x.shape) != axes + 1:
        here.refuse(f"of {axes} axes is given values of shape {x.shape} without the batch; the batch must be axis 0")


TABLE: dict[str, Operator] = {
    "linear.default": linear,
    "mm.default": matmul,
    "matmul.default": matmul,
    "bmm.default": matmul,
    "addmm.default": addmm,
    **{f"conv{n}d.{kind}": conv for n in (1, 2, 3) for kind in ("default", "padding")},
    "conv_transpose1d.default": conv_transpose,
    "conv_transpose2d.input": conv_transpose,
    "conv_transpose3d.input": conv_transpose,
    "convolution.default": convolution,
    "_native_batch_norm_legit_no_training.default": batch_norm,
    "native_batch_norm.default": batch_norm,
    "batch_norm.default": lambda here, a: batch_norm(here, a)[0],
    "instance_norm.default": lambda here, a: batch_norm(here, a)[0],
    "_native_batch_norm_legit.no_stats": no_running_statistics,
    "_native_batch_norm_legit.default": no_running_statistics,
}
