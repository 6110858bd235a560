"""One node of an exported program while it becomes steps of a draft: what operators read and write.

Operands are a `Value` (depends on the input; the batch is axis 0 of PyTorch's tensor and is left out here), a `Known`
tensor (depends on parameters alone), plain numbers, lists, None, or `Batch`, whatever depends on the batch's size.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from slth._errors import InputError
from slth.graph import Add, Affine, Constant, Multiply, Permute, Reshape, Shape, spread
from slth.network.reading.draft import Diagonal, Draft, Step
from slth.network.reading.hints import called
from slth.network.reading.words import shown


def exactly(tensor: Tensor) -> np.ndarray:
    """The numbers of a tensor, in float32 where it is, else in float64; a copy only where its type is another one."""
    own = tensor.detach().cpu()
    return (own if own.dtype == torch.float32 else own.double()).numpy()


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the network, by the name of its step."""

    name: str
    shape: Shape
    moved: str = ""  # why it cannot be an output: its batch is no axis 0 of its own, see `moved`


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A tensor that does not depend on the input, and the parameters and buffers that it comes from."""

    tensor: Tensor
    names: frozenset[str] = frozenset()

    @property
    def numbers(self) -> np.ndarray:
        """In float64, exactly."""
        return self.tensor.detach().cpu().double().numpy()

    @property
    def kept(self) -> np.ndarray:
        """The same, of a tensor in float32 in that: where it lies, to be read only."""
        return exactly(self.tensor)


@dataclass(frozen=True, slots=True)
class Batch:
    """A number that depends on the size of the batch."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read: an error only if something needs it."""

    error: InputError


@dataclass(slots=True)
class Here:
    """Where a node stands, and the draft that it is added to."""

    draft: Draft
    op: str  # "conv2d.default"
    place: str  # module path, "" for the model itself
    kind: str  # class of that module
    leaf: bool
    shape: Shape | None = None  # of the node's value; None if there are several

    @property
    def where(self) -> str:
        """The node's module, and what that is."""
        return f"{shown(self.place) or 'the model'} ({self.kind})"

    def refuse(self, why: str) -> NoReturn:
        """This node cannot be read.

        Raises:
            InputError: always; one sentence that names the node and its module.
        """
        raise InputError(self.refusal(why))

    def refusal(self, why: str) -> str:
        """The sentence that names the node and its module."""
        return f"{self.where}: {called(self.op)} {why}"

    def add(
        self,
        op: Any,
        *values: Value,
        arrays: Mapping[str, np.ndarray] | None = None,
        affine: Affine | None = None,
        tensors: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset()),
        shape: Shape = (),
    ) -> Value:
        """Append a step."""
        step = Step(
            op, tuple(value.name for value in values), shape, self.place, self.leaf, dict(arrays or {}), affine, tensors
        )
        try:
            name = self.draft.add(step)
        except InputError as error:
            self.refuse(f"does not fit: {error}")
        return Value(name, step.shape)

    def diagonal(self, x: Value, scale: Any, shift: Any) -> Value:
        """g x + t with numbers or arrays that broadcast against x."""
        arrays = {"scale": self.against(scale, x), "shift": self.against(shift, x)}
        return self.add(Diagonal(), x, arrays=arrays, shape=x.shape)

    def against(self, numbers: Any, x: Value) -> np.ndarray:
        """A constant operand with as many axes as x, size 1 where its entries are the same."""
        if isinstance(numbers, Batch):
            self.refuse("reads the size of the batch; what a network computes must not depend on it")
        array = np.asarray(numbers.numbers if isinstance(numbers, Known) else numbers, np.float64)
        rank = len(x.shape)
        while array.ndim > rank and array.shape[0] == 1:
            array = array[0]
        if array.ndim > rank:
            self.refuse(f"combines values of shape {x.shape} with a constant of shape {array.shape}")
        if not np.isfinite(array).all():
            self.refuse("meets a constant that holds infinity or NaN; a target needs finite numbers")
        return spread.smallest(array.reshape((1,) * (rank - array.ndim) + array.shape))

    def sum(self, terms: list[tuple[float, Any]]) -> Value:
        """Σ c_i x_i of values and constants."""
        terms = [(c, x) for c, x in terms if c != 0]
        values = [(c, x) for c, x in terms if isinstance(x, Value)]
        if not values:
            self.refuse("leaves nothing of its values")
        for c, constant in ((c, x) for c, x in terms if not isinstance(x, Value)):
            _, x = values[0]
            array = c * self.against(constant, x)
            if len(values) == 1 and np.broadcast_shapes(array.shape, x.shape) == x.shape:
                values = [(1.0, self.diagonal(x, values[0][0], array))]
            else:
                values.append((1.0, self.constant(array)))
        if len(values) == 1:
            c, x = values[0]
            return x if c == 1.0 else self.diagonal(x, c, 0.0)
        self._same_axes([x for _, x in values])
        return self.add(Add(tuple(c for c, _ in values)), *(x for _, x in values))

    def product(self, x: Any, y: Any) -> Value:
        """x y of two values, or of a value and a constant."""
        if not isinstance(x, Value):
            x, y = y, x
        if isinstance(y, Value):
            self._same_axes([x, y])
            return self.add(Multiply(), x, y)
        array = self.against(y, x)
        if np.broadcast_shapes(array.shape, x.shape) == x.shape:
            return self.diagonal(x, array, 0.0)
        return self.add(Multiply(), x, self.constant(array))

    def constant(self, array: np.ndarray) -> Value:
        """An array as a value."""
        return self.add(Constant("value"), arrays={"value": array})

    def reshape(self, x: Value, shape: Shape) -> Value:
        """The entries in another shape."""
        return x if x.shape == shape else self.add(Reshape(shape), x)

    def permute(self, x: Value, order: tuple[int, ...]) -> Value:
        """Axis i is axis order[i]."""
        return x if order == tuple(range(len(order))) else self.add(Permute(order), x)

    def axis(self, dim: int, rank: int) -> int:
        """An axis of values without the batch, of one that PyTorch counts with it; `rank` is without it."""
        axis = dim + rank if dim < 0 else dim - 1
        if not 0 <= axis < rank:
            self.refuse("acts along the batch; the examples of a batch must stay apart, on axis 0")
        return axis

    def _same_axes(self, values: list[Value]) -> None:
        if len({len(value.shape) for value in values}) != 1:
            shapes = " and ".join(str(value.shape) for value in values)
            self.refuse(f"combines values of shapes {shapes} (without the batch); they need equally many axes")


Operator = Callable[[Here, Any], Any]  # the place, and the arguments by name; a Value, or a tuple of them
