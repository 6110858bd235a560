"""Ops: how the values of a network combine. A closed vocabulary of frozen records; names and meanings follow ONNX.

Values are arrays without the batch; axis 0 holds the channels. Numbers of an op that are arrays are *carried*: the op
says their names. `interpreters` says what each op computes, what shape it gives and where it can be negative.
"""

from dataclasses import dataclass

from slth._errors import InputError
from slth.graph.axis_maps import AxisMatrix
from slth.graph.bases import Basis
from slth.graph.functions import FUNCTIONS


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear map with coefficients of its own, and a bias for each output.

    Two nodes of one map share coefficients and random numbers: a layer that is used twice.
    """

    map: str  # path of the map; it names the random streams
    basis: Basis
    bias: bool

    @property
    def coefficients(self) -> tuple[int, int, int]:
        """Shape (row, inp, tap); with groups an input has one row for each output of its own group."""
        return self.basis.outputs // self.basis.groups, self.basis.inputs, self.basis.taps

    @property
    def weights(self) -> int:
        """Parameters, biases included."""
        rows, inputs, taps = self.coefficients
        return rows * inputs * taps + (self.basis.outputs if self.bias else 0)


@dataclass(frozen=True, slots=True)
class Pointwise:
    """A function of each number by itself, see `functions`; its parameters are those that the function has."""

    function: str
    alpha: float | None = None
    beta: float | None = None
    gamma: float | None = None
    low: float | None = None  # of Clip; None: unbounded
    high: float | None = None
    slope: str | None = None  # of PRelu: carried, one per index of `axis`
    axis: int | None = None

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise InputError(f"expected a function, one of {', '.join(FUNCTIONS)}; got {self.function!r}")
        known = FUNCTIONS[self.function].parameters
        for name in ("alpha", "beta", "gamma", "low", "high", "slope", "axis"):
            given, optional = getattr(self, name) is not None, self.function == "Clip"
            if given != (name in known) and not (optional and name in known):
                raise InputError(f"{self.function} takes {', '.join(known) or 'no parameters'}; {name} is off")
        positive = {"Celu": self.alpha, "Swish": self.alpha, "Selu": self.gamma}.get(self.function)
        if positive is not None and positive <= 0:
            raise InputError(f"{self.function}: expected a parameter > 0, got {positive:g}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InputError(f"{self.function}: expected low <= high, got {self.low:g} and {self.high:g}")


@dataclass(frozen=True, slots=True)
class MaxPool:
    """The largest entry of each window of the last axes; what lies outside is −∞."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]  # before each axis, then behind each; a padded axis is no shorter than a dilated step
    dilation: tuple[int, ...]

    def __post_init__(self) -> None:
        sizes = self.kernel, self.stride, self.dilation
        axes = len(self.kernel)
        if not 1 <= axes <= 3 or {len(size) for size in sizes} != {axes} or len(self.padding) != 2 * axes:
            raise InputError(
                f"expected kernel, stride, dilation of 1 to 3 axes, padding of twice as many; got {self.kernel}"
            )
        if min(map(min, sizes)) < 1 or min(self.padding) < 0:
            raise InputError(f"expected windows of at least 1 and padding of at least 0; got {self.kernel}")


@dataclass(frozen=True, slots=True)
class AxisMap:
    """Along each axis in turn y[i] = Σ_l A[i, l] x[l]: averages, means, upsampling. A Kronecker product."""

    axes: tuple[AxisMatrix, ...]

    def __post_init__(self) -> None:
        axes = [axis.axis for axis in self.axes]
        if len(set(axes)) < len(axes):
            raise InputError(f"expected one matrix for each axis, got axes {axes}; use two ops for two of one axis")


@dataclass(frozen=True, slots=True)
class Add:
    """Σ c_i x_i; an axis of length 1 is repeated."""

    coefficients: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Multiply:
    """x₁ x₂; an axis of length 1 is repeated."""


@dataclass(frozen=True, slots=True)
class Scale:
    """g x + t, one g and one t (carried) for each index of an axis; None: 1 and 0."""

    axis: int
    scale: str | None
    shift: str | None


@dataclass(frozen=True, slots=True)
class Normalise:
    """γ (x − μ) / √(σ² + ε) + β by stored statistics (carried), one of each per index of an axis; None: γ = 1, β = 0.

    ONNX calls it BatchNormalization. σ² + ε is > 0, which the carried numbers decide.
    """

    axis: int
    mean: str  # μ
    variance: str  # σ²
    scale: str | None  # γ
    shift: str | None  # β
    epsilon: float  # ε


