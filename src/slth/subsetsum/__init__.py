"""Subset sums: numbers in, subset out.

`first` finds some subset within a tolerance, as cheaply as it can; `closest` finds the best of all, of a given size if
asked; `smallest` and `fewest` keep the fewest values (the closest such subset, the first), `trade_off` shows what fewer
would cost, `perturbed` lets the kept ones move, and `count` counts. `closest_integer` works on integers without
rounding. The batch forms take many problems, and `enumerate_closest` is the slow oracle. Every answer says by its
`Status` what it proves.

Values that each move by a reach of their own: `solve_moved`, `moves_on_grid`.
Vectors: `closest_vector`, `first_vector`, `first_vector_batch`. More than forty values: `first_large`, with
`karmarkar_karp` as its baseline. Without a search, of any number of values: one value (`single_batch`), a count
(`sign_batch`), digits (`bit_batch`). All targets of an interval: `worst_error`, `reach`, `closest_many`. Random
candidates: `slth.subsetsum.laws`.
"""

from slth.subsetsum import laws
from slth.subsetsum._closest import closest, closest_batch
from slth.subsetsum._count import count
from slth.subsetsum._differencing import karmarkar_karp
from slth.subsetsum._enumerate import enumerate_closest
from slth.subsetsum._fewest import fewest, fewest_batch
from slth.subsetsum._first import first, first_batch
from slth.subsetsum._first_vectors import first_vector_batch
from slth.subsetsum._inputs import EXACT_VALUES
from slth.subsetsum._integers import closest_integer
from slth.subsetsum._intervals import Reach, WorstError, closest_many, reach, worst_error
from slth.subsetsum._large import first_large
from slth.subsetsum._moved import moves_on_grid, solve_moved
from slth.subsetsum._perturbed import perturbed, perturbed_batch
from slth.subsetsum._records import (
    IntegerSum,
    PerturbedSum,
    PerturbedSums,
    Status,
    SubsetCount,
    SubsetSum,
    SubsetSums,
)
from slth.subsetsum._single import LongSums, Singles, bit_batch, sign_batch, single_batch
from slth.subsetsum._smallest import smallest, smallest_batch, trade_off
from slth.subsetsum._vectors import closest_vector, first_vector

__all__ = [
    "EXACT_VALUES",
    "IntegerSum",
    "LongSums",
    "PerturbedSum",
    "PerturbedSums",
    "Reach",
    "Singles",
    "Status",
    "SubsetCount",
    "SubsetSum",
    "SubsetSums",
    "WorstError",
    "bit_batch",
    "closest",
    "closest_batch",
    "closest_integer",
    "closest_many",
    "closest_vector",
    "count",
    "enumerate_closest",
    "fewest",
    "fewest_batch",
    "first",
    "first_batch",
    "first_large",
    "first_vector",
    "first_vector_batch",
    "karmarkar_karp",
    "laws",
    "moves_on_grid",
    "perturbed",
    "perturbed_batch",
    "reach",
    "sign_batch",
    "single_batch",
    "smallest",
    "smallest_batch",
    "solve_moved",
    "trade_off",
    "worst_error",
]
