"""Linear maps and normalisation by stored statistics."""

from types import SimpleNamespace
from typing import Any

from slth.graph import Shape
from slth.network.reading.here import Known, Value
from slth.network.reading.onnx.call import Call, Operator
from slth.network.reading.operators import maps
from slth.network.reading.operators.products import einsum, matmul

NORMALISES = (
    "LayerNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "RMSNormalization",
    "LpNormalization",
    "MeanVarianceNormalization",
    "LRN",
)


def conv(call: Call) -> Value:
    """A convolution."""
    x, weight = call.x, maps.known(call.here, call.input(1), "weight")
    kernel = tuple(weight.tensor.shape[2:])
    stride, dilation = window_steps(call, len(kernel))
    padding = window_padding(call, kernel, stride, dilation, x.shape[1:])
    return maps.conv(
        call.here,
        SimpleNamespace(
            input=x,
            weight=weight,
            bias=call.known(2, "biases"),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=call.whole("group", 1),
        ),
    )


def conv_transpose(call: Call) -> Value:
    """A transposed convolution; with `output_shape` the padding follows from it."""
    x, weight = call.x, maps.known(call.here, call.input(1), "weight")
    kernel = tuple(weight.tensor.shape[2:])
    axes = len(kernel)
    stride, dilation = window_steps(call, axes)
    more = tuple(call.wholes("output_padding") or [0] * axes)
    return maps.conv_transpose(
        call.here,
        SimpleNamespace(
            input=x,
            weight=weight,
            bias=call.known(2, "biases"),
            stride=stride,
            padding=_transposed_padding(call, kernel, more, x.shape[1:]),
            output_padding=more,
            dilation=dilation,
            groups=call.whole("group", 1),
        ),
    )


def gemm(call: Call) -> Value:
    """α x W + β c."""
    weight, bias = call.known(1, "weights"), call.known(2, "biases")
    assert weight is not None
    if call.whole("transA", 0):
        call.here.refuse("transposes its values, and with them the batch; examples must stay apart, on axis 0")
    alpha, beta = call.number("alpha", 1.0), call.number("beta", 1.0)
    matrix = weight.numbers if call.whole("transB", 0) else weight.numbers.T
    matrix = matrix if alpha == 1 else alpha * matrix
    vector = maps.vector(bias, len(matrix))
    if bias is not None and vector is None:
        call.here.refuse(f"adds a constant of shape {tuple(bias.tensor.shape)} to {len(matrix)} outputs")
    vector = vector if vector is None or beta == 1 else beta * vector
    names = (weight.names, bias.names if bias is not None else maps.NONE)
    return maps.dense(call.here, call.x, matrix, vector, names)


def product(call: Call) -> Value:
    """x W, or W x."""
    x, y = call.inputs
    if isinstance(x, Value) and isinstance(y, Known) and y.tensor.ndim > max(len(x.shape) + 1, 2):
        call.here.refuse(f"puts axes before the batch: a matrix of shape {tuple(y.tensor.shape)} stands behind it")
    return matmul(call.here, SimpleNamespace(self=x, other=y))


def batch_norm(call: Call) -> Any:
    """g x + t by stored statistics."""
    if call.whole("training_mode", 0):
        call.here.refuse("normalises by the statistics of the batch: export the model in evaluation mode")
    names = ("weight", "bias", "running_mean", "running_var")
    numbers = {name: call.known(i, "statistics") for i, name in enumerate(names, 1)}
    return maps.batch_norm(
        call.here, SimpleNamespace(input=call.x, eps=call.number("epsilon", 1e-5), training=False, **numbers)
    )[0]


def contraction(call: Call) -> Value:
    """A product written as letters: "bchw,oc->bohw"."""
    return einsum(call.here, SimpleNamespace(equation=call.text("equation", ""), tensors=call.inputs))


def window_steps(call: Call, axes: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Strides and dilations, 1 where they are not said."""
    stride, dilation = (tuple(call.wholes(name) or [1] * axes) for name in ("strides", "dilations"))
    return stride, dilation


def window_padding(call: Call, kernel: Shape, stride: Shape, dilation: Shape, lengths: Shape) -> tuple[int, ...]:
    """Begins, then ends: as said, or such that there are ⌈length / stride⌉ windows (SAME)."""
    auto = call.text("auto_pad", "NOTSET")
    if auto == "VALID":
        return (0,) * (2 * len(kernel))
    if auto == "NOTSET":
        return ends(call, call.wholes("pads") or [0] * (2 * len(kernel)))
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        call.here.refuse(f"has the padding {auto!r}; NOTSET, VALID, SAME_UPPER and SAME_LOWER are known")
    totals = [
        max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        for n, k, s, d in zip(lengths, kernel, stride, dilation, strict=True)
    ]
    return same(auto, totals)


def same(auto: str, totals: list[int]) -> tuple[int, ...]:
    """Padding of SAME_UPPER, or SAME_LOWER: where it is odd, one more behind, or before."""
    small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return (*small, *large) if auto == "SAME_UPPER" else (*large, *small)


def ends(call: Call, padding: list[int]) -> tuple[int, ...]:
    """Padding that adds."""
    if min(padding, default=0) < 0:
        call.here.refuse(f"has the padding {padding}; negative padding, which cuts, is not read: use a Slice")
    return tuple(padding)


def _transposed_padding(call: Call, kernel: Shape, more: Shape, lengths: Shape) -> tuple[int, ...]:
    wanted, auto = call.wholes("output_shape"), call.text("auto_pad", "NOTSET")
    stride, dilation = window_steps(call, len(kernel))
    if auto == "NOTSET" and wanted is None:
        return ends(call, call.wholes("pads") or [0] * (2 * len(kernel)))
    if auto == "VALID":
        return (0,) * (2 * len(kernel))
    wanted = wanted or [n * s for n, s in zip(lengths, stride, strict=True)]
    whole = [
        s * (n - 1) + o + d * (k - 1) + 1 for n, s, o, d, k in zip(lengths, stride, more, dilation, kernel, strict=True)
    ]
    totals = [full - out for full, out in zip(whole, wanted[-len(kernel) :], strict=True)]
    if min(totals) < 0:
        call.here.refuse(f"gives more than its windows reach, {tuple(wanted)}; use output_padding")
    return same(auto, totals)


def normalises(call: Call) -> Any:
    """Statistics of the input itself."""
    call.here.refuse(
        "is normalisation by the input's own size, which cannot be read; BatchNormalization, whose statistics are "
        "constants, is"
    )


TABLE: dict[str, Operator] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gemm": gemm,
    "MatMul": product,
    "Einsum": contraction,
    "BatchNormalization": batch_norm,
    **dict.fromkeys(NORMALISES, normalises),
}
