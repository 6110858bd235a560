"""How fine a tolerance the random numbers of one map come, so that the others can make up for what that leaves.

Stages reach what float64 holds. Maps over tokens are made of plain random numbers, in one stage: see `layout.maker_of`.
"""

from dataclasses import dataclass

from slth._errors import InputError
from slth._shapes import Signed
from slth.construction.makers import finest_of_plain
from slth.construction.recipe import USUAL, Recipe
from slth.construction.stages import MOST_STAGES
from slth.construction.width import affine_sizes, finest_tolerance, plan_sizes
from slth.graph import Affine, Linear, OneHot


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Of one map of the gadgets two-layer and merged."""

    op: Linear
    affine: Affine
    signed: Signed  # inputs whose coefficients are two problems
    failure: float  # expected misses allowed
    recipe: Recipe

    @property
    def of_table(self) -> bool:
        """A table of tokens."""
        return isinstance(self.op.basis, OneHot)

    @property
    def words(self) -> str:
        """What reaches no finer."""
        if self.of_table:
            return "plain random numbers, of which a table of tokens is made,"
        return f"float64 and {MOST_STAGES} stages" if self.recipe.source == USUAL.source else "one stage"

    def holds(self, tolerance: float) -> bool:
        """With at most `failure` expected misses."""
        sizes = affine_sizes(self.affine, self.signed)
        if self.of_table and tolerance < finest_of_plain(*sizes):
            return False
        try:
            plan_sizes(*sizes, tolerance, failure=self.failure, source=self.recipe.source, one_stage=self.of_table)
        except InputError:
            return False
        return True

    @property
    def finest(self) -> float:
        """The finest tolerance that holds, to a factor of 2."""
        found = finest_tolerance(
            self.affine,
            signed=self.signed,
            failure=self.failure,
            source=self.recipe.source,
            one_stage=self.of_table,
        )
        return max(found, finest_of_plain(*affine_sizes(self.affine, self.signed))) if self.of_table else found
