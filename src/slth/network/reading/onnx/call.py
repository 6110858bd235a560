"""One node of an ONNX graph while it becomes steps of a draft: its inputs, what its attributes say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slth.network.reading.here import Here, Known, Value

FLOATS_END = float(np.finfo(np.float32).max)  # a bound that large is none


@dataclass(frozen=True, slots=True)
class Moved:
    """A value on its way between two transpositions: axis i is axis order[i] of the value with its batch on axis 0."""

    value: Value
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A sequence of values."""

    values: tuple[Value, ...]


@dataclass(slots=True)
class Call:
    """A node and its inputs: a `Value`, a `Known` tensor, or None where one is left out."""

    here: Here
    inputs: list[Any]
    attributes: dict[str, Any]  # as ONNX decodes them: numbers, lists, bytes, tensors
    opset: int
    batch: int  # the number that stands for the size of the batch
    fixed: int | None = None  # the size at which the file fixes it
    outputs: int = 1  # how many the node gives

    @property
    def x(self) -> Value:
        """The first input, which depends on the network's."""
        return self.value(0)

    def value(self, index: int) -> Value:
        """An input that depends on the network's, the batch on axis 0."""
        x = self.inputs[index]
        if isinstance(x, Moved):
            self.here.refuse("is given values whose batch is moved from axis 0; the examples must stay apart there")
        if not isinstance(x, Value):
            self.here.refuse("has a constant where it is read with a value of the network only")
        return x

    @property
    def moved(self) -> Moved:
        """The first input, wherever its batch is."""
        x = self.inputs[0]
        return x if isinstance(x, Moved) else Moved(self.x, tuple(range(len(self.x.shape) + 1)))

    def input(self, index: int) -> Any:
        """An input; None if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def known(self, index: int, what: str) -> Known | None:
        """A constant input; None if it is left out."""
        found = self.input(index)
        if isinstance(found, Value):
            self.here.refuse(f"has {what} that depend on the input; only constant ones are read")
        return found

    def text(self, name: str, default: str) -> str:
        """An attribute that is a word."""
        found = self.attributes.get(name, default)
        return found.decode() if isinstance(found, bytes) else found

    def number(self, name: str, default: float) -> float:
        """An attribute that is a number in float32, as the shortest decimal that rounds to it: 1e-05."""
        return decimal(self.attributes.get(name, default))

    def whole(self, name: str, default: int) -> int:
        """An attribute that is a whole number."""
        return int(self.attributes.get(name, default))

    def wholes(self, name: str, index: int | None = None) -> list[int] | None:
        """Whole numbers that are an attribute or, in later opsets, an input; None if they are not said."""
        if name in self.attributes:
            found = self.attributes[name]
            return [int(n) for n in found] if isinstance(found, Sequence) else [int(found)]
        given = None if index is None else self.known(index, name)
        return None if given is None else [int(n) for n in given.tensor.reshape(-1)]

    def axis(self, dim: int, rank: int | None = None) -> int:
        """An axis of the values without the batch; `rank` is without it, that of the first input by default."""
        return self.here.axis(dim, len(self.x.shape) if rank is None else rank)


def decimal(number: Any) -> float:
    """The shortest decimal that rounds to a number of float32.

    >>> decimal(np.float32(0.01)), decimal(1.0)
    (0.01, 1.0)
    """
    return float(str(np.float32(number)))


Operator = Callable[[Call], Any]  # a Value or a Known, or a tuple of them
