r"""The numbers of a network: a target's coefficients, what a pruned random network realises of them, a box of inputs.

For a map y = W x + b on inputs x, the realisation is

$$\hat y = P x^+ + N x^- + \hat b, \qquad x^+ = \max(x, 0),\ x^- = \max(-x, 0).$$

Ideal is P = W, N = −W, b̂ = b. A *linear* realisation has no N, for N = −P: ŷ = P x + b̂ whatever the sign of x. All
entries are float64 and taken as exact, unless a realisation says that it is rounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from slth._errors import InputError
from slth._shapes import Bias, Coefficient, Signed
from slth.graph.bases import Basis, Shape
from slth.graph.nodes import Graph
from slth.graph.ops import carried_names
from slth.graph.tensors import Stored
from slth.numerics import rounded_sum

_MANY = 1 << 20  # coefficients of a map


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Affine:
    """A linear map of the target: coefficients W (row, inp, tap), and b (out,) or None for 0; see `bases`.

    W is float64. Many coefficients that float32 holds are kept so: of a large network one map at a time is float64.
    """

    bias: Bias | None
    _kept: np.ndarray  # W, as it is or in float32

    def __init__(self, weight: Coefficient, bias: Bias | None) -> None:
        if weight.ndim != 3 or weight.size == 0:
            raise InputError(f"a weight has shape (out, inp, tap), none of them 0, got {weight.shape}")
        _check_array(weight, weight.shape, "weight")
        _check_bias(bias, weight.shape[0], "bias")
        object.__setattr__(self, "bias", bias)
        object.__setattr__(self, "_kept", weight if weight.size < _MANY else _narrowest(weight))

    @property
    def weight(self) -> Coefficient:
        """W. Cost: of many coefficients a copy."""
        return self._kept if self._kept.dtype == np.float64 else self._kept.astype(np.float64)

    @property
    def kept(self) -> np.ndarray:
        """W as it is kept, float64 or float32: the same numbers, without a copy."""
        return self._kept

    @property
    def shape(self) -> tuple[int, int, int]:
        """(row, inp, tap)."""
        rows, inputs, taps = self._kept.shape
        return rows, inputs, taps

    def rows(self, rows: slice) -> Coefficient:
        """W of some rows: of many coefficients a copy of these alone."""
        return self._kept[rows].astype(np.float64, copy=False)

    @property
    def largest(self) -> float:
        """max |W|, exact; without a copy."""
        return max(float(self._kept.max()), -float(self._kept.min()))

    @property
    def table(self) -> np.ndarray:
        """W of a dense map, whose rows an embedding that is tied to it looks up; float64, or as it is kept."""
        return self._kept[:, :, 0]

    def apply(self, basis: Basis, x: np.ndarray) -> np.ndarray:
        """W x + b in float64; x (batch, ...)."""
        return _shifted(basis, basis.apply(self.weight, x), self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Realised:
    """What the pruned random network computes in place of one map.

    positive: P, negative: N, both (row, inp, tap); bias: b̂ (out,) or None for 0. signed: (inp,), the inputs that can be
    negative. N is None if there are none, and if the map is linear; its columns are 0, and claim nothing, where
    `signed` is False.
    """

    positive: Coefficient
    negative: Coefficient | None
    bias: Bias | None
    signed: Signed
    rounded: bool = False  # P, N and b̂ are real numbers, here rounded once: each is off by 2⁻⁵³ of its size at most
    linear: bool = False  # ŷ = P x + b̂ for inputs of either sign

    def __post_init__(self) -> None:
        if self.positive.ndim != 3 or self.positive.size == 0:
            raise InputError(f"the positive half has shape (out, inp, tap), none of them 0, got {self.positive.shape}")
        _check_array(self.positive, self.positive.shape, "positive half")
        _check_array(self.negative, self.positive.shape, "negative half")
        _check_bias(self.bias, self.positive.shape[0], "realised bias")
        if self.signed.shape != self.positive.shape[1:2] or self.signed.dtype != np.bool_:
            raise InputError(
                f"signed must be {self.positive.shape[1]} booleans, got {self.signed.dtype} {self.signed.shape}"
            )
        if (self.negative is None) == (bool(self.signed.any()) and not self.linear):
            raise InputError(
                "a negative half is expected exactly if some coordinate is signed and the map is not linear"
            )
        if self.negative is not None and self.negative[:, ~self.signed].any():
            raise InputError("the negative half must be 0 at coordinates that are not signed")

    @classmethod
    def of(cls, affine: Affine, signed: Signed, *, linear: bool = False) -> "Realised":
        """The ideal realisation of a map: P = W, N = −W, b̂ = b; in arrays of its own."""
        negative = np.where(signed[:, None], -affine.weight, 0.0) if signed.any() and not linear else None
        bias = None if affine.bias is None else affine.bias.copy()
        return cls(affine.weight.copy(), negative, bias, signed, linear=linear)

    @classmethod
    def rounded_sum(cls, parts: Sequence["Realised"]) -> "Realised":
        """What the parts of a realisation are together, rounded once; a single one as it is."""
        if len(parts) == 1:
            return parts[0]
        positive = rounded_sum([part.positive for part in parts])
        negative, bias = (
            rounded_sum([half for half in halves if half is not None]) if halves[0] is not None else None
            for halves in ([part.negative for part in parts], [part.bias for part in parts])
        )
        return cls(positive, negative, bias, parts[0].signed, rounded=True, linear=parts[0].linear)

    @classmethod
    def zeros(
        cls, coefficients: tuple[int, int, int], biases: int | None, signed: Signed, *, linear: bool = False
    ) -> "Realised":
        """Nothing yet, to be added up in place."""
        negative = np.zeros(coefficients) if signed.any() and not linear else None
        bias = None if biases is None else np.zeros(biases)
        return cls(np.zeros(coefficients), negative, bias, signed, linear=linear)

    @property
    def table(self) -> np.ndarray:
        """P of a dense map, whose rows an embedding that is tied to it looks up."""
        return self.positive[:, :, 0]

    def apply(self, basis: Basis, x: np.ndarray) -> np.ndarray:
        """P x⁺ + N x⁻ + b̂, or P x + b̂, in float64; x (batch, ...)."""
        y = basis.apply(self.positive, x if self.linear else np.maximum(x, 0.0))
        if self.negative is not None:
            y = y + basis.apply(self.negative, np.maximum(-x, 0.0))
        return _shifted(basis, y, self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """The inputs a bound speaks of: all x with lower ≤ x ≤ upper, entry by entry.

    Both ends have the axes of an input; an axis of length 1 speaks of all its entries, see `spread`.
    """

    lower: Float64[np.ndarray, "..."]
    upper: Float64[np.ndarray, "..."]
    shape: Shape = ()  # of an input; (): as long as its ends are

    def __post_init__(self) -> None:
        if self.lower.ndim == 0 or self.lower.size == 0 or self.lower.ndim != self.upper.ndim:
            raise InputError(f"a box has one lower end per input, got an array of shape {self.lower.shape}")
        _check_array(self.lower, self.lower.shape, "lower end of the box")
        _check_array(self.upper, self.upper.shape, "upper end of the box")
        if (self.lower > self.upper).any():
            raise InputError("an input range is empty: its lower end exceeds its upper end")
        ends = np.broadcast_shapes(self.lower.shape, self.upper.shape)
        shape = self.shape or ends
        if len(shape) != len(ends) or any(end not in (1, length) for end, length in zip(ends, shape, strict=True)):
            raise InputError(f"a box with ends of shape {ends} does not speak of inputs of shape {shape}")
        object.__setattr__(self, "shape", shape)

    @classmethod
    def uniform(cls, lower: float, upper: float, *shape: int) -> "Box":
        """The same range for every entry of inputs of this shape."""
        return cls(np.full(shape, float(lower)), np.full(shape, float(upper)))


@dataclass(frozen=True, slots=True)
class Product:
    """What a merged map stands for, see `merging`."""

    part: str  # of an attention
    weights: int  # parameters of the projections, those that no earlier map counts


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A trained network: its graph, the coefficients of its maps, and how it was read.

    Raises:
        InputError: a map without coefficients, or coefficients that do not fit its basis; an op that reads a carried
            array that is not there.
    """

    graph: Graph
    coefficients: Mapping[str, Affine]  # by map
    input_shape: Shape = ()  # of one input; (): that of a dense chain
    carried: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])  # arrays that ops read, by name
    names: Mapping[str, tuple[str, str | None]] = field(
        default_factory=dict[str, tuple[str, str | None]]
    )  # by map: the tensors of weight and bias
    turned: Mapping[str, tuple[str, str | None]] = field(
        default_factory=dict[str, tuple[str, str | None]]
    )  # the same, of maps whose weight is stored as (inputs, outputs)
    assumed: tuple[str, ...] = ()  # sentences: what had to be assumed to read it
    cut: Mapping[str, str] = field(default_factory=dict[str, str])  # "from_node", "to_node": where a graph was cut
    folded: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )  # by map: the steps of what was read whose numbers are in its own, in order; those of maps with any
    tensors: Mapping[str, Stored] = field(
        default_factory=dict[str, Stored]
    )  # all of its own file, if it was read unfolded: then each map's weight and bias are among them
    copies: Mapping[str, int] = field(
        default_factory=dict[str, int]
    )  # by map: equal copies of each channel that it reads, of a network `with_copies`
    merged: Mapping[str, Product] = field(
        default_factory=dict[str, Product]
    )  # by map: what it stands for, of a network `with_merged`
    rounding: float = 0.0  # how far its coefficients may be, each, from the products that they stand for
    original: "Target | None" = None  # and the network without copies, unmerged

    def __post_init__(self) -> None:
        maps = self.graph.maps
        if not self.input_shape:
            object.__setattr__(self, "input_shape", (next(iter(maps.values())).basis.inputs,))
        if set(maps) != set(self.coefficients):
            raise InputError(f"expected coefficients of {', '.join(maps)}; got {', '.join(self.coefficients)}")
        for path, op in maps.items():
            affine = self.coefficients[path]
            biased = None if affine.bias is None else len(affine.bias)
            if affine.shape != op.coefficients or biased != (op.basis.outputs if op.bias else None):
                raise InputError(f"{path}: coefficients {affine.shape} do not fit the map {op.coefficients}")
        missing = {name for node in self.graph.nodes for name in carried_names(node.op)} - set(self.carried)
        if missing:
            raise InputError(f"the network reads arrays that are not carried: {', '.join(sorted(missing))}")


def _shifted(basis: Basis, y: np.ndarray, bias: Bias | None) -> np.ndarray:
    """One number per output channel."""
    if bias is None:
        return y
    return y + bias if basis.channel_axis == -1 else y + bias.reshape(-1, *(1 for _ in y.shape[2:]))


def _narrowest(weight: Coefficient) -> np.ndarray:
    """In float32, −0.0 as it is, if that loses nothing."""
    with np.errstate(over="ignore"):
        narrow = weight.astype(np.float32)
    return narrow if np.array_equal(narrow, weight) else weight


def _check_bias(bias: np.ndarray | None, rows: int, name: str) -> None:
    """One number for each output: as many for each group as there are rows."""
    if bias is not None and (bias.ndim != 1 or len(bias) % rows):
        raise InputError(f"the {name} must be float64 of shape ({rows},) for each group, got {bias.shape}")
    _check_array(bias, () if bias is None else bias.shape, name)


def _check_array(array: np.ndarray | None, shape: tuple[int, ...], name: str) -> None:
    if array is None:
        return
    if array.dtype != np.float64 or array.shape != shape:
        raise InputError(f"the {name} must be float64 of shape {shape}, got {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"the {name} holds infinity or NaN")
