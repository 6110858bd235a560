"""Two random layers for each map, pruned by whole neurons (da Cunha, d'Amore and Natale, 2023)."""

import math
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth.construction.chances import chances, grid
from slth.construction.needs import Needs
from slth.construction.objectives import Objective, within_vectors
from slth.construction.recipe import Recipe
from slth.construction.sizes import Sizes
from slth.construction.vector_chances import MEASURED, vector_chances
from slth.construction.width import Width, gain_of
from slth.graph import Linear
from slth.ticket import MOST_CANDIDATES, MOST_COORDINATES, Gadget, Neurons

DEFAULT_GROUP = 2  # outputs that one neuron serves
_FINEST = 47  # bits below the gain: sums are multiples of 2⁻⁴⁶


@dataclass(frozen=True, slots=True)
class NeuronsMaker:
    """A subset sum of vectors for each input and each group of outputs, within the tolerance."""

    kind: str = Neurons.kind
    method: str = "two random layers per target layer, pruned by whole neurons (da Cunha, d'Amore and Natale, 2023)"

    def check(self, recipe: Recipe, op: Linear) -> None:
        """Objectives that count edges, outputs that do not share inputs, and kernels too large are refused."""
        if recipe.objective != "within":
            raise InputError(
                f"neurons are kept or removed whole, for several weights at once: that is the objective within, not "
                f"{recipe.objective}, which chooses for one weight"
            )
        if recipe.law != "uniform" or recipe.centred:
            raise InputError("neurons are planned for uniform random numbers; leave law and centred out")
        if op.basis.groups > 1:
            raise InputError(
                f"{op.map}: its {op.basis.outputs} outputs are in {op.basis.groups} groups that do not share their "
                "inputs, and removing a neuron needs outputs that do; take the gadget two-layer"
            )
        size, taps = group_size(recipe), op.basis.taps
        if size * taps > MOST_COORDINATES:
            least = f"groups of {MOST_COORDINATES // taps}" if taps <= MOST_COORDINATES else "the gadget two-layer"
            raise InputError(
                f"{op.map}: a neuron would give {size} x {taps} numbers at once (outputs of a group, times taps of the "
                f"kernel), and {MOST_COORDINATES} are the most that are solved; take {least}"
            )

    def width(self, needs: Needs, recipe: Recipe) -> Width:
        """By measured chances of a miss of vectors."""
        size = min(group_size(recipe), needs.op.coefficients[0])
        n, missed = _fewest(needs.weights, size * needs.op.basis.taps, needs)
        if needs.bias is None:
            return Width(needs.tolerance, gain_of(needs.weights.largest), 1.0, n, 0, missed, None)
        n_c, missed_bias = _fewest(needs.bias, size, needs)
        gains = gain_of(needs.weights.largest), gain_of(needs.bias.largest)
        return Width(needs.tolerance, *gains, n, n_c, missed + missed_bias, None)

    def gadget(self, op: Linear, width: Width, signed: tuple[tuple[int, int], ...], *, recipe: Recipe) -> Gadget:
        """As narrow as it can be; groups no larger than the outputs."""
        size = min(group_size(recipe), op.coefficients[0])
        made = Neurons(size, width.candidates, width.constants, 0, width.gain, width.bias_gain, signed)
        return made.narrowest(op)

    def objective(self, recipe: Recipe) -> Objective:
        """Vectors, the first subset found."""
        return within_vectors


def group_size(recipe: Recipe) -> int:
    """s, outputs that one neuron serves."""
    return DEFAULT_GROUP if recipe.group_size is None else recipe.group_size


def _fewest(sizes: Sizes, d: int, needs: Needs) -> tuple[int, float]:
    """The fewest candidates for at most a share of the expected misses, plus `extra`; the misses then expected."""
    gain, tolerance, failure = gain_of(sizes.largest), needs.tolerance, needs.share
    candidates, extra = needs.candidates, needs.extra
    if candidates is not None:
        n = min(candidates + extra, MOST_CANDIDATES)
        return n, _missed(sizes, d, n, tolerance / gain, gain) if d == 1 or d in MEASURED else math.nan
    if d > 1 and d not in MEASURED:
        raise InputError(
            f"a neuron gives {d} numbers at once here, and how many candidates that takes was measured up to "
            f"{MEASURED[-1]}; say how many: --candidates 56"
        )
    for n in range(1, MOST_CANDIDATES + 1):
        if _missed(sizes, d, n, tolerance / gain, gain) <= failure:
            n = min(n + extra, MOST_CANDIDATES)
            return n, _missed(sizes, d, n, tolerance / gain, gain)
    reached = next(b for b in range(_FINEST, -1, -1) if _missed(sizes, d, MOST_CANDIDATES, 2.0**-b, gain) <= failure)
    raise InputError(
        f"a tolerance of {tolerance / gain:.2g} gains in {d} numbers at once needs more than {MOST_CANDIDATES} "
        f"candidates for an expected {failure:.2g} misses; ask for a larger tolerance ({2.0**-reached:.2g} gains, "
        f"{gain * 2.0**-reached:.2g}, is in reach here), a smaller group or a larger failure probability"
    )


def _missed(sizes: Sizes, d: int, candidates: int, t: float, gain: float) -> float:
    """Expected misses: of numbers, or of vectors of d of them."""
    counts = sizes.by_row(gain, t * gain)
    if d == 1:
        return float(counts @ chances(candidates, t))
    every = float(sizes.up_to(np.array([math.inf]))[0])
    counts = counts.copy()
    counts[0] += every - counts.sum()  # within the tolerance themselves, but not their vector
    return float(counts @ vector_chances(d, candidates, t)) / d if t < grid()[-1] else 0.0
