"""What a construction has to know of a kind of gadgets."""

from typing import Protocol, runtime_checkable

from slth.construction.needs import Needs
from slth.construction.objectives import Objective
from slth.construction.recipe import Recipe
from slth.construction.width import Width
from slth.graph import Linear
from slth.ticket import Gadget


@runtime_checkable
class Maker(Protocol):
    """Plans the random network of one map, and chooses its solver."""

    @property
    def kind(self) -> str: ...  # of the gadgets
    @property
    def method(self) -> str: ...  # for the provenance: in words, with its source

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Refuse what the theorem does not cover.

        Raises:
            InputError: an objective, a law or a map, and why.
        """
        ...

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """As many candidates as a map needs, see `slth.construction.needs`.

        Raises:
            InputError: no number of them would do; says which tolerance is in reach.
        """
        ...

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """The random network of a map, dead neurons not counted; `signed`: ranges of inputs that can be negative."""
        ...

    def objective(self, recipe: Recipe) -> Objective:
        """What answers its problems."""
        ...
