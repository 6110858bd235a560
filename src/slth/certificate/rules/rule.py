"""What a rule is: from what is known of an op's inputs to what is known of its value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slth.certificate.errors import MapErrors
from slth.certificate.reach import Reach
from slth.graph import Carried, Shape, shape_of


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What rules need to know beside their inputs."""

    errors: Mapping[str, MapErrors] = field(default_factory=dict[str, MapErrors])  # by map
    carried: Carried = field(default_factory=dict)


Rule = Callable[[Any, tuple[Reach, ...], Facts], Reach | None]  # None: nothing is known, claims stop


def shape_after(op: Any, inputs: tuple[Reach, ...], facts: Facts) -> Shape:
    """The shape of the op's value."""
    return shape_of(op, tuple(x.shape for x in inputs), facts.carried)
