"""A network while it is read: steps whose numbers stand beside them, until nothing is left to fold.

Ops are those of `slth.graph`, arrays that an op carries go by local names ("scale", "value"). There are two ops more:
`Hidden`, see `hidden`, and `Diagonal`, y = g x + t with arrays g and t that broadcast against the value, size 1 along
every axis whose entries share them. Normalisations and arithmetic with constants are diagonal; folds take them into
linear maps.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slth._errors import InputError
from slth.graph import INPUT, OPS, Affine, Linear, Shape, shape_of
from slth.network.reading.words import shown

LONGEST = 900  # characters of a name
MOST_ENTRIES = 2**27  # of one value; one example then takes a gigabyte


@dataclass(frozen=True, slots=True)
class Diagonal:
    """y = g x + t, entry by entry; the arrays of its step are "scale" and "shift"."""


@dataclass(slots=True)
class Step:
    """One op of a network that is being read."""

    op: Any
    inputs: tuple[str, ...]
    shape: Shape
    place: str = ""  # the module in which it runs, "" for the model itself
    leaf: bool = False  # that module is a layer: it has no others inside
    arrays: dict[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    affine: Affine | None = None  # of a linear map
    tensors: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())  # state that weight and bias come from
    assumed: str | None = None  # what reading it this way takes for granted
    tied: str = ""  # of an embedding: the linear step whose weight is its table
    folded: tuple[str, ...] = ()  # diagonal steps whose numbers are in its own, by name

    def name(self, kind: str, *, alone: bool) -> str:
        """layer1.0.relu of a layer that is one step, layer1.0/add of what a module computes itself."""
        place = shown(self.place, LONGEST)
        return place if self.leaf and alone else f"{place}/{kind}" if place else kind

    @property
    def numbers(self) -> Affine:
        """The coefficients of a linear map."""
        assert self.affine is not None
        return self.affine

    @property
    def scale(self) -> np.ndarray:
        """g of a Diagonal."""
        return self.arrays["scale"]

    @property
    def shift(self) -> np.ndarray:
        """t of a Diagonal."""
        return self.arrays["shift"]


@dataclass(slots=True)
class Draft:
    """Steps by name, each after its inputs."""

    shape: Shape
    steps: dict[str, Step] = field(default_factory=dict[str, Step])
    output: str = INPUT
    count: int = 0
    unfolded: bool = False  # normalisations stay as they are, for the numbers of maps must be tensors of the model
    tied: frozenset[str] = frozenset()  # tensors that are a table and the weight of a map: nothing is folded into it
    computed: bool = False  # some numbers are results of PyTorch's, rounded in the model's own type

    def add(self, step: Step) -> str:
        """Append a step; its shape follows from its op.

        Raises:
            InputError: it does not fit its inputs.
        """
        if type(step.op) in OPS.values():
            step.shape = self.checked(step)
        if math.prod(step.shape) == 0:
            raise InputError(f"a value of shape {step.shape} is empty")
        if math.prod(step.shape) > MOST_ENTRIES:
            raise InputError(f"a value of shape {step.shape} has more than {MOST_ENTRIES:,} numbers")
        name = f"%{self.count}"
        self.count += 1
        self.steps[name] = step
        return name

    def checked(self, step: Step) -> Shape:
        """The shape of an op's value.

        Raises:
            InputError: it does not fit its inputs.
        """
        return shape_of(step.op, tuple(self.shape_of(name) for name in step.inputs), step.arrays)

    def shape_of(self, name: str) -> Shape:
        """The shape of a value, without the batch."""
        return self.shape if name == INPUT else self.steps[name].shape

    def readers(self, name: str) -> list[str]:
        """The steps that read a value, once for each time they do; "" stands for the network's output."""
        found = [reader for reader, step in self.steps.items() for value in step.inputs if value == name]
        return [*found, *([""] if self.output == name else [])]

    def replace(self, name: str, by: str) -> None:
        """Whoever reads `name` reads `by`; the step is gone."""
        for step in self.steps.values():
            if name in step.inputs:
                step.inputs = tuple(by if value == name else value for value in step.inputs)
        self.output = by if self.output == name else self.output
        del self.steps[name]

    def drop_dead(self) -> None:
        """Keep what the output needs."""
        alive, waiting = set[str](), [self.output]
        while waiting:
            name = waiting.pop()
            if name != INPUT and name not in alive:
                alive.add(name)
                waiting += self.steps[name].inputs
        self.steps = {name: step for name, step in self.steps.items() if name in alive}

    @property
    def linear(self) -> list[Step]:
        """The steps that are linear maps."""
        return [step for step in self.steps.values() if isinstance(step.op, Linear)]
