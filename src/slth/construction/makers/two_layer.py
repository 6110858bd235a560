"""Two random layers for each map (Pensia et al., 2020)."""

from dataclasses import dataclass

from slth._errors import InputError
from slth.construction.centred import OfPairs
from slth.construction.objectives import OBJECTIVES, Objective
from slth.construction.recipe import Recipe
from slth.construction.sizes import Sizes
from slth.construction.width import Width, plan_sizes
from slth.graph import Linear
from slth.numerics import source_law
from slth.ticket import Gadget, Stage, TwoLayer


@dataclass(frozen=True, slots=True)
class TwoLayerMaker:
    """Every map, objective and law; but of mirrored pairs exactly one is kept, and no objective chooses how many."""

    kind: str = TwoLayer.kind
    method: str = "two random layers per target layer (Pensia et al., 2020)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        if source_law(recipe.law).name == "sign":
            raise InputError("sums of signs are whole gains and come near no weight; take another law, such as uniform")
        if recipe.centred and recipe.law != "uniform":
            raise InputError(f"mirrored pairs are of the law uniform, got {recipe.law}; leave --law or --centred out")
        if recipe.centred and recipe.objective not in ("within", "closest"):
            raise InputError(
                f"of mirrored pairs exactly one is kept, so there is nothing to choose for {recipe.objective}; take "
                "the objective within or closest, or leave --centred out"
            )
        if recipe.objective == "exactly" and source_law(recipe.law).uniform not in (0.0, 1.0):
            raise InputError(
                f"of a randomly pruned source, {recipe.law}, no fixed share of the candidates is there to be kept; "
                "take another objective than exactly, or a law without a chance"
            )

    def width(
        self,
        weights: Sizes,
        bias: Sizes | None,
        tolerance: float,
        *,
        recipe: Recipe,
        failure: float,
        candidates: int | None = None,
        extra: int = 0,
    ) -> Width:
        """By measured chances of a miss."""
        return plan_sizes(
            weights, bias, tolerance, failure=failure, candidates=candidates, extra=extra, source=recipe.source
        )

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be."""
        stages = tuple(Stage(s.candidates, s.constants, 0, s.gain, s.bias_gain) for s in width.stages)
        return TwoLayer(stages, signed, recipe.law, recipe.centred).narrowest(op)

    def objective(self, recipe: Recipe) -> Objective:
        """That of its name."""
        objective = OBJECTIVES[recipe.objective]
        return OfPairs(objective, 2 * source_law(recipe.law).bits) if recipe.centred else objective