@dataclass(frozen=True, slots=True)
class Concat:
    """Side by side along an axis."""

    axis: int


@dataclass(frozen=True, slots=True)
class Reshape:
    """The entries in C order."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Permute:
    """Axis i is axis order[i] of x."""

    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """Indices start, start + step, ... before stop, along an axis."""

    axis: int
    start: int
    stop: int
    step: int = 1


@dataclass(frozen=True, slots=True)
class Pad:
    """A number around x: so many entries before each axis, then behind each."""

    padding: tuple[int, ...]
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Constant:
    """A carried array; it reads nothing."""

    value: str


@dataclass(frozen=True, slots=True)
class Softmax:
    """eˣ / Σ eˣ along an axis."""

    axis: int


@dataclass(frozen=True, slots=True)
class LogSoftmax:
    """The logarithm of the same."""

    axis: int


@dataclass(frozen=True, slots=True)
class MatMul:
    """The product of two values as matrices: of the last two axes; the others are repeated where one of them is 1."""


@dataclass(frozen=True, slots=True)
class Attention:
    """Σ_s p_ts v_s, p the softmax over keys s of scale · ⟨q_t, k_s⟩ + bias_ts, of keys that are visible at t.

    Reads queries (..., H, T, d), keys (..., G, S, d) and values (..., G, S, e); gives (..., H, T, e). G divides H:
    query head h reads key head ⌊h G / H⌋. Values of two axes are one head. Every row has a visible key.
    """

    scale: float
    causal: bool = False  # keys s > t are hidden
    visible: str | None = None  # carried, (T, S) or (H, T, S): 0 where a key is hidden
    bias: str | None = None  # carried, of such a shape


@dataclass(frozen=True, slots=True)
class Standardise:
    """(x − μ) / √(σ² + ε), mean and variance over some axes of each example; not centred: x / √(mean x² + ε).

    LayerNormalization, GroupNormalization, RMSNormalization of ONNX, without their gain and shift.
    """

    axes: tuple[int, ...]
    epsilon: float  # ε
    centred: bool = True

    def __post_init__(self) -> None:
        if not self.axes or list(self.axes) != sorted(set(self.axes)):
            raise InputError(f"expected axes to standardise over, each once and ascending, got {self.axes}")
        if not 0 <= self.epsilon < float("inf"):
            raise InputError(f"Standardise: expected a finite epsilon >= 0, got {self.epsilon:g}")


@dataclass(frozen=True, slots=True)
class Embedding:
    """Row x of a table (count, width) for every token x; x are integers, 0 ≤ x < count."""

    table: str  # carried; tied: the map whose coefficients are the table, a `Dense` of one output for each token
    tied: bool = False


# One step of a network.
Op = (
    Linear
    | Pointwise
    | MaxPool
    | AxisMap
    | Add
    | Multiply
    | Scale
    | Normalise
    | Concat
    | Reshape
    | Permute
    | Slice
    | Pad
    | Constant
    | Softmax
    | LogSoftmax
    | MatMul
    | Attention
    | Standardise
    | Embedding
)
OPS: dict[str, type] = {  # by name
    op.__name__: op
    for op in (
        Linear,
        Pointwise,
        MaxPool,
        AxisMap,
        Add,
        Multiply,
        Scale,
        Normalise,
        Concat,
        Reshape,
        Permute,
        Slice,
        Pad,
        Constant,
        Softmax,
        LogSoftmax,
        MatMul,
        Attention,
        Standardise,
        Embedding,
    )
}


def map_of_op(op: Op) -> str | None:
    """The map that an op reads: its own, or the one that an embedding is tied to."""
    match op:
        case Linear():
            return op.map
        case Embedding(tied=True):
            return op.table
        case _:
            return None


def carried_names(op: Op) -> tuple[str, ...]:
    """The carried arrays that an op reads, in the order of its fields, or of their names."""
    match op:
        case Pointwise(slope=str() as slope):
            return (slope,)
        case Scale():
            return tuple(name for name in (op.scale, op.shift) if name is not None)
        case Normalise():
            return tuple(name for name in (op.mean, op.scale, op.shift, op.variance) if name is not None)
        case Constant():
            return (op.value,)
        case Attention():
            return tuple(name for name in (op.bias, op.visible) if name is not None)
        case Embedding(tied=False):
            return (op.table,)
        case AxisMap():
            return tuple(axis.value for axis in op.axes if axis.value is not None)
        case _:
            return ()
