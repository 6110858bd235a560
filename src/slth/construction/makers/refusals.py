"""What several makers refuse, in one sentence each."""

from slth._errors import InputError
from slth.construction.recipe import Recipe
from slth.construction.width import Width
from slth.graph import Linear, OneHot
from slth.subsetsum import EXACT_VALUES

_FREE = ("within", "fewest", "closest")


def instead(op: Linear) -> str:
    """Of a map what does more than its gadget; a table of tokens has but one."""
    return "carry the table: --embeddings carried" if isinstance(op.basis, OneHot) else "take the gadget two-layer"


def check_objective(recipe: Recipe, op: Linear, why: str, *, known: tuple[str, ...] = _FREE) -> None:
    """Refuse an objective that a gadget does not know; `why` says what the gadget does.

    Raises:
        InputError: that.
    """
    if recipe.objective not in known:
        raise InputError(
            f"the gadget {recipe.gadget} {why}, so the objective {recipe.objective} says nothing; take one of "
            f"{', '.join(known)}, or {instead(op)}"
        )


def check_closest(recipe: Recipe, width: Width) -> None:
    """Refuse to look for the closest of too many subsets.

    Raises:
        InputError: that.
    """
    widest = max(max(stage.candidates, stage.constants) for stage in width.stages)
    if recipe.objective == "closest" and widest > EXACT_VALUES:
        raise InputError(
            f"the closest subset is found of up to {EXACT_VALUES} candidates, and this takes {widest}; ask for a "
            "larger tolerance, fewer candidates, or the objective within"
        )


def check_source(recipe: Recipe, op: Linear, law: str = "uniform") -> None:
    """Refuse a source of another law than the gadget's own.

    Raises:
        InputError: that.
    """
    if recipe.law not in ("uniform", law):
        raise InputError(
            f"the gadget {recipe.gadget} is proved for random numbers of the law {law}, got {recipe.law}; leave the "
            f"law out, or {instead(op)}"
        )
    if recipe.centred:
        raise InputError(
            f"mirrored pairs are for subset sums, and the gadget {recipe.gadget} takes none; leave centred out"
        )
