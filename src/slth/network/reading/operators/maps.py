"""Linear maps: layers, convolutions, products with a constant matrix; normalisation by stored statistics."""

from typing import Any

import numpy as np

from slth.graph import Affine, Conv, ConvTranspose, Dense, Linear, Normalise, Permutation, Steerable
from slth.network.reading.here import Here, Known, Operator, Value

NONE: frozenset[str] = frozenset()


def dense(here: Here, x: Any, matrix: np.ndarray, bias: np.ndarray | None, names: tuple[Any, Any]) -> Value:
    """W x + b along the last axis; the matrix is (out, in)."""
    outputs, inputs = matrix.shape
    affine = Affine(np.ascontiguousarray(matrix)[:, :, None], bias)
    return here.add(Linear("", Dense(inputs, outputs), bias is not None), x, affine=affine, tensors=names)


def linear(here: Here, a: Any) -> Value:
    """x Wᵀ + b."""
    weight = known(here, a.weight, "weight")
    bias = None if a.bias is None else known(here, a.bias, "bias")
    matrix = weight.numbers
    if matrix.ndim == 1:
        y = dense(here, a.input, matrix[None], None, (weight.names, NONE))
        y = here.reshape(y, y.shape[:-1])
        return y if bias is None else here.sum([(1.0, y), (1.0, bias)])
    return dense(here, a.input, matrix, vector(bias, len(matrix)), (weight.names, bias.names if bias else NONE))


