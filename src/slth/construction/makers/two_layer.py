"""Two random layers for each map (Pensia et al., 2020)."""

from dataclasses import dataclass

from slth.construction.objectives import OBJECTIVES, Objective
from slth.construction.recipe import Recipe
from slth.construction.sizes import Sizes
from slth.construction.width import Width, plan_sizes
from slth.graph import Linear
from slth.ticket import Gadget, Stage, TwoLayer


@dataclass(frozen=True, slots=True)
class TwoLayerMaker:
    """Every objective, every map."""

    kind: str = TwoLayer.kind
    method: str = "two random layers per target layer (Pensia et al., 2020)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Nothing is refused."""

    def width(
        self,
        weights: Sizes,
        bias: Sizes | None,
        tolerance: float,
        *,
        op: Linear,
        recipe: Recipe,
        failure: float,
        candidates: int | None = None,
        extra: int = 0,
    ) -> Width:
        """By measured chances of a miss."""
        return plan_sizes(weights, bias, tolerance, failure=failure, candidates=candidates, extra=extra)

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be."""
        stages = tuple(Stage(s.candidates, s.constants, 0, s.gain, s.bias_gain) for s in width.stages)
        return TwoLayer(stages, signed).narrowest(op)

    def objective(self, recipe: Recipe) -> Objective:
        """That of its name."""
        return OBJECTIVES[recipe.objective]