def conv(here: Here, a: Any) -> Value:
    """A convolution; C[r, j, t] is weight[o, j − γ·in/G, p]."""
    weight = known(here, a.weight, "weight")
    bias = None if a.bias is None else known(here, a.bias, "bias")
    w = weight.numbers
    axes, kernel = w.ndim - 2, w.shape[2:]
    _check_axes(here, a.input, axes)
    stride, dilation = spatial(a.stride, axes), spatial(a.dilation, axes)
    groups, inputs, outputs = a.groups, w.shape[1] * a.groups, w.shape[0]
    if isinstance(a.padding, str):
        extra = [d * (k - 1) if a.padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
        padding = (*(e // 2 for e in extra), *(e - e // 2 for e in extra))  # PyTorch puts the odd one behind
    else:
        padding = both_ends(a.padding, axes)
    basis = Conv(inputs, outputs, kernel, stride, padding, dilation, groups)
    own = w.reshape(groups, outputs // groups, w.shape[1], -1).transpose(1, 0, 2, 3)
    affine = Affine(own.reshape(outputs // groups, inputs, -1), vector(bias, outputs))
    names = (weight.names, bias.names if bias else NONE)
    return here.add(Linear("", basis, bias is not None), a.input, affine=affine, tensors=names)


def conv_transpose(here: Here, a: Any) -> Value:
    """A transposed convolution; C[r, j, t] is weight[j, r, p]."""
    weight = known(here, a.weight, "weight")
    bias = None if a.bias is None else known(here, a.bias, "bias")
    w = weight.numbers
    axes, kernel = w.ndim - 2, w.shape[2:]
    _check_axes(here, a.input, axes)
    outputs = w.shape[1] * a.groups
    basis = ConvTranspose(
        w.shape[0],
        outputs,
        kernel,
        spatial(a.stride, axes),
        both_ends(a.padding, axes),
        spatial(a.dilation, axes),
        a.groups,
        spatial(a.output_padding, axes),
    )
    affine = Affine(np.ascontiguousarray(w.reshape(*w.shape[:2], -1).transpose(1, 0, 2)), vector(bias, outputs))
    names = (weight.names, bias.names if bias else NONE)
    return here.add(Linear("", basis, bias is not None), a.input, affine=affine, tensors=names)


def group_conv(here: Here, a: Any) -> Value:
    """A layer of `slth.layers`, whose weight (out, inp, ...) holds the coefficients in their order."""
    weight = known(here, a.weight, "weight")
    bias = None if a.bias is None else known(here, a.bias, "bias")
    w = weight.numbers
    basis = Steerable(w.shape[1], w.shape[0], a.group, w.shape[-1], a.stride, a.padding, a.lifting)
    affine = Affine(w.reshape(*w.shape[:2], -1), vector(bias, len(w)))
    names = (weight.names, bias.names if bias else NONE)
    return here.add(Linear("", basis, bias is not None), a.x, affine=affine, tensors=names)


def equivariant(here: Here, a: Any) -> Value:
    """A layer of `slth.layers` whose weight is (out, inp, tap)."""
    weight = known(here, a.weight, "weight")
    bias = None if a.bias is None else known(here, a.bias, "bias")
    outputs, inputs, _ = weight.numbers.shape
    basis = Permutation(inputs, outputs, a.reads, a.writes, a.x.shape[0])
    names = (weight.names, bias.names if bias else NONE)
    affine = Affine(weight.numbers, vector(bias, outputs))
    return here.add(Linear("", basis, bias is not None), a.x, affine=affine, tensors=names)


def convolution(here: Here, a: Any) -> Value:
    """Either of the two."""
    return conv_transpose(here, a) if a.transposed else conv(here, a)


def batch_norm(here: Here, a: Any) -> Any:
    """g x + t with g = γ/√(σ² + ε), t = β − μ g, in float64; unfolded a step of its own, with these numbers."""
    mean = getattr(a, "running_mean", None)
    variance = getattr(a, "running_var", None)
    training = getattr(a, "training", False) or getattr(a, "use_input_stats", False)
    if mean is None or variance is None or training:
        here.refuse(
            "normalises by the statistics of the batch; only running statistics make a function of one input: "
            "track_running_stats=True, evaluation mode"
        )
    square = variance.numbers + float(a.eps)
    if not (square > 0).all():
        here.refuse("has a variance that is not positive")
    if here.draft.unfolded:
        return (_normalise(here, a, mean, variance),)
    gain = (1.0 if a.weight is None else known(here, a.weight, "weight").numbers) / np.sqrt(square)
    shift = (0.0 if a.bias is None else known(here, a.bias, "bias").numbers) - mean.numbers * gain
    ones = (1,) * (len(a.input.shape) - 1)
    return (here.diagonal(a.input, gain.reshape(-1, *ones), shift.reshape(-1, *ones)),)


def _normalise(here: Here, a: Any, mean: Known, variance: Known) -> Value:
    """The same as a step of its own, with the numbers of the layer."""
    given = {"scale": a.weight, "shift": a.bias}
    parts = {name: known(here, part, name) for name, part in given.items() if part is not None}
    arrays = {name: part.numbers.reshape(-1) for name, part in {"mean": mean, "variance": variance, **parts}.items()}
    scale, shift = (name if name in parts else None for name in given)
    op = Normalise(0, "mean", "variance", scale, shift, float(a.eps))
    return here.add(op, a.input, arrays=arrays)


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


def both_ends(numbers: Any, axes: int) -> tuple[int, ...]:
    """Begins of all axes, then ends; of one number for all, one each, or both for each."""
    listed = spatial(numbers, axes)
    return listed if len(listed) == 2 * axes else listed * 2


def known(here: Here, tensor: Any, what: str) -> Known:
    """A tensor that is constant; else the operator is refused."""
    if not isinstance(tensor, Known):
        here.refuse(f"has a {what} that depends on the input; only constant weights are linear maps")
    return tensor


def vector(bias: Known | None, outputs: int) -> np.ndarray | None:
    """One number for each output; None if there is no bias, or none that is a vector."""
    if bias is None or bias.tensor.ndim > 2 or bias.tensor.numel() not in (1, outputs):
        return None
    return np.array(np.broadcast_to(bias.numbers.reshape(-1), (outputs,)))


def _check_axes(here: Here, x: Value, axes: int) -> None:
    if len(x.shape) != axes + 1:
        here.refuse(f"of {axes} axes is given values of shape {x.shape} without the batch; the batch must be axis 0")


TABLE: dict[str, Operator] = {
    "linear.default": linear,
    **{f"conv{n}d.{kind}": conv for n in (1, 2, 3) for kind in ("default", "padding")},
    "conv_transpose1d.default": conv_transpose,
    "conv_transpose2d.input": conv_transpose,
    "conv_transpose3d.input": conv_transpose,
    "convolution.default": convolution,
    "group_conv.default": group_conv,
    "equivariant.default": equivariant,
    "_native_batch_norm_legit_no_training.default": batch_norm,
    "native_batch_norm.default": batch_norm,
    "batch_norm.default": lambda here, a: batch_norm(here, a)[0],
    "_native_batch_norm_legit.no_stats": no_running_statistics,
    "_native_batch_norm_legit.default": no_running_statistics,
}
